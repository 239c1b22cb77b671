// SPDX-License-Identifier: GPL-2.0
/* GenP: pages of the stock, objects of a cache, elements of a pool, regions. */
#include <linux/mm.h>

#include "bench.h"

static int create(struct bench *bench, const struct genp_spec *spec)
{
	bench->part = genp_partition_create(spec);
	return PTR_ERR_OR_ZERO(bench->part);
}

/* Everything was given back before. */
static void destroy(struct bench *bench)
{
	struct genp_outstanding left;

	if (genp_partition_destroy(bench->part, &left))
		pr_err("genp_bench: %u pages and %u regions are outstanding\n", left.pages, left.regions);
}

static int page_set_up(struct bench *bench)
{
	const struct genp_spec spec = { .node = GENP_ANY_NODE, .stock_pages = bench->capacity };

	return create(bench, &spec);
}

static __always_inline void *page_take(struct bench *bench)
{
	return genp_alloc_page(bench->part, 0);
}

static __always_inline void page_give(struct bench *bench, void *block)
{
	genp_free_page(bench->part, block);
}

DEFINE_PAIR(page)

const struct subject genp_page = {
	.role = "page", .name = "genp", .atomic = true, .bounded = true,
	.set_up = page_set_up, .tear_down = destroy,
	.take = page_take, .give = page_give, .pair = page_pair,
};

static int object_set_up(struct bench *bench)
{
	/* Room for what the cache keeps beside its objects. */
	const struct genp_spec spec = {
		.node = GENP_ANY_NODE,
		.reserve = PAGE_ALIGN(bench->pool) + PAGE_SIZE,
	};
	int error = create(bench, &spec);

	if (error)
		return error;
	bench->cache = genp_cache_create(bench->part, bench->size, 0, bench->capacity);
	error = PTR_ERR_OR_ZERO(bench->cache);
	if (error)
		destroy(bench);
	return error;
}

static void object_tear_down(struct bench *bench)
{
	if (genp_cache_destroy(bench->cache))
		pr_err("genp_bench: objects are outstanding\n");
	destroy(bench);
}

static __always_inline void *object_take(struct bench *bench)
{
	return genp_cache_alloc(bench->cache);
}

static __always_inline void object_give(struct bench *bench, void *block)
{
	genp_cache_free(bench->cache, block);
}

DEFINE_PAIR(object)

const struct subject genp_object = {
	.role = "object", .name = "genp", .atomic = true, .bounded = true,
	.set_up = object_set_up, .tear_down = object_tear_down,
	.take = object_take, .give = object_give, .pair = object_pair,
};

/* All objects are in the minimum of one pool. */
static int element_set_up(struct bench *bench)
{
	int error = object_set_up(bench);

	if (error)
		return error;
	bench->elements = genp_elements_create(bench->cache, bench->capacity);
	error = PTR_ERR_OR_ZERO(bench->elements);
	if (error)
		object_tear_down(bench);
	return error;
}

static void element_tear_down(struct bench *bench)
{
	if (genp_elements_destroy(bench->elements))
		pr_err("genp_bench: elements are outstanding\n");
	object_tear_down(bench);
}

static __always_inline void *element_take(struct bench *bench)
{
	return genp_element_alloc(bench->elements);
}

static __always_inline void element_give(struct bench *bench, void *block)
{
	genp_element_free(bench->elements, block);
}

DEFINE_PAIR(element)

const struct subject genp_element = {
	.role = "element", .name = "genp", .atomic = true, .bounded = true,
	.set_up = element_set_up, .tear_down = element_tear_down,
	.take = element_take, .give = element_give, .pair = element_pair,
};

/* One region more than fits, so that memory runs out first. */
static int region_set_up(struct bench *bench)
{
	const struct genp_spec spec = {
		.node = GENP_ANY_NODE,
		.reserve = PAGE_ALIGN(bench->pool),
		.max_regions = min(bench->capacity + 2, 1UL << 20),
	};

	return create(bench, &spec);
}

/* A region is represented by its handle. */
static void *region_take(struct bench *bench)
{
	struct genp_region region;

	if (genp_alloc(bench->part, bench->size, 0, &region))
		return NULL;
	return (void *)(uintptr_t)region.handle;
}

static void region_give(struct bench *bench, void *block)
{
	const struct genp_region region = { .handle = (uintptr_t)block };

	genp_free(bench->part, &region);
}

static noinline u64 region_pair(struct bench *bench)
{
	struct genp_region region;
	u64 begin = bench_clock(), end;
	int error = genp_alloc(bench->part, bench->size, 0, &region);

	if (!error)
		genp_free(bench->part, &region);
	end = bench_clock();
	bench->refused += !!error;
	return end - begin;
}

const struct subject genp_region = {
	.role = "region", .name = "genp", .atomic = true, .bounded = true,
	.set_up = region_set_up, .tear_down = destroy,
	.take = region_take, .give = region_give, .pair = region_pair,
};
