// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous blocks, in a thread and in hardirq. The module was loaded with BLOCKS and more.
 */
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/platform_device.h>

#include "ktest.h"

#define MOST 4

static const struct {
	unsigned int order, count;
} sets[] = { { 1, 4 }, { 4, 2 } };

/* Takes all blocks of an order, which fit and do not overlap. */
static void take_all(struct ktest *t, unsigned int set, struct page **blocks)
{
	unsigned int order = sets[set].order, i, k;

	for (i = 0; i < sets[set].count; i++) {
		blocks[i] = genp_alloc_pages(t->part, order, 0);
		CHECK(t, blocks[i]);
		if (!blocks[i])
			return;
		EQUAL(t, page_to_pfn(blocks[i]) & ((1UL << order) - 1), 0);
		for (k = 0; k < 1U << order; k++) {
			EQUAL(t, page_to_pfn(blocks[i] + k), page_to_pfn(blocks[i]) + k);
			CHECK(t, page_address(blocks[i] + k) ==
				 page_address(blocks[i]) + k * PAGE_SIZE);
		}
		for (k = 0; k < i; k++)
			CHECK(t, blocks[k] != blocks[i]);
	}
	CHECK(t, !genp_alloc_pages(t->part, order, 0));
}

static void give_all(struct ktest *t, unsigned int set, struct page **blocks)
{
	unsigned int i;

	for (i = 0; i < sets[set].count; i++)
		EQUAL(t, genp_free_pages(t->part, blocks[i], sets[set].order), 0);
}

static void a_partition_has_its_blocks(struct ktest *t)
{
	struct page *small[MOST], *large[MOST];
	unsigned int i;

	take_all(t, 0, small);
	if (*t->why)
		return;
	/* No order takes from another one, and nobody from another partition. */
	take_all(t, 1, large);
	if (*t->why)
		return;
	for (i = 0; i < sets[1].count; i++)
		EQUAL(t, genp_free_pages(t->other, large[i], sets[1].order), -EINVAL);
	give_all(t, 1, large);
	CHECK(t, !genp_alloc_pages(t->part, sets[0].order, 0));
	give_all(t, 0, small);
	take_all(t, 0, small);
	give_all(t, 0, small);
}

static void free_pages_refuses_what_is_wrong(struct ktest *t)
{
	struct page *block = genp_alloc_pages(t->part, 4, 0);
	struct page *page = genp_alloc_page(t->part, 0);

	CHECK(t, block && page);
	if (!block || !page)
		return;
	EQUAL(t, genp_free_pages(t->other, block, 4), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, block, 1), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, block, 5), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, block, 0), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, block, GENP_ORDERS), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, block, ~0U), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, block + 1, 4), -EINVAL);
	EQUAL(t, genp_free_page(t->part, block), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, page, 1), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, ZERO_PAGE(0), 4), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, NULL, 4), -EINVAL);
	EQUAL(t, genp_free_pages(t->part, block, 4), 0);
	EQUAL(t, genp_free_pages(t->part, block, 4), -ESTALE);
	EQUAL(t, genp_free_page(t->part, page), 0);
}

static void alloc_pages_refuses_what_is_wrong(struct ktest *t)
{
	CHECK(t, !genp_alloc_pages(t->part, 4, GENP_EMERGENCY));
	CHECK(t, !genp_alloc_pages(t->part, 4, 1U << 31));
	CHECK(t, !genp_alloc_pages(t->part, GENP_ORDERS, 0));
	CHECK(t, !genp_alloc_pages(t->part, ~0U, 0));
	/* It has none of that order. */
	CHECK(t, !genp_alloc_pages(t->part, 2, 0));
}

static void order_0_is_a_page(struct ktest *t)
{
	struct page *pages[STOCK];
	unsigned int i;

	for (i = 0; i < STOCK; i++) {
		pages[i] = genp_alloc_pages(t->part, 0, GENP_ZERO);
		CHECK(t, pages[i]);
		if (!pages[i])
			return;
	}
	CHECK(t, !genp_alloc_pages(t->part, 0, 0));
	EQUAL(t, genp_free_pages(t->part, pages[0], 1), -EINVAL);
	for (i = 0; i < STOCK; i++)
		EQUAL(t, genp_free_pages(t->part, pages[i], 0), 0);
}

#define BYTES (PAGE_SIZE << 4)

static void blocks_keep_or_lose_what_is_in_them(struct ktest *t)
{
	struct page *blocks[MOST];
	unsigned int i, zero;

	take_all(t, 1, blocks);
	if (*t->why)
		return;
	for (i = 0; i < sets[1].count; i++) {
		CHECK(t, !memchr_inv(page_address(blocks[i]), 0, BYTES));
		memset(page_address(blocks[i]), 0xa5, BYTES);
	}
	give_all(t, 1, blocks);
	for (zero = 0; zero < 2; zero++) {
		blocks[0] = genp_alloc_pages(t->part, 4, zero ? GENP_ZERO : 0);
		CHECK(t, blocks[0]);
		if (!blocks[0])
			return;
		CHECK(t, !memchr_inv(page_address(blocks[0]), zero ? 0 : 0xa5, BYTES));
		EQUAL(t, genp_free_pages(t->part, blocks[0], 4), 0);
	}
}

/* Context: thread. */
static void blocks_are_counted(struct ktest *t)
{
	struct page *block = genp_alloc_pages(t->part, 4, 0);
	struct genp_stat stat = ktest_stat(t->part);

	EQUAL(t, stat.blocks[1], 4);
	EQUAL(t, stat.blocks[4], 2);
	EQUAL(t, stat.blocks[2], 0);
	EQUAL(t, stat.blocks_free[1], 4);
	EQUAL(t, stat.blocks_free[4], 1);
	EQUAL(t, stat.blocks_out, 1);
	EQUAL(t, stat.block_takes, 1);
	EQUAL(t, stat.block_gives, 0);
	CHECK(t, !genp_alloc_pages(t->part, 2, 0));
	EQUAL(t, genp_free_pages(t->part, block, 4), 0);
	EQUAL(t, genp_free_pages(t->part, block, 4), -ESTALE);
	EQUAL(t, genp_free_pages(t->other, block, 4), -EINVAL);
	CHECK(t, !genp_alloc_pages(t->other, GENP_ORDERS, 0));
	EQUAL(t, ktest_stat(t->part).blocks_out, 0);
	EQUAL(t, ktest_stat(t->part).block_gives, 1);
	EQUAL(t, ktest_stat(t->part).block_misses, 1);
	EQUAL(t, ktest_stat(t->part).stale_handles, stat.stale_handles + 1);
	EQUAL(t, ktest_stat(t->other).misuses, 2);
	/* They are no pages of the stock. */
	EQUAL(t, ktest_stat(t->part).stock_takes, 0);
}

/* Context: thread. */
static void a_partition_of_blocks_alone(struct ktest *t)
{
	struct genp_spec spec = { .node = GENP_ANY_NODE, .blocks = { [1] = 1 } };
	struct genp_partition *part = ktest_create(t, &spec);
	struct genp_outstanding left = {};
	struct page *block;

	if (!part)
		return;
	block = genp_alloc_pages(part, 1, 0);
	CHECK(t, block);
	EQUAL(t, genp_partition_destroy(part, &left), -EBUSY);
	EQUAL(t, left.blocks, 1);
	EQUAL(t, left.pages, 0);
	EQUAL(t, genp_free_pages(part, block, 1), 0);
	EQUAL(t, genp_partition_destroy(part, &left), 0);
}

/* Context: thread. As many as the pool has: all of them, and again when they are back. */
static void create_admits_what_there_is(struct ktest *t)
{
	struct genp_spec spec = { .reserve = PAGE_SIZE, .node = GENP_ANY_NODE };
	struct genp_partition *all = ERR_PTR(-E2BIG), *part;
	unsigned int round;
	struct page *block;

	spec.blocks[0] = 1;
	ERROR(t, genp_partition_create(&spec), -EINVAL);
	spec.blocks[0] = 0;
	spec.blocks[4] = ~0U;
	ERROR(t, genp_partition_create(&spec), -E2BIG);
	spec.blocks[10] = ~0U;
	ERROR(t, genp_partition_create(&spec), -E2BIG);
	spec.blocks[10] = 0;
	/* t->part and t->other have some: what is left, found by trying. */
	for (spec.blocks[4] = 1 << 10; spec.blocks[4] && IS_ERR(all); spec.blocks[4]--)
		all = genp_partition_create(&spec);
	ERROR(t, all, 0);
	if (IS_ERR(all))
		return;
	spec.blocks[4] = 1;
	for (round = 0; round < 80; round++) {
		/* Nothing is taken if one is not there: no slot of a partition either. */
		spec.blocks[1] = 1;
		ERROR(t, genp_partition_create(&spec), -ENOSPC);
		spec.blocks[4] = 0;
		part = ktest_create(t, &spec);
		if (part)
			EQUAL(t, genp_partition_destroy(part, NULL), 0);
		spec.blocks[4] = 1;
	}
	block = genp_alloc_pages(all, 4, 0);
	CHECK(t, block);
	if (block) {
		memset(page_address(block), 0xa5, BYTES);
		EQUAL(t, genp_free_pages(all, block, 4), 0);
	}
	EQUAL(t, genp_partition_destroy(all, NULL), 0);
	/* Nobody finds what was in them. */
	part = ktest_create(t, &spec);
	if (!part)
		return;
	block = genp_alloc_pages(part, 4, 0);
	CHECK(t, block && !memchr_inv(page_address(block), 0, BYTES));
	EQUAL(t, genp_free_pages(part, block, 4), 0);
	EQUAL(t, genp_partition_destroy(part, NULL), 0);
}

/* Context: thread. A block to which somebody else refers waits until it does not. */
static void a_block_that_is_pinned_is_not_reused(struct ktest *t)
{
	struct genp_spec spec = { .node = GENP_ANY_NODE, .blocks = { [9] = 1 } };
	struct genp_partition *part = ktest_create(t, &spec);
	struct page *block;

	if (!part)
		return;
	block = genp_alloc_pages(part, 9, 0);
	CHECK(t, block);
	if (!block)
		return;
	get_page(block + 511);
	EQUAL(t, genp_free_pages(part, block, 9), 0);
	EQUAL(t, genp_partition_destroy(part, NULL), 0);
	ERROR(t, genp_partition_create(&spec), -ENOSPC);
	put_page(block + 511);
	part = ktest_create(t, &spec);
	if (part)
		EQUAL(t, genp_partition_destroy(part, NULL), 0);
}

/* Context: thread. Streaming: mapped for each transfer. And kept mapped, with syncs. */
static void a_device_has_a_block(struct ktest *t)
{
	struct platform_device_info info = {
		.name = "genp_ktest", .id = PLATFORM_DEVID_NONE, .dma_mask = DMA_BIT_MASK(64),
	};
	struct platform_device *device = platform_device_register_full(&info);
	struct page *block = genp_alloc_pages(t->part, 4, 0);
	dma_addr_t at;

	ERROR(t, device, 0);
	CHECK(t, block);
	if (IS_ENABLED(CONFIG_HAS_DMA) && !IS_ERR(device) && block) {
		at = dma_map_single(&device->dev, page_address(block), BYTES, DMA_TO_DEVICE);
		CHECK(t, !dma_mapping_error(&device->dev, at));
		EQUAL(t, at & (BYTES - 1), 0);
		dma_unmap_single(&device->dev, at, BYTES, DMA_TO_DEVICE);
		at = dma_map_page(&device->dev, block, 0, BYTES, DMA_BIDIRECTIONAL);
		CHECK(t, !dma_mapping_error(&device->dev, at));
		dma_sync_single_for_cpu(&device->dev, at, BYTES, DMA_BIDIRECTIONAL);
		memset(page_address(block), 0x5a, BYTES);
		dma_sync_single_for_device(&device->dev, at, BYTES, DMA_BIDIRECTIONAL);
		CHECK(t, !memchr_inv(page_address(block), 0x5a, BYTES));
		dma_unmap_page(&device->dev, at, BYTES, DMA_BIDIRECTIONAL);
	}
	if (block)
		EQUAL(t, genp_free_pages(t->part, block, 4), 0);
	if (!IS_ERR(device))
		platform_device_unregister(device);
}

const struct kcase block_cases[] = {
	{ "a_partition_has_its_blocks", a_partition_has_its_blocks, true },
	{ "free_pages_refuses_what_is_wrong", free_pages_refuses_what_is_wrong, true },
	{ "alloc_pages_refuses_what_is_wrong", alloc_pages_refuses_what_is_wrong, true },
	{ "order_0_is_a_page", order_0_is_a_page, true },
	{ "blocks_keep_or_lose_what_is_in_them", blocks_keep_or_lose_what_is_in_them, true },
	{ "blocks_are_counted", blocks_are_counted },
	{ "a_partition_of_blocks_alone", a_partition_of_blocks_alone },
	{ "create_admits_what_there_is", create_admits_what_there_is },
	{ "a_block_that_is_pinned_is_not_reused", a_block_that_is_pinned_is_not_reused },
	{ "a_device_has_a_block", a_device_has_a_block },
	{}
};
