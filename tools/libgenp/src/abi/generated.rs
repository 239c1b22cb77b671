// SPDX-License-Identifier: MIT OR Apache-2.0
// Generated from include/uapi/linux/genp.h by scripts/bindings. Not to be edited.

/// As of the header.
pub const GENP_ABI_VERSION: u32 = 1;
/// The control device; its ioctls create partitions, which are file descriptors.
pub const GENP_DEVICE_PATH: &[u8; 10] = b"/dev/genp\0";
/// Room for a name, its terminating zero included.
pub const GENP_NAME_SIZE: u32 = 32;
/// Deadlines that are not absolute times.
pub const GENP_NO_WAIT: u32 = 0;
/// Deadlines that are not absolute times.
pub const GENP_WAIT_FOREVER: i32 = -1;
/// For `genp_create`.node: no preference.
pub const GENP_ANY_NODE: i32 = -1;
/// Borrow, return, renew, revocation
pub const GENP_FEATURE_LEASES: u32 = 1;
/// Poll, read, eventfd
pub const GENP_FEATURE_EVENTS: u32 = 2;
/// Bounds and histograms
pub const GENP_FEATURE_BOUNDS: u32 = 4;
/// `GENP_RESIZE`
pub const GENP_FEATURE_RESIZE: u32 = 8;
/// Atomic stocks
pub const GENP_FEATURE_STOCK: u32 = 16;
/// There is memory for `GENP_SOURCE_RANGE`
pub const GENP_FEATURE_RANGE: u32 = 32;
/// `GENP_LIST`, `GENP_SET_HEAP`; since 0.2
pub const GENP_FEATURE_LIST: u32 = 64;
/// `GENP_RESTRICT`, `GENP_OPEN_READ_ONLY`; since 0.2
pub const GENP_FEATURE_RIGHTS: u32 = 128;
/// There are contiguous blocks; since 0.2
pub const GENP_FEATURE_BLOCKS: u32 = 256;
/// `GENP_CREATE_CHILD`, quotas; since 0.2
pub const GENP_FEATURE_CHILDREN: u32 = 512;
/// Several lease windows in one address space
pub const GENP_CREATE_MULTIMAP: u32 = 1;
/// In the pool
pub const GENP_SOURCE_POOL: u32 = 0;
/// In the physical range given at load
pub const GENP_SOURCE_RANGE: u32 = 1;
/// Orders of contiguous blocks are below this: a block of order n is 1 \<\< n pages, 2 at  least. Since 0.2.
pub const GENP_ORDERS: u32 = 11;
/// The most partitions that a partition can be part of, one in another. Since 0.2.
pub const GENP_MAX_DEPTH: u32 = 4;
/// For `genp_stat`.parent and `genp_list`.parent: it is not part of another partition.
pub const GENP_NO_PARENT: u32 = 4294967295;
/// Effective priority, then arrival
pub const GENP_ORDER_PRIO: u32 = 0;
/// Arrival alone
pub const GENP_ORDER_FIFO: u32 = 1;
/// Mappings that can be written to
pub const GENP_RIGHT_WRITE: u32 = 1;
/// `GENP_ALLOC`, `GENP_FREE`
pub const GENP_RIGHT_ALLOC: u32 = 2;
/// `GENP_BORROW`, _RETURN, _RENEW, the lease window
pub const GENP_RIGHT_BORROW: u32 = 4;
/// Read() of records, `GENP_SET_EVENTFD`
pub const GENP_RIGHT_EVENTS: u32 = 8;
/// `GENP_RESIZE`, `GENP_DESTROY`, `GENP_SET_HEAP`, resets
pub const GENP_RIGHT_MANAGE: u32 = 16;
/// `GENP_CREATE_CHILD`
pub const GENP_RIGHT_CHILDREN: u32 = 32;
/// What a descriptor of a partition may be used for. That of `GENP_CREATE` has all of these  rights; with none of them the reserve can be mapped for reading, and statistics, bounds  and histograms read. What needs a right that is missing is EACCES. Since 0.2.
pub const GENP_RIGHTS_ALL: u32 = 63;
/// Flag of `GENP_OPEN`: a descriptor without any right, for which the mode needs to give read  only. Since 0.2.
pub const GENP_OPEN_READ_ONLY: u32 = 1;
/// Figures of a heap that are not told.
pub const GENP_NOT_TOLD: i32 = -1;
/// The partition's own borrow limit
pub const GENP_WAIT_BUDGET: u32 = 1;
/// Free frames of the pool
pub const GENP_WAIT_POOL: u32 = 2;
/// Flag of `GENP_RESIZE`: the quota is changed as well. Since 0.2.
pub const GENP_RESIZE_QUOTA: u32 = 1;
/// Flag of `GENP_GET_STAT`: reset the peaks after reading them.
pub const GENP_STAT_RESET_PEAKS: u32 = 1;
/// The operations that are timed, from entry to return.
pub const GENP_OP_ALLOC: u32 = 0;
/// The operations that are timed, from entry to return.
pub const GENP_OP_FREE: u32 = 1;
/// Without the time spent waiting
pub const GENP_OP_BORROW: u32 = 2;
/// The time spent waiting alone
pub const GENP_OP_WAIT: u32 = 3;
/// The operations that are timed, from entry to return.
pub const GENP_OP_RETURN: u32 = 4;
/// The operations that are timed, from entry to return.
pub const GENP_OP_RENEW: u32 = 5;
/// From the deadline to the frames being free
pub const GENP_OP_REVOKE: u32 = 6;
/// The operations that are timed, from entry to return.
pub const GENP_OP_COUNT: u32 = 7;
/// The costs in `genp_bounds`.recall_work_ns.
pub const GENP_RECALL_END_NS: u32 = 10000;
/// The costs in `genp_bounds`.recall_work_ns.
pub const GENP_RECALL_PAGE_NS: u32 = 200;
/// Flag of `GENP_GET_BOUNDS` and `GENP_GET_HISTOGRAM`: reset after reading.
pub const GENP_BOUNDS_RESET: u32 = 1;
/// As of the header.
pub const GENP_HISTOGRAM_BUCKETS: u32 = 40;
/// A lease ends soon; value: its end, in ns
pub const GENP_EVENT_RECALLED: u32 = 0;
/// A lease was revoked; value: its bytes
pub const GENP_EVENT_REVOKED: u32 = 1;
/// Less than 1/8 of the limit can be borrowed; value: bytes left
pub const GENP_EVENT_BUDGET_LOW: u32 = 2;
/// The partition was destroyed; value: 0
pub const GENP_EVENT_DYING: u32 = 3;
/// The stock fell below its low watermark; value: free pages
pub const GENP_EVENT_STOCK_LOW: u32 = 4;
/// A page is lost; value: its offset in the file; since 0.2
pub const GENP_EVENT_MEMORY_ERROR: u32 = 5;
/// The offset of a page that no file has: in the stock, in a block; for `GENP_SET_HEAP`: none.
pub const GENP_NO_OFFSET: i32 = -1;
/// As of the header.
pub const GENP_IOC_MAGIC: u32 = 230;
/// As in C.
pub type __s32 = ::core::ffi::c_int;
/// As in C.
pub type __u32 = ::core::ffi::c_uint;
/// As in C.
pub type __u64 = ::core::ffi::c_ulonglong;
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// The pool, for `GENP_GET_INFO`
pub struct genp_info {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
    /// Out: `GENP_ABI_VERSION` of the module.
    pub abi_version: __u32,
    /// Out: bytes of one page; reserves and leases are whole pages.
    pub page_size: __u32,
    /// Out: `GENP_FEATURE_*` bits.
    pub features: __u64,
    /// Out: bytes that GenP took from the kernel when it was loaded.
    pub capacity: __u64,
    /// Out: bytes of all reserves and stocks, those in quarantine included.
    pub committed: __u64,
    /// Out: bytes on lease now.
    pub lent: __u64,
    /// Out: bytes that could be lent now.
    pub free: __u64,
    /// Out: free bytes that are already zeroed.
    pub clean: __u64,
    /// Out: bytes of `committed` that no partition has any longer, but to which a device or another user of the pages still has a reference.
    pub quarantined: __u64,
    /// Out: the longest term of a lease.
    pub max_lease_ns: __u64,
    /// Out: how long before its deadline a lease is recalled.
    pub grace_ns: __u64,
    /// Out: the longest time from the deadline of a lease to its frames being free again that was measured since the module was loaded. Of leases that a request waited for; from when it began to wait, if that was after the deadline.
    pub recall_worst_ns: __u64,
    /// Out: `GENP_ORDER_*`.
    pub wait_order: __u32,
    /// Out: number of memory nodes that the pool is spread over.
    pub nodes: __u32,
    /// Out: number of partitions.
    pub partitions: __u32,
    /// Out: the most partitions at a time.
    pub max_partitions: __u32,
    /// Out: number of leases, waiting requests included.
    pub leases: __u32,
    /// Out: the most leases at a time.
    pub max_leases: __u32,
    /// Out: callers waiting now.
    pub waiters: __u32,
    /// Out: the most callers that can wait at a time.
    pub max_waiters: __u32,
    /// Out: bytes of leases that drivers have not returned in time.
    pub overdue: __u64,
    /// Out: bytes of the emergency stock, which are not part of `capacity`.
    pub emergency: __u64,
    /// Out: bytes of it that are free.
    pub emergency_free: __u64,
    /// Out: bytes of the physical range, which are not part of `capacity`.
    pub range: __u64,
    /// Out: bytes of it that are in no reserve.
    pub range_free: __u64,
    /// Out: the shortest term; a shorter one is raised to it.
    pub min_lease_ns: __u64,
    /// Out: per cent of one processor that ending leases may take; an equal part of it is for each of `max_partitions`.
    pub recall_share: __u32,
    /// Out: faults found in GenP since it was loaded. Since 0.2.0.
    pub broken_invariants: __u32,
    /// Out: R, the longest time from the deadline of a lease to its frames being free again: derived, see Documentation/recall-bound.rst. Since 0.2.0.
    pub recall_bound_ns: __u64,
    /// Out: how often `GENP_CREATE`, `GENP_RESIZE` or `GENP_BORROW` was refused for a ceiling of a user: of bytes, with ENOSPC, or one of the following, with EUSERS. Since the module was loaded. This and the following since 0.2.0.
    pub ceiling_refusals: __u64,
    /// Out: the most partitions of one user; 0: no ceiling.
    pub uid_max_partitions: __u32,
    /// Out: the most leases that the partitions of one user can be promised, the sum of `genp_create`.max_leases of those that may borrow; 0: no ceiling.
    pub uid_max_leases: __u32,
    /// Out: the most callers of one user that can wait at a time; 0: no ceiling.
    pub uid_max_waiters: __u32,
    /// Out: 0.
    pub padding: __u32,
    /// Out: bytes of `capacity` with memory errors, which nobody gets any more. What has an error and an owner is still in `committed`, `lent` or `overdue`. Since 0.2.
    pub poisoned: __u64,
    /// Out: contiguous blocks that GenP took when it was loaded, by order. They are not part of `capacity`. Since 0.2.
    pub blocks: [__u32; 11usize],
    /// Out: those of them that are in no partition and that one can get: not in quarantine, and without memory errors. Since 0.2.
    pub blocks_free: [__u32; 11usize],
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// The windows in which a partition is mapped
pub struct genp_windows {
    /// File offset of the reserve, for mmap().
    pub reserve_offset: __u64,
    /// Its length.
    pub reserve_length: __u64,
    /// File offset of the lease window.
    pub lease_offset: __u64,
    /// Its length: one slice of the borrow limit for each lease.
    pub lease_length: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_CREATE`; `GENP_CREATE_CHILD` on a partition, since 0.2
pub struct genp_create {
    /// Of this structure.
    pub size: __u32,
    /// In: `GENP_CREATE_*` bits. Without `GENP_CREATE_MULTIMAP` the second mmap() of the lease window in one address space fails with EMLINK: each mapping adds to the work of ending a lease.
    pub flags: __u32,
    /// In: a name for `GENP_OPEN`, terminated by zero; empty for none. Letters, digits, '.', '_' and '-'.
    pub name: [::core::ffi::c_char; 32usize],
    /// In: bytes committed to the partition, whole pages; may be 0.
    pub reserve: __u64,
    /// In: bytes it may have on lease at a time, whole pages.
    pub borrow_limit: __u64,
    /// In: regions are multiples of 1 \<\< this many bytes, 4 to 20; 0 means 6 (64 bytes).
    pub min_alloc_order: __u32,
    /// In: the memory node to prefer, or `GENP_ANY_NODE`.
    pub node: __s32,
    /// In: pages committed to its atomic stock, from which drivers take.
    pub stock_pages: __u32,
    /// In: regions at a time, up to 1,048,576; 0 means 1,024.
    pub max_regions: __u32,
    /// In: leases at a time, up to 64; 0 means 16.
    pub max_leases: __u32,
    /// In: who may `GENP_OPEN` it by name: permission bits of user, group and others, 0666 at most; 0 means the creator's user alone (0600).
    pub mode: __u32,
    /// In: term of a lease for which none is asked; 0 means the longest.
    pub lease_default_ns: __u64,
    /// In: `GENP_SOURCE_*`. A reserve in the range is physically contiguous, cannot be resized and its pages cannot be pinned.
    pub source: __u32,
    /// Out: the partition, close-on-exec.
    pub fd: __s32,
    /// Out: its windows, for mmap().
    pub windows: genp_windows,
    /// In: pages the stock may grow to while the pool has free frames that nobody needs; 0 means `stock_pages`.
    pub stock_limit: __u32,
    /// In: with fewer free pages than this the stock is refilled; 0 means a quarter of `stock_pages`, rounded up.
    pub stock_low: __u32,
    /// In: contiguous blocks that are committed to it, by order, from which drivers take; \[0] is 0. ENOSPC if fewer are free, E2BIG for more than there are. Since 0.2.
    pub blocks: [__u32; 11usize],
    /// In: 0.
    pub reserved: __u32,
    /// In: bytes that are committed to it besides, for its children, whole pages. This and the following since 0.2.
    pub quota: __u64,
    /// In: partitions that its children, and theirs, can be; as many of `genp_info`.max_partitions are set aside for them.
    pub max_children: __u32,
    /// In: 0.
    pub padding: __u32,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_OPEN`
pub struct genp_open {
    /// Of this structure.
    pub size: __u32,
    /// In: 0 or `GENP_OPEN_READ_ONLY`.
    pub flags: __u32,
    /// In: the name with which the partition was created.
    pub name: [::core::ffi::c_char; 32usize],
    /// Out: another file descriptor of the partition, close-on-exec.
    pub fd: __s32,
    /// In: 0.
    pub reserved: __u32,
    /// Out: its windows, for mmap().
    pub windows: genp_windows,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_LIST`
pub struct genp_list {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
    /// In: 0 for the first partition, or what the last call left here; out: for the next call.
    pub cursor: __u32,
    /// Out: the number by which trace events tell of the partition. Another one gets it after its end.
    pub id: __u32,
    /// Out: its name; empty if it has none.
    pub name: [::core::ffi::c_char; 32usize],
    /// Out: its owner, as a number of the caller's user namespace.
    pub uid: __u32,
    /// Out: the process that created it, as a number of the caller's pid namespace; 0 if it has none there, or has ended.
    pub pid: __u32,
    /// Out: 1 after `GENP_DESTROY`.
    pub dying: __u32,
    /// Out: number of regions.
    pub regions: __u32,
    /// Out: number of leases, waiting requests included.
    pub leases: __u32,
    /// Out: callers waiting for a lease.
    pub waiters: __u32,
    /// Out: pages of its stock, taken ones included; exact while nobody takes or gives.
    pub stock_owned: __u32,
    /// Out: free pages of its stock, as in struct genp_stat.
    pub stock_free: __u32,
    /// Out: bytes committed for regions.
    pub reserve: __u64,
    /// Out: bytes it may have on lease.
    pub borrow_limit: __u64,
    /// Out: bytes of the reserve in regions, rounding included.
    pub used: __u64,
    /// Out: bytes on lease.
    pub lent: __u64,
    /// Out: leases ever granted. This and what follows count as in struct genp_stat.
    pub borrows: __u64,
    /// Out: leases returned by the borrower.
    pub returns: __u64,
    /// Out: leases revoked.
    pub revocations: __u64,
    /// Out: borrows that got ETIMEDOUT.
    pub timeouts: __u64,
    /// Out: calls that got EINVAL, E2BIG, EPERM, ENOTTY or EFAULT.
    pub misuses: __u64,
    /// Out: calls that got ESTALE.
    pub stale_handles: __u64,
    /// Out: takes that found no page in the stock.
    pub stock_misses: __u64,
    /// Out: as in struct genp_stat; `GENP_NOT_TOLD` also while it is read or moved.
    pub heap_used: __u64,
    /// Out: the same.
    pub heap_peak: __u64,
    /// Out: as in struct genp_stat; so are the following.
    pub quota: __u64,
    /// Out: bytes of it that children have.
    pub quota_used: __u64,
    /// Out: the partition that it is part of, or `GENP_NO_PARENT`.
    pub parent: __u32,
    /// Out: how many partitions it is part of.
    pub depth: __u32,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_ALLOC`
pub struct genp_alloc {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
    /// In: bytes, at least 1.
    pub length: __u64,
    /// In: of the offset, a power of two up to 1 GiB; 0 means the smallest unit.
    pub align: __u64,
    /// Out: of the region in the reserve.
    pub offset: __u64,
    /// Out: identifies the region until it is freed.
    pub handle: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_FREE`, `GENP_RETURN`
pub struct genp_handle {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
    /// In: of the region, or of the lease.
    pub handle: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_BORROW`
pub struct genp_borrow {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
    /// In: bytes, rounded up to whole pages; at least 1.
    pub length: __u64,
    /// In: the absolute time until which to wait, `GENP_NO_WAIT` or `GENP_WAIT_FOREVER`. A restart after a signal keeps it.
    pub deadline: __u64,
    /// In: the term, counted from the grant; 0 means the partition's default. More than `genp_info`.max_lease_ns is refused with EINVAL.
    pub lease_ns: __u64,
    /// In: `GENP_WAIT_*` bits; 0 means both.
    pub reasons: __u32,
    /// In: 0.
    pub reserved: __u32,
    /// Out: of the lease in the lease window.
    pub offset: __u64,
    /// Out: identifies the lease until it ends.
    pub handle: __u64,
    /// Out: the absolute time at which it is revoked.
    pub expires: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_RENEW`
pub struct genp_renew {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
    /// In: of the lease.
    pub handle: __u64,
    /// In: the new term, counted from now; 0 means the partition's default.
    pub lease_ns: __u64,
    /// Out: the absolute time at which it is now revoked.
    pub expires: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_RESIZE`
pub struct genp_resize {
    /// Of this structure.
    pub size: __u32,
    /// In: 0 or `GENP_RESIZE_QUOTA`.
    pub flags: __u32,
    /// In: the new reserve. What is cut off must have no region in it and is unmapped; what is added can be used after mapping the reserve again.
    pub reserve: __u64,
    /// In: the new borrow limit, at most the one at create, less what children have of it. That of a child is taken from its parent's (EDQUOT) and goes back there; EBUSY for less than is on lease.
    pub borrow_limit: __u64,
    /// Out: its windows now, for mmap().
    pub windows: genp_windows,
    /// In: with `GENP_RESIZE_QUOTA`: the new quota; EBUSY for less than children have. What moves between reserve and quota is not asked of the pool. out: its quota now. Since 0.2.
    pub quota: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_GET_STAT`
pub struct genp_stat {
    /// Of this structure.
    pub size: __u32,
    /// In: `GENP_STAT_*` bits.
    pub flags: __u32,
    /// Out: the partition's name.
    pub name: [::core::ffi::c_char; 32usize],
    /// Out: its windows, for mmap().
    pub windows: genp_windows,
    /// Out: bytes committed.
    pub reserve: __u64,
    /// Out: bytes it may have on lease.
    pub borrow_limit: __u64,
    /// Out: bytes of the reserve in regions, rounding included.
    pub used: __u64,
    /// Out: the most of `used` since the peaks were reset.
    pub used_peak: __u64,
    /// Out: bytes on lease.
    pub lent: __u64,
    /// Out: the most of `lent` since the peaks were reset.
    pub lent_peak: __u64,
    /// Out: number of regions.
    pub regions: __u32,
    /// Out: the most regions at a time.
    pub max_regions: __u32,
    /// Out: number of leases, waiting requests included.
    pub leases: __u32,
    /// Out: the most leases at a time.
    pub max_leases: __u32,
    /// Out: callers waiting for a lease.
    pub waiters: __u32,
    /// Out: regions are multiples of 1 \<\< this many bytes.
    pub min_alloc_order: __u32,
    /// Out: the preferred memory node, or `GENP_ANY_NODE`.
    pub node: __s32,
    /// Out: 1 after `GENP_DESTROY`.
    pub dying: __u32,
    /// Out: regions ever allocated. This and the following counters count from the creation and never decrease.
    pub allocs: __u64,
    /// Out: regions ever freed.
    pub frees: __u64,
    /// Out: `GENP_ALLOC` refused for lack of memory.
    pub alloc_failures: __u64,
    /// Out: leases ever granted.
    pub borrows: __u64,
    /// Out: leases returned by the borrower.
    pub returns: __u64,
    /// Out: leases renewed.
    pub renewals: __u64,
    /// Out: leases recalled, `genp_info`.grace_ns before their deadline.
    pub recalls: __u64,
    /// Out: leases revoked.
    pub revocations: __u64,
    /// Out: borrows that had to wait.
    pub waits: __u64,
    /// Out: borrows that got ETIMEDOUT.
    pub timeouts: __u64,
    /// Out: waits ended by a signal.
    pub interruptions: __u64,
    /// Out: borrows refused for lack of budget.
    pub budget_refusals: __u64,
    /// Out: borrows refused for lack of free frames.
    pub pool_refusals: __u64,
    /// Out: borrows that got EBUSY.
    pub table_refusals: __u64,
    /// Out: calls that got EINVAL, E2BIG, EPERM, ENOTTY or EFAULT.
    pub misuses: __u64,
    /// Out: calls that got ESTALE.
    pub stale_handles: __u64,
    /// Out: event records that were overwritten before they were read.
    pub events_lost: __u64,
    /// Out: pages committed to the atomic stock.
    pub stock_pages: __u32,
    /// Out: pages it may grow to.
    pub stock_limit: __u32,
    /// Out: its low watermark.
    pub stock_low: __u32,
    /// Out: pages it has, taken ones included.
    pub stock_owned: __u32,
    /// Out: its free pages; exact while nobody takes or gives.
    pub stock_free: __u32,
    /// Out: pages taken and not given back, of the emergency stock included.
    pub stock_out: __u32,
    /// Out: pages ever taken from the stock.
    pub stock_takes: __u64,
    /// Out: pages ever given back to it.
    pub stock_gives: __u64,
    /// Out: takes that found no page there.
    pub stock_misses: __u64,
    /// Out: pages that the refill thread added to it.
    pub stock_refills: __u64,
    /// Out: pages that the refill thread removed from it.
    pub stock_drains: __u64,
    /// Out: pages ever taken from the emergency stock.
    pub emergency_takes: __u64,
    /// Out: leases that a driver did not return in time.
    pub overdues: __u64,
    /// Out: borrows and renewals refused because the partition had caused as much work as it may, see `genp_bounds`.recall_work_ns.
    pub pace_refusals: __u64,
    /// Out: borrows that got EUSERS, because as many of its owner wait as may.
    pub ceiling_refusals: __u64,
    /// Out: pages of the reserve, of leases, of the stock and of contiguous blocks in which memory errors were found. Since 0.2.
    pub memory_errors: __u64,
    /// Out: mmap() of the lease window that got EBUSY or EMLINK.
    pub mapping_refusals: __u64,
    /// Out: bytes that are in use in the heap of its owner, as that says itself by `GENP_SET_HEAP`, `reserve` at most; `GENP_NOT_TOLD` if it does not. Since 0.2.
    pub heap_used: __u64,
    /// Out: the most of them. Since 0.2.
    pub heap_peak: __u64,
    /// Out: contiguous blocks that it has, by order; fewer than it was created with if some had memory errors and there were no others. This and the following since 0.2.
    pub blocks: [__u32; 11usize],
    /// Out: those of them that are not taken; exact while nobody takes or gives.
    pub blocks_free: [__u32; 11usize],
    /// Out: blocks taken and not given back.
    pub blocks_out: __u32,
    /// Out: 0.
    pub padding: __u32,
    /// Out: blocks ever taken.
    pub block_takes: __u64,
    /// Out: blocks ever given back.
    pub block_gives: __u64,
    /// Out: takes that found no block of their order.
    pub block_misses: __u64,
    /// Out: bytes committed for children. This and the following since 0.2.
    pub quota: __u64,
    /// Out: bytes of it that children have, those in quarantine included.
    pub quota_used: __u64,
    /// Out: what children may have on lease; it is not part of `borrow_limit`.
    pub borrow_given: __u64,
    /// Out: `genp_list`.id of the partition that it is part of, or `GENP_NO_PARENT`.
    pub parent: __u32,
    /// Out: how many partitions it is part of.
    pub depth: __u32,
    /// Out: its children, those included that ended and have pages in quarantine.
    pub children: __u32,
    /// Out: how many more partitions its children, and theirs, can be.
    pub children_left: __u32,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_GET_BOUNDS`
pub struct genp_bounds {
    /// Of this structure.
    pub size: __u32,
    /// In: `GENP_BOUNDS_RESET` or 0.
    pub flags: __u32,
    /// In: bytes that a program has in regions at a time, each rounded up to 1 \<\< `genp_stat`.min_alloc_order bytes; 0 if `worst_reserve` is not asked for.
    pub live_bytes: __u64,
    /// In: the largest region that it allocates, alignment included.
    pub largest_request: __u64,
    /// Out: a reserve of this many bytes always suffices for `live_bytes`, however regions are allocated and freed.
    pub worst_reserve: __u64,
    /// Out: a `GENP_ALLOC` of this many bytes succeeds now, unless there are `genp_stat`.max_regions regions.
    pub largest_free: __u64,
    /// Out: the longest time that each operation of this partition took since the reset, by `GENP_OP_*`.
    pub longest_ns: [__u64; 7usize],
    /// Out: the longest section under the lending lock, which all partitions share, since the module was loaded.
    pub locked_longest_ns: __u64,
    /// Out: as in struct genp_info.
    pub recall_worst_ns: __u64,
    /// Out: the bound on the wait of the first waiter: the longest term plus R plus the waiter's own wake-up; the k-th waiter waits at most k times that. Derived since 0.2.0; before, the longest term plus `recall_worst_ns`.
    pub wait_bound_ns: __u64,
    /// Out: the work that this partition may cause GenP's threads in a second, in nanoseconds: `GENP_RECALL_END_NS` for a lease that is not returned before it is recalled, and `GENP_RECALL_PAGE_NS` for each of its pages, once for each mapping. Who has caused more gets EAGAIN.
    pub recall_work_ns: __u64,
    /// Out: the work it may cause beyond that, in any interval.
    pub recall_burst_ns: __u64,
    /// Out: R, as in struct genp_info. Since 0.2.0.
    pub recall_bound_ns: __u64,
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
/// `GENP_GET_HISTOGRAM`
pub struct genp_histogram {
    /// Of this structure.
    pub size: __u32,
    /// In: `GENP_BOUNDS_RESET` or 0.
    pub flags: __u32,
    /// In: `GENP_OP_*`.
    pub op: __u32,
    /// In: 0.
    pub reserved: __u32,
    /// Out: number of operations; \[0] counts times below 2 ns, \[k] those from 1 \<\< k to below 1 \<\< (k + 1) ns, the last one also all above.
    pub count: [__u64; 40usize],
}
impl Default for genp_histogram {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// A record that read() of a partition returns, as many as fit
pub struct genp_event {
    /// `GENP_EVENT_*`.
    pub type_: __u32,
    /// Records lost just before this one, because they were not read in time.
    pub lost: __u32,
    /// When it happened, by the clock of the reader; so is a time in `value`.
    pub time: __u64,
    /// Of the lease, or 0.
    pub handle: __u64,
    /// Depends on the type.
    pub value: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_SET_EVENTFD`
pub struct genp_eventfd {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
    /// In: an eventfd that is signalled when there are events, once for several that occur together, at an ordinary priority since 0.2, or -1 for none.
    pub fd: __s32,
    /// In: the types of events: bits 1 \<\< `GENP_EVENT_*`.
    pub mask: __u32,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// What a heap says of itself, in the reserve it is in
pub struct genp_heap_figures {
    /// Bytes that are in use.
    pub used: __u64,
    /// The most of `used`.
    pub peak: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_SET_HEAP`
pub struct genp_heap {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
    /// In: where in the reserve a struct genp_heap_figures is, a multiple of 16; or `GENP_NO_OFFSET` if there is none any longer. Since 0.2.
    pub offset: __u64,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_DESTROY`
pub struct genp_destroy {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
/// `GENP_RESTRICT`, since 0.2
pub struct genp_restrict {
    /// Of this structure.
    pub size: __u32,
    /// In: 0.
    pub flags: __u32,
    /// In: `GENP_RIGHT_*`, each of which this descriptor has; EACCES otherwise.
    pub rights: __u32,
    /// Out: another descriptor of the partition, with these rights and close-on-exec. It can be handed to another process; it keeps the partition as this one does.
    pub fd: __s32,
}
/// The command `GENP_GET_INFO`.
pub const GENP_IOCTL_GET_INFO: ::core::ffi::c_ulong = 3241731584;
/// The command `GENP_CREATE`.
pub const GENP_IOCTL_CREATE: ::core::ffi::c_ulong = 3234391553;
/// The command `GENP_OPEN`.
pub const GENP_IOCTL_OPEN: ::core::ffi::c_ulong = 3226527234;
/// The command `GENP_LIST`.
pub const GENP_IOCTL_LIST: ::core::ffi::c_ulong = 3234915843;
/// The command `GENP_ALLOC`.
pub const GENP_IOCTL_ALLOC: ::core::ffi::c_ulong = 3223905808;
/// The command `GENP_FREE`.
pub const GENP_IOCTL_FREE: ::core::ffi::c_ulong = 1074849297;
/// The command `GENP_BORROW`.
pub const GENP_IOCTL_BORROW: ::core::ffi::c_ulong = 3225478674;
/// The command `GENP_RETURN`.
pub const GENP_IOCTL_RETURN: ::core::ffi::c_ulong = 1074849299;
/// The command `GENP_RENEW`.
pub const GENP_IOCTL_RENEW: ::core::ffi::c_ulong = 3223381524;
/// The command `GENP_RESIZE`.
pub const GENP_IOCTL_RESIZE: ::core::ffi::c_ulong = 3225478677;
/// The command `GENP_GET_STAT`.
pub const GENP_IOCTL_GET_STAT: ::core::ffi::c_ulong = 3259033110;
/// The command `GENP_GET_BOUNDS`.
pub const GENP_IOCTL_GET_BOUNDS: ::core::ffi::c_ulong = 3230721559;
/// The command `GENP_GET_HISTOGRAM`.
pub const GENP_IOCTL_GET_HISTOGRAM: ::core::ffi::c_ulong = 3243304472;
/// The command `GENP_SET_EVENTFD`.
pub const GENP_IOCTL_SET_EVENTFD: ::core::ffi::c_ulong = 1074849305;
/// The command `GENP_DESTROY`.
pub const GENP_IOCTL_DESTROY: ::core::ffi::c_ulong = 1074325018;
/// The command `GENP_SET_HEAP`.
pub const GENP_IOCTL_SET_HEAP: ::core::ffi::c_ulong = 1074849307;
/// The command `GENP_RESTRICT`.
pub const GENP_IOCTL_RESTRICT: ::core::ffi::c_ulong = 3222332956;
/// The command `GENP_CREATE_CHILD`.
pub const GENP_IOCTL_CREATE_CHILD: ::core::ffi::c_ulong = 3234391581;
/// All commands.
pub const GENP_COMMANDS: [u64; 18] = [
    GENP_IOCTL_GET_INFO,
    GENP_IOCTL_CREATE,
    GENP_IOCTL_OPEN,
    GENP_IOCTL_LIST,
    GENP_IOCTL_ALLOC,
    GENP_IOCTL_FREE,
    GENP_IOCTL_BORROW,
    GENP_IOCTL_RETURN,
    GENP_IOCTL_RENEW,
    GENP_IOCTL_RESIZE,
    GENP_IOCTL_GET_STAT,
    GENP_IOCTL_GET_BOUNDS,
    GENP_IOCTL_GET_HISTOGRAM,
    GENP_IOCTL_SET_EVENTFD,
    GENP_IOCTL_DESTROY,
    GENP_IOCTL_SET_HEAP,
    GENP_IOCTL_RESTRICT,
    GENP_IOCTL_CREATE_CHILD,
];
