#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# genpctl with the module: what it creates exists, and is gone after it ended.
echo "KTAP version 1"
echo "1..43"
n=0
# say NAME COMMAND...: a test passes if its command does.
say() {
	name=$1
	shift
	n=$((n + 1))
	if "$@" >/tmp/genpctl.out 2>&1; then
		echo "ok $n $name"
	else
		sed 's/^/# /' /tmp/genpctl.out
		echo "not ok $n $name"
	fi
}
listed() { genpctl list | grep -q "$1"; }
# appears NAME: waits until there is such a partition.
appears() {
	i=0
	while [ $i -lt 100 ] && ! genpctl stat "$1" >/dev/null 2>&1; do
		i=$((i + 1))
		usleep 50000
	done
}
# watched PATTERN OPTION...: watches until two lines match, or for half a minute.
watched() {
	pattern=$1 i=0
	shift
	# Looked at below before the shell has made it for the command.
	: >/tmp/watched
	genpctl watch --interval 0.5 "$@" >/tmp/watched 2>&1 &
	while [ $i -lt 300 ] && [ "$(grep -c "$pattern" /tmp/watched)" -lt 2 ]; do
		i=$((i + 1))
		usleep 100000
	done
	kill $!
	wait $!
}
gone() { ! genpctl stat "$1"; }

say info genpctl info
say version_is_the_modules sh -c '[ "$(genpctl --version)" = "genpctl $(cat /sys/module/genp/version)" ]'
# What the parameters of the tests make.
pool_mib=$(sed 's/.*pool_mib=\([0-9]*\).*/\1/' /parameters)
say info_shows_the_capacity sh -c "genpctl info | grep -q '\\b$pool_mib MiB'"
genpctl create --name mine --reserve 1M --borrow 512K >/tmp/create 2>&1 &
appears mine
say stat sh -c 'genpctl stat mine | grep -q "1 MiB"'
say bounds genpctl bounds mine --live 64K --largest 4K
say histogram genpctl histogram mine alloc
say list listed mine
genpctl --json stat mine >/tmp/stat
genpctl --json list >/tmp/listed
watched '^mine '
say watch_in_lines sh -c '[ $(grep -c "^mine " /tmp/watched) -ge 2 ] && ! grep -q "\[" /tmp/watched'
watched '"name":"mine"' --json mine
say watch_for_programs sh -c '[ $(grep -c "\"name\":\"mine\"" /tmp/watched) -ge 2 ]'
say stock_is_calculated sh -c 'genpctl stock --burst 32 --period 250us --hold 1ms | grep -q "160 pages"'
printf '%s\n' '[pool]' 'pool_mib = 8' '[[partition]]' 'reserve = "4M"' '[[partition]]' 'reserve = "4M"' >/tmp/plan
say a_plan_is_admitted genpctl plan /tmp/plan
sed -i 's/pool_mib = 8/pool_mib = 7/' /tmp/plan
say a_line_breaks_a_plan sh -c '! genpctl plan /tmp/plan >/tmp/planned && grep -q "^line 5, #2: .*(ENOSPC)" /tmp/planned'
say a_stock_is_judged sh -c '! genpctl stock --burst 1 --period 1ms --hold 1ms mine'
say create_with_a_stock genpctl create --stock 10 --stock-limit 20 -- sh -c '[ -n "$GENP_FD" ]'
say destroy genpctl destroy mine
wait
say destroy_ends_the_holder gone mine
say json_has_the_capacity sh -c "genpctl info --json | grep -q '\"capacity_bytes\":$((pool_mib << 20)),'"
say json_of_a_partition sh -c 'grep -q "\"reserve_bytes\":1048576," /tmp/stat && grep -q "\"name\":\"mine\"" /tmp/stat'
say json_of_the_list sh -c 'grep -q "\"borrow_limit_bytes\":524288," /tmp/listed'
say completion_and_man sh -c 'genpctl completion bash | grep -q stock-limit && genpctl man | grep -q "^\.TH genpctl 1"'
genpctl create --name made --reserve 64K --unit 4K --max-regions 7 --borrow 64K --term 5ms --multimap -- sh -c 'genpctl --json stat made' >/tmp/made 2>/dev/null
say create_with_all_options sh -c 'grep -q "\"max_regions\":7," /tmp/made && grep -q "\"region_unit_bytes\":4096," /tmp/made'
say a_term_too_long_is_told sh -c '! genpctl create --borrow 64K --term 1000s 2>/tmp/told && grep -q "give a shorter --term" /tmp/told'
# Who may open the device sees all; others see what their processes have open.
as() {
	user=$1
	shift
	su -s /bin/sh "$user" -c "exec $*"
}
printf '%s\n' 'they:x:1000:1000::/:/bin/sh' 'other:x:1001:1001::/:/bin/sh' >>/etc/passwd
chmod 666 /dev/genp
as they genpctl create --name theirs --borrow 64K >/tmp/theirs 2>&1 &
as other genpctl create --name others --borrow 64K >/tmp/others 2>&1 &
appears theirs
appears others
as they genpctl list >/tmp/listed 2>&1
say list_for_who_may_open_the_device sh -c 'cat /tmp/listed && grep -q " theirs .* 1000 " /tmp/listed && grep -q " others .* 1001 " /tmp/listed'
say list_without_debugfs sh -c 'genpctl --json list | grep -q "\"source\":\"device\""'
genpctl create --name shown --reserve 64K --mode 604 --restrict write,alloc -- sleep 60 2>/dev/null &
shown=$!
appears shown
genpctl --json stat shown >/tmp/stat
say stat_shows_who_has_it_and_his_rights grep -q "\"processes\":\[$shown\],.*\"rights\":\[\[\"write\",\"alloc\"\]\]" /tmp/stat
say a_program_has_the_rights_it_was_given grep -q 'genp-rights:.0x3$' /proc/$shown/fdinfo/*
say who_may_read_may_look as other genpctl stat shown
say who_may_read_may_not_destroy sh -c '! su -s /bin/sh other -c "genpctl destroy shown" && genpctl stat shown'
kill $shown
wait $shown
say rights_need_a_program sh -c '! genpctl create --reserve 64K --restrict none </dev/null'
chmod 600 /dev/genp
as they genpctl list >/tmp/listed 2>&1
say list_for_an_ordinary_user sh -c 'cat /tmp/listed && grep -q " processes$" /tmp/listed && grep -q " theirs .* [0-9]*$" /tmp/listed && ! grep -q others /tmp/listed'
genpctl destroy theirs
genpctl destroy others
wait
part() { printf '[[partition]]\nname = "%s"\nreserve = "%s"\n' "$1" "$2"; }
{ part first 64K; part second 64K; part third 1G; } >/tmp/applied.toml
say apply_makes_all_or_nothing sh -c '! genpctl apply /tmp/applied.toml 2>/tmp/told && grep -q "partition third: .*E2BIG" /tmp/told && ! genpctl stat first 2>/dev/null'
{ printf '%s\n' '[pool]' 'pool_mib = 8' 'max_lease_ms = 5'; part first 64K; } >/tmp/applied.toml
say apply_refuses_a_plan_for_another_pool sh -c '! genpctl apply /tmp/applied.toml 2>/tmp/told && grep -q "max_lease_ms is 1000, the plan has 5" /tmp/told && grep -q "modprobe genp max_lease_ms=5 pool_mib=8" /tmp/told && ! genpctl stat first 2>/dev/null'
{ printf '%s\n' '[pool]' 'pool_mib = 8' 'max_lease_ms = 1000'; part first 64K; part second 64K; } >/tmp/applied.toml
genpctl apply /tmp/applied.toml >/tmp/apply.out 2>&1 &
service=$!
appears second
say apply_holds_partitions sh -c 'genpctl stat first && grep -qx "made second" /tmp/apply.out'
{ part second 64K; part fourth 64K; } >/tmp/applied.toml
kill -HUP $service
appears fourth
say apply_follows_the_file sh -c 'genpctl stat second && i=0 && while genpctl stat first 2>/dev/null && [ $i -lt 100 ]; do i=$((i + 1)); usleep 50000; done && ! genpctl stat first'
part third 1G >>/tmp/applied.toml
kill -HUP $service
i=0
while [ $i -lt 100 ] && ! grep -q "partition third" /tmp/apply.out; do
	i=$((i + 1))
	usleep 50000
done
say a_file_that_fails_changes_nothing sh -c 'grep -q "partition third" /tmp/apply.out && genpctl stat second && genpctl stat fourth'
kill $service
wait $service
say apply_ends_with_success [ $? = 0 ]
say apply_releases_all sh -c '! genpctl stat second && ! genpctl stat fourth && genpctl info | grep -q "^partitions *0 of"'
say latency_has_a_histogram sh -c 'genpctl latency --reserve 256K --count 200 --svg /tmp/latency.svg >/tmp/latency && grep -q "^alloc: 200 times" /tmp/latency && grep -q "^return: 200 times" /tmp/latency && grep -q "</svg>" /tmp/latency.svg'
say the_reserve_has_no_faults sh -c 'grep -q "^touch  *200 .* 0$" /tmp/latency && grep -q "^alloc  *200 .* 0$" /tmp/latency'
say create_gives_a_program_a_heap genpctl create --reserve 1M -- genp-allocates
genpctl create --name bad --reserve 64K >/tmp/bad 2>&1 &
genpctl create --name good --reserve 64K >/tmp/good 2>&1 &
appears bad
appears good
say top_is_sorted sh -c 'genpctl top --by reserve --count 1 >/tmp/top && [ $(wc -l </tmp/top) = 2 ] && genpctl top --json | grep -q "\"by\":\"misuse\""'
genpctl destroy bad
genpctl destroy good
wait
genpctl create --name seen --reserve 64K --borrow 64K --stock 4 >/tmp/seen 2>&1 &
appears seen
say record_and_suggest sh -c 'genpctl record -o /tmp/recording --interval 20ms --for 200ms --of seen && genpctl suggest /tmp/recording >/tmp/suggested && grep -qx "stock = 1" /tmp/suggested && genpctl plan /tmp/suggested && ! genpctl record -o /tmp/recording --of nobody'
genpctl destroy seen
wait
say create_runs_a_command genpctl create --reserve 64K -- sh -c '[ -n "$GENP_FD" ] && [ -e /proc/self/fd/$GENP_FD ]'
