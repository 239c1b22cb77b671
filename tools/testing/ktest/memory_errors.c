// SPDX-License-Identifier: GPL-2.0
/*
 * Memory errors in what a driver has. Context: thread. Frames of the pool are lost by
 * these: whoever runs them loads genp.ko anew afterwards.
 */
#include <linux/delay.h>
#include <linux/genalloc.h>
#include <linux/io.h>

#include "ktest.h"

/* Waits until the condition holds; the limit only ends a broken run. */
#define EVENTUALLY(t, condition)						\
	do {									\
		unsigned int _round;						\
										\
		for (_round = 0; _round < 10000 && !(condition); _round++)	\
			msleep(1);						\
		CHECK(t, condition);						\
	} while (0)

static bool injected(struct page *page)
{
#ifdef CONFIG_MEMORY_FAILURE
	/* It says that it can do nothing about it. */
	memory_failure(page_to_pfn(page), MF_SW_SIMULATED);
	return true;
#else
	return false;
#endif
}

/* The others are there and this one, which has an error, is not, refilled or not. */
static void expect_the_others(struct ktest *t, const struct page *bad)
{
	struct page *pages[STOCK];
	unsigned int i, taken = 0;

	for (i = 0; i < STOCK; i++) {
		pages[i] = genp_alloc_page(t->part, 0);
		CHECK(t, pages[i] != bad);
		taken += !!pages[i];
	}
	CHECK(t, taken >= STOCK - 1);
	EQUAL(t, ktest_stat(t->part).stock_out, taken);
	for (i = 0; i < STOCK; i++)
		if (pages[i])
			EQUAL(t, genp_free_page(t->part, pages[i]), 0);
	EQUAL(t, ktest_stat(t->part).stock_out, 0);
}

static void a_free_page_of_a_stock(struct ktest *t)
{
	struct page *page = genp_alloc_page(t->part, 0);

	CHECK(t, page);
	if (!page)
		return;
	EQUAL(t, genp_free_page(t->part, page), 0);
	if (!injected(page))
		return;
	/* At once, whether it was found already or not. */
	expect_the_others(t, page);
	EVENTUALLY(t, ktest_stat(t->part).memory_errors == 1);
	expect_the_others(t, page);
	EQUAL(t, ktest_stat(t->part).memory_errors, 1);
}

static void a_page_that_a_driver_has(struct ktest *t)
{
	struct page *page = genp_alloc_page(t->part, GENP_ZERO);

	CHECK(t, page);
	if (!page)
		return;
	if (!injected(page)) {
		EQUAL(t, genp_free_page(t->part, page), 0);
		return;
	}
	EVENTUALLY(t, ktest_stat(t->part).memory_errors == 1);
	EQUAL(t, ktest_stat(t->part).stock_owned, STOCK);
	EQUAL(t, ktest_stat(t->part).stock_out, 1);
	CHECK(t, PageHWPoison(page));
	EQUAL(t, genp_free_page(t->part, page), 0);
	expect_the_others(t, page);
	EQUAL(t, ktest_stat(t->part).memory_errors, 1);
	EQUAL(t, genp_free_page(t->part, page), -EINVAL);
}

/* Every page of it. */
static void a_stock_that_is_lost(struct ktest *t)
{
	struct page *pages[STOCK];
	unsigned int i;

	for (i = 0; i < STOCK; i++) {
		pages[i] = genp_alloc_page(t->part, 0);
		CHECK(t, pages[i]);
	}
	for (i = 0; i < STOCK; i++)
		if (pages[i])
			injected(pages[i]);
	for (i = 0; i < STOCK; i++)
		EQUAL(t, genp_free_page(t->part, pages[i]), 0);
	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		return;
	EQUAL(t, ktest_stat(t->part).stock_out, 0);
	/* It is below its low watermark, so it is refilled. */
	for (i = 0; i < 10000 && !(pages[0] = genp_alloc_page(t->part, 0)); i++)
		msleep(1);
	CHECK(t, pages[0]);
	if (!pages[0])
		return;
	CHECK(t, !PageHWPoison(pages[0]));
	EVENTUALLY(t, ktest_stat(t->part).memory_errors == STOCK);
	EQUAL(t, genp_free_page(t->part, pages[0]), 0);
}

#define ORDER 4
#define LAST ((1 << ORDER) - 1)

/* As many blocks of the order as there should be, and none of them is this one. */
static void expect_blocks(struct ktest *t, const struct page *bad, unsigned int count)
{
	struct page *blocks[4];
	unsigned int i, taken = 0;

	while (taken < ARRAY_SIZE(blocks) && (blocks[taken] = genp_alloc_pages(t->part, ORDER, 0)))
		CHECK(t, blocks[taken++] != bad);
	EQUAL(t, taken, count);
	EQUAL(t, ktest_stat(t->part).blocks_out, count);
	for (i = 0; i < taken; i++)
		EQUAL(t, genp_free_pages(t->part, blocks[i], ORDER), 0);
	EQUAL(t, ktest_stat(t->part).blocks_out, 0);
}

/* One of the pool's takes its place. */
static void a_free_block(struct ktest *t)
{
	struct page *block = genp_alloc_pages(t->part, ORDER, 0);
	unsigned int count = ktest_stat(t->part).blocks[ORDER];

	CHECK(t, block);
	if (!block)
		return;
	EQUAL(t, genp_free_pages(t->part, block, ORDER), 0);
	if (!injected(block + LAST))
		return;
	EVENTUALLY(t, ktest_stat(t->part).memory_errors == 1);
	EVENTUALLY(t, ktest_stat(t->part).blocks[ORDER] == count);
	expect_blocks(t, block, count);
	EQUAL(t, ktest_stat(t->part).memory_errors, 1);
}

/* It is given back as ever, and nobody gets it afterwards. */
static void a_block_that_a_driver_has(struct ktest *t)
{
	struct page *block = genp_alloc_pages(t->part, ORDER, GENP_ZERO);
	unsigned int count = ktest_stat(t->part).blocks[ORDER], i;

	CHECK(t, block);
	if (!block)
		return;
	if (!injected(block + LAST)) {
		EQUAL(t, genp_free_pages(t->part, block, ORDER), 0);
		return;
	}
	EVENTUALLY(t, ktest_stat(t->part).memory_errors == 1);
	EQUAL(t, ktest_stat(t->part).blocks_out, 1);
	EQUAL(t, genp_free_pages(t->part, block, ORDER), 0);
	expect_blocks(t, block, count - 1);
	/* That took it, found the error and had it removed; another one came for it. */
	for (i = 0; i < 10000 && genp_free_pages(t->part, block, ORDER) != -EINVAL; i++)
		msleep(1);
	EVENTUALLY(t, ktest_stat(t->part).blocks_free[ORDER] == count);
	expect_blocks(t, block, count);
	EQUAL(t, ktest_stat(t->part).memory_errors, 1);
}

static void a_page_of_a_drivers_lease(struct ktest *t)
{
	struct genp_request request = { .nr_pages = 3 };
	struct page *pages[3], *again[3];
	struct genp_lease lease;
	unsigned int i;

	EQUAL(t, genp_borrow(t->part, &request, pages, &lease), 0);
	if (*t->why || !injected(pages[1])) {
		genp_return(t->part, lease.handle);
		return;
	}
	EVENTUALLY(t, ktest_stat(t->part).memory_errors == 1);
	EQUAL(t, genp_return(t->part, lease.handle), 0);
	EQUAL(t, genp_borrow(t->part, &request, again, &lease), 0);
	if (*t->why)
		return;
	for (i = 0; i < ARRAY_SIZE(again); i++)
		CHECK(t, again[i] != pages[1] && !PageHWPoison(again[i]));
	EQUAL(t, genp_return(t->part, lease.handle), 0);
}

#ifdef CONFIG_GENERIC_ALLOCATOR
#define POOL_ORDER 2
#define POOL_PAGES (1 << POOL_ORDER)

/* Creates a partition of so many pages there and destroys it; returns the error. */
static int try_in(struct gen_pool *pool, unsigned int pages)
{
	struct genp_spec spec = { .reserve = pages * PAGE_SIZE, .node = GENP_ANY_NODE };
	struct genp_partition *part = genp_partition_create_in(pool, &spec);

	if (IS_ERR(part))
		return PTR_ERR(part);
	return genp_partition_destroy(part, NULL);
}

/* genalloc would hand it out again. */
static void a_page_in_a_pool(struct ktest *t)
{
	struct genp_spec spec = { .reserve = POOL_PAGES * PAGE_SIZE, .node = GENP_ANY_NODE };
	struct gen_pool *pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);
	struct page *memory = alloc_pages(GFP_KERNEL, POOL_ORDER);
	struct genp_partition *part;
	unsigned int i;

	if (!pool || !memory ||
	    gen_pool_add_virt(pool, (unsigned long)page_address(memory), page_to_phys(memory),
			      POOL_PAGES * PAGE_SIZE, NUMA_NO_NODE)) {
		ktest_fail(t, __LINE__, "no memory for a pool");
		return;
	}
	/* The allocator keeps single pages with errors out of its own. */
	split_page(memory, POOL_ORDER);
	part = genp_partition_create_in(pool, &spec);
	ERROR(t, part, 0);
	if (!IS_ERR(part)) {
		if (injected(memory + 1)) {
			EVENTUALLY(t, ktest_stat(part).memory_errors == 1);
			EQUAL(t, genp_partition_destroy(part, NULL), 0);
			EQUAL(t, try_in(pool, POOL_PAGES), -ENOSPC);
			EQUAL(t, try_in(pool, 3), -ENOSPC);
			EQUAL(t, try_in(pool, 2), 0);
			EQUAL(t, try_in(pool, 1), 0);
		} else {
			EQUAL(t, genp_partition_destroy(part, NULL), 0);
		}
	}
	/* All of it was given back. */
	EQUAL(t, gen_pool_avail(pool), POOL_PAGES * PAGE_SIZE);
	gen_pool_destroy(pool);
	for (i = 0; i < POOL_PAGES; i++)
		__free_page(memory + i);
}
#endif

const struct kcase memory_error_cases[] = {
	{ "a_free_page_of_a_stock", a_free_page_of_a_stock },
	{ "a_page_that_a_driver_has", a_page_that_a_driver_has },
	{ "a_stock_that_is_lost", a_stock_that_is_lost },
	{ "a_free_block", a_free_block },
	{ "a_block_that_a_driver_has", a_block_that_a_driver_has },
	{ "a_page_of_a_drivers_lease", a_page_of_a_drivers_lease },
#ifdef CONFIG_GENERIC_ALLOCATOR
	{ "a_page_in_a_pool", a_page_in_a_pool },
#endif
	{}
};
