#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# The KUnit tests, which are a module of their own: loads it instead of genp.ko, and
# prints its results from the kernel's log as one flat list.
module=/lib/genp_kunit.ko

skip() {
	printf 'KTAP version 1\n1..1\n# skipped: %s\nok 1 kunit # SKIP\n' "$1"
	exit 0
}
[ -e $module ] || skip "this kernel has no KUnit"

log=/tmp/kunit.log
rmmod genp || exit 1
dmesg -c >/dev/null
# What the kernel logs meanwhile is shown below, indented.
dmesg -n 1
insmod $module
loaded=$?
[ $loaded != 0 ] || rmmod genp_kunit
dmesg -n 7
dmesg | sed 's/^\[[^]]*\] //' >$log
# shellcheck disable=SC2046  # a list of words
insmod /lib/genp.ko $(cat /parameters)
restored=$?

# A suite begins with its name and its plan; a missing test contradicts the plan.
echo 'KTAP version 1'
sed -e '/speed: normal$/d' -e '/KTAP version/d' -e 's/^/# /' $log
awk '
	/^    # Subtest: / { suite = $3 }
	/^    1\.\./ { planned += substr($1, 4) }
	/^    (not )?ok [0-9]+ / {
		skipped = /# SKIP/ ? " # SKIP" : ""
		name = $1 == "not" ? $4 : $3
		seen++
		print ($1 == "not" ? "not ok " : "ok ") seen " " suite "." name skipped
	}
	END { print "1.." planned + 0 }' $log
if [ $loaded != 0 ] || [ $restored != 0 ]; then
	echo "# insmod: genp_kunit $loaded, genp $restored"
	exit 1
fi
[ "$(grep -c '^    ok ' $log)" -gt 0 ] && ! grep -q '^ *not ok ' $log
