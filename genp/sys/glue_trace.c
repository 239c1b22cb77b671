// SPDX-License-Identifier: GPL-2.0
/* Trace events, for Rust to call. */
#define CREATE_TRACE_POINTS
#include "genp_trace.h"

#include "glue.h"

void genp_trace_create(u32 partition, u32 reserve_pages, u32 limit_pages)
{
	trace_genp_create(partition, reserve_pages, limit_pages);
}

void genp_trace_resize(u32 partition, u32 reserve_pages, u32 limit_pages)
{
	trace_genp_resize(partition, reserve_pages, limit_pages);
}

void genp_trace_destroy(u32 partition)
{
	trace_genp_destroy(partition);
}

void genp_trace_release(u32 partition, u32 pages)
{
	trace_genp_release(partition, pages);
}

void genp_trace_quarantine(u32 partition, u32 pages)
{
	trace_genp_quarantine(partition, pages);
}

void genp_trace_alloc(u32 partition, u64 handle, u64 length, u64 offset)
{
	trace_genp_alloc(partition, handle, length, offset);
}

void genp_trace_free(u32 partition, u64 handle)
{
	trace_genp_free(partition, handle);
}

void genp_trace_wait(u32 partition, u64 handle, u64 deadline)
{
	trace_genp_wait(partition, handle, deadline);
}

void genp_trace_grant(u32 partition, u64 handle, u32 pages, u64 expires)
{
	trace_genp_grant(partition, handle, pages, expires);
}

void genp_trace_refuse(u32 partition, u32 pages, int error)
{
	trace_genp_refuse(partition, pages, error);
}

void genp_trace_recall(u32 partition, u64 handle, u64 expires)
{
	trace_genp_recall(partition, handle, expires);
}

void genp_trace_return(u32 partition, u64 handle, u64 bytes)
{
	trace_genp_return(partition, handle, bytes);
}

void genp_trace_revoke(u32 partition, u64 handle, u64 bytes)
{
	trace_genp_revoke(partition, handle, bytes);
}

void genp_trace_renew(u32 partition, u64 handle, u64 expires)
{
	trace_genp_renew(partition, handle, expires);
}

void genp_trace_overdue(u32 partition, u64 handle, u64 expires)
{
	trace_genp_overdue(partition, handle, expires);
}

void genp_trace_refill(u32 partition, u32 pages, u32 free)
{
	trace_genp_refill(partition, pages, free);
}

void genp_trace_drain(u32 partition, u32 pages, u32 free)
{
	trace_genp_drain(partition, pages, free);
}
