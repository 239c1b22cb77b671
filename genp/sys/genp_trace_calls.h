/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads genp_trace.h once more: a function call_NAME() for each event there, which
 * Rust can call. Defined if GENP_DEFINE_TRACE_CALLS is defined, declared otherwise.
 */
#include <linux/tracepoint.h>

#undef TRACE_EVENT
#ifdef GENP_DEFINE_TRACE_CALLS
#define TRACE_EVENT(_name, _proto, _args, _struct, _assign, _print)	\
	void call_##_name(_proto)					\
	{								\
		trace_##_name(_args);					\
	}
#else
#define TRACE_EVENT(_name, _proto, _args, _struct, _assign, _print)	\
	void call_##_name(_proto)
#endif
#define TRACE_HEADER_MULTI_READ
#include "genp_trace.h"
#undef TRACE_HEADER_MULTI_READ
#undef TRACE_EVENT
