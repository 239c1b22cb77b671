#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# programs: programs that nobody changed, in partitions, at length: nginx under load, by itself
# and with workers; and CPython, which runs its own tests of dictionaries, JSON, subprocesses and
# multiprocessing there.
# shellcheck source=lib/ktap.sh
. /bin/ktap.sh
# shellcheck source=lib/unchanged.sh
. /bin/unchanged.sh
# shellcheck source=lib/nginx.sh
. /bin/nginx.sh
echo "KTAP version 1"
echo "1..18"
before=$(partitions)

# of_nginx MASTER: as for serve.
of_nginx() {
	for one in starts answers_right load keeps_to_its_reserve quits; do
		name=nginx_${one}_master_$1
		if ! can_serve; then
			skip "$name" "no nginx, or no network, in this guest"
			[ "$one$1" != loadoff ] || skip nginx_takes_no_fault_when_warm "as above"
			continue
		fi
		case $one in
		starts) try "$name" serve "web-$1" "$1" ;;
		*) try "$name" $one ;;
		esac
		# A forked worker has a copy, whose memory is that of any process.
		[ "$one$1" != loadoff ] || try nginx_takes_no_fault_when_warm warm
	done
}
REQUESTS=3000
of_nginx off
of_nginx on

# By malloc, which CPython otherwise asks for large blocks only.
export PYTHONMALLOC=malloc
RESERVE=$((96 << 20)) LIMIT=800
# cpython NAME COMMAND...
cpython() {
	name=cpython_$1
	shift
	if [ -d /usr/lib/python3.13/test ]; then
		try "$name" "$@"
	else
		skip "$name" "no tests of CPython in this guest"
	fi
}
# all_succeed TEST...: CPython's own tests.
all_succeed() {
	inside -- python3 -m test --timeout 300 "$@" && grep '^Result: SUCCESS' /tmp/inside && return
	grep -E '^(ERROR|FAIL): ' /tmp/inside
	return 1
}
cpython dictionaries all_succeed test_dict
cpython json all_succeed test_json
cpython subprocess all_succeed test_subprocess
# The others need a network.
cpython multiprocessing all_succeed test_multiprocessing_fork.test_processes -m 'WithProcessesTest*' \
	-i '*Listener*' -i '*Pickling*' -i '*test_rapid_restart'

cat >/tmp/faults.py <<'END'
import json, resource, sys

def faults():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_minflt + usage.ru_majflt

def work():
    table = {f"key {i}": [str(i)] * (i % 50) for i in range(2000)}
    assert json.loads(json.dumps(table)) == table

for _ in range(5):
    work()
faults()
before = faults()
for _ in range(10):
    work()
after = faults()
print("page faults:", after - before)
sys.exit(after != before)
END
cpython takes_no_fault_when_warm inside -- python3 /tmp/faults.py
keeps_to_its_ceiling() {
	inside -- python3 -c '
kept = []
try:
    while True:
        kept.append(bytearray(1 << 20))
except MemoryError:
    most = len(kept)
    del kept
    assert 80 < most < 96, most
    # What was freed is had again; not as one block, since small ones may lie between.
    kept = [bytearray(1 << 20) for _ in range(most)]'
}
cpython keeps_to_its_ceiling keeps_to_its_ceiling
try all_partitions_are_gone until_true all_are_gone "$before"
