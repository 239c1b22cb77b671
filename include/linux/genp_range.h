/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GenP: what genalloc offers beyond allocating - partitions in other memory, placed
 * regions, physical addresses. Included by linux/genp.h, which defines the words about
 * context and cost. Documentation/genalloc.rst compares the two.
 */
#ifndef _LINUX_GENP_RANGE_H
#define _LINUX_GENP_RANGE_H

#include <linux/types.h>

struct device;
struct gen_pool;
struct genp_partition;
struct genp_region;
struct genp_spec;

/**
 * genp_partition_create_in() - create a partition in a genalloc pool
 * @pool: the pool from which the reserve is taken, contiguously; a driver has found it
 *	by gen_pool_get() or of_gen_pool_get(), or created it. NULL for the physical
 *	range that GenP was given at load
 * @spec: its parameters; &genp_spec.reserve must not be 0
 *
 * The pool must exist until genp_partition_destroy() has succeeded; genalloc has a
 * BUG_ON() if it is destroyed before. The memory is zeroed when it is taken and when it
 * is given back. Leases and the stock come from GenP's own pool nevertheless. A process
 * may map the reserve only if its kernel address is in the linear mapping, and cannot pin
 * it. It cannot be resized.
 *
 * Context: thread. Cost: linear in the pool, the reserve and the stock.
 * Return: as genp_partition_create(); -E2BIG for more than @pool has, -ENOSPC if it has
 * no free block of that size now, -EINVAL also if it does not know physical addresses or
 * if its units are not aligned to pages, -EOPNOTSUPP if the kernel has no genalloc, or
 * GenP no range.
 */
struct genp_partition *genp_partition_create_in(struct gen_pool *pool,
						const struct genp_spec *spec);

/**
 * devm_genp_partition_create_in() - the same for as long as a device exists
 * @dev: the device
 * @pool: the pool from which the reserve is taken, which must outlive the device
 * @spec: its parameters; without a name, so that nobody else can keep it
 *
 * As devm_genp_partition_create().
 *
 * Context: thread. Return: as genp_partition_create_in(); -EINVAL for a name.
 */
struct genp_partition *
devm_genp_partition_create_in(struct device *dev, struct gen_pool *pool,
			      const struct genp_spec *spec);

/* The placement of a region. */
#define GENP_PLACE_ANY		0	/* any block that is found in constant time */
#define GENP_PLACE_LOWEST	1	/* at the lowest address: first fit */
#define GENP_PLACE_SMALLEST	2	/* in the smallest free block: best fit */
#define GENP_PLACE_NATURAL	3	/* lowest, aligned to its size rounded up to 2^n */
#define GENP_PLACE_FIXED	4	/* at &genp_placement.offset */

/**
 * struct genp_placement - how a region is to be placed
 * @place: GENP_PLACE_*.
 * @flags: GENP_ZERO: zero it, linear in its size; or 0.
 * @align: of the address, a power of two up to 1 GiB; 0 for any. Must be 0 with
 *	GENP_PLACE_FIXED.
 * @offset: from the beginning of the reserve, a multiple of the smallest unit, with
 *	GENP_PLACE_FIXED; 0 otherwise.
 */
struct genp_placement {
	u32 place;
	u32 flags;
	u64 align;
	u64 offset;
};

/**
 * genp_alloc_placed() - allocate a region with a chosen placement
 * @part: the partition that is charged
 * @size: bytes, at least 1
 * @how: the placement
 * @region: filled on success; for genp_free()
 *
 * The lowest address is the lowest at the moment it is taken, whatever other callers do.
 * The smallest block may be taken by other callers during the search: the search begins
 * anew then, up to eight times, and after that takes a block of the next size classes.
 *
 * Context: thread. Cost: linear in the regions, without a lock for longer than a few of
 * them; constant for GENP_PLACE_ANY. Return: as genp_alloc().
 */
int genp_alloc_placed(struct genp_partition *part, size_t size,
		      const struct genp_placement *how,
		      struct genp_region *region);

/**
 * genp_dma_alloc() - allocate a physically contiguous region for a device
 * @part: the partition that is charged
 * @size: bytes, at least 1; up to the size of a page unless the partition is in a
 *	genalloc pool, of which every region is contiguous
 * @how: the placement, with the alignment of the physical address; NULL for any
 * @region: filled on success; for genp_free()
 * @phys: filled with its physical address on success; may be NULL. A device that does not
 *	use physical addresses needs the one that the DMA API returns for it.
 *
 * Context: any but NMI if @how is NULL or asks for GENP_PLACE_ANY, else thread. Cost: as
 * genp_alloc_placed().
 * Return: as genp_alloc(); -EOPNOTSUPP for a size or an alignment of more than a page if
 * the reserve is in the pool.
 */
int genp_dma_alloc(struct genp_partition *part, size_t size,
		   const struct genp_placement *how, struct genp_region *region,
		   phys_addr_t *phys);

/**
 * genp_virt_to_phys() - the physical address of an address in a reserve
 * @part: the partition
 * @addr: an address in its reserve
 * @phys: filled on success
 *
 * Context: any but NMI. Return: 0, or -EINVAL for an address that is not in it.
 */
int genp_virt_to_phys(struct genp_partition *part, const void *addr,
		      phys_addr_t *phys);

/**
 * genp_has_addr() - whether memory is in a reserve
 * @part: the partition
 * @addr: the first address
 * @size: bytes, at least 1
 *
 * Context: any but NMI. Return: whether all of it is.
 */
bool genp_has_addr(struct genp_partition *part, const void *addr, size_t size);

/**
 * genp_avail() - bytes of a reserve that are in no region
 * @part: the partition
 *
 * Context: any but NMI. Return: their number; they need not be contiguous.
 */
size_t genp_avail(struct genp_partition *part);

/**
 * genp_size() - bytes of a reserve
 * @part: the partition
 *
 * Context: any but NMI. Return: their number.
 */
size_t genp_size(struct genp_partition *part);

/**
 * genp_owner() - the genalloc owner tag of the memory that a partition is in
 * @part: the partition
 *
 * Context: any. Return: the tag that was given to gen_pool_add_owner(), or NULL.
 */
void *genp_owner(struct genp_partition *part);

/**
 * struct genp_chunk - a physically contiguous chunk of a reserve
 * @virt: its kernel address.
 * @phys: its physical address.
 * @size: its bytes.
 * @owner: as genp_owner().
 */
struct genp_chunk {
	void *virt;
	phys_addr_t phys;
	size_t size;
	void *owner;
};

/**
 * genp_for_each_chunk() - call a function for each physically contiguous chunk
 * @part: the partition
 * @look: called for each chunk of the reserve, in order of addresses, until it does not
 *	return 0; no lock is held
 * @data: argument of @look
 *
 * Context: thread. Cost: linear in the pages.
 * Return: what @look returned last, or 0 for an empty reserve.
 */
int genp_for_each_chunk(struct genp_partition *part,
			int (*look)(const struct genp_chunk *chunk, void *data),
			void *data);

#endif /* _LINUX_GENP_RANGE_H */
