/* SPDX-License-Identifier: GPL-2.0 */
/* What a trace event is made of. */
#ifndef _SIM_LINUX_TRACEPOINT_H
#define _SIM_LINUX_TRACEPOINT_H

#define TP_PROTO(args...) args
#define TP_ARGS(args...) args
#define TRACE_EVENT(name, proto, args, entry, assign, print)

#endif
