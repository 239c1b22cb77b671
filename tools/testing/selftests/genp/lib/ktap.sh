#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# Results of tests in shell. Sourced, never run.
n=0

# say STATUS NAME: a test that passed if STATUS is 0.
say() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n $2"; else echo "not ok $n $2"; fi
}

# skip NAME WHY
skip() {
	n=$((n + 1))
	printf '# skipped: %s\nok %d %s # SKIP\n' "$2" $n "$1"
}
