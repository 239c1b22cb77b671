/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Other heap managers than that of libgenp, chosen when a partition is created: the arena of
 * libgenp, which frees everything at once, those of the crates rlsf and
 * buddy_system_allocator, or one of the program. All of genp/heap.h works
 * with each of them; only what it says of instructions, and of what was freed being there
 * again, is that of the heap manager of libgenp. A manager has no caches of threads.
 */
#ifndef _GENP_MANAGER_H
#define _GENP_MANAGER_H

#include <genp/partition.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct genp_manager - a heap manager
 * @size: of this structure.
 * @flags: 0.
 * @create: begins a heap in @length bytes at @start, on a page; gives what the others get as
 *	their first argument, or NULL with errno.
 * @destroy: ends it; may be NULL. Also called in a forked child, without the memory.
 * @alloc: a block of at least @bytes, aligned to @align, a power of two of 16 or more; NULL
 *	with errno ENOMEM if there is none.
 * @free: frees a block; 0, or -1 with errno EINVAL for what is none.
 * @usable: the bytes of a block, or 0 with errno EINVAL for what is none.
 * @free_all: frees all blocks; may be NULL if it cannot.
 * @used: bytes in use, for genp_get_heap_stat().
 * @resize: goes on with @length bytes at the same start, more or less than before, blocks staying
 *	where they are; 0, or -1 with errno and as before: EBUSY if a block lies beyond,
 *	EOPNOTSUPP. What is added is mapped and zero. May be NULL if it cannot.
 *
 * They are called by several threads at a time, but for create, destroy and free_all; resize is
 * not called by two.
 */
struct genp_manager {
	uint32_t size;
	uint32_t flags;
	void *(*create)(void *start, size_t length);
	void (*destroy)(void *heap);
	void *(*alloc)(void *heap, size_t bytes, size_t align);
	int (*free)(void *heap, void *block);
	size_t (*usable)(void *heap, void *block);
	int (*free_all)(void *heap);
	size_t (*used)(void *heap);
	int (*resize)(void *heap, size_t length);
};

/**
 * genp_create_managed() - create a partition with another heap manager
 * @request: as of genp_create_from(); it must have a reserve
 * @manager: the manager, which must stay as it is for as long as the partition exists
 *
 * Cost: as genp_create(), and that of the manager.
 * Context: thread. Not in handlers.
 * Return: as genp_create_from(); also EINVAL for a manager without a function it needs, and
 * the errors of its create.
 */
genp_partition_t *genp_create_managed(const struct genp_create *request,
				      const struct genp_manager *manager);

/**
 * genp_create_managed_resizable() - create such a partition whose reserve can become larger
 * @request: as of genp_create_managed()
 * @manager: as of genp_create_managed(); genp_resize() is EOPNOTSUPP if it has no resize
 * @most: as of genp_create_resizable()
 *
 * The heaps of genp_arena_manager() become larger, and smaller if what is taken away lies beyond
 * the last block. Those of genp_rlsf_manager() and genp_buddy_manager() become larger only, and
 * EOPNOTSUPP otherwise: their crates cannot take memory out of their lists.
 *
 * Cost: as genp_create_managed().
 * Context: thread. Not in handlers.
 * Return: as genp_create_managed() and genp_create_resizable().
 */
genp_partition_t *genp_create_managed_resizable(const struct genp_create *request,
						const struct genp_manager *manager, size_t most);

/**
 * genp_arena_manager() - the manager that frees all blocks at once
 *
 * A block is what comes next in the reserve: allocating takes the same few steps always, and
 * no byte is lost but 16 for each block and its alignment. Freeing gives back the last block
 * only, others with genp_free_all(): for phases of a program that end as a whole. genp_free()
 * still says what is no block, and what was freed already.
 *
 * Cost: of this function constant. genp_alloc() and genp_free() of such a partition take at
 * most 500 instructions, and no system call unless another thread holds the lock, which has
 * priority inheritance.
 * Context: any, handlers too.
 * Return: the manager.
 */
const struct genp_manager *genp_arena_manager(void);

/**
 * genp_rlsf_manager() - the manager of the crate rlsf
 *
 * Two-level segregated fit with 64 lists for each doubling, behind one lock with priority
 * inheritance, without caches of threads: what is in use and free is exact at any time. A
 * block takes 32 bytes more, and the alignment if that is more than 16. A hole of just the
 * right size may go unseen, as its lists are searched from the next one on.
 *
 * Cost: of this function constant. genp_alloc() and genp_free() of such a partition take at
 * most 1,000 instructions, and no system call unless another thread holds the lock.
 * Context: any, handlers too.
 * Return: the manager.
 */
const struct genp_manager *genp_rlsf_manager(void);

/**
 * genp_buddy_manager() - the manager of the crate buddy_system_allocator
 *
 * Blocks are powers of two, header included, at multiples of their size. Behind one lock with
 * priority inheritance. It looks for the neighbour of what is freed through a whole list:
 * genp_free() is linear in the free blocks of a size, and not for those who need a bound.
 *
 * Cost: of this function constant. genp_alloc() of such a partition takes at most 3,000
 * instructions; genp_free() has no bound but the number of free blocks.
 * Context: any, handlers too.
 * Return: the manager.
 */
const struct genp_manager *genp_buddy_manager(void);

#ifdef __cplusplus
}
#endif

#endif /* _GENP_MANAGER_H */
