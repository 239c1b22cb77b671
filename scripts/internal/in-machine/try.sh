# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034  # bad is for those who source this
#
# Tests as lines "ok NAME" or "not ok NAME". Sourced by scripts/packages and by what runs in its
# machine, never run.

bad=0
# try NAME COMMAND...: one test; what the command prints is shown if it fails. The command is a
# condition, in which set -e does not hold.
try() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1 </dev/null); then
		printf 'ok %s\n' "$name"
	else
		bad=1
		printf 'not ok %s\n%s\n' "$name" "$(tail -n 40 <<<"$out")"
	fi
}
