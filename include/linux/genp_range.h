/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GenP: what genalloc offers beside allocating - partitions in other memory, regions
 * at a chosen place, physical addresses. Included by linux/genp.h, which says what the
 * words about context and cost mean. Documentation/genalloc.rst compares the two.
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
 * genp_partition_create_in() - create a partition in memory of genalloc's
 * @pool: where the reserve is taken from, in one piece; a driver has found it by
 *	gen_pool_get() or of_gen_pool_get(), or made it. NULL for the physical range
 *	that GenP was given at load
 * @spec: what it is to be; &genp_spec.reserve must not be 0
 *
 * The pool stays until genp_partition_destroy() has succeeded; genalloc stops the
 * machine if it goes before. The memory is zeroed when it is taken and when it goes
 * back. What is borrowed, and the stock, are of GenP's pool as ever. A process may map
 * the reserve only if it is ordinary memory by its kernel address, and may not pin it.
 * It cannot be resized.
 *
 * Context: thread. Cost: linear in the pool, the reserve and the stock.
 * Return: as genp_partition_create(); -E2BIG for more than @pool, -ENOSPC if it has no
 * piece of that size now, -EINVAL also if it does not know physical addresses or if
 * its units do not begin with pages, -EOPNOTSUPP if the kernel has no genalloc, or
 * GenP no range.
 */
struct genp_partition *genp_partition_create_in(struct gen_pool *pool,
						const struct genp_spec *spec);

/**
 * devm_genp_partition_create_in() - the same for as long as a device is there
 * @dev: the device
 * @pool: where the reserve is taken from, there for longer
 * @spec: what it is to be; without a name, so that nobody else can keep it
 *
 * As devm_genp_partition_create().
 *
 * Context: thread. Return: as genp_partition_create_in(); -EINVAL for a name.
 */
struct genp_partition *
devm_genp_partition_create_in(struct device *dev, struct gen_pool *pool,
			      const struct genp_spec *spec);

/* Where a region is to be. */
#define GENP_PLACE_ANY		0	/* where it is found in constant time */
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
 * genp_alloc_placed() - allocate a region at a chosen place
 * @part: who is charged
 * @size: bytes, at least 1
 * @how: where, and how aligned
 * @region: filled on success; for genp_free()
 *
 * The lowest place is the lowest at the moment it is taken, whatever others do. The
 * smallest block may be taken by others during the search: the search begins anew then,
 * eight times, and takes a block of the next classes of sizes after that.
 *
 * Context: thread. Cost: linear in the regions, without a lock for longer than a few of
 * them; constant for GENP_PLACE_ANY. Return: as genp_alloc().
 */
int genp_alloc_placed(struct genp_partition *part, size_t size,
		      const struct genp_placement *how,
		      struct genp_region *region);

/**
 * genp_dma_alloc() - allocate a region in one piece for a device
 * @part: who is charged
 * @size: bytes, at least 1; up to the size of a page unless the partition is in memory
 *	of genalloc's, of which any region is in one piece
 * @how: where, and how the physical address is to be aligned; NULL for anywhere
 * @region: filled on success; for genp_free()
 * @phys: filled with its physical address on success; may be NULL. What a device uses is
 *	that if it addresses memory physically, and what the DMA API makes of it otherwise.
 *
 * Context: any but NMI if @how is NULL or asks for GENP_PLACE_ANY, else thread. Cost: as
 * genp_alloc_placed().
 * Return: as genp_alloc(); -EOPNOTSUPP for more than a page, or an alignment of more, of
 * a partition in the pool's pages.
 */
int genp_dma_alloc(struct genp_partition *part, size_t size,
		   const struct genp_placement *how, struct genp_region *region,
		   phys_addr_t *phys);

/**
 * genp_virt_to_phys() - the physical address of a place in a reserve
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
 * @addr: where it begins
 * @size: its bytes, at least 1
 *
 * Context: any but NMI. Return: whether all of it is.
 */
bool genp_has_addr(struct genp_partition *part, const void *addr, size_t size);

/**
 * genp_avail() - bytes of a reserve that are in no region
 * @part: the partition
 *
 * Context: any but NMI. Return: how many; not all of them need be in one piece.
 */
size_t genp_avail(struct genp_partition *part);

/**
 * genp_size() - bytes of a reserve
 * @part: the partition
 *
 * Context: any but NMI. Return: how many.
 */
size_t genp_size(struct genp_partition *part);

/**
 * genp_owner() - the owner tag of the memory a partition is in
 * @part: the partition
 *
 * Context: any. Return: the tag that was given to gen_pool_add_owner(), or NULL.
 */
void *genp_owner(struct genp_partition *part);

/**
 * struct genp_chunk - a piece of a reserve
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
 * genp_for_each_chunk() - look at the physically contiguous pieces of a reserve
 * @part: the partition
 * @look: called for each piece, in order of addresses, until it returns other than 0;
 *	no lock is held
 * @data: for @look
 *
 * Context: thread. Cost: linear in the pages.
 * Return: what @look returned last, or 0 for a reserve of nothing.
 */
int genp_for_each_chunk(struct genp_partition *part,
			int (*look)(const struct genp_chunk *chunk, void *data),
			void *data);

#endif /* _LINUX_GENP_RANGE_H */
