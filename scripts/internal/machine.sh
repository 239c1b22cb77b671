# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A Debian 13 as users have it, to install packages in. Sourced after lib.sh, never run.

# Part of the key; to be increased when this makes different ones.
MACHINE_RECIPE=1
MACHINE=$BUILD/machine
# A kernel with Rust, the series of its source, and a kernel without.
KERNEL_RUST=$(cat "$("$TOP/scripts/kernel" rt)/release")
KERNEL_SERIES=$(cut -d. -f1,2 <<<"$KERNEL_RUST")
KERNEL_OTHER=$("$IN_ROOT" apt-cache pkgnames linux-headers-6.12 | grep -- '-rt-amd64$' | sort -V | tail -n 1)
KERNEL_OTHER=${KERNEL_OTHER#linux-headers-}

# What genp-dkms depends on, as debian/control says.
dkms_depends() {
	sed -n '/^Package: genp-dkms/,/^$/p' "$TOP/debian/control" |
		sed -n '/^Depends:/,/^[A-Z]/s/^ \([a-z0-9+.-]*\).*/\1/p'
}

in_base() { # BASE COMMAND...
	local base=$1
	shift
	unshare --mount --fork -- sh -ec '
		base=$1; shift
		mount -t proc proc "$base/proc"
		mount --bind /dev "$base/dev"
		cp -L /etc/resolv.conf "$base/etc/resolv.conf" 2>/dev/null || true
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy=$http_proxy} chroot "$base" "$@"
	' sh "$base" "$@"
}

# A minimal system with the headers of two kernels. The rest of what is going to be installed
# is downloaded only, so that apt finds it without the network and installs it all the same.
fill_base() {
	local base=$1 build_root
	build_root=$("$TOP/scripts/internal/build-root")
	debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		trixie "$base" "$(awk '{ print $2; exit }' "$build_root/etc/apt/sources.list")"
	cp "$build_root/etc/apt/sources.list" "$base/etc/apt/"
	cp "$build_root/etc/apt/apt.conf.d/90genp" "$base/etc/apt/apt.conf.d/"
	printf 'Binary::apt::APT::Keep-Downloaded-Packages "true";\nAPT::Keep-Downloaded-Packages "true";\n' \
		>"$base/etc/apt/apt.conf.d/91keep"
	cp "$build_root/usr/sbin/policy-rc.d" "$base/usr/sbin/"
	rm -f "$base/etc/apt/apt.conf.d/docker-clean"
	in_base "$base" apt-get update
	in_base "$base" apt-get install -y "linux-headers-$KERNEL_RUST" "linux-headers-$KERNEL_OTHER"
	rm -f "$base"/var/cache/apt/archives/*.deb
	# shellcheck disable=SC2046  # a list of words
	in_base "$base" apt-get install -y --download-only dkms systemd "linux-source-$KERNEL_SERIES" $(dkms_depends)
}

make_base() {
	need_root "making a machine to install packages in"
	step machine-base "installing a Debian 13 to test packages in" fill_base "$1"
}

# Prints the directory of the machine; makes it first if it does not exist.
machine_base() {
	local base
	base=$CACHE/machine-$(key "$MACHINE_RECIPE" "$KERNEL_RUST" "$KERNEL_OTHER" "$(dkms_depends)")
	cached "$base" make_base
	printf '%s\n' "$base"
}

# A fresh machine: what is changed in it is beside the one in the cache.
new_machine() {
	clear_away "$MACHINE"
	mkdir -p "$MACHINE"/{upper,work,root}
	base=$(machine_base)
}

# in_machine COMMAND...: runs a command there, with REPOSITORY at /repository.
in_machine() {
	unshare --mount --propagation slave --fork -- bash -ec '
		base=$1 machine=$2 repository=$3; shift 3
		mount -t overlay overlay -o "lowerdir=$base,upperdir=$machine/upper,workdir=$machine/work" "$machine/root"
		mount -t proc proc "$machine/root/proc"
		mount --rbind /dev "$machine/root/dev"
		mkdir -p "$machine/root/repository"
		mount --bind -o ro "$repository" "$machine/root/repository"
		cp -L /etc/resolv.conf "$machine/root/etc/resolv.conf" 2>/dev/null || true
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy=$http_proxy} \
			chroot "$machine/root" "$@"
	' bash "$base" "$MACHINE" "$REPOSITORY" "$@"
}
