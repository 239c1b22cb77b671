// SPDX-License-Identifier: GPL-2.0
/* Pools of elements: mempool and objpool. */
#include <linux/mempool.h>
#include <linux/objpool.h>
#include <linux/slab.h>

#include "bench.h"

static int mempool_set_up(struct bench *bench)
{
	bench->mempool = mempool_create_kmalloc_pool(bench->capacity, bench->size);
	return bench->mempool ? 0 : -ENOMEM;
}

static void mempool_tear_down(struct bench *bench)
{
	mempool_destroy(bench->mempool);
}

/* Takes from kmalloc(), and from its reserve only if that fails. */
static __always_inline void *mempool_take(struct bench *bench)
{
	return mempool_alloc(bench->mempool, GFP_ATOMIC | __GFP_NOWARN);
}

static __always_inline void mempool_give(struct bench *bench, void *block)
{
	mempool_free(block, bench->mempool);
}

DEFINE_PAIR(mempool)

const struct subject pool_mempool = {
	.role = "element", .name = "mempool",
	.set_up = mempool_set_up, .tear_down = mempool_tear_down,
	.take = mempool_take, .give = mempool_give, .pair = mempool_pair,
};

/* Takes from its reserve only. */
static __always_inline void *preallocated_take(struct bench *bench)
{
	return mempool_alloc_preallocated(bench->mempool);
}

#define preallocated_give mempool_give
DEFINE_PAIR(preallocated)

const struct subject pool_preallocated = {
	.role = "element", .name = "mempool_preallocated", .bounded = true,
	.set_up = mempool_set_up, .tear_down = mempool_tear_down,
	.take = preallocated_take, .give = mempool_give, .pair = preallocated_pair,
};

static int objpool_set_up(struct bench *bench)
{
	int error;

	bench->objpool = kzalloc_obj(*bench->objpool);
	if (!bench->objpool)
		return -ENOMEM;
	error = objpool_init(bench->objpool, bench->capacity, bench->size, GFP_KERNEL, NULL, NULL, NULL);
	if (error)
		kfree(bench->objpool);
	return error;
}

static void objpool_tear_down(struct bench *bench)
{
	objpool_free(bench->objpool);
	kfree(bench->objpool);
}

static __always_inline void *objpool_take(struct bench *bench)
{
	return objpool_pop(bench->objpool);
}

static __always_inline void objpool_give(struct bench *bench, void *block)
{
	objpool_push(block, bench->objpool);
}

DEFINE_PAIR(objpool)

const struct subject pool_objpool = {
	.role = "element", .name = "objpool", .atomic = true, .bounded = true,
	.set_up = objpool_set_up, .tear_down = objpool_tear_down,
	.take = objpool_take, .give = objpool_give, .pair = objpool_pair,
};
