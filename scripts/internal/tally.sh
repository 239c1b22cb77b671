# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the suites of scripts/check count, and how they run side by side. Sourced after lib.sh, never
# run. A suite is a process of its own; what it counted is in files, since it cannot set variables
# of ours.

TALLY=$(mktemp -d "$BUILD/check.XXXXXX")

# count NAME PASSED FAILED SKIPPED SECONDS: adds to the numbers of the suite, which may have several
# such lines.
count() {
	echo "$2 $3 $4" >>"$TALLY/$suite.counts"
	printf '  %-17s %4d ok %4d not ok %4d skipped %5d s\n' "$1" "$2" "$3" "$4" "$5"
}

# failing NAME: adds the lines from standard input to what failed, which is repeated above the sum:
# a long log is often read from its end.
failing() { sed "s/^/  $1: /" >>"$TALLY/$suite.failures"; }

# skipping NAME: adds the lines from standard input to what was skipped, a line for each program and
# reason.
skipping() { sed "s/^/  $1: /" >>"$TALLY/$suite.skips"; }

# Of the output of self-tests: each program that skipped tests, how many, and why.
skipped_tests() {
	awk '
		function note(n) {
			key = program SUBSEP (why != "" ? why : "it gives no reason")
			if (!(key in tests)) order[++keys] = key
			tests[key] += n
			why = ""
		}
		{ sub(/\r$/, "") }
		/^genp-test: begin / { program = $3; sub(/^genp_/, "", program); why = "" }
		/^# skipped: / { why = substr($0, 12) }
		/^1\.\.0 # SKIP/ { why = $0; sub(/^1\.\.0 # SKIP:? */, "", why); note(0) }
		/^ok .*# SKIP/ { note(1) }
		END {
			for (k = 1; k <= keys; k++) {
				split(order[k], part, SUBSEP)
				n = tests[order[k]]
				print part[1] ", " (n == 0 ? "all" : n == 1 ? "1 test" : n " tests") ": " part[2]
			}
		}' "$1"
}

# How many suites run at a time.
jobs_at_most() {
	local processors
	processors=$(nproc)
	echo $((processors < 4 ? processors : 4))
}

# begin SUITE: runs it, and counts as a failure that it did not come to its end.
begin() {
	local suite=$1 status=0 begin=$SECONDS
	# Not with '||', which would switch off set -e in the suite.
	set +e
	(
		set -e
		run_suite "$suite"
	)
	status=$?
	set -e
	if [ "$status" != 0 ]; then
		count "$suite" 0 1 0 $((SECONDS - begin))
		failing "$suite" <<<"it ended with status $status: see above"
	fi
	# Of all that it started, which is the second line. Not in a pipe, whose shell started nothing.
	times >"$TALLY/$suite.times"
}

# Ends all suites that run, with all that they started.
stop_suites() {
	local group
	# Not again: a terminal, or timeout, may send more than one.
	trap '' INT TERM HUP
	for group in $(jobs -p); do kill -TERM -- "-$group" 2>/dev/null || true; done
	wait 2>/dev/null
	rm -rf "$TALLY"
	echo "genp: interrupted; the suites that ran were ended." >&2
	exit 130
}

# side_by_side SUITE...: runs suites, JOBS at a time, in this order, without those of SKIP.
side_by_side() {
	local suite jobs=${JOBS:-$(jobs_at_most)}
	# Two that show their steps on one terminal would overwrite each other.
	[ "$jobs" = 1 ] || [ $# = 1 ] || export GENP_NO_TERMINAL=1
	# A process group for each, so that an interrupt ends all of it.
	set -m
	trap stop_suites INT TERM HUP
	for suite in "$@"; do
		case " ${SKIP:-} " in
		*" $suite "*)
			skipping "$suite" <<<"the suite is left out by SKIP"
			continue
			;;
		esac
		while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
		begin "$suite" </dev/null &
	done
	wait
	set +m
	trap - INT TERM HUP
}

# all KIND SUITE...: what the suites left of a kind, in this order.
all() {
	local kind=$1 suite
	for suite in "${@:2}"; do
		[ ! -f "$TALLY/$suite.$kind" ] || cat "$TALLY/$suite.$kind"
	done
}

# took SUITE...: what suites used of the processors, which are the limit of all of them together.
took() {
	local suite
	for suite; do
		[ ! -f "$TALLY/$suite.times" ] || sed -n "2s/^/$suite /p" "$TALLY/$suite.times"
	done | awk '
		function seconds(time, part) {
			split(time, part, /[ms]/)
			return 60 * part[1] + part[2]
		}
		{
			used = seconds($2) + seconds($3)
			all += used
			list = list (list == "" ? "" : ", ") sprintf("%s %d", $1, used + 0.5)
		}
		END { if (NR) printf "seconds of processors: %s; %d in all\n", list, all + 0.5 }'
}

# sum SUITE...: what was skipped and what failed, and in the last line the sum. The status is 0 if
# nothing failed.
sum() {
	local passed failed skipped skips failures used
	read -r passed failed skipped < <(all counts "$@" | awk '
		{ passed += $1; failed += $2; skipped += $3 }
		END { print passed + 0, failed + 0, skipped + 0 }')
	skips=$(all skips "$@") failures=$(all failures "$@") used=$(took "$@")
	rm -rf "$TALLY"
	# A run of no test at all is a failure; skipped tests have said why.
	[ $((passed + failed + skipped)) -gt 0 ] || failed=1
	[ -z "$skips" ] || printf 'what was skipped:\n%s\n' "$skips"
	[ -z "$failures" ] || printf 'what failed:\n%s\n' "$failures"
	[ -z "$used" ] || echo "$used"
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	[ "$failed" = 0 ]
}
