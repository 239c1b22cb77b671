// SPDX-License-Identifier: GPL-2.0
/* Objects of the slab allocator. */
#include <linux/slab.h>

#include "../../../../samples/drivers/older_kernels.h"
#include "bench.h"

static __always_inline void *kmalloc_take(struct bench *bench)
{
	/* A constant size selects the cache at compile time. */
	switch (bench->size) {
	case 64:
		return kmalloc(64, GFP_ATOMIC | __GFP_NOWARN);
	case 256:
		return kmalloc(256, GFP_ATOMIC | __GFP_NOWARN);
	case 4096:
		return kmalloc(4096, GFP_ATOMIC | __GFP_NOWARN);
	default:
		return kmalloc(bench->size, GFP_ATOMIC | __GFP_NOWARN);
	}
}

static __always_inline void kmalloc_give(struct bench *bench, void *block)
{
	kfree(block);
}

DEFINE_POOLLESS(slab_kmalloc, kmalloc, .role = "object", .name = "kmalloc");

static __always_inline void *nolock_take(struct bench *bench)
{
	return kmalloc_nolock(bench->size, 0, NUMA_NO_NODE);
}

static __always_inline void nolock_give(struct bench *bench, void *block)
{
	kfree_nolock(block);
}

DEFINE_POOLLESS(slab_nolock, nolock, .role = "object", .name = "kmalloc_nolock");

static int cache_set_up(struct bench *bench)
{
	/* Not merged with the cache of kmalloc(): a cache of its own, as a driver has it. */
	bench->slab = kmem_cache_create("genp_bench", bench->size, 0, SLAB_NO_MERGE, NULL);
	return bench->slab ? 0 : -ENOMEM;
}

static void cache_tear_down(struct bench *bench)
{
	kmem_cache_destroy(bench->slab);
}

static __always_inline void *cache_take(struct bench *bench)
{
	return kmem_cache_alloc(bench->slab, GFP_ATOMIC | __GFP_NOWARN);
}

static __always_inline void cache_give(struct bench *bench, void *block)
{
	kmem_cache_free(bench->slab, block);
}

DEFINE_PAIR(cache)

const struct subject slab_cache = {
	.role = "object", .name = "kmem_cache",
	.set_up = cache_set_up, .tear_down = cache_tear_down,
	.take = cache_take, .give = cache_give, .pair = cache_pair,
};
