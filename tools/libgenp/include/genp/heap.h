/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The heap in the reserve of a partition. See genp.h for what holds for all functions.
 *
 * genp_alloc(), genp_free() and their like make no system call and take no
 * page fault; a thread that did not create the partition asks the kernel for its ID once,
 * in genp_thread_attach() or in its first call.
 * No call takes more than 400,000 instructions, whatever other threads left behind, and
 * while it has the lock no more than 20,000 at a time if others wait; most take less than
 * 100. Its lock has priority inheritance. Most calls take no lock: each of 127 threads
 * caches blocks of each size up to 64 KiB that it freed, 32 of a size at most, and 1,024
 * in all. A request is refused only after all cached blocks were returned to the heap.
 *
 * What was freed can be had again: as many blocks of a size as were freed, whatever else
 * is allocated. Sizes are rounded up, by a sixteenth at most, above 64 KiB or if there is
 * little room by a thirty-second; powers of two are not. A block takes 16 bytes more, and
 * 32 at least. Documentation/heap.rst says how much a reserve must have.
 *
 * Freeing what is no live block is EINVAL: a block that was freed, an address within one,
 * on a stack or in another heap. ENOTRECOVERABLE says that somebody wrote before or behind
 * a block, or to one that was freed, and broke what is there; nothing was done then. Only
 * two threads that free the same block in the same moment may go unnoticed until it is
 * allocated again. With GENP_CHECK=1 in the environment when the partition is created, a
 * single byte written behind a block is found when that is freed or resized, which is
 * ENOTRECOVERABLE; GENP_CHECK=abort ends the process there, with a message.
 */
#ifndef _GENP_HEAP_H
#define _GENP_HEAP_H

#include <genp/partition.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * genp_alloc() - allocate a block
 * @part: the partition
 * @size: bytes; 0 is one
 *
 * The block is aligned to 16 bytes. Its contents are what was there before.
 *
 * Cost: less than 100 instructions from the thread's cache, at most 400,000.
 * Context: any, handlers too.
 * Return: the block, or NULL with errno: ENOMEM, EINVAL, ECHILD, EDEADLK, ENOTRECOVERABLE.
 */
void *genp_alloc(genp_partition_t *part, size_t size);

/**
 * genp_aligned_alloc() - allocate a block with an alignment
 * @part: the partition
 * @align: of its address, a power of two
 * @size: bytes; 0 is one
 *
 * More than 16 bytes of alignment always take the lock.
 *
 * Cost: at most 400,000 instructions.
 * Context: any, handlers too.
 * Return: the block, or NULL with errno: EINVAL for another alignment; ENOMEM, also if none
 * of the first 16 free blocks of each list of sizes, and of the first 256 in all, can hold
 * it aligned; ECHILD, EDEADLK, ENOTRECOVERABLE.
 */
void *genp_aligned_alloc(genp_partition_t *part, size_t align, size_t size);

/**
 * genp_calloc() - allocate a block of zeroes
 * @part: the partition
 * @count: of elements
 * @size: bytes of an element
 *
 * Cost: as genp_alloc(), and the time to write the zeroes.
 * Context: any, handlers too.
 * Return: the block, or NULL with errno: ENOMEM, also if the product is too large; EINVAL,
 * ECHILD, EDEADLK, ENOTRECOVERABLE.
 */
void *genp_calloc(genp_partition_t *part, size_t count, size_t size);

/**
 * genp_realloc() - change the size of a block
 * @block: the block
 * @size: bytes
 *
 * Its contents and its alignment are kept. Making it smaller succeeds and does not move it.
 * Making it larger moves it only if there is no room behind it.
 *
 * Cost: at most 800,000 instructions; if it moves, also the time to copy it.
 * Context: any, handlers too.
 * Return: the block, or NULL with errno, and it is as it was: ENOMEM, EINVAL, ECHILD,
 * EDEADLK, ENOTRECOVERABLE.
 */
void *genp_realloc(void *block, size_t size);

/**
 * genp_realloc_in_place() - change the size of a block where it is
 * @block: the block
 * @size: bytes
 *
 * Cost: at most 2,000 instructions.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno, and it is as it was: ENOMEM if there is no room behind it,
 * EINVAL, ECHILD, EDEADLK, ENOTRECOVERABLE.
 */
int genp_realloc_in_place(void *block, size_t size);

/**
 * genp_free() - free a block
 * @block: the block; NULL is nothing
 *
 * Cost: less than 100 instructions into the thread's cache, at most 20,000.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL for what is no live block, ECHILD, EDEADLK,
 * ENOTRECOVERABLE.
 */
int genp_free(void *block);

/**
 * genp_alloc_batch() - allocate several blocks of one size
 * @part: the partition
 * @size: bytes of each; 0 is one
 * @count: of blocks
 * @blocks: where they are written to
 *
 * What is in the thread's cache comes first; then the lock is taken once for 16 blocks.
 *
 * Cost: for each block at most that of genp_alloc(), some 150 instructions as a rule.
 * Context: any, handlers too.
 * Return: the number of blocks, of which the first in @blocks are. If that is less than
 * @count, errno says why: ENOMEM, EINVAL, ECHILD, EDEADLK, ENOTRECOVERABLE.
 */
size_t genp_alloc_batch(genp_partition_t *part, size_t size, size_t count, void **blocks);

/**
 * genp_free_batch() - free several blocks of one partition
 * @part: the partition
 * @count: of blocks
 * @blocks: the blocks; each NULL is nothing
 *
 * Cost: for each block at most that of genp_free().
 * Context: any, handlers too.
 * Return: the number of blocks that were freed, from the first on. If that is less than
 * @count, errno says what is wrong with the next one: EINVAL, ECHILD, EDEADLK,
 * ENOTRECOVERABLE.
 */
size_t genp_free_batch(genp_partition_t *part, size_t count, void *const *blocks);

/**
 * genp_free_all() - free all blocks of a partition
 * @part: the partition; nobody else may use its heap or a block of it meanwhile
 *
 * None of them is a block any longer: to free one is EINVAL. The same goes for the pools in
 * it, which must have been destroyed.
 *
 * Cost: at most 100,000 instructions, whatever the number of blocks.
 * Context: thread. Not in handlers.
 * Return: 0, or -1 with errno: EINVAL, ECHILD, EDEADLK.
 */
int genp_free_all(genp_partition_t *part);

/**
 * genp_size() - the bytes that were asked for when a block was allocated
 * @block: the block; NULL has none
 *
 * Of 4 GiB and more, all bytes that it has.
 *
 * Cost: at most 500 instructions, no system call.
 * Context: any, handlers too.
 * Return: the bytes, or 0 with errno: EINVAL, ECHILD.
 */
size_t genp_size(const void *block);

/**
 * genp_usable_size() - the bytes that a block has
 * @block: the block; NULL has none
 *
 * At least as many as were asked for, and all of them may be used. With GENP_CHECK they are
 * those that were asked for.
 *
 * Cost: at most 500 instructions, no system call.
 * Context: any, handlers too.
 * Return: the bytes, or 0 with errno: EINVAL, ECHILD.
 */
size_t genp_usable_size(const void *block);

/**
 * genp_is_block() - whether an address is that of a live block
 * @block: any address
 *
 * Cost: at most 500 instructions, no system call.
 * Context: any, handlers too.
 * Return: 1, or 0.
 */
int genp_is_block(const void *block);

/**
 * genp_thread_attach() - prepare a thread for the heap
 *
 * So that its first call makes no system call: its ID is known and it has a cache. It can be
 * called again; a thread that ends gives its cache back by itself.
 *
 * Cost: system calls, and memory of the process.
 * Context: thread. Not in handlers. A forked child starts anew.
 * Return: 0, or -1 with errno: EAGAIN if 127 other threads have a cache; what it frees and
 * allocates takes the lock then.
 */
int genp_thread_attach(void);

/* Flag of genp_get_heap_stat(): the peak begins anew, after it was read. */
#define GENP_HEAP_RESET_PEAK	(1U << 0)

/**
 * struct genp_heap_stat - the state of a heap
 * @size: in: of this structure, as the caller knows it.
 * @classes: out: the number of classes, see genp_get_class_stat().
 * @bytes: out: of the heap.
 * @used: out: in live blocks, headers included.
 * @taken: out: in live blocks and in cached ones, headers included.
 * @taken_peak: out: the most of @taken since the peak was reset.
 * @free: out: in no block.
 * @largest: out: the largest request that can be served without returning cached blocks.
 * @fragmentation: out: how much of @free is not in one block, in thousandths; up to 31 too
 *	many.
 * @cached_blocks: out: the number of blocks in caches.
 * @refusals: out: requests that got ENOMEM, since the partition was created.
 * @reclaims: out: requests for which cached blocks were returned to the heap.
 */
struct genp_heap_stat {
	uint32_t size;
	uint32_t classes;
	uint64_t bytes;
	uint64_t used;
	uint64_t taken;
	uint64_t taken_peak;
	uint64_t free;
	uint64_t largest;
	uint32_t fragmentation;
	uint32_t cached_blocks;
	uint64_t refusals;
	uint64_t reclaims;
};

/**
 * genp_get_heap_stat() - the state of a heap
 * @part: the partition
 * @flags: GENP_HEAP_RESET_PEAK or 0
 * @stat: where it is written to; its size is that of the structure
 *
 * The numbers are exact, and of one moment, if nobody else uses the heap meanwhile.
 *
 * Cost: at most 100,000 instructions, no system call.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL, ECHILD, EDEADLK, ENOTRECOVERABLE.
 */
int genp_get_heap_stat(const genp_partition_t *part, uint32_t flags, struct genp_heap_stat *stat);

/**
 * struct genp_class_stat - the state of a class of blocks
 * @size: in: of this structure, as the caller knows it.
 * @cached_blocks: out: blocks of it in caches.
 * @limit: out: blocks that caches may have of it now.
 * @reserved: out: 0.
 * @bytes: out: of a block, without its header: requests are rounded up to this.
 */
struct genp_class_stat {
	uint32_t size;
	uint32_t cached_blocks;
	uint32_t limit;
	uint32_t reserved;
	uint64_t bytes;
};

/**
 * genp_get_class_stat() - the state of a class of blocks
 * @part: the partition
 * @class_number: from 0 on; genp_heap_stat.classes says how many there are
 * @stat: where it is written to; its size is that of the structure
 *
 * Cost: at most 50,000 instructions, no system call.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL, ECHILD, EDEADLK.
 */
int genp_get_class_stat(const genp_partition_t *part, uint32_t class_number,
			struct genp_class_stat *stat);

#ifdef __cplusplus
}
#endif

#endif /* _GENP_HEAP_H */
