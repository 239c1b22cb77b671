// SPDX-License-Identifier: GPL-2.0
/* Whether an allocation can be had, without making it. */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/memcontrol.h>
#include <linux/sched.h>

#include "glue.h"

/* Takes pages as a partition's tables do, and puts them on a list: how many, 0 if none. */
static unsigned long take_headroom(struct list_head *list, unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_NORETRY |
					__GFP_NOWARN, order);

	if (!page)
		return 0;
	set_page_private(page, order);
	list_add(&page->lru, list);
	return 1UL << order;
}

static void give_headroom_back(struct list_head *list)
{
	struct page *page, *next;

	/* loop-bound: headroom_pages */
	list_for_each_entry_safe(page, next, list, lru) {
		unsigned int order = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		__free_pages(page, order);
	}
}

/**
 * genp_has_headroom - whether so much memory can be charged and allocated now
 * @bytes: how much
 *
 * It takes pages and gives them back at once. vmalloc() would not: where it fails, a worker
 * of the kernel frees what it had got so far, and until that runs the cgroup is full. What
 * the kernel keeps charged for single processors is not counted as free.
 *
 * Context: thread, may sleep. Linear in @bytes.
 */
bool genp_has_headroom(unsigned long bytes)
{
	unsigned long wanted = DIV_ROUND_UP(bytes, PAGE_SIZE), taken = 0;
	LIST_HEAD(list);

#ifdef CONFIG_MEMCG
	/* Kept for the processor that this runs on, and for the one it may move to. */
	wanted += 2 * MEMCG_CHARGE_BATCH;
#endif

	/* loop-bound: headroom_pages */
	while (taken < wanted) {
		unsigned long more = take_headroom(&list, PAGE_ALLOC_COSTLY_ORDER);

		if (!more)
			more = take_headroom(&list, 0);
		if (!more)
			break;
		taken += more;
		cond_resched();
	}
	give_headroom_back(&list);
	return taken >= wanted;
}
