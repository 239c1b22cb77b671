#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# Debian's redis-server, unchanged, twice: with its malloc in a partition of GenP by 'genpctl
# run', and with jemalloc, as Debian links it. With glibc's malloc it cannot run: what its Lua
# has from jemalloc by name, redis passes to the malloc_usable_size() that it finds. Both get the same requests in turns, first alone and then while
# stress-ng takes and gives back most of the memory. scripts/demo runs this in a guest.
#
# REQUESTS  of each turn (default 2000)
# TURNS     of each server, alone and under pressure (default 3)
requests=${REQUESTS:-2000}
turns=${TURNS:-3}
reserve=24M
cd /tmp || exit 1
echo "GenP: redis in a partition"
echo "  kernel     $(uname -r) $(uname -v)"

# Both servers are SCHED_FIFO 50.
serve() {
	name=$1
	shift
	chrt -f 50 "$@" redis-server --port 0 --unixsocket "/tmp/$name.sock" --save '' \
		--pidfile "/tmp/$name.pid" --daemonize no >"/tmp/$name.log" 2>&1 &
	i=0
	while [ $i -lt 300 ] && [ ! -S "/tmp/$name.sock" ]; do i=$((i + 1)); usleep 100000; done
	[ -S "/tmp/$name.sock" ] || { echo "$name: the server did not start"; cat "/tmp/$name.log"; exit 1; }
}
serve genp genpctl run --reserve $reserve --name shop --
serve jemalloc
cli() { redis-cli -s "/tmp/$1.sock" "$2" "$3" 2>/dev/null; }
process() { cli "$1" info server | tr -d '\r' | sed -n 's/^process_id://p'; }
genp=$(process genp) jemalloc=$(process jemalloc)
# Page faults so far.
faults() { awk '{ print $10 + $12 }' "/proc/$1/stat"; }

# turn WHERE SERVER PROCESS: requests to a server, and what they took.
turn() {
	before=$(faults "$3")
	for test in set lpush hset; do
		redis-benchmark -s "/tmp/$2.sock" -t $test -n "$requests" -r 2000 -d 700 -c 8 >"/tmp/out" 2>&1 ||
			{ cat /tmp/out; exit 1; }
		# Lines of the distribution: "99.219% <= 0.815 milliseconds (cumulative count 3970)".
		tr '\r' '\n' </tmp/out | sed -n '/^Latency by percentile/,/^Cumulative/s/^\([0-9.]*\)% <= \([0-9.]*\) mill.*count \([0-9]*\))/\1 \2 \3/p' |
			awk -v run="$1 $2 $test" '{ print "genp-redis: " run, $1, $2, $3 }'
		tr '\r' '\n' </tmp/out | awk -v run="$1 $2 $test" '/throughput summary/ { print "genp-rate: " run, $3 }'
	done
	echo "genp-faults: $1 $2 $(($(faults "$3") - before))"
	# As a cache does that throws all away and fills again.
	cli "$2" flushall sync >/dev/null
}
both() {
	i=0
	while [ $i -lt "$turns" ]; do
		turn "$1" genp "$genp"
		turn "$1" jemalloc "$jemalloc"
		i=$((i + 1))
	done
}
echo "  warming up"
turn warm genp "$genp" >/dev/null
turn warm jemalloc "$jemalloc" >/dev/null
echo "  alone"
both alone
free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
hog=$((free - 64))
echo "  stress-ng takes $hog of the $free MiB that are available, and gives them back, again and again"
stress-ng --vm 2 --vm-bytes "$((hog / 2))m" --timeout 0 --quiet >/tmp/stress.log 2>&1 &
stress=$!
sleep 3
both pressure
echo "genp-pressure: $hog $(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)"
kill $stress
wait $stress
echo
echo "Limits"
genpctl stat shop | sed -n '/now/,/heap/s/^/  /p'
echo "  jemalloc: none; $(awk '/^VmHWM/ { print $2 }' "/proc/$jemalloc/status") KiB resident at most"
cli genp shutdown nosave
cli jemalloc shutdown nosave
wait
