// SPDX-License-Identifier: GPL-2.0
/* Pages: one call of the kernel in each function. */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/nodemask.h>
#include <linux/vmalloc.h>

#include "glue.h"

/**
 * genp_alloc_block - take a block of pages of one node
 * @node: the node
 * @order: log2 of its pages
 *
 * Context: thread, may sleep. Return: the block, or NULL. It does not warn, and does not
 * retry for more than a page: the caller goes on with smaller blocks.
 */
struct page *genp_alloc_block(int node, unsigned int order)
{
	gfp_t gfp = GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN;

	if (order)
		gfp |= __GFP_NORETRY;
	return alloc_pages_node(node, gfp, order);
}

void genp_split_block(struct page *page, unsigned int order)
{
	if (order)
		split_page(page, order);
}

struct page *genp_page_at(struct page *page, unsigned int index)
{
	return page + index;
}

void genp_put_page(struct page *page)
{
	__free_page(page);
}

void genp_page_set_slot(struct page *page, unsigned long slot)
{
	set_page_private(page, slot);
}

void *genp_vmap(struct page **pages, unsigned int count)
{
	return vmap(pages, count, VM_MAP, PAGE_KERNEL);
}

void genp_vunmap(const void *start)
{
	vunmap(start);
}

void genp_zero_page(struct page *page)
{
	clear_highpage(page);
}

int genp_page_users(struct page *page)
{
	return page_count(page);
}

bool genp_node_has_memory(int node)
{
	return node_state(node, N_MEMORY);
}

unsigned int genp_max_order(void)
{
	return MAX_PAGE_ORDER;
}

int genp_max_nodes(void)
{
	return nr_node_ids;
}
