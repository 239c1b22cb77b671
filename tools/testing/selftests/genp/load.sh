#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading and unloading: wrong parameters are refused, nothing stays behind.
good=$(cat /parameters)
echo "KTAP version 1"
echo "1..42"
# shellcheck source=lib/ktap.sh
. /bin/ktap.sh
grep -qE '^genp_recall' /proc/[0-9]*/comm
say $? its_threads_are_seen
rmmod genp
say $? unload
for wrong in pool_mib=0 pool_mib=491521 max_lease_ms=0 grace_ms=100000 recall_prio=1 \
	recall_prio=100 recall_base_prio=0 recall_base_prio=91 notify_prio=0 notify_prio=100 recall_end_ns=1000000001 wait_order=2 max_waiters=0 max_partitions=0 max_leases=5000 uid_max_waiters=257 \
	blocks=4 'blocks=4:1,' blocks=0:1 blocks=11:1 blocks=4:1,4:1 blocks=4:-1 blocks=10:4097 blocks=1:4294967295; do
	insmod /lib/genp.ko $wrong 2>/dev/null
	[ $? != 0 ] && ! grep -q '^genp ' /proc/modules
	say $? "refuse_$wrong"
done

# A process that the kernel would kill first, with some memory. It has not met the kernel's
# log: what is in there afterwards is new.
sh -c 'echo 1000 >/proc/self/oom_score_adj; kept=$(head -c 8000000 /dev/zero | tr "\0" x); sleep 3600; : "$kept"' &
innocent=$!
dmesg -c >/dev/null
# mib FIELD: of /proc/meminfo, 0 if this kernel has none of it.
mib() {
	kib=$(sed -n "s/^$1: *\([0-9]*\) kB/\1/p" /proc/meminfo)
	echo $((${kib:-0} / 1024))
}
# nobody_hurt: the innocent lives, and the kernel said nothing of the kind.
nobody_hurt() {
	kill -0 $innocent && ! dmesg | grep -E 'Out of memory|oom-kill|invoked oom-killer|WARNING:|allocation failure'
}
# More than can be had: nearly all, all, what nobody has, and the limits of what is allocated.
for large in "pool_mib=$(($(mib MemAvailable) * 95 / 100))" "pool_mib=$(mib MemTotal)" \
	"pool_mib=$(($(mib MemTotal) * 2))" pool_mib=491520 "emergency_pages=1048576" \
	"pool_mib=1 keep_free_mib=4194304" "pool_mib=1 blocks=10:4096" "pool_mib=1 blocks=1:2097152"; do
	# shellcheck disable=SC2086  # a list of words
	said=$(insmod /lib/genp.ko $large 2>&1)
	case $? in
	0) false ;;
	*) echo "$said" | grep -q 'Cannot allocate memory' && ! grep -q '^genp ' /proc/modules && nobody_hurt ;;
	esac
	say $? "no_memory_for_${large##* }"
	rmmod genp 2>/dev/null
done
# The largest values of all that is not memory.
insmod /lib/genp.ko pool_mib=8 max_lease_ms=3600000 grace_ms=3600000 recall_prio=99 refill_prio=99 max_waiters=256 \
	max_partitions=256 max_leases=4096 uid_ceiling_mib=4194304 uid_max_partitions=256 uid_max_leases=16384 \
	uid_max_waiters=256 && rmmod genp && nobody_hurt
say $? load_with_the_largest_values
# Blocks come and go with the pool.
insmod /lib/genp.ko pool_mib=1 blocks=9:1,4:4,1:2 &&
	[ "$(cat /sys/class/misc/genp/blocks_bytes)" -ge $((580 * 4096)) ] &&
	[ "$(cat /sys/class/misc/genp/blocks_free_bytes)" = "$(cat /sys/class/misc/genp/blocks_bytes)" ] && rmmod genp && nobody_hurt
say $? load_with_blocks
# Costs that are given are not measured, and used as they are.
of() { cat "/sys/class/misc/genp/$1"; }
insmod /lib/genp.ko pool_mib=8 recall_latency_ns=1 recall_end_ns=2 recall_page_ns=3 recall_zero_ns=4 \
	recall_serve_ns=5 recall_section_ns=6 &&
	[ "$(of recall_latency_ns) $(of recall_end_ns) $(of recall_page_ns)" = "1 2 3" ] &&
	[ "$(of recall_zero_ns) $(of recall_serve_ns) $(of recall_section_ns)" = "4 5 6" ] &&
	[ "$(of recall_calibrated)" = 0 ] && rmmod genp
say $? load_with_given_costs
# What is refused above is a share, not most of it.
insmod /lib/genp.ko pool_mib=$(($(mib MemAvailable) / 2)) && rmmod genp && nobody_hurt
say $? load_half_of_what_is_there
# Memory set aside for devices (CMA) counts as available, but is lent to movable pages only.
insmod /lib/genp.ko pool_mib=$(($(mib MemAvailable) - $(mib CmaFree) - 64)) keep_free_mib=16 && rmmod genp && nobody_hurt
say $? load_with_a_smaller_share
kill $innocent
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
