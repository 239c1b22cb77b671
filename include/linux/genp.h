/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GenP: memory with a contract - the interface for drivers.
 *
 * A driver creates a partition when it is set up, or finds one of user space's, and
 * takes from it later in any context: regions of its reserve, objects of caches in
 * the reserve, single pages of its atomic stock, and frames on lease from the pool.
 * Who is charged is always named in the call.
 *
 *	Best for: memory in hardirq, NMI and under raw spinlocks on PREEMPT_RT, where
 *	no other allocator of the kernel gives any; budgets for parts of a driver.
 *	Limits: what is taken in atomic context was set aside at set-up. A page given
 *	back twice is noticed unless somebody took it in between.
 *
 * Contexts: "any" is thread, softirq, hardirq, NMI and raw spinlocks held; "any but
 * NMI" is that without NMI; "thread" may sleep. They hold on PREEMPT_RT and without.
 * Cost: steps that do not depend on the size of anything, unless something is said.
 *
 * Misuse is answered with an error and counted in the partition's statistics. The
 * functions are exported for GPL modules in the namespace "GENP".
 */
#ifndef _LINUX_GENP_H
#define _LINUX_GENP_H

#include <linux/genp_range.h>
#include <linux/types.h>
#include <uapi/linux/genp.h>

struct device;
struct genp_cache;
struct genp_elements;
struct genp_partition;
struct page;

/**
 * struct genp_spec - what a partition is to be
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
 * @stock_limit: pages the stock may grow to from what nobody else needs; 0 means
 *	@stock_pages.
 * @stock_low: with fewer free pages than this the stock is refilled; 0 means a
 *	quarter of @stock_pages, rounded up.
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
};

/**
 * struct genp_outstanding - what keeps a partition from being destroyed
 * @regions: regions there are, those of caches included.
 * @pages: pages of its stock and of the emergency stock that were not given back.
 * @leases: leases of drivers that were not returned.
 * @users: files, mappings and drivers that have the partition still; only for one in
 *	memory of genalloc's, which may go when it is destroyed.
 */
struct genp_outstanding {
	u32 regions;
	u32 pages;
	u32 leases;
	u32 users;
};

/**
 * genp_partition_create() - create a partition
 * @spec: what it is to be
 *
 * The reserve is zeroed and mapped for the kernel in one piece. Destroy it with
 * genp_partition_destroy().
 *
 * Context: thread. Cost: linear in the reserve and the stock.
 * Return: the partition, or an ERR_PTR: -EINVAL for a wrong field, -E2BIG for more
 * than the pool, -ENOSPC if admission refuses it, -EEXIST for a name that is taken,
 * -ENOMEM for lack of the kernel's memory, -ENODEV while GenP is not set up.
 */
struct genp_partition *genp_partition_create(const struct genp_spec *spec);

/**
 * genp_partition_find() - find a partition by its name
 * @name: the name it was created with, by a driver or by GENP_CREATE
 *
 * The partition lives at least until genp_partition_put(). What user space maps of
 * its reserve it can also write; keep nothing there that must be trusted.
 *
 * Context: thread. Cost: linear in the partitions there are; in the reserve the first
 * time.
 * Return: the partition, or an ERR_PTR: -ENOENT, -EINVAL, -ENOMEM, -ENODEV.
 */
struct genp_partition *genp_partition_find(const char *name);

/**
 * genp_partition_from_fd() - the partition behind a file descriptor
 * @fd: of the calling process
 *
 * As genp_partition_find().
 *
 * Context: thread. Cost: linear in the reserve the first time.
 * Return: the partition, or an ERR_PTR: -EBADF, -EINVAL if it is none, -ENOMEM.
 */
struct genp_partition *genp_partition_from_fd(int fd);

/**
 * genp_partition_put() - give a partition up that was found
 * @part: from genp_partition_find() or genp_partition_from_fd()
 * @left: filled with what is outstanding if it is refused; may be NULL
 *
 * Context: thread. Cost: linear in its pages if this was the last user.
 * Return: 0, or -EBUSY if something was not given back that others do not keep; the
 * partition stays the caller's then.
 */
int genp_partition_put(struct genp_partition *part,
		       struct genp_outstanding *left);

/**
 * genp_partition_destroy() - destroy a partition of the driver's
 * @part: from genp_partition_create()
 * @left: filled with what is outstanding if it is refused; may be NULL
 *
 * Processes that have it open keep it until they close it. But one that was created by
 * genp_partition_create_in() is not destroyed while others have it. When it is destroyed,
 * no recall callback is running, unless it is what calls this.
 *
 * Context: thread. Cost: linear in its pages.
 * Return: 0, or -EBUSY if something was not given back; the partition stays then.
 */
int genp_partition_destroy(struct genp_partition *part,
			   struct genp_outstanding *left);

/**
 * devm_genp_partition_create() - create a partition that goes with a device
 * @dev: the device
 * @spec: what it is to be
 *
 * If something is outstanding when the device goes, the log says what, and the
 * partition stays, and the module with it, rather than memory be used by two.
 *
 * Context: thread. Return: as genp_partition_create().
 */
struct genp_partition *devm_genp_partition_create(struct device *dev,
						  const struct genp_spec *spec);

/**
 * genp_partition_stat() - what a partition tells of itself
 * @part: the partition
 * @stat: filled as by GENP_GET_STAT
 *
 * Context: thread. Cost: linear in the CPUs there can be.
 */
void genp_partition_stat(struct genp_partition *part, struct genp_stat *stat);

/**
 * struct genp_region - a region of a partition's reserve
 * @addr: where it is, in one piece.
 * @size: its bytes, as asked for.
 * @handle: names it until it is freed.
 */
struct genp_region {
	void *addr;
	size_t size;
	u64 handle;
};

/**
 * genp_alloc() - allocate a region
 * @part: who is charged
 * @size: bytes, at least 1
 * @align: of the address, a power of two up to the size of a page; 0 for any
 * @region: filled on success
 *
 * Context: any but NMI. Cost: constant, also when it fails, under a raw spinlock.
 * Return: 0; -EINVAL for a wrong size or alignment, -E2BIG for more than the reserve,
 * -ENOMEM if there is no block or no handle for it now.
 */
int genp_alloc(struct genp_partition *part, size_t size, size_t align,
	       struct genp_region *region);

/**
 * genp_free() - free a region
 * @part: where it was allocated
 * @region: from genp_alloc()
 *
 * Context: any but NMI. Cost: constant, under a raw spinlock.
 * Return: 0; -ESTALE if it was freed before, -EINVAL if it never was a region of
 * this partition.
 */
int genp_free(struct genp_partition *part, const struct genp_region *region);

/* Flags of genp_alloc_page(). */
#define GENP_EMERGENCY	(1U << 0)	/* dip into the module's emergency stock */
#define GENP_ZERO	(1U << 1)	/* zero the page: linear in its size */

/**
 * genp_alloc_page() - take a page of the atomic stock
 * @part: who is charged
 * @flags: GENP_EMERGENCY, GENP_ZERO
 *
 * Without GENP_ZERO the page holds what this partition left in it, and nobody else;
 * a page of the emergency stock is always zeroed. Its page_private() is GenP's until
 * the page is given back.
 *
 * Context: any. Cost: constant, without a lock and without waiting for another CPU.
 * Return: the page, which has a kernel address; NULL if the stock is empty, or if so
 * many others were faster at once that the fixed number of tries was used up.
 */
struct page *genp_alloc_page(struct genp_partition *part, unsigned int flags);

/**
 * genp_free_page() - give a page back
 * @part: who was charged
 * @page: from genp_alloc_page()
 *
 * Context: any. Cost: constant, without a lock and without waiting for another CPU.
 * Return: 0; -ESTALE if it was given back before, -EINVAL if it is not a page of this
 * partition's.
 */
int genp_free_page(struct genp_partition *part, struct page *page);

/**
 * struct genp_burst - how a driver takes pages from a stock
 * @pages: taken at once, at most.
 * @reserved: 0.
 * @period_ns: the least time from one burst to the next.
 * @hold_ns: the longest time until a page is given back.
 * @refill_ns: the longest time from the low watermark to the stock being refilled:
 *	how long the refill thread can be kept from running, and its own work.
 */
struct genp_burst {
	u32 pages;
	u32 reserved;
	u64 period_ns;
	u64 hold_ns;
	u64 refill_ns;
};

/* Answers of genp_stock_suffices(). */
#define GENP_SUFFICES_NOT	0	/* some burst may find too few pages */
#define GENP_SUFFICES_SLACK	1	/* while the pool has frames to refill from */
#define GENP_SUFFICES_ALWAYS	2	/* whatever others do */

/**
 * genp_stock_suffices() - whether a partition's stock is large enough
 * @part: the partition
 * @burst: how pages are taken
 *
 * See Documentation/atomic.rst for the calculation.
 *
 * Context: any. Return: GENP_SUFFICES_*; -EINVAL for no pages or no period.
 */
int genp_stock_suffices(struct genp_partition *part,
			const struct genp_burst *burst);

/**
 * struct genp_request - what to borrow
 * @nr_pages: how many pages.
 * @reasons: GENP_WAIT_*, what to wait for; 0 means everything.
 * @deadline: until when to wait, or GENP_NO_WAIT or GENP_WAIT_FOREVER.
 * @lease_ns: the term; 0 means the partition's default.
 * @recall: called once, &genp_info.grace_ns before the lease expires; may be NULL. It
 *	runs in a thread of GenP's, may sleep but should be brief, and may call
 *	genp_return().
 * @data: for @recall.
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
 * @handle: names it until it is returned.
 * @expires: when it has to be returned.
 */
struct genp_lease {
	u64 handle;
	u64 expires;
};

/**
 * genp_borrow() - borrow pages of the pool
 * @part: who is charged
 * @request: what to borrow
 * @pages: room for &genp_request.nr_pages pages; filled on success
 * @lease: filled on success
 *
 * The pages are zeroed and have kernel addresses. Unlike a process, a driver cannot be
 * made to let go: one that has not returned a lease when it expires is overdue. That
 * is counted and shown, its pages no longer count as lendable, and nobody's bound on
 * waiting includes it.
 *
 * Context: thread. Cost: linear in the pages.
 * Return: 0, or the errors of GENP_BORROW; -ERESTARTSYS for a signal.
 */
int genp_borrow(struct genp_partition *part, const struct genp_request *request,
		struct page **pages, struct genp_lease *lease);

/**
 * genp_return() - return a lease
 * @part: who was charged
 * @handle: of the lease
 *
 * Nobody uses the pages any longer. When it returns 0 or -ESTALE, the recall callback
 * is not running and will not run, unless it is what calls this; it waits for one that
 * is.
 *
 * Context: thread. Cost: linear in the pages.
 * Return: 0; -ESTALE if it was returned before, -EINVAL if it never was a lease of a
 * driver on this partition, -EBUSY while somebody else holds one of the pages.
 */
int genp_return(struct genp_partition *part, u64 handle);

/**
 * genp_renew() - let a lease run for another term
 * @part: who was charged
 * @lease: the lease; its @expires is changed on success
 * @lease_ns: the term from now; 0 means the partition's default
 *
 * Context: thread. Cost: log2 of the leases.
 * Return: 0; -EAGAIN while anybody waits for frames, -ESTALE, -EINVAL.
 */
int genp_renew(struct genp_partition *part, struct genp_lease *lease,
	       u64 lease_ns);

/**
 * genp_cache_create() - make a cache of objects of one size
 * @part: who is charged
 * @size: of an object in bytes
 * @align: of an object, a power of two up to the size of a page; 0 for that of u64
 * @count: objects
 *
 * The objects lie in one region of the reserve, all of them, from now on.
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
 * Context: thread. Return: 0; -EBUSY while objects are out or an element pool is on
 * it; the cache stays then.
 */
int genp_cache_destroy(struct genp_cache *cache);

/**
 * genp_cache_alloc() - take an object
 * @cache: the cache
 *
 * It holds what its last user left in it; at first it is zeroed.
 *
 * Context: any. Cost: constant, without a lock. Return: the object, or NULL.
 */
void *genp_cache_alloc(struct genp_cache *cache);

/**
 * genp_cache_free() - give an object back
 * @cache: the cache
 * @object: from genp_cache_alloc()
 *
 * Context: any. Cost: constant, without a lock.
 * Return: 0; -EINVAL if it is no object of this cache, -ESTALE if it is free.
 */
int genp_cache_free(struct genp_cache *cache, void *object);

/**
 * genp_cache_avail() - free objects now
 * @cache: the cache
 *
 * Context: any. Cost: linear in the objects, divided by 64. Return: how many.
 */
u32 genp_cache_avail(struct genp_cache *cache);

/**
 * genp_elements_create() - make an element pool on a cache
 * @cache: where the elements come from
 * @min_nr: elements that the users of this pool can always have
 *
 * Several pools share a cache: each has its minimum for itself and what is in nobody's
 * minimum together with the others, as mempool does with an allocator.
 *
 * Context: thread. Cost: linear in @min_nr and in the objects of the cache.
 * Return: the pool, or an ERR_PTR: -EINVAL for none, -ENOSPC if the cache has not so
 * many free objects, -ENOMEM.
 */
struct genp_elements *genp_elements_create(struct genp_cache *cache,
					   u32 min_nr);

/**
 * genp_elements_destroy() - give an element pool up
 * @elements: the pool
 *
 * Context: thread. Return: 0; -EBUSY while elements are out; the pool stays then.
 */
int genp_elements_destroy(struct genp_elements *elements);

/**
 * genp_element_alloc() - take an element
 * @elements: the pool
 *
 * Context: any. Cost: constant, without a lock. Return: the element, or NULL if all of
 * its minimum are out and the cache has no others, or if so many others were faster at
 * once that the fixed number of tries was used up.
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
