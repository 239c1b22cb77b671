/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GenP: memory with a contract - the interface for drivers.
 *
 * A driver creates a partition when it is set up, or finds one that a process created,
 * and later allocates from it in any context: regions of its reserve, objects of caches
 * in the reserve, single pages of its atomic stock, contiguous blocks, and frames on lease
 * from the pool.
 * Each call names the partition that is charged.
 *
 *	Best for: memory in hardirq, NMI and under raw spinlocks on PREEMPT_RT, where
 *	no other allocator of the kernel gives any; budgets for parts of a driver.
 *	Limits: what is taken in atomic context was set aside at set-up. A page that is
 *	given back twice is detected unless it was taken again in between.
 *
 * Contexts: "any" is thread, softirq, hardirq, NMI and raw spinlocks held; "any but
 * NMI" is that without NMI; "thread" may sleep. They hold with and without PREEMPT_RT.
 * Cost: a constant number of steps, unless stated otherwise.
 *
 * Misuse returns an error and is counted in the partition's statistics. The
 * functions are exported for GPL modules: MODULE_IMPORT_NS(GENP_NAMESPACE).
 */
#ifndef _LINUX_GENP_H
#define _LINUX_GENP_H

#include <linux/genp_blocks.h>
#include <linux/genp_namespace.h>
#include <linux/genp_range.h>
#include <uapi/linux/genp.h>

struct device;
struct genp_cache;
struct genp_elements;
struct genp_partition;
struct page;

/**
 * struct genp_spec - the parameters of a new partition
 * @name: for genp_partition_find() and GENP_OPEN, or NULL.
 * @reserve: bytes committed to it, whole pages; may be 0.
 * @borrow_limit: bytes it may have on lease at a time, whole pages.
 * @lease_default_ns: term of a lease for which none is asked; 0 means the longest.
 * @min_alloc_order: regions are multiples of 1 << this many bytes, 4 to 20; 0 means 6.
 * @node: the memory node to prefer, or GENP_ANY_NODE.
 * @max_regions: regions at a time, up to 1,048,576; 0 means 1,024.
 * @max_leases: leases at a time, up to 64; 0 means 16.
 * @mode: who may GENP_OPEN it: permission bits, 0666 at most; 0 means 0600.
 * @stock_pages: pages of the atomic stock that are committed to it; 0 for none.
 * @stock_limit: pages the stock may grow to while the pool has free frames that nobody
 *	needs; 0 means @stock_pages.
 * @stock_low: with fewer free pages than this the stock is refilled; 0 means a
 *	quarter of @stock_pages, rounded up.
 * @blocks: contiguous blocks that are committed to it, by order; [0] is 0.
 */
struct genp_spec {
	const char *name;
	u64 reserve;
	u64 borrow_limit;
	u64 lease_default_ns;
	u32 min_alloc_order;
	s32 node;
	u32 max_regions;
	u32 max_leases;
	u32 mode;
	u32 stock_pages;
	u32 stock_limit;
	u32 stock_low;
	u32 blocks[GENP_ORDERS];
};

/**
 * struct genp_outstanding - what keeps a partition from being destroyed
 * @regions: regions that were not freed, those of caches included.
 * @pages: pages of its stock and of the emergency stock that were not given back.
 * @leases: leases of drivers that were not returned.
 * @users: files, mappings and drivers that still have the partition; only for one in
 *	a genalloc pool, which may be destroyed after the partition.
 * @blocks: contiguous blocks that were not given back.
 */
struct genp_outstanding {
	u32 regions;
	u32 pages;
	u32 leases;
	u32 users;
	u32 blocks;
};

/**
 * genp_partition_create() - create a partition
 * @spec: its parameters
 *
 * The reserve is zeroed and mapped contiguously for the kernel. Destroy the partition
 * with genp_partition_destroy().
 *
 * Context: thread. Cost: linear in the reserve, the stock, its contiguous blocks and those
 * of the pool.
 * Return: the partition, or an ERR_PTR: -EINVAL for a wrong field, -E2BIG for more
 * than the pool has, -ENOSPC if admission refuses it, -EEXIST for a name that is taken,
 * -ENOMEM if the kernel lacks memory, -ENODEV while GenP is not set up.
 */
struct genp_partition *genp_partition_create(const struct genp_spec *spec);

/**
 * genp_partition_find() - find a partition by its name
 * @name: the name it was created with, by a driver or by GENP_CREATE
 *
 * The partition exists at least until genp_partition_put(). User space can map its
 * reserve and write to it; keep nothing there that must be trusted.
 *
 * Context: thread. Cost: linear in the number of partitions; the first time also in the
 * reserve.
 * Return: the partition, or an ERR_PTR: -ENOENT, -EINVAL, -ENOMEM, -ENODEV.
 */
struct genp_partition *genp_partition_find(const char *name);

/**
 * genp_partition_from_fd() - find a partition by a file descriptor
 * @fd: file descriptor of the calling process
 *
 * As genp_partition_find().
 *
 * Context: thread. Cost: linear in the reserve the first time.
 * Return: the partition, or an ERR_PTR: -EBADF, -EINVAL if @fd is no partition, -ENOMEM.
 */
struct genp_partition *genp_partition_from_fd(int fd);

/**
 * genp_partition_put() - give up a partition that was found
 * @part: from genp_partition_find() or genp_partition_from_fd()
 * @left: filled with what is outstanding if it is refused; may be NULL
 *
 * Context: thread. Cost: linear in its pages if this was the last user.
 * Return: 0, or -EBUSY if something was not given back and no other driver has the
 * partition; the caller keeps it then.
 */
int genp_partition_put(struct genp_partition *part,
		       struct genp_outstanding *left);

/**
 * genp_partition_destroy() - destroy a partition that the driver created
 * @part: from genp_partition_create()
 * @left: filled with what is outstanding if it is refused; may be NULL
 *
 * Processes that have the partition open keep it until they close it. One that was
 * created by genp_partition_create_in(), however, is not destroyed while others have it.
 * When this returns 0 no recall callback is running, unless it called this function.
 *
 * Context: thread. Cost: linear in its pages.
 * Return: 0, or -EBUSY if something was not given back; the partition remains then.
 */
int genp_partition_destroy(struct genp_partition *part,
			   struct genp_outstanding *left);

/**
 * devm_genp_partition_create() - create a partition that is destroyed with a device
 * @dev: the device
 * @spec: its parameters
 *
 * If something is outstanding when the device is released, it is logged, and the
 * partition and the module remain, so that no memory gets a second owner.
 *
 * Context: thread. Return: as genp_partition_create().
 */
struct genp_partition *devm_genp_partition_create(struct device *dev,
						  const struct genp_spec *spec);

/**
 * genp_partition_stat() - the state and the counters of a partition
 * @part: the partition
 * @stat: filled as by GENP_GET_STAT
 *
 * Context: thread. Cost: linear in the number of possible CPUs.
 */
void genp_partition_stat(struct genp_partition *part, struct genp_stat *stat);

/**
 * struct genp_region - a region of a partition's reserve
 * @addr: its address; the region is contiguous.
 * @size: its bytes, as requested.
 * @handle: identifies it until it is freed.
 */
struct genp_region {
	void *addr;
	size_t size;
	u64 handle;
};

/**
 * genp_alloc() - allocate a region
 * @part: the partition that is charged
 * @size: bytes, at least 1
 * @align: of the address, a power of two up to the size of a page; 0 for any
 * @region: filled on success
 *
 * Context: any but NMI. Cost: constant, also when it fails, under a raw spinlock.
 * Return: 0; -EINVAL for a wrong size or alignment, -E2BIG for more than the reserve,
 * -ENOMEM if no block or no handle is free for it now.
 */
int genp_alloc(struct genp_partition *part, size_t size, size_t align,
	       struct genp_region *region);

/**
 * genp_free() - free a region
 * @part: the partition in which it was allocated
 * @region: from genp_alloc()
 *
 * Context: any but NMI. Cost: constant, under a raw spinlock.
 * Return: 0; -ESTALE if it was freed before, -EINVAL if it never was a region of this
 * partition.
 */
int genp_free(struct genp_partition *part, const struct genp_region *region);

/* Flags of genp_alloc_page(). */
#define GENP_EMERGENCY	(1U << 0)	/* dip into the module's emergency stock */
#define GENP_ZERO	(1U << 1)	/* zero the page: linear in its size */

/**
 * genp_alloc_page() - take a page of the atomic stock
 * @part: the partition that is charged
 * @flags: GENP_EMERGENCY, GENP_ZERO
 *
 * Without GENP_ZERO the page may contain data of this partition, but never of another
 * one; a page of the emergency stock is always zeroed. GenP uses page_private() until the
 * page is given back. A page with a memory error is never returned; one that gets an error
 * later is announced (GENP_EVENT_MEMORY_ERROR), has PageHWPoison(), and is given back as ever.
 *
 * Context: any. Cost: constant, without a lock and without waiting for another CPU.
 * Return: the page, which has a kernel address; NULL if the stock is empty, or if other
 * CPUs took the page that was found in each of a fixed number of tries, or if as many had
 * memory errors.
 */
struct page *genp_alloc_page(struct genp_partition *part, unsigned int flags);

/**
 * genp_free_page() - give a page back
 * @part: the partition that was charged
 * @page: from genp_alloc_page()
 *
 * Context: any. Cost: constant, without a lock and without waiting for another CPU.
 * Return: 0; -ESTALE if it was given back before, -EINVAL if this partition did not take
 * it.
 */
int genp_free_page(struct genp_partition *part, struct page *page);

/**
 * struct genp_burst - how a driver takes pages from a stock
 * @pages: the most pages that are taken at once.
 * @reserved: 0.
 * @period_ns: the shortest time from one burst to the next.
 * @hold_ns: the longest time until a page is given back.
 * @refill_ns: the longest time from the low watermark to the stock being refilled:
 *	how long the refill thread may be preempted, and its own work.
 */
struct genp_burst {
	u32 pages;
	u32 reserved;
	u64 period_ns;
	u64 hold_ns;
	u64 refill_ns;
};

/* Results of genp_stock_suffices(). */
#define GENP_SUFFICES_NOT	0	/* some burst may find too few pages */
#define GENP_SUFFICES_SLACK	1	/* while the pool has frames to refill from */
#define GENP_SUFFICES_ALWAYS	2	/* whatever others do */

/**
 * genp_stock_suffices() - whether a partition's stock is large enough
 * @part: the partition
 * @burst: how pages are taken
 *
 * Documentation/atomic.rst has the calculation.
 *
 * Context: any. Return: GENP_SUFFICES_*; -EINVAL for no pages or no period.
 */
int genp_stock_suffices(struct genp_partition *part,
			const struct genp_burst *burst);

/**
 * struct genp_request - what to borrow
 * @nr_pages: the number of pages.
 * @reasons: GENP_WAIT_*, what to wait for; 0 means both.
 * @deadline: time of ktime_get_ns() until which to wait, or GENP_NO_WAIT or
 *	GENP_WAIT_FOREVER.
 * @lease_ns: the term; 0 means the partition's default.
 * @recall: called once, &genp_info.grace_ns before the lease expires; may be NULL. It
 *	runs in a thread of GenP, may sleep but should be brief, and may call
 *	genp_return().
 * @data: argument of @recall.
 */
struct genp_request {
	u32 nr_pages;
	u32 reasons;
	u64 deadline;
	u64 lease_ns;
	void (*recall)(void *data, u64 handle, u64 expires);
	void *data;
};

/**
 * struct genp_lease - borrowed pages
 * @handle: identifies the lease until it is returned.
 * @expires: time of ktime_get_ns() by which it has to be returned.
 */
struct genp_lease {
	u64 handle;
	u64 expires;
};

/**
 * genp_borrow() - borrow pages of the pool
 * @part: the partition that is charged
 * @request: what to borrow
 * @pages: room for &genp_request.nr_pages pages; filled on success
 * @lease: filled on success
 *
 * The pages are zeroed and have kernel addresses. Unlike that of a process, a lease of a
 * driver cannot be revoked: one that is not returned when it expires is overdue. That is
 * counted and shown, its pages no longer count as lendable, and no bound on waiting
 * includes it. A page that gets a memory error is announced (GENP_EVENT_MEMORY_ERROR), has
 * PageHWPoison(), and is returned with the others.
 *
 * Context: thread. Cost: linear in the pages.
 * Return: 0, or the errors of GENP_BORROW; -ERESTARTSYS for a signal.
 */
int genp_borrow(struct genp_partition *part, const struct genp_request *request,
		struct page **pages, struct genp_lease *lease);

/**
 * genp_return() - return a lease
 * @part: the partition that was charged
 * @handle: of the lease
 *
 * The driver must not use the pages any longer. When this returns 0 or -ESTALE, the recall
 * callback is not running and will not run, unless it called this function; a callback
 * that is running is waited for.
 *
 * Context: thread. Cost: linear in the pages.
 * Return: 0; -ESTALE if it was returned before, -EINVAL if it never was a lease of a
 * driver on this partition, -EBUSY while there is another reference to one of the pages.
 */
int genp_return(struct genp_partition *part, u64 handle);

/**
 * genp_renew() - extend a lease by another term
 * @part: the partition that was charged
 * @lease: the lease; its @expires is changed on success
 * @lease_ns: the term from now; 0 means the partition's default
 *
 * Context: thread. Cost: log2 of the leases.
 * Return: 0; -EAGAIN while there are waiters for frames, -ESTALE, -EINVAL.
 */
int genp_renew(struct genp_partition *part, struct genp_lease *lease,
	       u64 lease_ns);

/**
 * genp_cache_create() - create a cache of objects of one size
 * @part: the partition that is charged
 * @size: of an object in bytes
 * @align: of an object, a power of two up to the size of a page; 0 for that of u64
 * @count: the number of objects
 *
 * All objects are allocated at once, in one region of the reserve.
 *
 * Context: thread. Cost: linear in @count.
 * Return: the cache, or an ERR_PTR: -EINVAL, -E2BIG, -ENOMEM.
 */
struct genp_cache *genp_cache_create(struct genp_partition *part, size_t size,
				     size_t align, u32 count);

/**
 * genp_cache_destroy() - give a cache up
 * @cache: the cache
 *
 * Context: thread. Return: 0; -EBUSY while objects are in use or an element pool is on
 * it; the cache remains then.
 */
int genp_cache_destroy(struct genp_cache *cache);

/**
 * genp_cache_alloc() - take an object
 * @cache: the cache
 *
 * It contains what its last user left in it, and zeroes the first time.
 *
 * Context: any. Cost: constant, without a lock. Return: the object, or NULL.
 */
void *genp_cache_alloc(struct genp_cache *cache);

/**
 * genp_cache_free() - give an object back
 * @cache: the cache
 * @object: from genp_cache_alloc()
 *
 * Context: any. Cost: constant, without a lock. Return: 0; -EINVAL if it is no object of this
 * cache, -ESTALE if genp_cache_alloc() did not give it out, or it is free.
 */
int genp_cache_free(struct genp_cache *cache, void *object);

/**
 * genp_cache_avail() - the number of free objects
 * @cache: the cache
 *
 * Context: any. Cost: linear in the objects, divided by 64. Return: their number.
 */
u32 genp_cache_avail(struct genp_cache *cache);

/**
 * genp_elements_create() - create an element pool on a cache
 * @cache: the cache from which the elements come
 * @min_nr: elements that are guaranteed to the users of this pool
 *
 * Several pools can share a cache: each has its minimum for itself, and shares with the
 * others the objects that are in no minimum, as mempool does with an allocator.
 *
 * Context: thread. Cost: linear in @min_nr and in the objects of the cache.
 * Return: the pool, or an ERR_PTR: -EINVAL for none, -ENOSPC if the cache has fewer free
 * objects, -ENOMEM.
 */
struct genp_elements *genp_elements_create(struct genp_cache *cache,
					   u32 min_nr);

/**
 * genp_elements_destroy() - give an element pool up
 * @elements: the pool
 *
 * Context: thread. Return: 0; -EBUSY while elements are in use; the pool remains then.
 */
int genp_elements_destroy(struct genp_elements *elements);

/**
 * genp_element_alloc() - take an element
 * @elements: the pool
 *
 * Context: any. Cost: constant, without a lock. Return: the element, or NULL if all of
 * its minimum are in use and the cache has no others, or if other CPUs took the element
 * that was found in each of a fixed number of tries.
 */
void *genp_element_alloc(struct genp_elements *elements);

/**
 * genp_element_free() - give an element back
 * @elements: the pool
 * @element: from genp_element_alloc()
 *
 * Context: any. Cost: constant, without a lock. Return: as genp_cache_free().
 */
int genp_element_free(struct genp_elements *elements, void *element);

#endif /* _LINUX_GENP_H */
