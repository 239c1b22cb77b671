#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The interface for drivers, every function and every error, by a module that calls them.
result=/sys/kernel/debug/genp_ktest
# shellcheck disable=SC2046  # a list of words
rmmod genp && insmod /lib/genp.ko $(cat /parameters) blocks=9:1,4:8,1:16
if ! insmod /lib/genp_ktest.ko; then
	echo "KTAP version 1"
	echo "1..1"
	echo "not ok 1 load"
	exit 1
fi
cat $result
rmmod genp_ktest
# Some of its tests poison frames of the pool; a new one has none.
# shellcheck disable=SC2046  # a list of words
rmmod genp && insmod /lib/genp.ko $(cat /parameters)
