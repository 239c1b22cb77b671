#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# nginx, which nobody changed, in a partition, and requests to it by ab. Sourced, never run,
# after unchanged.sh.
# shellcheck source=nginx_conf.sh
. /bin/nginx_conf.sh

# Requests of each load.
REQUESTS=${REQUESTS:-300}
web=http://127.0.0.1

# Whether there are nginx and a network; user mode Linux here has none.
can_serve() { [ -x /bin/nginx ] && ifconfig lo 127.0.0.1 up 2>/dev/null; }
# serve NAME MASTER: starts nginx on port 8080, and on 8081 with buffers that have no room. MASTER: as
# of nginx_conf.
serve() {
	nginx_conf /tmp/nginx "$2" 'listen 127.0.0.1:8080' 'listen 127.0.0.1:8081; client_header_buffer_size 64m'
	genpctl run --reserve "$RESERVE" --name "$1" --report -- \
		nginx -c /tmp/nginx.conf -e /tmp/nginx.errors >/tmp/nginx.out 2>&1 &
	until_true [ -s /tmp/nginx.pid ]
}
# load: requests, all of which must be answered, half of them compressed.
load() {
	for accepted in identity gzip; do
		ab -q -k -c 8 -n "$REQUESTS" -H "Accept-Encoding: $accepted" "$web:8080/numbers" >/tmp/ab.out 2>&1 &&
			grep -q "^Complete requests: *$REQUESTS$" /tmp/ab.out &&
			grep -q '^Failed requests: *0$' /tmp/ab.out &&
			! grep -q '^Non-2xx' /tmp/ab.out || { cat /tmp/ab.out; return 1; }
	done
}
answers_right() { wget -q -O - "$web:8080/numbers" | cmp - /tmp/web/numbers; }
# A second load of a warm server costs it no page fault.
warm() {
	load || return 1
	was=$(faults "$(cat /tmp/nginx.pid)")
	load || return 2
	now=$(faults "$(cat /tmp/nginx.pid)")
	echo "page faults: $was, then $now"
	[ "$was" = "$now" ]
}
# What has no room is refused, and the server goes on.
keeps_to_its_reserve() {
	! wget -q -O - "$web:8081/numbers" || return 1
	answers_right || return 2
	grep -q 'Cannot allocate memory' /tmp/nginx.errors
}
# It ends well when it is asked to, and was in the partition. Its stderr is its file of errors.
quits() {
	kill -QUIT "$(cat /tmp/nginx.pid)"
	wait $! || { cat /tmp/nginx.errors; return 1; }
	grep "^libgenp-preload: $RESERVE bytes of reserve" /tmp/nginx.errors
}
