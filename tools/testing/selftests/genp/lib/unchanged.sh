#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# Runs programs that nobody changed in a partition. Sourced, never run, after ktap.sh.

# Bytes of the reserve of each.
RESERVE=${RESERVE:-12582912}

# try NAME COMMAND...: a test that passes if the command does.
try() {
	name=$1
	shift
	if "$@" >/tmp/try.out 2>&1; then
		say 0 "$name"
	else
		echo "# status $?"
		tail -n 8 /tmp/try.out | sed 's/^/# /'
		say 1 "$name"
	fi
}

run() { timeout "${LIMIT:-100}" genpctl run --reserve "$RESERVE" --report "$@"; }
# In the reserve of a partition: it said so at the end.
inside() {
	run "$@" >/tmp/inside 2>&1
	ended=$?
	cat /tmp/inside
	grep -q "^libgenp-preload: $RESERVE bytes of reserve" /tmp/inside && return $ended
}
partitions() { cat /sys/class/misc/genp/partitions; }
status() {
	want=$1
	shift
	"$@"
	[ $? = "$want" ]
}
# faults PID: page faults of a process so far.
faults() { awk '{ print $10 + $12 }' "/proc/$1/stat"; }
# until_true COMMAND...: tries it for ten seconds.
until_true() {
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		usleep 100000
	done
}
# all_are_gone BEFORE: the memory of those that ended is scrubbed and free soon.
all_are_gone() { [ "$(partitions)" = "$1" ]; }
