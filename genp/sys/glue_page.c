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
 * Context: thread, may sleep. Return: the block, or NULL. It does not warn and does not
 * retry: the caller goes on with smaller blocks, and no process is killed for a page.
 */
struct page *genp_alloc_block(int node, unsigned int order)
{
	return alloc_pages_node(node, GFP_KERNEL | __GFP_THISNODE |
				__GFP_NORETRY | __GFP_NOWARN, order);
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

unsigned long genp_page_slot(struct page *page)
{
	return page_private(page);
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
	/* loop-bound: PAGE_SIZE */
	clear_highpage(page);
}

void genp_page_read(struct page *page, unsigned int offset, void *to,
		    unsigned int bytes)
{
	memcpy_from_page(to, page, offset, bytes);
}

void genp_page_write(struct page *page, unsigned int offset, const void *from,
		     unsigned int bytes)
{
	memcpy_to_page(page, offset, from, bytes);
}

bool genp_page_mapped(struct page *page)
{
	return folio_mapped(page_folio(page));
}

int genp_page_users(struct page *page)
{
	return page_count(page);
}

bool genp_node_has_memory(int node)
{
	return node_state(node, N_MEMORY);
}

/**
 * genp_available_pages - what the kernel could give without harm to anybody
 *
 * Context: thread. Return: free pages, and those of caches that can be dropped,
 * as MemAvailable in /proc/meminfo.
 */
unsigned long genp_available_pages(void)
{
	return max(si_mem_available(), 0L);
}

unsigned long genp_total_pages(void)
{
	return totalram_pages();
}

unsigned int genp_max_order(void)
{
	return MAX_PAGE_ORDER;
}

int genp_max_nodes(void)
{
	return nr_node_ids;
}
