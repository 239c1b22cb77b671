# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Shared by all scripts: paths, the display of steps, the cache. Sourced, never run.

set -euo pipefail

# What a script says of itself at its top is its help.
case ${1:-} in
-h | --help)
	sed -n '4,/^[^#]/s/^# \{0,1\}//p' "$0"
	exit
	;;
esac

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=$TOP/build
LOGS=$BUILD/log
CACHE=${GENP_CACHE:-$HOME/.cache/genp}
IN_ROOT=$TOP/scripts/in-root
mkdir -p "$LOGS" "$CACHE"

# The kernels of scripts/kernel.
# shellcheck disable=SC2034  # for those who source this
KERNELS="rt rt-prev newest stock debian-stable rt-arm64 arm64-16k debug um"

# The architecture that is built for, and emulated: amd64 or arm64. It decides which build root
# scripts/in-root enters.
export GENP_ARCH=${GENP_ARCH:-amd64}

# build_for KERNEL: sets GENP_ARCH, and what depends on it, to a kernel's.
# shellcheck disable=SC2034  # for those who source this
build_for() {
	case $1 in
	*-arm64 | arm64-*) GENP_ARCH=arm64 TARGET=aarch64-unknown-linux-gnu CROSS=aarch64-linux-gnu- USER_DIR=$BUILD/user-arm64 ;;
	*) GENP_ARCH=amd64 TARGET=x86_64-unknown-linux-gnu CROSS='' USER_DIR=$BUILD/user ;;
	esac
}

# formulas_of KERNEL: the formulas that its calls are compared with. Those of formulas-KERNEL come
# last: they stand in the place of others.
formulas_of() {
	local own=$TOP/tools/bench/formulas-$1
	cat "$TOP/tools/bench/formulas"
	[ ! -e "$own" ] || cat "$own"
}

die() {
	printf 'genp: %s\n' "$@" >&2
	exit 1
}

need_root() {
	[ "$(id -u)" = 0 ] || die "$1 needs root." "Run the same command as root, for example with sudo."
}

# Whether somebody sees a line before it is whole.
on_terminal() { [ -t 2 ] && [ -z "${GENP_NO_TERMINAL:-}" ]; }

# step NAME WHAT COMMAND...: runs a command with its output in a log file, and shows WHAT
# it does, how long it took, and the end of the log if it fails.
step() {
	# COMMAND sees these names; callers do not use them.
	local _what=$2 _log=$LOGS/$1.log _begin=$SECONDS _status
	shift 2
	! on_terminal || printf '  ...  %s' "$_what" >&2
	# Not with '||', which would switch off set -e in the command.
	set +e
	(
		set -e
		"$@"
	) >"$_log" 2>&1 </dev/null
	_status=$?
	set -e
	! on_terminal || printf '\r\033[K' >&2
	if [ "$_status" != 0 ]; then
		printf 'FAILED %s (after %s s, status %s)\n' "$_what" $((SECONDS - _begin)) "$_status" >&2
		tail -n 40 "$_log" | sed 's/^/    | /' >&2
		printf '  the whole log: %s\n  what to do: fix the cause shown in the log and run the same command again; finished steps are kept.\n' "$_log" >&2
		exit "$_status"
	fi
	if [ $((SECONDS - _begin)) -ge 2 ] || [ -n "${GENP_VERBOSE:-}" ]; then
		printf '%5s s  %s\n' $((SECONDS - _begin)) "$_what" >&2
	fi
}

# key FILE-OR-TEXT...: a short hash of these inputs.
key() {
	local input
	for input in "$@"; do
		if [ -f "$input" ]; then cat "$input"; else printf '%s\n' "$input"; fi
	done | sha256sum | cut -c1-16
}

# cached DIR COMMAND...: makes DIR, if it does not exist, by COMMAND, whose last argument
# is a temporary directory to fill. Concurrent callers make it once; an interrupted one
# leaves no DIR.
cached() {
	local dir=$1
	shift
	[ ! -e "$dir" ] || return 0
	mkdir -p "$(dirname "$dir")"
	(
		flock 9
		if [ ! -e "$dir" ]; then
			clear_away "$dir.part"
			mkdir -p "$dir.part"
			"$@" "$dir.part"
			mv -T "$dir.part" "$dir"
		fi
	) 9>"$dir.lock"
}

# clear_away DIR: removes a directory of the cache or the build, never through a mount.
clear_away() {
	case $1 in
	"$CACHE"/* | "$BUILD"/*) ;;
	*) die "refusing to remove $1: it is neither in $CACHE nor in $BUILD." ;;
	esac
	[ -e "$1" ] || return 0
	rm -rf --one-file-system "$1"
}

# fetch DIR PACKAGE[=VERSION]...: unpacks packages into DIR; apt checks their signatures.
fetch() {
	local dir=$1
	shift
	mkdir -p "$dir/deb"
	(
		cd "$dir/deb"
		"$IN_ROOT" apt-get download "$@"
		for deb in *.deb; do "$IN_ROOT" dpkg-deb -x "$deb" "$dir"; done
	)
	rm -rf "$dir/deb"
}
