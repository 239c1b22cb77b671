#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# How nginx is configured, for tests and measurements. Sourced, never run.

# nginx_conf FILES MASTER SERVER...: makes what it serves, /tmp/web, and writes FILES.conf; FILES.pid
# is there when it has started. MASTER: on, with two workers that are forked; off, with a single
# process. SERVER: where it listens, and its directives.
nginx_conf() {
	files=$1 master=$2
	shift 2
	mkdir -p /tmp/web
	seq 1 2000 >/tmp/web/numbers
	grep -qs root /etc/group || echo 'root:x:0:' >/etc/group
	rm -f "$files.pid" "$files.errors"
	{
		cat <<-END
			user root root;
			daemon off;
			master_process $master;
			worker_processes 2;
			pid $files.pid;
			error_log $files.errors;
			events { worker_connections 64; }
			http {
				access_log off;
				client_body_temp_path /tmp/web/body;
				proxy_temp_path /tmp/web/proxy;
				fastcgi_temp_path /tmp/web/fastcgi;
				uwsgi_temp_path /tmp/web/uwsgi;
				scgi_temp_path /tmp/web/scgi;
				keepalive_requests 1000000;
				default_type text/plain;
				gzip on;
		END
		for server; do echo "server { $server; root /tmp/web; }"; done
		echo '}'
	} >"$files.conf"
}
