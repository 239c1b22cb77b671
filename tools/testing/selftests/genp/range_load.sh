#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Loading with a physical range: wrong ones are refused and left alone.
good=$(cat /parameters)
free=$(sed -n 's/^ *\([0-9a-f]*\)-.* : System RAM$/\1/p' /proc/iomem | tail -n 1)
echo "KTAP version 1"
echo "1..12"
# shellcheck source=lib/ktap.sh
. /bin/ktap.sh
rmmod genp
say $? unload
# Half of it, no whole pages, wrapping around, no memory, the kernel's memory.
for wrong in range_mib=1 range_base=0x10000000 range_base=0x10000001,range_mib=1 \
	range_base=0xfffffffffff00000,range_mib=2 range_base=0xa0000000,range_mib=1 \
	"range_base=0x${free:-1000},range_mib=1"; do
	# shellcheck disable=SC2046  # a list of words
	insmod /lib/genp.ko pool_mib=1 $(echo "$wrong" | tr , ' ') 2>/dev/null
	[ $? != 0 ] && ! grep -q '^genp ' /proc/modules
	say $? "refuse_$wrong"
done
# The memory of a device: the first and largest of a graphics card, which keeps what is
# written there as memory would.
for card in /sys/bus/pci/devices/*; do
	case $(cat "$card/class" 2>/dev/null) in
	0x03*) bar=$(sed -n '1s/ .*//p' "$card/resource") ;;
	esac
done
if [ -n "$bar" ]; then
	iomem=$(cat /proc/iomem)
	devmem "$bar" 32 0x5a5aa5a5 2>/dev/null
	was=$(devmem "$bar" 32 2>/dev/null)
	said=$(insmod /lib/genp.ko pool_mib=1 range_base="$bar" range_mib=1 2>&1)
	echo "$said" | grep -q 'Operation not permitted' && ! grep -q '^genp ' /proc/modules
	say $? "refuse_the_memory_of_a_device"
	rmmod genp 2>/dev/null
	[ "$(devmem "$bar" 32 2>/dev/null)" = "$was" ] && [ "$(cat /proc/iomem)" = "$iomem" ]
	say $? "leave_the_device_alone"
else
	skip refuse_the_memory_of_a_device "there is no graphics card"
	skip leave_the_device_alone "there is no graphics card"
fi
! grep -q ' : genp$' /proc/iomem
say $? nothing_is_claimed
# shellcheck disable=SC2086  # a list of words
insmod /lib/genp.ko $good
say $? load_again
i=0
while [ $i -lt 3 ]; do
	# shellcheck disable=SC2086  # a list of words
	rmmod genp && insmod /lib/genp.ko $good || break
	i=$((i + 1))
done
[ $i = 3 ]
say $? load_and_unload
