// SPDX-License-Identifier: GPL-2.0
/* Trace events, for Rust to call. */
#define CREATE_TRACE_POINTS
#include "genp_trace.h"
#undef CREATE_TRACE_POINTS

#include "glue.h"

#define GENP_DEFINE_TRACE_CALLS
#include "genp_trace_calls.h"
