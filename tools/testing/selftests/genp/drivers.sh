#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# drivers [TIMES]: the sample drivers of samples/: each is loaded, runs, checks its own
# results, and is unloaded. What it counted is printed as well. With TIMES each runs TIMES
# times as long, beside programs that keep all processors and the page cache busy.
debug=/sys/kernel/debug
times=${1:-1}
# shellcheck source=lib/ktap.sh
. /bin/ktap.sh
echo "KTAP version 1"
echo "1..11"
# Interrupts of a slow machine take long, and the kernel logs that. Warnings are still shown.
dmesg -n 6

load() {
	while :; do
		dd if=/dev/zero of="/tmp/load.$1" bs=64k count=64 2>/dev/null
		md5sum "/tmp/load.$1" >/dev/null
		rm -f "/tmp/load.$1"
	done
}

loads=
if [ "$times" -gt 1 ]; then
	for i in $(seq $((2 * $(nproc)))); do
		load "$i" &
		loads="$loads $!"
	done
fi

# run DRIVER SECONDS: an error if the driver says that something was wrong.
run() {
	status=0
	echo "$2" >$debug/$1/run || status=1
	cat $debug/$1/result >/tmp/result
	sed 's/^/# /' /tmp/result
	[ $status = 0 ] && grep -q '^verdict  *good$' /tmp/result
}

# drive DRIVER SECONDS [PARAMETER...]: loads, runs, unloads.
drive() {
	driver=$1 seconds=$(($2 * times))
	shift 2
	[ "$times" = 1 ] || echo "progress: $driver $* for $seconds s"
	: >/tmp/result
	insmod /lib/$driver.ko "$@" || return 1
	run $driver "$seconds"
	good=$?
	rmmod $driver && [ $good = 0 ]
}

# counted NAME COLUMN: a number of the last result; columns are thread, hardirq, NMI.
counted() {
	awk -v name="$1" -v column="$2" 'index($0, name) == 1 { print $(NF - 3 + column) }' /tmp/result
}

# nothing_of NAME COLUMN: it was tried there and failed each time.
nothing_of() {
	[ "$(counted "$1 tried" $2)" -gt 0 ] && [ "$(counted "$1 got" $2)" = 0 ]
}

# some NAME COLUMN
some() {
	[ "$(counted "$1" $2)" -gt 0 ]
}

# As many pages as all contexts on all processors can have at once.
drive genp_atomic 4
say $? pages_have_one_owner_in_every_context
why=$(sed -n 's/^no NMI: *//p' /tmp/result)
if [ -n "$why" ]; then
	skip pages_are_taken_in_nmi "$why"
else
	some 'genp_alloc_page taken' 3
	say $? pages_are_taken_in_nmi
fi
# What atomic.rst says of other allocators, on the kernels to which it applies.
if [ "$(counted 'alloc_pages_nolock tried' 2)" = 0 ]; then
	skip the_kernel_has_nothing_in_hardirq "this kernel has none of these calls"
elif uname -v | grep -q PREEMPT_RT; then
	nothing_of alloc_pages_nolock 2 && nothing_of kmalloc_nolock 2
	say $? the_kernel_has_nothing_in_hardirq
else
	skip the_kernel_has_nothing_in_hardirq "without PREEMPT_RT it may"
fi

# Fewer pages than that, so that they are reused at once.
drive genp_atomic 3 pages=4 && some 'genp_alloc_page empty' 1
say $? a_scarce_stock_is_not_shared_out_twice

# No pages in the own stock: all come from the emergency stock.
rmmod genp
# shellcheck disable=SC2046  # a list of words
insmod /lib/genp.ko $(cat /parameters) emergency_pages=8
drive genp_atomic 2 pages=1 emergency=1
say $? the_emergency_stock_is_not_shared_out_twice
rmmod genp
# shellcheck disable=SC2046  # a list of words
insmod /lib/genp.ko $(cat /parameters)

# Blocks of four orders in all contexts, each order with as many as they can have at once, while
# partitions with what is left come and go.
blocks=$((12 * $(nproc) + 2))
rmmod genp
# shellcheck disable=SC2046  # a list of words
insmod /lib/genp.ko $(cat /parameters) "blocks=4:$blocks,3:$blocks,2:$blocks,1:$blocks"
drive genp_atomic 4 orders=4 && some 'blocks among those taken' 2
say $? no_guaranteed_block_is_refused
rmmod genp
# shellcheck disable=SC2046  # a list of words
insmod /lib/genp.ko $(cat /parameters)

drive genp_packets 2
say $? packets_within_the_minimum_have_descriptors

# The same in a partition that a process created.
genpctl create --name lent --reserve 64K --borrow 64K >/tmp/create 2>&1 &
i=0
while [ $i -lt 200 ] && ! genpctl stat lent >/dev/null 2>&1; do
	i=$((i + 1))
	usleep 50000
done
drive genp_packets 1 partition=lent
say $? packets_in_a_partition_of_a_process
genpctl destroy lent >/dev/null
wait $!

drive genp_recalled 2
say $? recalled_memory_is_returned
drive genp_recalled 2 comply=0
say $? memory_that_is_kept_is_overdue

dmesg -c >/dev/null
insmod /lib/genp_rust_sample.ko ms=$((1000 * times))
status=$?
dmesg | sed -n 's/.*genp_rust_sample: /# /p'
[ $status = 0 ] && rmmod genp_rust_sample
say $? a_driver_in_rust
# shellcheck disable=SC2086  # a list of words
[ -z "$loads" ] || kill $loads
dmesg -n 7
