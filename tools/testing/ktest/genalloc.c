// SPDX-License-Identifier: GPL-2.0
/* The genalloc-like interface: placement, physical addresses, a reserve in a gen_pool. */
#include <linux/genalloc.h>
#include <linux/io.h>

#include "ktest.h"

/* Allocates from the empty reserve of @other, whose units are 64 bytes. */
static int placed(struct ktest *t, u32 strategy, size_t size, u64 align, u64 offset,
		  struct genp_region *region)
{
	struct genp_placement placement = { .place = strategy, .align = align, .offset = offset };

	return genp_alloc_placed(t->other, size, &placement, region);
}

static size_t offset_of(struct ktest *t, struct genp_region *base, struct genp_region *region)
{
	return region->addr - base->addr;
}

/*
 * Leaves holes of 512, 256 and 1024 bytes, in this order, at 64, 640 and 960, with all
 * above 2048 in use as well.
 */
static bool make_holes(struct ktest *t, struct genp_region *base, struct genp_region *walls)
{
	static const struct { u64 offset; size_t size; } wall[] = {
		{ 576, 64 }, { 896, 64 }, { 1984, RESERVE - 1984 },
	};
	unsigned int i;

	if (placed(t, GENP_PLACE_FIXED, 64, 0, 0, base)) {
		ktest_fail(t, __LINE__, "nothing at the beginning");
		return false;
	}
	for (i = 0; i < ARRAY_SIZE(wall); i++)
		EQUAL(t, placed(t, GENP_PLACE_FIXED, wall[i].size, 0, wall[i].offset, &walls[i]), 0);
	return !*t->why;
}

static void take_holes_down(struct ktest *t, struct genp_region *base, struct genp_region *walls)
{
	unsigned int i;

	EQUAL(t, genp_free(t->other, base), 0);
	for (i = 0; i < 3; i++)
		EQUAL(t, genp_free(t->other, &walls[i]), 0);
}

static void regions_are_where_they_were_wanted(struct ktest *t)
{
	static const struct { u32 strategy; size_t size; u64 align; size_t offset; } wanted[] = {
		{ GENP_PLACE_LOWEST, 200, 0, 64 },
		{ GENP_PLACE_SMALLEST, 200, 0, 640 },
		{ GENP_PLACE_LOWEST, 600, 0, 960 },
		{ GENP_PLACE_SMALLEST, 300, 0, 64 },
		{ GENP_PLACE_LOWEST, 256, 256, 256 },
		{ GENP_PLACE_NATURAL, 500, 0, 1024 },
	};
	struct genp_region base, walls[3], region;
	unsigned int i;

	if (!make_holes(t, &base, walls))
		return;
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		EQUAL(t, placed(t, wanted[i].strategy, wanted[i].size, wanted[i].align, 0, &region), 0);
		if (*t->why)
			return;
		if (offset_of(t, &base, &region) != wanted[i].offset)
			ktest_fail(t, __LINE__, "number %u is at %zu, not at %zu", i,
				   offset_of(t, &base, &region), wanted[i].offset);
		EQUAL(t, genp_free(t->other, &region), 0);
	}
	EQUAL(t, placed(t, GENP_PLACE_LOWEST, 1025, 0, 0, &region), -ENOMEM);
	EQUAL(t, placed(t, GENP_PLACE_FIXED, 64, 0, 576, &region), -ENOMEM);
	take_holes_down(t, &base, walls);
}

static void placements_refuse_what_is_wrong(struct ktest *t)
{
	static const struct { struct genp_placement placement; size_t size; int error; } wrong[] = {
		{ { .place = 5 }, 64, -EINVAL },
		{ { .place = GENP_PLACE_LOWEST, .flags = 1U << 7 }, 64, -EINVAL },
		{ { .place = GENP_PLACE_LOWEST, .align = 3 }, 64, -EINVAL },
		{ { .place = GENP_PLACE_LOWEST, .offset = 64 }, 64, -EINVAL },
		{ { .place = GENP_PLACE_LOWEST }, 0, -EINVAL },
		{ { .place = GENP_PLACE_LOWEST }, RESERVE + 1, -E2BIG },
		{ { .place = GENP_PLACE_LOWEST }, SIZE_MAX, -E2BIG },
		{ { .place = GENP_PLACE_FIXED, .align = 64 }, 64, -EINVAL },
		{ { .place = GENP_PLACE_FIXED, .offset = 1 }, 64, -EINVAL },
		{ { .place = GENP_PLACE_FIXED, .offset = RESERVE }, 64, -E2BIG },
		{ { .place = GENP_PLACE_FIXED, .offset = ~63ULL }, 64, -E2BIG },
	};
	struct genp_region region;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		int error = genp_alloc_placed(t->other, wrong[i].size, &wrong[i].placement, &region);

		if (error != wrong[i].error)
			ktest_fail(t, __LINE__, "number %u: %d, not %d", i, error, wrong[i].error);
	}
	EQUAL(t, ktest_stat(t->other).regions, 0);
}

static int count_chunk(const struct genp_chunk *chunk, void *data)
{
	size_t *sum = data;

	*sum += chunk->size;
	return IS_ALIGNED(chunk->phys, PAGE_SIZE) && chunk->virt ? 0 : -EIO;
}

static int stop_at_once(const struct genp_chunk *chunk, void *data)
{
	++*(size_t *)data;
	return 7;
}

static void the_reserve_tells_of_itself(struct ktest *t)
{
	struct genp_region region;
	phys_addr_t phys;
	size_t sum = 0;

	EQUAL(t, genp_size(t->other), RESERVE);
	EQUAL(t, genp_avail(t->other), RESERVE);
	EQUAL(t, genp_alloc(t->other, PAGE_SIZE, PAGE_SIZE, &region), 0);
	EQUAL(t, genp_avail(t->other), RESERVE - PAGE_SIZE);
	CHECK(t, genp_has_addr(t->other, region.addr, PAGE_SIZE));
	CHECK(t, !genp_has_addr(t->other, region.addr, RESERVE + 1));
	CHECK(t, !genp_has_addr(t->other, region.addr, 0));
	CHECK(t, !genp_has_addr(t->other, t, 1));
	EQUAL(t, genp_virt_to_phys(t->other, region.addr + 5, &phys), 0);
	CHECK(t, phys == page_to_phys(vmalloc_to_page(region.addr)) + 5);
	EQUAL(t, genp_virt_to_phys(t->other, t, &phys), -EINVAL);
	CHECK(t, !genp_owner(t->other));
	EQUAL(t, genp_for_each_chunk(t->other, count_chunk, &sum), 0);
	EQUAL(t, sum, RESERVE);
	sum = 0;
	EQUAL(t, genp_for_each_chunk(t->other, stop_at_once, &sum), 7);
	EQUAL(t, sum, 1);
	EQUAL(t, genp_free(t->other, &region), 0);
}

static void dma_is_in_one_piece(struct ktest *t)
{
	struct genp_placement aligned = { .align = 1024, .flags = GENP_ZERO };
	struct genp_region region;
	phys_addr_t phys = 1, again;

	EQUAL(t, genp_dma_alloc(t->other, 3000, NULL, &region, &phys), 0);
	EQUAL(t, genp_virt_to_phys(t->other, region.addr, &again), 0);
	CHECK(t, phys == again);
	CHECK(t, phys >> PAGE_SHIFT == (phys + 2999) >> PAGE_SHIFT);
	memset(region.addr, 0xff, region.size);
	EQUAL(t, genp_free(t->other, &region), 0);
	EQUAL(t, genp_dma_alloc(t->other, 3000, &aligned, &region, &phys), 0);
	CHECK(t, IS_ALIGNED(phys, 1024));
	CHECK(t, !memchr_inv(region.addr, 0, region.size));
	EQUAL(t, genp_free(t->other, &region), 0);
	EQUAL(t, genp_dma_alloc(t->other, PAGE_SIZE + 1, NULL, &region, &phys), -EOPNOTSUPP);
	EQUAL(t, genp_dma_alloc(t->other, 0, NULL, &region, &phys), -EINVAL);
}

#ifdef CONFIG_GENERIC_ALLOCATOR
#define POOL_ORDER 4
#define POOL_SIZE (PAGE_SIZE << POOL_ORDER)

static const struct genp_spec in_pool = {
	.reserve = POOL_SIZE / 2,
	.node = GENP_ANY_NODE,
};

/* A pool as a driver has it, with memory that was used before. */
static struct gen_pool *make_pool(struct ktest *t, struct page **memory)
{
	struct gen_pool *pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);

	*memory = alloc_pages(GFP_KERNEL, POOL_ORDER);
	if (!pool || !*memory ||
	    gen_pool_add_owner(pool, (unsigned long)page_address(*memory), page_to_phys(*memory),
			       POOL_SIZE, NUMA_NO_NODE, t)) {
		ktest_fail(t, __LINE__, "no memory for a pool");
		return NULL;
	}
	memset(page_address(*memory), 0xa5, POOL_SIZE);
	return pool;
}

static void a_reserve_in_a_pool(struct ktest *t)
{
	struct genp_outstanding left;
	struct genp_partition *part;
	struct genp_region region;
	struct page *memory;
	struct gen_pool *pool = make_pool(t, &memory);
	size_t chunks = 0;
	phys_addr_t phys;

	if (!pool)
		return;
	part = genp_partition_create_in(pool, &in_pool);
	ERROR(t, part, 0);
	if (IS_ERR(part))
		goto out;
	EQUAL(t, gen_pool_avail(pool), POOL_SIZE / 2);
	CHECK(t, genp_owner(part) == t);
	EQUAL(t, genp_for_each_chunk(part, stop_at_once, &chunks), 7);
	/* More than a page, in one piece, zeroed, and where the pool is. */
	EQUAL(t, genp_dma_alloc(part, 3 * PAGE_SIZE, NULL, &region, &phys), 0);
	CHECK(t, phys >= page_to_phys(memory) && phys < page_to_phys(memory) + POOL_SIZE);
	CHECK(t, !memchr_inv(region.addr, 0, region.size));
	memset(region.addr, 0x5a, region.size);
	EQUAL(t, genp_partition_destroy(part, &left), -EBUSY);
	EQUAL(t, left.regions, 1);
	EQUAL(t, genp_free(part, &region), 0);
	EQUAL(t, genp_free(part, &region), -ESTALE);
	EQUAL(t, genp_partition_destroy(part, &left), 0);
	EQUAL(t, gen_pool_avail(pool), POOL_SIZE);
	/* Memory was zeroed before it went back to the pool. */
	CHECK(t, !memchr_inv(page_address(memory), 0, PAGE_SIZE) ||
		 !memchr_inv(page_address(memory) + POOL_SIZE / 2, 0, PAGE_SIZE));
out:
	gen_pool_destroy(pool);
	__free_pages(memory, POOL_ORDER);
}

static void pools_refuse_what_is_wrong(struct ktest *t)
{
	struct genp_spec wrong = in_pool;
	struct page *memory;
	struct gen_pool *pool = make_pool(t, &memory);
	struct genp_partition *part;

	if (!pool)
		return;
	wrong.reserve = 0;
	ERROR(t, genp_partition_create_in(pool, &wrong), -EINVAL);
	wrong.reserve = 100;
	ERROR(t, genp_partition_create_in(pool, &wrong), -EINVAL);
	wrong.reserve = 2 * POOL_SIZE;
	ERROR(t, genp_partition_create_in(pool, &wrong), -E2BIG);
	wrong.reserve = POOL_SIZE;
	part = genp_partition_create_in(pool, &in_pool);
	ERROR(t, part, 0);
	ERROR(t, genp_partition_create_in(pool, &wrong), -ENOSPC);
	if (!IS_ERR(part))
		EQUAL(t, genp_partition_destroy(part, NULL), 0);
	EQUAL(t, gen_pool_avail(pool), POOL_SIZE);
	gen_pool_destroy(pool);
	__free_pages(memory, POOL_ORDER);
}
#else
static void a_reserve_in_a_pool(struct ktest *t)
{
	struct genp_spec spec = { .reserve = PAGE_SIZE, .node = GENP_ANY_NODE };

	ERROR(t, genp_partition_create_in(NULL, &spec), -EOPNOTSUPP);
}

static void pools_refuse_what_is_wrong(struct ktest *t)
{
	struct genp_spec spec = { .node = GENP_ANY_NODE };

	CHECK(t, IS_ERR(genp_partition_create_in(NULL, &spec)));
}
#endif

const struct kcase genalloc_cases[] = {
	{ "regions_are_where_they_were_wanted", regions_are_where_they_were_wanted },
	{ "placements_refuse_what_is_wrong", placements_refuse_what_is_wrong },
	{ "the_reserve_tells_of_itself", the_reserve_tells_of_itself },
	{ "dma_is_in_one_piece", dma_is_in_one_piece },
	{ "a_reserve_in_a_pool", a_reserve_in_a_pool },
	{ "pools_refuse_what_is_wrong", pools_refuse_what_is_wrong },
	{ }
};
