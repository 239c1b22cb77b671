#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading, using, killing and unloading, again and again: nothing is left behind. What
# is not given back also shows at the end of a run of the debug kernel, by kmemleak.
ROUNDS=${GENP_RELOADS:-8}
# For growth that is no leak, of other programs.
SLACK=6144
good=$(cat /parameters)
echo "KTAP version 1"
echo "1..$((ROUNDS + 3))"
# shellcheck source=lib/ktap.sh
. /bin/ktap.sh

# kib WHAT: a figure of /proc/meminfo.
kib() { sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo; }
# Free pages in lists of a processor, which MemFree leaves out.
listed() { awk '/^ *count: / { pages += $2 } END { print pages * 4 }' /proc/zoneinfo; }
loaded() { grep -q '^genp ' /proc/modules; }

# What nobody has while the module is not loaded, and what the kernel has for itself.
measure() {
	# The debug kernel has no /proc/sys.
	[ ! -e /proc/sys/vm/drop_caches ] || echo 3 >/proc/sys/vm/drop_caches
	free=$(($(kib MemFree) + $(listed))) kernel=$(($(kib SUnreclaim) + $(kib VmallocUsed)))
}

programs='genp_partitions genp_leases genp_waiting genp_destroy genp_regions'

# Users of every kind, in the middle of whatever they do.
use() {
	users=
	for program in $programs; do
		$program >/dev/null 2>&1 &
		users="$users $!"
	done
}

# round: loads it and uses it; it cannot be unloaded meanwhile, and can be afterwards.
round() {
	# shellcheck disable=SC2086  # a list of words
	insmod /lib/genp.ko $good || return
	use
	exec 3<>/dev/genp || return
	usleep $((100000 + i * 37000))
	! rmmod genp 2>/dev/null && loaded || return
	# shellcheck disable=SC2086  # a list of words
	kill -9 $users
	# shellcheck disable=SC2086  # a list of words
	wait $users 2>/dev/null
	! rmmod genp 2>/dev/null && loaded || return
	exec 3>&-
	# What they had started lives on; its files go when the kernel gets to it.
	tries=0
	until rmmod genp 2>/dev/null; do
		# shellcheck disable=SC2086  # a list of words
		killall -9 $programs 2>/dev/null
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return
		usleep 50000
	done
	[ ! -e /dev/genp ] && ! grep -qE '^genp_(recall|notify|refill|scrub)' /proc/[0-9]*/comm
}

rmmod genp
say $? unload
i=0
while [ $i -lt "$ROUNDS" ]; do
	i=$((i + 1))
	round
	say $? "round_$i"
	# The first rounds fill the kernel's own caches.
	if [ $i = 3 ]; then
		measure
		before=$free kernel_before=$kernel
	fi
done
measure
echo "# free: $before KiB, then $free; of the kernel: $kernel_before KiB, then $kernel"
[ $((before - free)) -lt $SLACK ] && [ $((kernel - kernel_before)) -lt $SLACK ]
say $? nothing_grows
# shellcheck disable=SC2086  # a list of words
insmod /lib/genp.ko $good
say $? load_again
