#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading and unloading: wrong parameters are refused, nothing stays behind.
good=$(cat /parameters)
echo "KTAP version 1"
echo "1..15"
# shellcheck source=lib/ktap.sh
. /bin/ktap.sh
grep -qE '^genp_recall' /proc/[0-9]*/comm
say $? its_threads_are_seen
rmmod genp
say $? unload
for wrong in pool_mib=0 pool_mib=4194305 max_lease_ms=0 grace_ms=100000 recall_prio=1 \
	recall_prio=100 wait_order=2 max_waiters=0 max_partitions=0 max_leases=5000; do
	insmod /lib/genp.ko $wrong 2>/dev/null
	[ $? != 0 ] && ! grep -q '^genp ' /proc/modules
	say $? "refuse_$wrong"
done
[ ! -e /dev/genp ] && ! grep -qE '^genp_(recall|post|scrub)' /proc/[0-9]*/comm
say $? nothing_is_left
# shellcheck disable=SC2086  # a list of words
insmod /lib/genp.ko $good
say $? load_again
i=0
while [ $i -lt 5 ]; do
	# shellcheck disable=SC2086  # a list of words
	rmmod genp && insmod /lib/genp.ko $good || break
	i=$((i + 1))
done
[ $i = 5 ]
say $? load_and_unload_five_times
