#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# bench_programs [TURNS]: programs that nobody changed, with their malloc in a partition and
# without, by turns (default 5), and how much of their work they do in a second; redis and nginx in a
# second of the server's processor time. In a guest of 'make bench BENCH=programs', which has the programs.
# Debian's redis-server cannot run with glibc's malloc: it is measured beside jemalloc, with which
# it is linked.
turns=${1:-5}
machine=${GENP_BENCH_MACHINE:-um2}
cd /tmp || exit 1
# shellcheck source=../../testing/selftests/genp/lib/nginx_conf.sh
. /bin/nginx_conf.sh

# with SUBJECT COMMAND...: in a partition or not.
with() {
	subject=$1
	shift
	case $subject in
	genp) genpctl run --reserve 48M -- "$@" ;;
	*) "$@" ;;
	esac
}
# note CASE SUBJECT PER_SECOND: keeps a figure.
note() { echo "$3" >>"/tmp/figures.$1.$2"; }
now() { cut -d' ' -f1 /proc/uptime; }

# start NAME SUBJECT FILE COMMAND...: a server, which is there when the file is.
start() {
	name=$1 subject=$2 file=$3
	shift 3
	with "$subject" "$@" >"/tmp/$name.$subject.log" 2>&1 &
	tries=0
	until [ -e "$file" ]; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { cat "/tmp/$name.$subject.log" >&2; exit 1; }
		usleep 100000
	done
}

start_redis() {
	start redis "$1" "/tmp/$1.sock" redis-server --port 0 --unixsocket "/tmp/$1.sock" --save '' --appendonly no
}
# cpu SUBJECT: seconds of processor time that its server used. By the clock the figure would be
# that of who runs when: the server and its clients share two processors.
cpu() {
	redis-cli -s "/tmp/$1.sock" info cpu | tr -d '\r' |
		awk -F: '/^used_cpu_(user|sys):/ { sum += $2 } END { print sum }'
}
redis() {
	requests=20000
	for call in SET GET; do
		before=$(cpu "$1")
		redis-benchmark -s "/tmp/$1.sock" -t $call -n $requests -r 5000 -d 200 -c 8 -q >/tmp/out || exit 1
		note "redis_$call" "$1" "$(echo "$before $(cpu "$1") $requests" | awk '{ printf "%.1f", $3 / ($2 - $1) }')"
	done
}

start_nginx() {
	nginx_conf "/tmp/nginx.$1" off "listen unix:/tmp/nginx.$1.sock"
	start nginx "$1" "/tmp/nginx.$1.pid" nginx -c "/tmp/nginx.$1.conf" -e stderr
}
# cpu_of PID: seconds of processor time that a process used.
cpu_of() { awk '{ print ($14 + $15) / 100 }' "/proc/$1/stat"; }
# Eight connections, each of which has a request at any time. User mode Linux here has no network, but
# it has sockets with a name.
cat >/tmp/requests.py <<'END'
import socket, sys

path, count = sys.argv[1], int(sys.argv[2])
request = b"GET /numbers HTTP/1.1\r\nHost: here\r\n\r\n"
whole = open("/tmp/web/numbers", "rb").read()
connections = []
for _ in range(8):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall(request)
    connections.append(connection)
for number in range(count):
    connection = connections[number % 8]
    answer = b""
    while not answer.endswith(whole):
        part = connection.recv(1 << 16)
        assert part, answer[:200]
        answer += part
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:200]
    connection.sendall(request)
END
nginx_load() {
	requests=4000 pid=$(cat "/tmp/nginx.$1.pid")
	before=$(cpu_of "$pid")
	python3 /tmp/requests.py "/tmp/nginx.$1.sock" $requests || exit 1
	note nginx_requests "$1" "$(echo "$before $(cpu_of "$pid") $requests" | awk '{ printf "%.1f", $3 / ($2 - $1) }')"
}

cat >/tmp/work.sql <<'END'
create table t(a, b);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 40000)
	insert into t select x, hex(randomblob(20)) from c;
create index i on t(b);
select count(*) from t x join t y on x.b = y.b;
delete from t where a % 2;
vacuum;
END
sqlite() {
	begin=$(now)
	for _ in 1 2 3 4 5; do with "$1" sqlite3 :memory: <work.sql >/dev/null || exit 1; done
	note sqlite_runs "$1" "$(echo "$begin $(now)" | awk '{ printf "%.3f", 5 / ($2 - $1) }')"
}

cat >/tmp/work.py <<'END'
import json, time

def dictionaries():
    table = {f"key {i}": [i] for i in range(20000)}
    for i in range(0, 20000, 2):
        del table[f"key {i}"]
    return {key: list(value) for key, value in table.items()}

text = json.dumps({f"key {i}": [str(i)] * (i % 20) for i in range(2000)})

def documents():
    return json.dumps(json.loads(text))

for work in dictionaries, documents:
    work()
    begin, runs = time.perf_counter(), 0
    while (took := time.perf_counter() - begin) < 1:
        work()
        runs += 1
    print(work.__name__, f"{runs / took:.2f}")
END
# As it comes, it asks malloc for large blocks only, and with PYTHONMALLOC=malloc for all.
python() {
	for mode in default malloc; do
		PYTHONMALLOC=$mode with "$1" python3 /tmp/work.py >/tmp/out || exit 1
		while read -r work rate; do note "python_${work}_$mode" "$1" "$rate"; done </tmp/out
	done
}

rm -f /tmp/figures.*
for subject in genp jemalloc; do start_redis $subject; done
for subject in genp glibc; do start_nginx $subject; done
turn=0
while [ $turn -lt "$turns" ]; do
	# Neither is always the first one.
	if [ $((turn % 2)) = 0 ]; then order='genp others'; else order='others genp'; fi
	for who in $order; do
		if [ $who = genp ]; then of_redis=genp of_rest=genp; else of_redis=jemalloc of_rest=glibc; fi
		redis $of_redis
		nginx_load $of_rest
		sqlite $of_rest
		python $of_rest
	done
	turn=$((turn + 1))
done
for subject in genp jemalloc; do redis-cli -s /tmp/$subject.sock shutdown nosave; done
for pid in /tmp/nginx.*.pid; do kill -QUIT "$(cat "$pid")"; done
wait
for file in /tmp/figures.*; do
	name=${file#/tmp/figures.}
	sort -n "$file" | awk -v what="${name%.*}" -v subject="${name##*.}" -v machine="$machine" '
		{ rate[NR] = $1 }
		END {
			printf "genp-bench: {\"group\":\"programs\",\"case\":\"%s\",\"subject\":\"%s\",\"unit\":\"per_second\",", what, subject
			printf "\"machine\":\"%s\",\"n\":%d,\"min\":%s,\"median\":%s,\"max\":%s}\n", machine, NR, rate[1], rate[int((NR + 1) / 2)], rate[NR]
		}'
done
