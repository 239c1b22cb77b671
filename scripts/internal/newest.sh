# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The kernel newest may be of a series that GenP was never tested on, in which what GenP uses has
# changed. That is worth a notice and is nobody's mistake: the scripts that build for it end with
# the status NEWER then, which make and scripts/check take for a test that was skipped. While newest
# is the same as rt, its failures are failures. Sourced after lib.sh, never run.

NEWER=77
# What was said last, for scripts/check.
NEWER_SAID=$LOGS/newest.notice

# forgive_newest DIR RELEASE LOG: from here on, if DIR is of that kernel, a failure of this shell is
# such a notice, with the first error in build/log/LOG.log. Not if that has none, as when it was
# interrupted, or if a package could not be fetched.
forgive_newest() {
	case $1 in
	*/kernel-newest-*) ;;
	*) return 0 ;;
	esac
	rm -f "$NEWER_SAID"
	# shellcheck disable=SC2064  # those of now
	trap "newer_or_failed \$? '$2' '$3'" EXIT
}

first_error() { # LOG
	awk '/^genp: |(^|[^a-z_])([Ee]rror|ERROR)(\[E[0-9]+\])?:/ {
		print
		if ((getline) > 0 && /-->/) print
		exit
	}' "$1"
}

newer_or_failed() { # STATUS RELEASE LOG
	local log=$LOGS/$3.log
	case $1 in
	0 | "$NEWER") exit "$1" ;;
	esac
	if [ ! -e "$log" ] || grep -q '^E: ' "$log" || [ -z "$(first_error "$log")" ]; then exit "$1"; fi
	{
		printf 'genp: notice: the newest kernel, %s, has changed what GenP uses. The first error:\n' "$2"
		first_error "$log" | sed 's/^/    | /'
		printf '  GenP was tested on series %s: KERNEL=rt.\n' \
			"$(awk '$1 == "rt" { print $2 " (" $3 ")" }' "$TOP/scripts/internal/tested-versions")"
	} >"$NEWER_SAID"
	cat "$NEWER_SAID" >&2
	exit "$NEWER"
}
