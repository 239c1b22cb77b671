#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# nginx, which nobody changed, in a partition, and requests to it by ab. Sourced, never run,
# after unchanged.sh.

# Requests of each load.
REQUESTS=${REQUESTS:-300}
web=http://127.0.0.1

# Whether there are nginx and a network; user mode Linux here has none.
can_serve() { [ -x /bin/nginx ] && ifconfig lo 127.0.0.1 up 2>/dev/null; }
# serve NAME MASTER: starts nginx on port 8080, and on 8081 with buffers that have no room. MASTER:
# on, with two workers that are forked; off, with a single process.
serve() {
	mkdir -p /tmp/web
	seq 1 2000 >/tmp/web/numbers
	grep -qs root /etc/group || echo 'root:x:0:' >/etc/group
	rm -f /tmp/nginx.pid /tmp/nginx.errors
	cat >/tmp/nginx.conf <<-END
		user root root;
		daemon off;
		master_process $2;
		worker_processes 2;
		pid /tmp/nginx.pid;
		error_log /tmp/nginx.errors;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path /tmp/web/body;
			proxy_temp_path /tmp/web/proxy;
			fastcgi_temp_path /tmp/web/fastcgi;
			uwsgi_temp_path /tmp/web/uwsgi;
			scgi_temp_path /tmp/web/scgi;
			keepalive_requests 100000;
			default_type text/plain;
			gzip on;
			server { listen 127.0.0.1:8080; root /tmp/web; }
			server { listen 127.0.0.1:8081; root /tmp/web; client_header_buffer_size 64m; }
		}
	END
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
