/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Pools of objects of one size, in the reserve of a partition: connections, messages. A
 * number of them is there whatever else the heap has to do. See genp.h for what holds for
 * all functions. A lock with priority inheritance is held for some tens of instructions.
 */
#ifndef _GENP_POOL_H
#define _GENP_POOL_H

#include <genp/partition.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct genp_pool genp_pool_t;

/* Flag of genp_pool_create(): more objects come from the heap when all are in use. */
#define GENP_POOL_GROW		(1U << 0)

/**
 * struct genp_pool_stat - the state of a pool
 * @size: in: of this structure, as the caller knows it.
 * @reserved: out: 0.
 * @objects: out: objects that are guaranteed.
 * @used: out: of these, how many are in use.
 * @used_peak: out: the most of @used there ever was.
 * @extra: out: objects from the heap that are in use besides.
 * @refusals: out: requests that got ENOMEM.
 * @stride: out: bytes from one object to the next.
 */
struct genp_pool_stat {
	uint32_t size;
	uint32_t reserved;
	uint64_t objects;
	uint64_t used;
	uint64_t used_peak;
	uint64_t extra;
	uint64_t refusals;
	uint64_t stride;
};

/**
 * genp_pool_create() - make a pool of objects in the heap of a partition
 * @part: the partition, which must outlive the pool
 * @object: bytes of an object, at least 1
 * @align: its alignment, a power of two; 0 is 16
 * @objects: how many are guaranteed, 1 to 16,777,216
 * @flags: GENP_POOL_GROW or 0
 *
 * Cost: linear in @objects, and memory of the process, 4 bytes for each.
 * Context: thread. Not in handlers.
 * Return: the pool, or NULL with errno: EINVAL; ENOMEM if the heap has no block for all
 * objects; ECHILD.
 */
genp_pool_t *genp_pool_create(genp_partition_t *part, size_t object, size_t align, size_t objects,
			      uint32_t flags);

/**
 * genp_pool_alloc() - take an object
 * @pool: the pool
 *
 * Cost: at most 500 instructions, and no system call unless another thread holds the lock;
 * beyond the guaranteed objects as genp_alloc().
 * Context: any, handlers too.
 * Return: the object, with the contents it had when it was given back, or NULL with errno:
 * ENOMEM if all are in use, EINVAL, ECHILD, EDEADLK.
 */
void *genp_pool_alloc(genp_pool_t *pool);

/**
 * genp_pool_free() - give an object back
 * @pool: the pool it was taken from
 * @object: the object; NULL is nothing
 *
 * Cost: at most 500 instructions, as genp_pool_alloc().
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL for what is no object in use, also one that was given
 * back already; ECHILD, EDEADLK.
 */
int genp_pool_free(genp_pool_t *pool, void *object);

/**
 * genp_pool_get_stat() - the state of a pool
 * @pool: the pool
 * @stat: where it is written to; its size is that of the structure
 *
 * Cost: at most 500 instructions.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL, ECHILD, EDEADLK.
 */
int genp_pool_get_stat(const genp_pool_t *pool, struct genp_pool_stat *stat);

/**
 * genp_pool_destroy() - end a pool
 * @pool: the pool; no other call for it may be in progress or follow
 *
 * Its memory goes back to the heap.
 *
 * Cost: as genp_free(), and memory of the process is freed.
 * Context: thread; also a forked child, before genp_destroy(). Not in handlers.
 * Return: 0, or -1 with errno: EBUSY if objects are in use, EINVAL.
 */
int genp_pool_destroy(genp_pool_t *pool);

#ifdef __cplusplus
}
#endif

#endif /* _GENP_POOL_H */
