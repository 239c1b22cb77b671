# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A Debian 13 as users have it, to install packages in and to boot. Sourced after lib.sh and
# emulator.sh, never run.

# Part of the key; to be increased when this makes different ones.
MACHINE_RECIPE=2
MACHINE=$BUILD/machine
# The kernel that it has, Debian 13's own, and the one it is upgraded to; the series of whose source
# is what genp-dkms builds with on both.
KERNEL_OWN=$("$IN_ROOT" apt-cache pkgnames linux-headers-6.12 | grep -- '-rt-amd64$' | sort -V | tail -n 1)
KERNEL_OWN=${KERNEL_OWN#linux-headers-}
KERNEL_NEW=$(cat "$("$TOP/scripts/kernel" rt)/release")
KERNEL_SERIES=$(cut -d. -f1,2 <<<"$KERNEL_NEW")

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

# Of which system it consists, besides the minimal one: what boots, with what an installed Debian
# has for that by recommendations, and what a kernel's image and headers need.
system_packages() {
	printf '%s\n' systemd-sysv dbus udev initramfs-tools busybox zstd e2fsprogs \
		"linux-image-$KERNEL_OWN" "linux-headers-$KERNEL_OWN"
}

# What is going to be installed besides GenP's packages.
wanted_packages() {
	printf '%s\n' dkms "linux-source-$KERNEL_SERIES" libjs-sphinxdoc pkgconf redis-server
	dkms_depends
}

# The newer kernel, from the backports. Its headers do not depend on its image, as those of Debian's
# own kernel do, so both are named.
newer_kernel() { printf '%s\n' -t trixie-backports "linux-image-$KERNEL_NEW" "linux-headers-$KERNEL_NEW"; }

# The rest of what is going to be installed is downloaded only, so that apt finds it without the
# network and installs it all the same.
fill_base() {
	local base=$1 build_root
	build_root=$("$TOP/scripts/internal/build-root")
	debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		trixie "$base" "$(awk '{ print $2; exit }' "$build_root/etc/apt/sources.list")"
	cp "$build_root/etc/apt/sources.list" "$base/etc/apt/"
	cp "$build_root/etc/apt/apt.conf.d/90genp" "$base/etc/apt/apt.conf.d/90here"
	printf 'Binary::apt::APT::Keep-Downloaded-Packages "true";\nAPT::Keep-Downloaded-Packages "true";\n' \
		>"$base/etc/apt/apt.conf.d/91keep"
	cp "$build_root/usr/sbin/policy-rc.d" "$base/usr/sbin/"
	rm -f "$base/etc/apt/apt.conf.d/docker-clean"
	in_base "$base" apt-get update
	# shellcheck disable=SC2046  # a list of words
	in_base "$base" apt-get install -y $(system_packages)
	rm -f "$base"/var/cache/apt/archives/*.deb
	# shellcheck disable=SC2046  # a list of words
	in_base "$base" apt-get install -y --download-only $(wanted_packages)
	# shellcheck disable=SC2046  # a list of words
	in_base "$base" apt-get install -y --download-only $(newer_kernel)
}

make_base() {
	need_root "making a machine to install packages in"
	step machine-base "installing a Debian 13 to test packages in" fill_base "$1"
}

# Prints the directory of the machine; makes it first if it does not exist.
machine_base() {
	local base
	base=$CACHE/machine-$(key "$MACHINE_RECIPE" "$(system_packages)" "$(wanted_packages)" "$(newer_kernel)")
	cached "$base" make_base
	printf '%s\n' "$base"
}

# A fresh machine: what is changed in it is beside the one in the cache.
new_machine() {
	clear_away "$MACHINE"
	mkdir -p "$MACHINE"/{upper,work,root}
	use_machine
}

# The machine of before.
use_machine() { base=$(machine_base); }

# in_machine COMMAND...: runs a command there, with REPOSITORY at /repository and what the machine
# boots from at /disk.
in_machine() {
	unshare --mount --propagation slave --fork -- bash -ec '
		base=$1 machine=$2 repository=$3; shift 3
		mount -t overlay overlay -o "lowerdir=$base,upperdir=$machine/upper,workdir=$machine/work" "$machine/root"
		mount -t proc proc "$machine/root/proc"
		mount --rbind /dev "$machine/root/dev"
		mkdir -p "$machine/disk" "$machine/root/repository" "$machine/root/disk"
		mount --bind -o ro "$repository" "$machine/root/repository"
		mount --bind "$machine/disk" "$machine/root/disk"
		cp -L /etc/resolv.conf "$machine/root/etc/resolv.conf" 2>/dev/null || true
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
			DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy=$http_proxy} \
			chroot "$machine/root" "$@"
	' bash "$base" "$MACHINE" "$REPOSITORY" "$@"
}

# Makes a disk of the machine, without what apt downloaded, and takes its kernels and their initrds
# out, as a boot loader does.
make_disk() {
	in_machine sh -ec '
		rm -f /disk/*
		cp /boot/vmlinuz-* /boot/initrd.img-* /disk/
		mount --bind / /mnt
		mount -t tmpfs tmpfs /mnt/var/cache/apt/archives
		mke2fs -q -t ext4 -d /mnt /disk/image 8G'
}

# boot_machine CONSOLE KERNEL ARGUMENT...: boots from the disk with a kernel of it, with more
# arguments. The console is written to a file; what the machine writes to its second serial port is
# printed.
boot_machine() {
	local disk=$MACHINE/disk accelerator=tcg
	! can_accelerate || accelerator=kvm
	# A busy machine is slow: no_timer_check as in scripts/run, and what systemd waits for.
	local slow='no_timer_check rcupdate.rcu_cpu_stall_timeout=120 systemd.default_timeout_start_sec=900 systemd.default_device_timeout_sec=900'
	timeout --foreground --kill-after=10 "${GENP_TIMEOUT:-1800}" "$IN_ROOT" qemu-system-x86_64 \
		-accel "$accelerator" -cpu max -smp 2 -m 1536 -vga none -display none -monitor none -no-reboot -net none \
		-drive "file=$disk/image,format=raw,if=virtio,cache=unsafe" \
		-kernel "$disk/vmlinuz-$2" -initrd "$disk/initrd.img-$2" \
		-append "root=/dev/vda ro console=ttyS0 panic=-1 $slow ${*:3}" \
		-serial "file:$1" -serial stdio </dev/null
}
