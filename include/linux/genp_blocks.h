/* SPDX-License-Identifier: GPL-2.0 */
/*
 * GenP: contiguous blocks. Included by linux/genp.h, which defines the words about context
 * and cost.
 */
#ifndef _LINUX_GENP_BLOCKS_H
#define _LINUX_GENP_BLOCKS_H

struct genp_partition;
struct page;

/**
 * genp_alloc_pages() - take a contiguous block
 * @part: the partition that is charged
 * @order: log2 of its pages, below GENP_ORDERS
 * @flags: GENP_ZERO; with order 0 those of genp_alloc_page(), which this is then
 *
 * The pages of a block follow one another in physical memory and in the kernel's linear
 * mapping, from an address on that is a multiple of the block's size: page_address() of the
 * first one can be given to dma_map_single(). Each page has a reference of its own.
 *
 * A partition has the blocks that were committed to it, of each order its own. Blocks are
 * neither split nor joined, and none is taken for another order. So whoever takes no more
 * than was committed gets them, whatever else this partition or another one does.
 *
 * Without GENP_ZERO the block may contain data of this partition, but never of another one.
 * GenP uses page_private() of the first page until the block is given back. A block in which
 * a memory error was found is never returned; one that gets an error later is announced
 * (GENP_EVENT_MEMORY_ERROR), its page has PageHWPoison(), and it is given back as ever.
 *
 * Context: any. Cost: constant, without a lock and without waiting for another CPU; linear
 * in the pages with GENP_ZERO, and while a memory error is looked into that the kernel told
 * of.
 * Return: its first page; NULL if no block of the order is free, or if other CPUs took the
 * block that was found in each of a fixed number of tries, or if as many had memory errors.
 */
struct page *genp_alloc_pages(struct genp_partition *part, unsigned int order,
			      unsigned int flags);

/**
 * genp_free_pages() - give a contiguous block back
 * @part: the partition that was charged
 * @block: from genp_alloc_pages()
 * @order: as it was taken
 *
 * Context: any. Cost: constant, without a lock and without waiting for another CPU.
 * Return: 0; -ESTALE if it was given back before, -EINVAL if this partition did not take
 * it, or took it with another order.
 */
int genp_free_pages(struct genp_partition *part, struct page *block,
		    unsigned int order);

#endif /* _LINUX_GENP_BLOCKS_H */
