/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * GenP: memory with a contract - the user space interface, version 1.
 *
 * Every argument structure starts with its own size. A shorter one, from a
 * program built against an older header, is read as if its tail were zero and
 * written only up to its size; a longer one is accepted if the part
 * that the kernel does not know is zero, and is refused with E2BIG otherwise.
 * Unknown flags and reserved fields that are not zero are refused with EINVAL.
 * The layout is the same for 32 and 64 bit programs.
 *
 * Lengths and offsets are bytes, times are nanoseconds of CLOCK_MONOTONIC in the
 * caller's time namespace, unless a field says otherwise. Everything here exists
 * since version 1.
 */
#ifndef _UAPI_LINUX_GENP_H
#define _UAPI_LINUX_GENP_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define GENP_ABI_VERSION	1

/* The control device; its ioctls create partitions, which are file descriptors. */
#define GENP_DEVICE_PATH	"/dev/genp"

/* Room for a name, its terminating zero included. */
#define GENP_NAME_SIZE		32

/* Deadlines that are not absolute times. */
#define GENP_NO_WAIT		0ULL
#define GENP_WAIT_FOREVER	(~0ULL)

/* For &genp_create.node: no preference. */
#define GENP_ANY_NODE		(-1)

/* Features in &genp_info.features. */
#define GENP_FEATURE_LEASES	(1ULL << 0)	/* borrow, return, renew, revocation */
#define GENP_FEATURE_EVENTS	(1ULL << 1)	/* poll, read, eventfd */
#define GENP_FEATURE_BOUNDS	(1ULL << 2)	/* bounds and histograms */
#define GENP_FEATURE_RESIZE	(1ULL << 3)	/* GENP_RESIZE */
#define GENP_FEATURE_STOCK	(1ULL << 4)	/* atomic stocks */
#define GENP_FEATURE_RANGE	(1ULL << 5)	/* there is memory for GENP_SOURCE_RANGE */
#define GENP_FEATURE_LIST	(1ULL << 6)	/* GENP_LIST, GENP_SET_HEAP; since 0.2 */
#define GENP_FEATURE_RIGHTS	(1ULL << 7)	/* GENP_RESTRICT, GENP_OPEN_READ_ONLY; since 0.2 */
#define GENP_FEATURE_BLOCKS	(1ULL << 8)	/* there are contiguous blocks; since 0.2 */
#define GENP_FEATURE_CHILDREN	(1ULL << 9)	/* GENP_CREATE_CHILD, quotas; since 0.2 */

/* For &genp_create.flags. */
#define GENP_CREATE_MULTIMAP	(1U << 0)	/* several lease windows in one address space */

/* Where the reserve of a partition is, &genp_create.source. */
#define GENP_SOURCE_POOL	0	/* in the pool */
#define GENP_SOURCE_RANGE	1	/* in the physical range given at load */

/*
 * Orders of contiguous blocks are below this: a block of order n is 1 << n pages, 2 at
 * least. Since 0.2.
 */
#define GENP_ORDERS		11

/* The most partitions that a partition can be part of, one in another. Since 0.2. */
#define GENP_MAX_DEPTH		4

/* For &genp_stat.parent and &genp_list.parent: it is not part of another partition. */
#define GENP_NO_PARENT		0xffffffffU

/* The order in which waiters are served. */
#define GENP_ORDER_PRIO		0	/* effective priority, then arrival */
#define GENP_ORDER_FIFO		1	/* arrival alone */

/**
 * struct genp_info - the pool, for GENP_GET_INFO
 * @size: of this structure.
 * @flags: in: 0.
 * @abi_version: out: GENP_ABI_VERSION of the module.
 * @page_size: out: bytes of one page; reserves and leases are whole pages.
 * @features: out: GENP_FEATURE_* bits.
 * @capacity: out: bytes that GenP took from the kernel when it was loaded.
 * @committed: out: bytes of all reserves and stocks, those in quarantine included.
 * @lent: out: bytes on lease now.
 * @free: out: bytes that could be lent now.
 * @clean: out: free bytes that are already zeroed.
 * @quarantined: out: bytes of @committed that no partition has any longer, but to which
 *	a device or another user of the pages still has a reference.
 * @max_lease_ns: out: the longest term of a lease.
 * @grace_ns: out: how long before its deadline a lease is recalled.
 * @recall_worst_ns: out: the longest time from the deadline of a lease to its frames
 *	being free again that was measured since the module was loaded. Of leases that a
 *	request waited for; from when it began to wait, if that was after the deadline.
 * @wait_order: out: GENP_ORDER_*.
 * @nodes: out: number of memory nodes that the pool is spread over.
 * @partitions: out: number of partitions.
 * @max_partitions: out: the most partitions at a time.
 * @leases: out: number of leases, waiting requests included.
 * @max_leases: out: the most leases at a time.
 * @waiters: out: callers waiting now.
 * @max_waiters: out: the most callers that can wait at a time.
 * @overdue: out: bytes of leases that drivers have not returned in time.
 * @emergency: out: bytes of the emergency stock, which are not part of @capacity.
 * @emergency_free: out: bytes of it that are free.
 * @range: out: bytes of the physical range, which are not part of @capacity.
 * @range_free: out: bytes of it that are in no reserve.
 * @min_lease_ns: out: the shortest term; a shorter one is raised to it.
 * @recall_share: out: per cent of one processor that ending leases may take; an equal
 *	part of it is for each of @max_partitions.
 * @broken_invariants: out: faults found in GenP since it was loaded. Since 0.2.0.
 * @recall_bound_ns: out: R, the longest time from the deadline of a lease to its frames
 *	being free again: derived, see Documentation/recall-bound.rst. Since 0.2.0.
 * @ceiling_refusals: out: how often GENP_CREATE, GENP_RESIZE or GENP_BORROW was refused
 *	for a ceiling of a user: of bytes, with ENOSPC, or one of the following, with
 *	EUSERS. Since the module was loaded. This and the following since 0.2.0.
 * @uid_max_partitions: out: the most partitions of one user; 0: no ceiling.
 * @uid_max_leases: out: the most leases that the partitions of one user can be promised,
 *	the sum of &genp_create.max_leases of those that may borrow; 0: no ceiling.
 * @uid_max_waiters: out: the most callers of one user that can wait at a time; 0: no
 *	ceiling.
 * @padding: out: 0.
 * @poisoned: out: bytes of @capacity with memory errors, which nobody gets any more. What
 *	has an error and an owner is still in @committed, @lent or @overdue. Since 0.2.
 * @blocks: out: contiguous blocks that GenP took when it was loaded, by order. They are not
 *	part of @capacity. Since 0.2.
 * @blocks_free: out: those of them that are in no partition and that one can get: not in
 *	quarantine, and without memory errors. Since 0.2.
 *
 * The owner of a partition is who is counted. A partition that a caller with
 * CAP_SYS_RESOURCE created is counted, but is never refused for these three, nor are those
 * who wait for its leases.
 */
struct genp_info {
	__u32 size;
	__u32 flags;
	__u32 abi_version;
	__u32 page_size;
	__u64 features;
	__u64 capacity;
	__u64 committed;
	__u64 lent;
	__u64 free;
	__u64 clean;
	__u64 quarantined;
	__u64 max_lease_ns;
	__u64 grace_ns;
	__u64 recall_worst_ns;
	__u32 wait_order;
	__u32 nodes;
	__u32 partitions;
	__u32 max_partitions;
	__u32 leases;
	__u32 max_leases;
	__u32 waiters;
	__u32 max_waiters;
	__u64 overdue;
	__u64 emergency;
	__u64 emergency_free;
	__u64 range;
	__u64 range_free;
	__u64 min_lease_ns;
	__u32 recall_share;
	__u32 broken_invariants;
	__u64 recall_bound_ns;
	__u64 ceiling_refusals;
	__u32 uid_max_partitions;
	__u32 uid_max_leases;
	__u32 uid_max_waiters;
	__u32 padding;
	__u64 poisoned;
	__u32 blocks[GENP_ORDERS];
	__u32 blocks_free[GENP_ORDERS];
};

/**
 * struct genp_windows - the windows in which a partition is mapped
 * @reserve_offset: file offset of the reserve, for mmap().
 * @reserve_length: its length.
 * @lease_offset: file offset of the lease window.
 * @lease_length: its length: one slice of the borrow limit for each lease.
 */
struct genp_windows {
	__u64 reserve_offset;
	__u64 reserve_length;
	__u64 lease_offset;
	__u64 lease_length;
};

/**
 * struct genp_create - GENP_CREATE; GENP_CREATE_CHILD on a partition, since 0.2
 * @size: of this structure.
 * @flags: in: GENP_CREATE_* bits. Without GENP_CREATE_MULTIMAP the second mmap() of the
 *	lease window in one address space fails with EMLINK: each mapping adds to the work
 *	of ending a lease.
 * @name: in: a name for GENP_OPEN, terminated by zero; empty for none. Letters,
 *	digits, '.', '_' and '-'.
 * @reserve: in: bytes committed to the partition, whole pages; may be 0.
 * @borrow_limit: in: bytes it may have on lease at a time, whole pages.
 * @min_alloc_order: in: regions are multiples of 1 << this many bytes, 4 to 20;
 *	0 means 6 (64 bytes).
 * @node: in: the memory node to prefer, or GENP_ANY_NODE.
 * @stock_pages: in: pages committed to its atomic stock, from which drivers take.
 * @max_regions: in: regions at a time, up to 1,048,576; 0 means 1,024.
 * @max_leases: in: leases at a time, up to 64; 0 means 16.
 * @mode: in: who may GENP_OPEN it by name: permission bits of user, group and
 *	others, 0666 at most; 0 means the creator's user alone (0600).
 * @lease_default_ns: in: term of a lease for which none is asked; 0 means the
 *	longest.
 * @source: in: GENP_SOURCE_*. A reserve in the range is physically contiguous, cannot
 *	be resized and its pages cannot be pinned.
 * @fd: out: the partition, close-on-exec.
 * @windows: out: its windows, for mmap().
 * @stock_limit: in: pages the stock may grow to while the pool has free frames that
 *	nobody needs; 0 means @stock_pages.
 * @stock_low: in: with fewer free pages than this the stock is refilled; 0 means a
 *	quarter of @stock_pages, rounded up.
 * @blocks: in: contiguous blocks that are committed to it, by order, from which drivers
 *	take; [0] is 0. ENOSPC if fewer are free, E2BIG for more than there are. Since 0.2.
 * @reserved: in: 0.
 * @quota: in: bytes that are committed to it besides, for its children, whole pages. This
 *	and the following since 0.2.
 * @max_children: in: partitions that its children, and theirs, can be; as many of
 *	&genp_info.max_partitions are set aside for them.
 * @padding: in: 0.
 *
 * GENP_CREATE_CHILD makes a partition of what this one has for children: @reserve, @quota
 * and @stock_pages out of its quota (ENOSPC), 1 + @max_children out of its @max_children
 * (ENOSPC), and @borrow_limit out of its own, as far as it is not on lease (EDQUOT). What
 * others have is not asked. The child has the rights of the descriptor by which it is made;
 * a @name needs all of them (EACCES). Sources, blocks and a @stock_limit above @stock_pages
 * are EOPNOTSUPP. E2BIG for a parent that is part of GENP_MAX_DEPTH others.
 */
struct genp_create {
	__u32 size;
	__u32 flags;
	char name[GENP_NAME_SIZE];
	__u64 reserve;
	__u64 borrow_limit;
	__u32 min_alloc_order;
	__s32 node;
	__u32 stock_pages;
	__u32 max_regions;
	__u32 max_leases;
	__u32 mode;
	__u64 lease_default_ns;
	__u32 source;
	__s32 fd;
	struct genp_windows windows;
	__u32 stock_limit;
	__u32 stock_low;
	__u32 blocks[GENP_ORDERS];
	__u32 reserved;
	__u64 quota;
	__u32 max_children;
	__u32 padding;
};

/*
 * What a descriptor of a partition may be used for. That of GENP_CREATE has all of these
 * rights; with none of them the reserve can be mapped for reading, and statistics, bounds
 * and histograms read. What needs a right that is missing is EACCES. Since 0.2.
 */
#define GENP_RIGHT_WRITE	(1U << 0)	/* mappings that can be written to */
#define GENP_RIGHT_ALLOC	(1U << 1)	/* GENP_ALLOC, GENP_FREE */
#define GENP_RIGHT_BORROW	(1U << 2)	/* GENP_BORROW, _RETURN, _RENEW, the lease window */
#define GENP_RIGHT_EVENTS	(1U << 3)	/* read() of records, GENP_SET_EVENTFD */
#define GENP_RIGHT_MANAGE	(1U << 4)	/* GENP_RESIZE, GENP_DESTROY, GENP_SET_HEAP, resets */
#define GENP_RIGHT_CHILDREN	(1U << 5)	/* GENP_CREATE_CHILD */
#define GENP_RIGHTS_ALL		((1U << 6) - 1)

/*
 * Flag of GENP_OPEN: a descriptor without any right, for which the mode needs to give read
 * only. Since 0.2.
 */
#define GENP_OPEN_READ_ONLY	(1U << 0)

/**
 * struct genp_open - GENP_OPEN
 * @size: of this structure.
 * @flags: in: 0 or GENP_OPEN_READ_ONLY.
 * @name: in: the name with which the partition was created.
 * @fd: out: another file descriptor of the partition, close-on-exec.
 * @reserved: in: 0.
 * @windows: out: its windows, for mmap().
 */
struct genp_open {
	__u32 size;
	__u32 flags;
	char name[GENP_NAME_SIZE];
	__s32 fd;
	__u32 reserved;
	struct genp_windows windows;
};

/* Figures of a heap that are not told. */
#define GENP_NOT_TOLD		(~0ULL)

/**
 * struct genp_list - GENP_LIST
 * @size: of this structure.
 * @flags: in: 0.
 * @cursor: in: 0 for the first partition, or what the last call left here; out: for the
 *	next call.
 * @id: out: the number by which trace events tell of the partition. Another one gets it
 *	after its end.
 * @name: out: its name; empty if it has none.
 * @uid: out: its owner, as a number of the caller's user namespace.
 * @pid: out: the process that created it, as a number of the caller's pid namespace; 0 if
 *	it has none there, or has ended.
 * @dying: out: 1 after GENP_DESTROY.
 * @regions: out: number of regions.
 * @leases: out: number of leases, waiting requests included.
 * @waiters: out: callers waiting for a lease.
 * @stock_owned: out: pages of its stock, taken ones included; exact while nobody takes or
 *	gives.
 * @stock_free: out: free pages of its stock, as in struct genp_stat.
 * @reserve: out: bytes committed for regions.
 * @borrow_limit: out: bytes it may have on lease.
 * @used: out: bytes of the reserve in regions, rounding included.
 * @lent: out: bytes on lease.
 * @borrows: out: leases ever granted. This and what follows count as in struct genp_stat.
 * @returns: out: leases returned by the borrower.
 * @revocations: out: leases revoked.
 * @timeouts: out: borrows that got ETIMEDOUT.
 * @misuses: out: calls that got EINVAL, E2BIG, EPERM, ENOTTY or EFAULT.
 * @stale_handles: out: calls that got ESTALE.
 * @stock_misses: out: takes that found no page in the stock.
 * @heap_used: out: as in struct genp_stat; GENP_NOT_TOLD also while it is read or moved.
 * @heap_peak: out: the same.
 * @quota: out: as in struct genp_stat; so are the following.
 * @quota_used: out: bytes of it that children have.
 * @parent: out: the partition that it is part of, or GENP_NO_PARENT.
 * @depth: out: how many partitions it is part of.
 *
 * Each call tells of one partition, in the order of @id; ENOENT: there is no further one.
 * Whoever may open /dev/genp is told of all partitions whose owner has a number in his user
 * namespace. One that is created or ends meanwhile may be missing. All since 0.2.
 */
struct genp_list {
	__u32 size;
	__u32 flags;
	__u32 cursor;
	__u32 id;
	char name[GENP_NAME_SIZE];
	__u32 uid;
	__u32 pid;
	__u32 dying;
	__u32 regions;
	__u32 leases;
	__u32 waiters;
	__u32 stock_owned;
	__u32 stock_free;
	__u64 reserve;
	__u64 borrow_limit;
	__u64 used;
	__u64 lent;
	__u64 borrows;
	__u64 returns;
	__u64 revocations;
	__u64 timeouts;
	__u64 misuses;
	__u64 stale_handles;
	__u64 stock_misses;
	__u64 heap_used;
	__u64 heap_peak;
	__u64 quota;
	__u64 quota_used;
	__u32 parent;
	__u32 depth;
};

/**
 * struct genp_alloc - GENP_ALLOC
 * @size: of this structure.
 * @flags: in: 0.
 * @length: in: bytes, at least 1.
 * @align: in: of the offset, a power of two up to 1 GiB; 0 means the smallest unit.
 * @offset: out: of the region in the reserve.
 * @handle: out: identifies the region until it is freed.
 */
struct genp_alloc {
	__u32 size;
	__u32 flags;
	__u64 length;
	__u64 align;
	__u64 offset;
	__u64 handle;
};

/**
 * struct genp_handle - GENP_FREE, GENP_RETURN
 * @size: of this structure.
 * @flags: in: 0.
 * @handle: in: of the region, or of the lease.
 */
struct genp_handle {
	__u32 size;
	__u32 flags;
	__u64 handle;
};

/* What a borrower waits for, &genp_borrow.reasons. */
#define GENP_WAIT_BUDGET	(1U << 0)	/* the partition's own borrow limit */
#define GENP_WAIT_POOL		(1U << 1)	/* free frames of the pool */

/**
 * struct genp_borrow - GENP_BORROW
 * @size: of this structure.
 * @flags: in: 0.
 * @length: in: bytes, rounded up to whole pages; at least 1.
 * @deadline: in: the absolute time until which to wait, GENP_NO_WAIT or
 *	GENP_WAIT_FOREVER. A restart after a signal keeps it.
 * @lease_ns: in: the term, counted from the grant; 0 means the partition's
 *	default. More than &genp_info.max_lease_ns is refused with EINVAL.
 * @reasons: in: GENP_WAIT_* bits; 0 means both.
 * @reserved: in: 0.
 * @offset: out: of the lease in the lease window.
 * @handle: out: identifies the lease until it ends.
 * @expires: out: the absolute time at which it is revoked.
 *
 * A request for more than all that is in no reserve gets E2BIG at once; in turn no
 * reserve is created or grown into what a waiting request needs.
 */
struct genp_borrow {
	__u32 size;
	__u32 flags;
	__u64 length;
	__u64 deadline;
	__u64 lease_ns;
	__u32 reasons;
	__u32 reserved;
	__u64 offset;
	__u64 handle;
	__u64 expires;
};

/**
 * struct genp_renew - GENP_RENEW
 * @size: of this structure.
 * @flags: in: 0.
 * @handle: in: of the lease.
 * @lease_ns: in: the new term, counted from now; 0 means the partition's default.
 * @expires: out: the absolute time at which it is now revoked.
 */
struct genp_renew {
	__u32 size;
	__u32 flags;
	__u64 handle;
	__u64 lease_ns;
	__u64 expires;
};

/* Flag of GENP_RESIZE: the quota is changed as well. Since 0.2. */
#define GENP_RESIZE_QUOTA	(1U << 0)

/**
 * struct genp_resize - GENP_RESIZE
 * @size: of this structure.
 * @flags: in: 0 or GENP_RESIZE_QUOTA.
 * @reserve: in: the new reserve. What is cut off must have no region in it and is
 *	unmapped; what is added can be used after mapping the reserve again.
 * @borrow_limit: in: the new borrow limit, at most the one at create, less what children
 *	have of it. That of a child is taken from its parent's (EDQUOT) and goes back there;
 *	EBUSY for less than is on lease.
 * @windows: out: its windows now, for mmap().
 * @quota: in: with GENP_RESIZE_QUOTA: the new quota; EBUSY for less than children have.
 *	What moves between reserve and quota is not asked of the pool. out: its quota now.
 *	Since 0.2.
 *
 * What is added to a child is taken from the quota of its parent (ENOSPC), and what is cut
 * off goes back there.
 */
struct genp_resize {
	__u32 size;
	__u32 flags;
	__u64 reserve;
	__u64 borrow_limit;
	struct genp_windows windows;
	__u64 quota;
};

/* Flag of GENP_GET_STAT: reset the peaks after reading them. */
#define GENP_STAT_RESET_PEAKS	(1U << 0)

/**
 * struct genp_stat - GENP_GET_STAT
 * @size: of this structure.
 * @flags: in: GENP_STAT_* bits.
 * @name: out: the partition's name.
 * @windows: out: its windows, for mmap().
 * @reserve: out: bytes committed.
 * @borrow_limit: out: bytes it may have on lease.
 * @used: out: bytes of the reserve in regions, rounding included.
 * @used_peak: out: the most of @used since the peaks were reset.
 * @lent: out: bytes on lease.
 * @lent_peak: out: the most of @lent since the peaks were reset.
 * @regions: out: number of regions.
 * @max_regions: out: the most regions at a time.
 * @leases: out: number of leases, waiting requests included.
 * @max_leases: out: the most leases at a time.
 * @waiters: out: callers waiting for a lease.
 * @min_alloc_order: out: regions are multiples of 1 << this many bytes.
 * @node: out: the preferred memory node, or GENP_ANY_NODE.
 * @dying: out: 1 after GENP_DESTROY.
 * @allocs: out: regions ever allocated. This and the following counters count from the
 *	creation and never decrease.
 * @frees: out: regions ever freed.
 * @alloc_failures: out: GENP_ALLOC refused for lack of memory.
 * @borrows: out: leases ever granted.
 * @returns: out: leases returned by the borrower.
 * @renewals: out: leases renewed.
 * @recalls: out: leases recalled, &genp_info.grace_ns before their deadline.
 * @revocations: out: leases revoked.
 * @waits: out: borrows that had to wait.
 * @timeouts: out: borrows that got ETIMEDOUT.
 * @interruptions: out: waits ended by a signal.
 * @budget_refusals: out: borrows refused for lack of budget.
 * @pool_refusals: out: borrows refused for lack of free frames.
 * @table_refusals: out: borrows that got EBUSY.
 * @misuses: out: calls that got EINVAL, E2BIG, EPERM, ENOTTY or EFAULT.
 * @stale_handles: out: calls that got ESTALE.
 * @events_lost: out: event records that were overwritten before they were read.
 * @stock_pages: out: pages committed to the atomic stock.
 * @stock_limit: out: pages it may grow to.
 * @stock_low: out: its low watermark.
 * @stock_owned: out: pages it has, taken ones included.
 * @stock_free: out: its free pages; exact while nobody takes or gives.
 * @stock_out: out: pages taken and not given back, of the emergency stock included.
 * @stock_takes: out: pages ever taken from the stock.
 * @stock_gives: out: pages ever given back to it.
 * @stock_misses: out: takes that found no page there.
 * @stock_refills: out: pages that the refill thread added to it.
 * @stock_drains: out: pages that the refill thread removed from it.
 * @emergency_takes: out: pages ever taken from the emergency stock.
 * @overdues: out: leases that a driver did not return in time.
 * @pace_refusals: out: borrows and renewals refused because the partition had caused
 *	as much work as it may, see &genp_bounds.recall_work_ns.
 * @ceiling_refusals: out: borrows that got EUSERS, because as many of its owner wait as
 *	may.
 * @memory_errors: out: pages of the reserve, of leases, of the stock and of contiguous
 *	blocks in which memory errors were found. Since 0.2.
 * @mapping_refusals: out: mmap() of the lease window that got EBUSY or EMLINK.
 * @heap_used: out: bytes that are in use in the heap of its owner, as that says itself by
 *	GENP_SET_HEAP, @reserve at most; GENP_NOT_TOLD if it does not. Since 0.2.
 * @heap_peak: out: the most of them. Since 0.2.
 * @blocks: out: contiguous blocks that it has, by order; fewer than it was created with if
 *	some had memory errors and there were no others. This and the following since 0.2.
 * @blocks_free: out: those of them that are not taken; exact while nobody takes or gives.
 * @blocks_out: out: blocks taken and not given back.
 * @padding: out: 0.
 * @block_takes: out: blocks ever taken.
 * @block_gives: out: blocks ever given back.
 * @block_misses: out: takes that found no block of their order.
 * @quota: out: bytes committed for children. This and the following since 0.2.
 * @quota_used: out: bytes of it that children have, those in quarantine included.
 * @borrow_given: out: what children may have on lease; it is not part of @borrow_limit.
 * @parent: out: &genp_list.id of the partition that it is part of, or GENP_NO_PARENT.
 * @depth: out: how many partitions it is part of.
 * @children: out: its children, those included that ended and have pages in quarantine.
 * @children_left: out: how many more partitions its children, and theirs, can be.
 */
struct genp_stat {
	__u32 size;
	__u32 flags;
	char name[GENP_NAME_SIZE];
	struct genp_windows windows;
	__u64 reserve;
	__u64 borrow_limit;
	__u64 used;
	__u64 used_peak;
	__u64 lent;
	__u64 lent_peak;
	__u32 regions;
	__u32 max_regions;
	__u32 leases;
	__u32 max_leases;
	__u32 waiters;
	__u32 min_alloc_order;
	__s32 node;
	__u32 dying;
	__u64 allocs;
	__u64 frees;
	__u64 alloc_failures;
	__u64 borrows;
	__u64 returns;
	__u64 renewals;
	__u64 recalls;
	__u64 revocations;
	__u64 waits;
	__u64 timeouts;
	__u64 interruptions;
	__u64 budget_refusals;
	__u64 pool_refusals;
	__u64 table_refusals;
	__u64 misuses;
	__u64 stale_handles;
	__u64 events_lost;
	__u32 stock_pages;
	__u32 stock_limit;
	__u32 stock_low;
	__u32 stock_owned;
	__u32 stock_free;
	__u32 stock_out;
	__u64 stock_takes;
	__u64 stock_gives;
	__u64 stock_misses;
	__u64 stock_refills;
	__u64 stock_drains;
	__u64 emergency_takes;
	__u64 overdues;
	__u64 pace_refusals;
	__u64 ceiling_refusals;
	__u64 memory_errors;
	__u64 mapping_refusals;
	__u64 heap_used;
	__u64 heap_peak;
	__u32 blocks[GENP_ORDERS];
	__u32 blocks_free[GENP_ORDERS];
	__u32 blocks_out;
	__u32 padding;
	__u64 block_takes;
	__u64 block_gives;
	__u64 block_misses;
	__u64 quota;
	__u64 quota_used;
	__u64 borrow_given;
	__u32 parent;
	__u32 depth;
	__u32 children;
	__u32 children_left;
};

/* The operations that are timed, from entry to return. */
#define GENP_OP_ALLOC		0
#define GENP_OP_FREE		1
#define GENP_OP_BORROW		2	/* without the time spent waiting */
#define GENP_OP_WAIT		3	/* the time spent waiting alone */
#define GENP_OP_RETURN		4
#define GENP_OP_RENEW		5
#define GENP_OP_REVOKE		6	/* from the deadline to the frames being free */
#define GENP_OP_COUNT		7

/* The costs in &genp_bounds.recall_work_ns. */
#define GENP_RECALL_END_NS	10000
#define GENP_RECALL_PAGE_NS	200

/* Flag of GENP_GET_BOUNDS and GENP_GET_HISTOGRAM: reset after reading. */
#define GENP_BOUNDS_RESET	(1U << 0)

/**
 * struct genp_bounds - GENP_GET_BOUNDS
 * @size: of this structure.
 * @flags: in: GENP_BOUNDS_RESET or 0.
 * @live_bytes: in: bytes that a program has in regions at a time, each rounded up to
 *	1 << &genp_stat.min_alloc_order bytes; 0 if @worst_reserve is not asked for.
 * @largest_request: in: the largest region that it allocates, alignment included.
 * @worst_reserve: out: a reserve of this many bytes always suffices for
 *	@live_bytes, however regions are allocated and freed.
 * @largest_free: out: a GENP_ALLOC of this many bytes succeeds now, unless there are
 *	&genp_stat.max_regions regions.
 * @longest_ns: out: the longest time that each operation of this partition took
 *	since the reset, by GENP_OP_*.
 * @locked_longest_ns: out: the longest section under the lending lock, which all
 *	partitions share, since the module was loaded.
 * @recall_worst_ns: out: as in struct genp_info.
 * @wait_bound_ns: out: the bound on the wait of the first waiter: the longest term plus R
 *	plus the waiter's own wake-up; the k-th waiter waits at most k times that. Derived
 *	since 0.2.0; before, the longest term plus @recall_worst_ns.
 * @recall_work_ns: out: the work that this partition may cause GenP's threads in a
 *	second, in nanoseconds: GENP_RECALL_END_NS for a lease that is not returned
 *	before it is recalled, and GENP_RECALL_PAGE_NS for each of its pages, once for
 *	each mapping. Who has caused more gets EAGAIN.
 * @recall_burst_ns: out: the work it may cause beyond that, in any interval.
 * @recall_bound_ns: out: R, as in struct genp_info. Since 0.2.0.
 */
struct genp_bounds {
	__u32 size;
	__u32 flags;
	__u64 live_bytes;
	__u64 largest_request;
	__u64 worst_reserve;
	__u64 largest_free;
	__u64 longest_ns[GENP_OP_COUNT];
	__u64 locked_longest_ns;
	__u64 recall_worst_ns;
	__u64 wait_bound_ns;
	__u64 recall_work_ns;
	__u64 recall_burst_ns;
	__u64 recall_bound_ns;
};

#define GENP_HISTOGRAM_BUCKETS	40

/**
 * struct genp_histogram - GENP_GET_HISTOGRAM
 * @size: of this structure.
 * @flags: in: GENP_BOUNDS_RESET or 0.
 * @op: in: GENP_OP_*.
 * @reserved: in: 0.
 * @count: out: number of operations; [0] counts times below 2 ns, [k] those from 1 << k
 *	to below 1 << (k + 1) ns, the last one also all above.
 */
struct genp_histogram {
	__u32 size;
	__u32 flags;
	__u32 op;
	__u32 reserved;
	__u64 count[GENP_HISTOGRAM_BUCKETS];
};

/* Events, and bits (1 << type) of &genp_eventfd.mask. */
#define GENP_EVENT_RECALLED	0	/* a lease ends soon; value: its end, in ns */
#define GENP_EVENT_REVOKED	1	/* a lease was revoked; value: its bytes */
#define GENP_EVENT_BUDGET_LOW	2	/* less than 1/8 of the limit can be borrowed; value: bytes left */
#define GENP_EVENT_DYING	3	/* the partition was destroyed; value: 0 */
#define GENP_EVENT_STOCK_LOW	4	/* the stock fell below its low watermark; value: free pages */
#define GENP_EVENT_MEMORY_ERROR	5	/* a page is lost; value: its offset in the file; since 0.2 */

/* The offset of a page that no file has: in the stock, in a block; for GENP_SET_HEAP: none. */
#define GENP_NO_OFFSET		(~0ULL)

/**
 * struct genp_event - a record that read() of a partition returns, as many as fit
 * @type: GENP_EVENT_*.
 * @lost: records lost just before this one, because they were not read in time.
 * @time: when it happened, by the clock of the reader; so is a time in @value.
 * @handle: of the lease, or 0.
 * @value: depends on the type.
 */
struct genp_event {
	__u32 type;
	__u32 lost;
	__u64 time;
	__u64 handle;
	__u64 value;
};

/**
 * struct genp_eventfd - GENP_SET_EVENTFD
 * @size: of this structure.
 * @flags: in: 0.
 * @fd: in: an eventfd that is signalled when there are events, once for several that
 *	occur together, at an ordinary priority since 0.2, or -1 for none.
 * @mask: in: the types of events: bits 1 << GENP_EVENT_*.
 */
struct genp_eventfd {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 mask;
};

/**
 * struct genp_heap_figures - what a heap says of itself, in the reserve it is in
 * @used: bytes that are in use.
 * @peak: the most of @used.
 *
 * The heap writes them whenever it likes, without a call; they are read for GENP_GET_STAT and
 * GENP_LIST, and nothing depends on them. Since 0.2.
 */
struct genp_heap_figures {
	__u64 used;
	__u64 peak;
};

/**
 * struct genp_heap - GENP_SET_HEAP
 * @size: of this structure.
 * @flags: in: 0.
 * @offset: in: where in the reserve a struct genp_heap_figures is, a multiple of 16; or
 *	GENP_NO_OFFSET if there is none any longer. Since 0.2.
 */
struct genp_heap {
	__u32 size;
	__u32 flags;
	__u64 offset;
};

/**
 * struct genp_destroy - GENP_DESTROY
 * @size: of this structure.
 * @flags: in: 0.
 *
 * Waiters get EIDRM, leases end, and later calls that would change something get EIDRM;
 * state and counters can still be read. The reserve stays mapped and goes back to the
 * pool with the last close and unmap.
 */
struct genp_destroy {
	__u32 size;
	__u32 flags;
};

/**
 * struct genp_restrict - GENP_RESTRICT, since 0.2
 * @size: of this structure.
 * @flags: in: 0.
 * @rights: in: GENP_RIGHT_*, each of which this descriptor has; EACCES otherwise.
 * @fd: out: another descriptor of the partition, with these rights and close-on-exec. It
 *	can be handed to another process; it keeps the partition as this one does.
 */
struct genp_restrict {
	__u32 size;
	__u32 flags;
	__u32 rights;
	__s32 fd;
};

#define GENP_IOC_MAGIC		0xE6

/* of /dev/genp */
#define GENP_GET_INFO		_IOWR(GENP_IOC_MAGIC, 0x00, struct genp_info)
#define GENP_CREATE		_IOWR(GENP_IOC_MAGIC, 0x01, struct genp_create)
#define GENP_OPEN		_IOWR(GENP_IOC_MAGIC, 0x02, struct genp_open)
#define GENP_LIST		_IOWR(GENP_IOC_MAGIC, 0x03, struct genp_list)

/* of a partition */
#define GENP_ALLOC		_IOWR(GENP_IOC_MAGIC, 0x10, struct genp_alloc)
#define GENP_FREE		_IOW(GENP_IOC_MAGIC, 0x11, struct genp_handle)
#define GENP_BORROW		_IOWR(GENP_IOC_MAGIC, 0x12, struct genp_borrow)
#define GENP_RETURN		_IOW(GENP_IOC_MAGIC, 0x13, struct genp_handle)
#define GENP_RENEW		_IOWR(GENP_IOC_MAGIC, 0x14, struct genp_renew)
#define GENP_RESIZE		_IOWR(GENP_IOC_MAGIC, 0x15, struct genp_resize)
#define GENP_GET_STAT		_IOWR(GENP_IOC_MAGIC, 0x16, struct genp_stat)
#define GENP_GET_BOUNDS		_IOWR(GENP_IOC_MAGIC, 0x17, struct genp_bounds)
#define GENP_GET_HISTOGRAM	_IOWR(GENP_IOC_MAGIC, 0x18, struct genp_histogram)
#define GENP_SET_EVENTFD	_IOW(GENP_IOC_MAGIC, 0x19, struct genp_eventfd)
#define GENP_DESTROY		_IOW(GENP_IOC_MAGIC, 0x1a, struct genp_destroy)
#define GENP_SET_HEAP		_IOW(GENP_IOC_MAGIC, 0x1b, struct genp_heap)
#define GENP_RESTRICT		_IOWR(GENP_IOC_MAGIC, 0x1c, struct genp_restrict)
#define GENP_CREATE_CHILD	_IOWR(GENP_IOC_MAGIC, 0x1d, struct genp_create)

/*
 * The ioctl number of a structure that grew has the new size in it. The module looks at
 * the type and the number only, and reads the size from the structure's first field, so
 * old programs keep working with the numbers above.
 */

#if defined(__cplusplus) && __cplusplus >= 201103L
#define GENP_ASSERT_LAYOUT(type, bytes) \
	static_assert(sizeof(struct type) == (bytes), #type)
#elif !defined(__cplusplus) && !defined(__BINDGEN__) && __STDC_VERSION__ >= 201112L
#define GENP_ASSERT_LAYOUT(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), #type)
#endif

#ifdef GENP_ASSERT_LAYOUT
GENP_ASSERT_LAYOUT(genp_info, 312);
GENP_ASSERT_LAYOUT(genp_windows, 32);
GENP_ASSERT_LAYOUT(genp_create, 200);
GENP_ASSERT_LAYOUT(genp_open, 80);
GENP_ASSERT_LAYOUT(genp_list, 208);
GENP_ASSERT_LAYOUT(genp_alloc, 40);
GENP_ASSERT_LAYOUT(genp_handle, 16);
GENP_ASSERT_LAYOUT(genp_borrow, 64);
GENP_ASSERT_LAYOUT(genp_renew, 32);
GENP_ASSERT_LAYOUT(genp_resize, 64);
GENP_ASSERT_LAYOUT(genp_stat, 576);
GENP_ASSERT_LAYOUT(genp_bounds, 144);
GENP_ASSERT_LAYOUT(genp_histogram, 336);
GENP_ASSERT_LAYOUT(genp_event, 32);
GENP_ASSERT_LAYOUT(genp_eventfd, 16);
GENP_ASSERT_LAYOUT(genp_heap_figures, 16);
GENP_ASSERT_LAYOUT(genp_heap, 16);
GENP_ASSERT_LAYOUT(genp_destroy, 8);
GENP_ASSERT_LAYOUT(genp_restrict, 16);
#undef GENP_ASSERT_LAYOUT
#endif

#endif /* _UAPI_LINUX_GENP_H */
