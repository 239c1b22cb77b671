// SPDX-License-Identifier: GPL-2.0
/*
 * gen_pool, with two of its algorithms. Its memory is never touched, so that it needs
 * none: only addresses and the bitmap for them.
 */
#include <linux/genalloc.h>
#include <linux/log2.h>
#include <linux/numa.h>

#include "bench.h"

#define NOWHERE 0x100000000000UL

static int set_up(struct bench *bench, genpool_algo_t algo)
{
	int error;

	bench->gen_pool = gen_pool_create(ilog2(bench->size), NUMA_NO_NODE);
	if (!bench->gen_pool)
		return -ENOMEM;
	gen_pool_set_algo(bench->gen_pool, algo, NULL);
	error = gen_pool_add(bench->gen_pool, NOWHERE, bench->pool, NUMA_NO_NODE);
	if (error)
		gen_pool_destroy(bench->gen_pool);
	return error;
}

static int first_set_up(struct bench *bench)
{
	return set_up(bench, gen_pool_first_fit);
}

static int best_set_up(struct bench *bench)
{
	return set_up(bench, gen_pool_best_fit);
}

static void tear_down(struct bench *bench)
{
	gen_pool_destroy(bench->gen_pool);
}

/* In one piece, because one at a time would be quadratic. The bitmap is the same. */
static unsigned long take_many(struct bench *bench, void **blocks, unsigned long count)
{
	unsigned long addr = count ? gen_pool_alloc(bench->gen_pool, count * bench->size) : 0, i;

	if (!addr)
		return 0;
	for (i = 0; i < count; i++)
		blocks[i] = (void *)(addr + i * bench->size);
	return count;
}

static __always_inline void *pool_take(struct bench *bench)
{
	return (void *)gen_pool_alloc(bench->gen_pool, bench->size);
}

static __always_inline void pool_give(struct bench *bench, void *block)
{
	gen_pool_free(bench->gen_pool, (unsigned long)block, bench->size);
}

DEFINE_PAIR(pool)

/* Lock-free where cmpxchg is safe in NMI, so interrupts may be disabled. */
#define DEFINE_SUBJECT(id, role_, name_, set_up_)			\
	const struct subject id = {						\
		.role = role_, .name = name_, .note = "metadata only",		\
		.atomic = true, .bounded = true,				\
		.set_up = set_up_, .tear_down = tear_down,			\
		.take = pool_take, .give = pool_give, .pair = pool_pair,	\
		.take_many = take_many,						\
	}

DEFINE_SUBJECT(gen_pool_page_first, "page", "gen_pool_first_fit", first_set_up);
DEFINE_SUBJECT(gen_pool_page_best, "page", "gen_pool_best_fit", best_set_up);
DEFINE_SUBJECT(gen_pool_region_first, "region", "gen_pool_first_fit", first_set_up);
DEFINE_SUBJECT(gen_pool_region_best, "region", "gen_pool_best_fit", best_set_up);
