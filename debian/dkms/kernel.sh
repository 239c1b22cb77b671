# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # the names of those who source this
#
# What is known of a kernel by its packages, and where what is made for it is kept. Sourced,
# never run.

# Whether a kernel was made with Rust, by its build directory.
has_rust() { grep -q '^CONFIG_RUST=y' "$1/.config"; }

# Whether a build directory has what Rust modules are compiled against.
has_metadata() { [ -e "$1/rust/libkernel.rmeta" ]; }

# The version of the package with the headers of a kernel, if it is installed.
headers_version() {
	# shellcheck disable=SC2016  # dpkg's names
	dpkg-query -W -f '${db:Status-Status} ${Version}\n' "linux-headers-$1" 2>/dev/null |
		sed -n -E 's/^(installed|unpacked|half-configured|triggers-[a-z]*) //p'
}

# The first two numbers of a version: 7.3 of 7.3.4-1~bpo13+1.
series() { sed -E 's/^([0-9]+\.[0-9]+).*/\1/' <<<"$1"; }

# The archive of the source of this version of Debian's kernel, if it is there.
source_package() {
	local package version
	package=linux-source-$(series "$1")
	# shellcheck disable=SC2016  # dpkg's names
	version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || true)
	[ "$version" != "$1" ] || [ ! -f "/usr/src/$package.tar.xz" ] || printf '/usr/src/%s.tar.xz\n' "$package"
}

# What makes the Rust crates that a kernel without them lacks, the package of the source that it
# takes them from, and the series of kernels that this was done for.
PORT=${BASH_SOURCE[0]%/*}/../scripts/rust-for-older-kernels
CRATES_PACKAGE=linux-source-7.3
CRATES_SOURCE=/usr/src/$CRATES_PACKAGE.tar.xz
takes_crates() { [ "$(series "$1")" = 6.12 ]; }

# Where what modules are built with is kept, a directory for each kernel.
CACHE=${GENP_DKMS_CACHE:-/var/cache/genp-dkms}
# Part of their keys; to be increased when these scripts make different ones.
RECIPE=1

# What a directory depends on: another version of any of it makes it anew.
cache_key() { # KERNEL DIR
	printf '%s\n' "$RECIPE" "$(headers_version "$1")" "$(rustc --version)" "$(bindgen --version)"
	sha256sum <"$2/.config"
	has_rust "$2" || cat "$PORT"/* "$PORT/../Makefile.bindgen" | sha256sum
}

# Whether there is a directory of now.
is_cached() { # KERNEL DIR
	[ -f "$CACHE/$1/genp-key" ] && [ "$(cache_key "$1" "$2")" = "$(cat "$CACHE/$1/genp-key")" ]
}

fail() {
	printf 'genp: nothing to build with for kernel %s: %s\n' "$kernel" "$*" >&2
	exit 1
}

# Those of kernels that are gone.
clear_old() {
	local old
	for old in "$CACHE"/*/; do
		[ ! -d "$old" ] || [ -e "/lib/modules/$(basename "$old")/build" ] || rm -rf "$old"
	done
}

# in_cache KERNEL DIR KIB COMMAND: prints the directory that is kept for a kernel. If there is none
# of now, COMMAND WORK makes it, as WORK/out; that takes KIB of room.
in_cache() {
	local work=$CACHE/.work out=$CACHE/$1 free
	mkdir -p "$CACHE"
	exec 9>"$CACHE/.lock"
	flock 9
	clear_old
	if ! is_cached "$1" "$2"; then
		free=$(df --output=avail -k "$CACHE" | tail -n 1)
		[ "$free" -ge "$3" ] || fail "$CACHE has $((free / 1024)) MiB free, and $(($3 / 1024)) are needed"
		rm -rf "$work" "$out"
		# shellcheck disable=SC2064  # the directory of now
		trap "rm -rf '$work'" EXIT
		mkdir -p "$work/out"
		"$4" "$work" >&2
		cache_key "$1" "$2" >"$work/out/genp-key"
		mv -T "$work/out" "$out"
	fi
	printf '%s\n' "$out"
}
