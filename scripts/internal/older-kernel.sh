# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154  # the variables are scripts/kernel's
#
# Part of scripts/kernel: a kernel of the distribution without CONFIG_RUST. Its headers and its
# image are taken from their packages, and the Rust crates it lacks are made against these.

# What shapes the crates, besides the kernel, the source and the compilers.
# shellcheck disable=SC2034  # for those who source this
CRATES_MADE_BY=("$TOP"/scripts/rust-for-older-kernels/{Kbuild.crates,Makefile.flags,make-crates,port.py}
	"$TOP/scripts/Makefile.bindgen")

# The release of a kernel by its headers package in the index, e.g. 6.12.117+deb13-rt-amd64.
older_release() { # VERSION FLAVOUR
	"$IN_ROOT" apt-cache pkgnames "linux-headers-$1" | sed 's/^linux-headers-//' |
		grep -E "\+deb[0-9]+-$2\$" | sort -V | tail -n 1
}

# fetch_older DIR: the parts of the packages, where modules can be built with them.
fetch_older() {
	local dir=$1 common=${release%-"$flavour"}-common
	case $flavour in rt-*) common+=-rt ;; esac
	fetch "$dir" "linux-headers-$release=$package" "linux-headers-$common=$package" \
		"linux-kbuild-${release%-"$flavour"}=$package" "linux-image-$release=$package"
	mv "$dir/boot/vmlinuz-$release" "$dir/image"
	clear_away "$dir/boot"
	clear_away "$dir/usr/lib/modules"
	# The headers expect to lie in /usr/src.
	sed -i 's|^include /usr/src/|include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../|' \
		"$dir/usr/src/linux-headers-$release/Makefile"
	ln -s "usr/src/linux-headers-$release" "$dir/build"
	ln -s build "$dir/source"
}

# make_older DIR
make_older() {
	step "kernel-$name" "fetching kernel $release" fetch_older "$1"
	step "kernel-$name-crates" "making the Rust crates that kernel $release lacks" \
		"$IN_ROOT" "$TOP/scripts/rust-for-older-kernels/make-crates" "$(realpath "$1/build")" "$source_dir" "$1/crates"
	printf 'RUST_CRATES=%s\n' "$dir/crates" >"$1/arguments"
	printf '%s\n' "$release" >"$1/release"
}
