#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# third_party [SECONDS]: runs programs that know nothing of GenP against its device:
# stress-ng's stressors of devices and of file descriptors. Then measures how late
# cyclictest is woken alone, beside busy loops, and beside a busy GenP; the ratio is
# reported, not judged. SECONDS is the duration of each of the nine runs (default 2).
seconds=${1:-2}
# shellcheck source=lib/ktap.sh
. /bin/ktap.sh
echo "KTAP version 1"
echo "1..8"

# pool: prints what must be the same afterwards.
pool() {
	for name in capacity_bytes committed_bytes lent_bytes free_bytes quarantined_bytes partitions leases waiters; do
		cat /sys/class/misc/genp/$name
	done
}

# restored: waits until the pool is as before.
restored() {
	tries=0
	while [ "$(pool)" != "$before" ]; do
		[ $tries -lt 600 ] || return 1
		tries=$((tries + 1))
		usleep 100000
	done
}

# A /dev with GenP as the only device to try, beside those that programs need.
small_dev() {
	cat >/tmp/small-dev <<-'END'
		major=$(stat -c %t /dev/genp) minor=$(stat -c %T /dev/genp)
		mount -t tmpfs tmpfs /dev
		mkdir /dev/shm
		mknod -m 666 /dev/null c 1 3
		mknod -m 666 /dev/zero c 1 5
		mknod -m 666 /dev/urandom c 1 9
		mknod -m 666 /dev/genp c $((0x$major)) $((0x$minor))
		cd /tmp
		exec su "$AS" -c "$*"
	END
	AS=$as unshare -m sh /tmp/small-dev "$@"
}

ops=0 as=root
# stress NAME ARGUMENT...: runs one stressor; nothing of it may be left afterwards.
stress() {
	name=$1
	shift
	small_dev "$@" --timeout "${seconds}s" --metrics-brief --no-rand-seed >/tmp/stress 2>&1
	status=$?
	done_ops=$(awk '/metrc:.*[0-9]\.[0-9]/ { sum += $5 } END { print sum + 0 }' /tmp/stress)
	ops=$((ops + done_ops))
	case $status in
	0) ;;
	# It cannot run here: too little memory, or not implemented.
	3 | 4) restored && skip $name "stress-ng ended with $status" && return ;;
	*)
		tail -n 20 /tmp/stress | sed 's/^/# /'
		echo "# stress-ng ended with $status"
		;;
	esac
	if grep -E 'info:.* (skipped: [1-9]|disabled )' /tmp/stress >/tmp/why; then
		sed 's/^/# /' /tmp/why
		skip $name "stress-ng does not run it here"
		return
	fi
	[ $status = 0 ] && restored
	say $? $name
	echo "# $done_ops operations"
}

# latest LOAD...: the longest time that cyclictest was woken too late, in us, while LOAD
# runs. Its own priority is below the recall thread's.
latest() {
	: >/tmp/load
	pids=
	for load; do
		sh -c "$load" >/tmp/load 2>&1 &
		pids="$pids $!"
	done
	cyclictest --quiet --mlockall --priority=80 --interval=1000 --duration="${seconds}s" 2>/tmp/cyclictest.err |
		sed -n 's/.*Max: *\([0-9]*\).*/\1/p'
	for pid in $pids; do kill $pid; done 2>/dev/null
	wait
}

if ! stress-ng --version >/dev/null 2>&1 || ! cyclictest --help >/dev/null 2>&1; then
	for name in dev bad_ioctl fd_race fd_abuse fd_fork inherited cyclictest_is_woken pool; do
		skip $name "the guest has no stress-ng and cyclictest"
	done
	exit 0
fi
before=$(pool)
stress dev stress-ng --dev 2 --dev-file /dev/genp
# This one runs only without rights, and in this /dev all users may open GenP.
echo 'nobody:x:65534:65534::/tmp:/bin/sh' >>/etc/passwd
as=nobody
stress bad_ioctl stress-ng --pathological --bad-ioctl 2
as=root
stress fd_race stress-ng --fd-race 1 --fd-race-dev
stress fd_abuse stress-ng --fd-abuse 1
stress fd_fork stress-ng --fd-fork 1
# With a partition that all of its children inherit.
stress inherited genpctl create --reserve 64K --borrow 64K -- stress-ng --fork 1 --close 1

idle=$(latest)
busy=$(latest 'while :; do :; done' 'while :; do :; done')
genp=$(latest "genp_fuzz --mode storm --seconds $seconds" 'while :; do genpctl create --reserve 1M -- true; done')
if [ -n "$idle" ] && [ -n "$busy" ] && [ -n "$genp" ]; then
	say 0 cyclictest_is_woken
	echo "# the latest wake-up of cyclictest: $idle us alone, $busy us beside loops, $genp us beside GenP"
	echo "# GenP to loops: $(awk "BEGIN { printf \"%.2f\", $genp / ($busy ? $busy : 1) }")"
else
	sed 's/^/# /' /tmp/cyclictest.err
	skip cyclictest_is_woken "cyclictest measured nothing"
fi
restored
say $? nothing_is_left
echo "# endurance what=third-party operations=$ops idle_us=$idle busy_us=$busy genp_us=$genp seconds=$((9 * seconds))"
