// SPDX-License-Identifier: GPL-2.0
/* The kernel's page allocator. */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "../../../../samples/drivers/older_kernels.h"
#include "bench.h"

int no_set_up(struct bench *bench)
{
	return 0;
}

void no_tear_down(struct bench *bench)
{
}

static __always_inline void *plain_take(struct bench *bench)
{
	return alloc_page(GFP_ATOMIC | __GFP_NOWARN);
}

static __always_inline void plain_give(struct bench *bench, void *block)
{
	__free_page(block);
}

/* Whether pages are cleared is decided at boot, by init_on_alloc. */
DEFINE_POOLLESS(page_plain, plain, .role = "page", .name = "alloc_page", .uncleared = true);

static __always_inline void *zeroed_take(struct bench *bench)
{
	return alloc_page(GFP_ATOMIC | __GFP_NOWARN | __GFP_ZERO);
}

#define zeroed_give plain_give
DEFINE_POOLLESS(page_zeroed, zeroed, .role = "page", .name = "alloc_page_zeroed");

static __always_inline void *nolock_take(struct bench *bench)
{
	return alloc_pages_nolock(0, NUMA_NO_NODE, 0);
}

/* free_pages_nolock() is not for modules. */
#define nolock_give plain_give
DEFINE_POOLLESS(page_nolock, nolock, .role = "page", .name = "alloc_pages_nolock",
		.uncleared = true);
