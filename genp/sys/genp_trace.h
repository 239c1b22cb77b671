/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events: one for each change of state of a partition or a lease. They have only
 * numbers; a handle is the one that user space has, never an address.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM genp

#if !defined(_GENP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _GENP_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(genp_create,
	TP_PROTO(u32 partition, u32 reserve_pages, u32 limit_pages),
	TP_ARGS(partition, reserve_pages, limit_pages),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, reserve_pages)
		__field(u32, limit_pages)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->reserve_pages = reserve_pages;
		__entry->limit_pages = limit_pages;
	),
	TP_printk("partition=%u reserve_pages=%u limit_pages=%u",
		  __entry->partition,
		  __entry->reserve_pages,
		  __entry->limit_pages)
);

TRACE_EVENT(genp_resize,
	TP_PROTO(u32 partition, u32 reserve_pages, u32 limit_pages),
	TP_ARGS(partition, reserve_pages, limit_pages),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, reserve_pages)
		__field(u32, limit_pages)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->reserve_pages = reserve_pages;
		__entry->limit_pages = limit_pages;
	),
	TP_printk("partition=%u reserve_pages=%u limit_pages=%u",
		  __entry->partition,
		  __entry->reserve_pages,
		  __entry->limit_pages)
);

TRACE_EVENT(genp_destroy,
	TP_PROTO(u32 partition),
	TP_ARGS(partition),
	TP_STRUCT__entry(
		__field(u32, partition)
	),
	TP_fast_assign(
		__entry->partition = partition;
	),
	TP_printk("partition=%u",
		  __entry->partition)
);

TRACE_EVENT(genp_release,
	TP_PROTO(u32 partition, u32 pages),
	TP_ARGS(partition, pages),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, pages)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->pages = pages;
	),
	TP_printk("partition=%u pages=%u",
		  __entry->partition,
		  __entry->pages)
);

TRACE_EVENT(genp_quarantine,
	TP_PROTO(u32 partition, u32 pages),
	TP_ARGS(partition, pages),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, pages)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->pages = pages;
	),
	TP_printk("partition=%u pages=%u",
		  __entry->partition,
		  __entry->pages)
);

TRACE_EVENT(genp_memory_error,
	TP_PROTO(u32 partition, u64 handle, u64 offset),
	TP_ARGS(partition, handle, offset),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u64, offset)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->offset = offset;
	),
	TP_printk("partition=%u handle=%#llx offset=%#llx",
		  __entry->partition,
		  __entry->handle,
		  __entry->offset)
);

TRACE_EVENT(genp_alloc,
	TP_PROTO(u32 partition, u64 handle, u64 length, u64 offset),
	TP_ARGS(partition, handle, length, offset),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u64, length)
		__field(u64, offset)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->length = length;
		__entry->offset = offset;
	),
	TP_printk("partition=%u handle=%#llx length=%llu offset=%llu",
		  __entry->partition,
		  __entry->handle,
		  __entry->length,
		  __entry->offset)
);

TRACE_EVENT(genp_free,
	TP_PROTO(u32 partition, u64 handle),
	TP_ARGS(partition, handle),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
	),
	TP_printk("partition=%u handle=%#llx",
		  __entry->partition,
		  __entry->handle)
);

TRACE_EVENT(genp_wait,
	TP_PROTO(u32 partition, u64 handle, u64 deadline),
	TP_ARGS(partition, handle, deadline),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u64, deadline)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->deadline = deadline;
	),
	TP_printk("partition=%u handle=%#llx deadline=%llu",
		  __entry->partition,
		  __entry->handle,
		  __entry->deadline)
);

TRACE_EVENT(genp_grant,
	TP_PROTO(u32 partition, u64 handle, u32 pages, u64 expires),
	TP_ARGS(partition, handle, pages, expires),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u32, pages)
		__field(u64, expires)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->pages = pages;
		__entry->expires = expires;
	),
	TP_printk("partition=%u handle=%#llx pages=%u expires=%llu",
		  __entry->partition,
		  __entry->handle,
		  __entry->pages,
		  __entry->expires)
);

TRACE_EVENT(genp_refuse,
	TP_PROTO(u32 partition, u32 pages, int error),
	TP_ARGS(partition, pages, error),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, pages)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->pages = pages;
		__entry->error = error;
	),
	TP_printk("partition=%u pages=%u error=%d",
		  __entry->partition,
		  __entry->pages,
		  __entry->error)
);

TRACE_EVENT(genp_recall,
	TP_PROTO(u32 partition, u64 handle, u64 expires),
	TP_ARGS(partition, handle, expires),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u64, expires)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->expires = expires;
	),
	TP_printk("partition=%u handle=%#llx expires=%llu",
		  __entry->partition,
		  __entry->handle,
		  __entry->expires)
);

TRACE_EVENT(genp_return,
	TP_PROTO(u32 partition, u64 handle, u64 bytes),
	TP_ARGS(partition, handle, bytes),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u64, bytes)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->bytes = bytes;
	),
	TP_printk("partition=%u handle=%#llx bytes=%llu",
		  __entry->partition,
		  __entry->handle,
		  __entry->bytes)
);

TRACE_EVENT(genp_revoke,
	TP_PROTO(u32 partition, u64 handle, u64 bytes),
	TP_ARGS(partition, handle, bytes),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u64, bytes)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->bytes = bytes;
	),
	TP_printk("partition=%u handle=%#llx bytes=%llu",
		  __entry->partition,
		  __entry->handle,
		  __entry->bytes)
);

/* A piece of a lease that is being ended: unmapped in all mappings of the window. */
TRACE_EVENT(genp_unmap,
	TP_PROTO(u32 partition, u64 handle, u32 first, u32 pages, u32 mappings),
	TP_ARGS(partition, handle, first, pages, mappings),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u32, first)
		__field(u32, pages)
		__field(u32, mappings)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->first = first;
		__entry->pages = pages;
		__entry->mappings = mappings;
	),
	TP_printk("partition=%u handle=%#llx first=%u pages=%u mappings=%u",
		  __entry->partition,
		  __entry->handle,
		  __entry->first,
		  __entry->pages,
		  __entry->mappings)
);

TRACE_EVENT(genp_renew,
	TP_PROTO(u32 partition, u64 handle, u64 expires),
	TP_ARGS(partition, handle, expires),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u64, expires)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->expires = expires;
	),
	TP_printk("partition=%u handle=%#llx expires=%llu",
		  __entry->partition,
		  __entry->handle,
		  __entry->expires)
);

TRACE_EVENT(genp_overdue,
	TP_PROTO(u32 partition, u64 handle, u64 expires),
	TP_ARGS(partition, handle, expires),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u64, handle)
		__field(u64, expires)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->handle = handle;
		__entry->expires = expires;
	),
	TP_printk("partition=%u handle=%#llx expires=%llu",
		  __entry->partition,
		  __entry->handle,
		  __entry->expires)
);

TRACE_EVENT(genp_refill,
	TP_PROTO(u32 partition, u32 pages, u32 free),
	TP_ARGS(partition, pages, free),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, pages)
		__field(u32, free)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->pages = pages;
		__entry->free = free;
	),
	TP_printk("partition=%u pages=%u free=%u",
		  __entry->partition,
		  __entry->pages,
		  __entry->free)
);

TRACE_EVENT(genp_drain,
	TP_PROTO(u32 partition, u32 pages, u32 free),
	TP_ARGS(partition, pages, free),
	TP_STRUCT__entry(
		__field(u32, partition)
		__field(u32, pages)
		__field(u32, free)
	),
	TP_fast_assign(
		__entry->partition = partition;
		__entry->pages = pages;
		__entry->free = free;
	),
	TP_printk("partition=%u pages=%u free=%u",
		  __entry->partition,
		  __entry->pages,
		  __entry->free)
);

#endif /* _GENP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE genp_trace
#include <trace/define_trace.h>
