#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# preload: unchanged programs with their malloc in a partition: those of tools/preload, and
# Debian's bash, perl, sqlite3, redis-server, nginx and python3 where the guest has them. The
# last two have a longer test of their own, programs.
# shellcheck source=lib/ktap.sh
. /bin/ktap.sh
# shellcheck source=lib/unchanged.sh
. /bin/unchanged.sh
# shellcheck source=lib/nginx.sh
. /bin/nginx.sh
echo "KTAP version 1"
if [ ! -x /bin/bash ]; then
	echo "1..0 # SKIP: no programs with dynamic linking in this guest"
	exit 0
fi
cases=$(/bin/preload_cases | grep -v '^free_twice$')
# shellcheck disable=SC2086  # a list of words
echo "1..$(($(echo $cases | wc -w) + 18))"

before=$(partitions)
for one in $cases; do
	case $one in
	# It closes what the report would be written to.
	descriptors_are_the_programs) try "$one" run -- preload_cases "$one" ;;
	*) GENP_CASE_HANDLERS=1 try "$one" inside -- preload_cases "$one" ;;
	esac
done
try cpp inside -- preload_new
try status_is_the_programs status 7 run -- bash -c 'exit 7'
try no_room_is_125 status 125 genpctl run --reserve 1G -- bash -c 'exit 7'
try no_program_is_127 status 127 run -- /nowhere
try a_static_program_is_refused status 126 run -- genpctl info
try bash inside -- bash -c 'for i in {1..30}; do x=$(echo $(echo $i) | cat); done; [ "$x" = 30 ]'
try a_partition_is_there_meanwhile inside --name mine -- bash -c '
	genpctl stat mine | grep -q "12 MiB"'
try an_executed_program_has_none run -- bash -c 'exec bash -c "[ -z \"\$LD_PRELOAD\$GENP_RESERVE\$GENP_FD\" ]"'
try an_executed_program_may_have_its_own sh -c '
	genpctl run --reserve 2M --exec same --report -- bash -c "bash -c :; :" 2>/tmp/own
	[ "$(grep -c "^libgenp-preload: 2097152 bytes" /tmp/own)" = 2 ]'

# Faults between two moments of a program that allocates all the time.
cat >/tmp/faults.pl <<'END'
sub faults { open my $f, "<", "/proc/self/stat"; return (split / /, <$f>)[9] }
sub work { my %h; for my $i (1 .. 3000) { $h{$i % 500} = "x" x (($i * 37) % 4000); } }
work() for 1 .. 5;
faults();
my $before = faults();
work() for 1 .. 20;
my $after = faults();
print "faults: ", $after - $before, "\n";
exit($after == $before ? 0 : 1);
END
try no_faults_after_warming_up inside -- perl /tmp/faults.pl
try the_ceiling_holds sh -c '
	genpctl run --reserve 4M -- perl -e "my @a; push @a, q(x) x 1000000 for 1..10" 2>&1 | grep "Out of memory"'
try what_overflows_is_counted sh -c '
	genpctl run --reserve 4M --full overflow --report -- perl -e "my @a; push @a, q(x) x 1000000 for 1..10" 2>&1 |
		grep " 0 requests refused, [1-9][0-9]* served by libc"'

# What is suggested of a reserve that was too small suffices, and is a plan.
cat >/tmp/suggest.sh <<'END'
grow='my @a; push @a, q(x) x 1000000 for 1..5'
genpctl record -o /tmp/recording --reserve 2M -- perl -e "$grow; exit 3"
[ $? = 3 ] || exit 1
grep '"overflowed": [1-9]' /tmp/recording || exit 2
genpctl suggest --margin 10 /tmp/recording >/tmp/suggested.toml || exit 3
genpctl plan /tmp/suggested.toml || exit 4
reserve=$(sed -n 's/^reserve = //p' /tmp/suggested.toml)
[ "$reserve" -gt 5000000 ] && [ "$reserve" -lt 9000000 ] || exit 5
genpctl run --reserve "$reserve" -- perl -e "$grow"
END
try suggests_what_suffices sh /tmp/suggest.sh

# A server that was not changed, with a snapshot by a forked child.
cat >/tmp/redis.sh <<'END'
cd /tmp
genpctl run --reserve 12M --name redis -- redis-server --port 0 --unixsocket /tmp/redis.sock \
	--save '' --dbfilename redis.rdb >/tmp/redis.log 2>&1 &
i=0
while [ $i -lt 100 ] && [ ! -S /tmp/redis.sock ]; do i=$((i + 1)); usleep 100000; done
cli() { redis-cli -s /tmp/redis.sock "$@"; }
genpctl stat redis >/dev/null || exit 1
redis-benchmark -s /tmp/redis.sock -n 2000 -r 300 -d 100 -t set,get,lpush,hset -q || exit 2
cli set kept there | grep -q OK || exit 3
cli bgsave
i=0
while [ $i -lt 100 ] && [ ! -s /tmp/redis.rdb ]; do i=$((i + 1)); cli set other $i; usleep 100000; done
cli info persistence | grep rdb_last_bgsave_status:ok || exit 4
[ "$(cli get kept)" = there ] || exit 5
grep -q kept /tmp/redis.rdb || exit 6
cli shutdown nosave
wait
END
if [ -x /bin/redis-server ]; then
	try redis timeout 100 sh /tmp/redis.sh
	[ "$(grep -c . /tmp/redis.log)" = 0 ] || tail -n 3 /tmp/redis.log | sed 's/^/# /'
else
	skip redis "no redis-server"
fi
if [ -x /bin/sqlite3 ]; then
	try sqlite inside -- sqlite3 /tmp/base "create table t(a, b);
		with recursive c(x) as (select 1 union all select x + 1 from c where x < 5000)
		insert into t select x, hex(randomblob(20)) from c;
		create index i on t(b); delete from t where a % 2; vacuum; pragma integrity_check;"
else
	skip sqlite "no sqlite3"
fi

short_nginx() { serve web off && answers_right && warm && keeps_to_its_reserve && quits; }
if can_serve; then
	try nginx short_nginx
else
	skip nginx "no nginx, or no network, in this guest"
fi
# By malloc, which python otherwise asks for large blocks only.
cat >/tmp/short.py <<'END'
import json, multiprocessing, subprocess, sys

def square(number):
    return number * number

table = {f"key {i}": [i] * (i % 50) for i in range(500)}
assert json.loads(json.dumps(table)) == table
assert subprocess.run(["echo", "hello"], capture_output=True, check=True).stdout == b"hello\n"
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(square, range(100)) == [i * i for i in range(100)]
try:
    bytearray(64 << 20)
except MemoryError:
    sys.exit(0)
sys.exit(1)
END
if [ -x /bin/python3 ]; then
	PYTHONMALLOC=malloc try python inside -- python3 /tmp/short.py
else
	skip python "no python3"
fi

try all_partitions_are_gone until_true all_are_gone "$before"
