# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What is known of a kernel by its packages. Sourced, never run.

# Whether a build directory has what Rust modules are compiled against.
has_metadata() { [ -e "$1/rust/libkernel.rmeta" ]; }

# The version of the package with the headers of a kernel, if it is installed.
headers_version() {
	# shellcheck disable=SC2016  # dpkg's names
	dpkg-query -W -f '${db:Status-Status} ${Version}\n' "linux-headers-$1" 2>/dev/null |
		sed -n -E 's/^(installed|unpacked|half-configured|triggers-[a-z]*) //p'
}

# Where directories to build modules with are kept, one for each kernel.
CACHE=${GENP_DKMS_CACHE:-/var/cache/genp-dkms}
# Part of their keys; to be increased when metadata makes different ones.
RECIPE=1

# What the metadata of a kernel depends on: another version of any of it makes it anew.
metadata_key() { # KERNEL DIR
	printf '%s\n' "$RECIPE" "$(headers_version "$1")" "$(rustc --version)" "$(bindgen --version)"
	sha256sum <"$2/.config"
}

# Whether there is a directory of now.
is_cached() { # KERNEL DIR
	[ -f "$CACHE/$1/genp-key" ] && [ "$(metadata_key "$1" "$2")" = "$(cat "$CACHE/$1/genp-key")" ]
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
