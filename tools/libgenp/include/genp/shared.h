/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Heaps that several processes share, in the reserve of a partition that all of them have
 * open. See genp.h for what holds for all functions, and genp/heap.h for those that use its
 * blocks, all of which work with such a heap, but for genp_free_all(), which is ENOTSUP:
 * each process allocates, and frees what any of them allocated.
 *
 * Nothing in the heap is an address: a block has another one in each process, and
 * genp_offset() and genp_at() translate. All processes take one lock, which has priority
 * inheritance. A process may die at any instruction, by whatever signal: what it was just
 * doing to the heap is undone, by whoever takes the lock next, in at most 2,000 instructions
 * more. Its blocks stay until genp_free_dead(). No thread has blocks in a cache.
 *
 * No call takes more than 3,000 instructions, one with an alignment of more than 16 bytes
 * no more than 30,000, and the calls of the C library's mutex in it; unless another process
 * holds the lock or died with it, no call enters the kernel. A call waits for as
 * many others as came before or have a higher priority. A block takes 32 bytes more, and
 * 48 at least; the heap takes 14 KiB. What was freed can be had again, as in other heaps of
 * libgenp. Alignments of more than 4,096 bytes are EINVAL: not all processes would have them.
 *
 * Processes that share a heap trust each other. One that writes outside of its blocks can
 * keep the lock for ever, damage all blocks and, by the links that the C library keeps in a
 * mutex, make others write to any address of theirs, or end in an assertion of the C library.
 * What a stray write broke is found where the heap is concerned: ENOTRECOVERABLE, and the call
 * changed nothing that others rely on. Whatever is written there but for the mutex, no call
 * crashes, takes more steps, or gives a block that is not all in the heap. If the record of a
 * dead process is broken, so is the heap: every call is ENOTRECOVERABLE then.
 * All programs must have the same C library and word size: EPROTONOSUPPORT otherwise.
 *
 * All processes that share a heap are of one namespace of process numbers, that of its maker:
 * the lock tells its holder by such a number, and so is told who has ended. Others are
 * refused with EXDEV; so is, also as a maker, who has no /proc of its own namespace mounted
 * when it shares the heap. Namespaces of time, of mounts, of users and others may differ.
 *
 * fork(): a child has no part in its parent's heap, ECHILD; it opens the partition and shares
 * the heap itself. Signal handlers may not call what takes the lock.
 */
#ifndef _GENP_SHARED_H
#define _GENP_SHARED_H

#include <genp/partition.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The lock has no priority inheritance: for kernels that have none between processes. */
#define GENP_SHARED_NO_PI	1U

/**
 * genp_create_shared() - create a partition with a heap that processes share
 * @request: as of genp_create_from(), with a name or to be sent through a socket
 * @flags: GENP_SHARED_NO_PI or 0
 *
 * Cost: as genp_create().
 * Context: thread. Not in handlers.
 * Return: as genp_create_from(); also EINVAL for another flag, ENOMEM for a reserve of less than
 * 16 KiB, ENOTSUP if this system has no priority inheritance, EXDEV if /proc is not that of the
 * caller's namespace of process numbers; and as of getrandom(2), EAGAIN soon after boot.
 */
genp_partition_t *genp_create_shared(const struct genp_create *request, uint32_t flags);

/**
 * genp_share_heap() - share the heap in a partition that was opened
 * @part: from genp_open() or genp_from_fd(); no other call for it may be in progress
 * @flags: as of genp_create_shared(), if the heap is made here
 *
 * If nobody uses the reserve, a heap is made there: so it may be the partition of
 * somebody who knows nothing of this, as "genpctl create". A process that dies
 * while it makes one leaves that to the next. A heap has 63 members at most; a place of
 * one that ended is used again.
 *
 * Cost: system calls; with the heap full of members, that of genp_free_dead().
 * Context: thread. Not in handlers.
 * Return: 0, or -1 with errno: EBUSY if the caller created the partition or shares its heap
 * already; EAGAIN if somebody else uses the reserve, or has just begun to make a heap;
 * EUSERS for the 64th member; EXDEV if the maker of the heap is of another namespace of process
 * numbers, or /proc is; EPROTONOSUPPORT; ENOTRECOVERABLE; as of genp_create_shared(); EINVAL,
 * ECHILD.
 */
int genp_share_heap(genp_partition_t *part, uint32_t flags);

/**
 * genp_root() - a slot of a shared heap that every process finds
 * @part: the partition
 *
 * A slot is a word with the offset of a block, as of genp_offset(), or 0. Only genp_put()
 * and genp_take() write to it while it is used. This one is 0 in a new heap. Others
 * can be in blocks, aligned to 8 bytes.
 *
 * Cost: constant, no system call.
 * Context: any, handlers too.
 * Return: its address, or NULL with errno: EINVAL, ECHILD.
 */
uint64_t *genp_root(const genp_partition_t *part);

/**
 * genp_put() - put a block into a slot, for others
 * @block: a block of a shared heap, whosever it is
 * @slot: an empty slot of the same heap
 *
 * The block is nobody's then: it stays when the caller ends. A process that dies in this call
 * has put it there and given it away, or neither.
 *
 * Cost: at most 3,000 instructions.
 * Context: thread. Not in handlers.
 * Return: 0, or -1 with errno: EBUSY if there is a block in the slot; EINVAL, ECHILD,
 * ENOTRECOVERABLE.
 */
int genp_put(void *block, uint64_t *slot);

/**
 * genp_take() - take a block out of a slot
 * @part: the partition
 * @slot: the slot
 *
 * The block is the caller's then, and the slot empty; or neither, as for genp_put().
 *
 * Cost: at most 3,000 instructions.
 * Context: thread. Not in handlers.
 * Return: the block, or NULL with errno: EAGAIN if the slot is empty, EINVAL if what is in
 * it is no block or if it is no slot; ECHILD, ENOTRECOVERABLE.
 */
void *genp_take(genp_partition_t *part, uint64_t *slot);

/**
 * genp_own() - make a block the caller's
 * @block: a block of a shared heap, whosever it is
 *
 * As if the caller had allocated it: genp_free_dead() frees it when the caller has ended, and
 * no longer when the process has that had it before.
 *
 * Cost: at most 3,000 instructions.
 * Context: thread. Not in handlers.
 * Return: 0, or -1 with errno: EINVAL, ECHILD, ENOTRECOVERABLE.
 */
int genp_own(void *block);

/**
 * genp_disown() - make a block nobody's
 * @block: a block of a shared heap, whosever it is
 *
 * It stays when the caller ends, until somebody frees it.
 *
 * Cost: at most 3,000 instructions.
 * Context: thread. Not in handlers.
 * Return: 0, or -1 with errno: EINVAL, ECHILD, ENOTRECOVERABLE.
 */
int genp_disown(void *block);

/**
 * genp_free_dead() - free the blocks of processes that have ended
 * @part: the partition
 *
 * Also those of processes that closed the partition and live on. Only an end that is certain
 * counts: nobody has the process number, or /proc tells that the process is dead or that another
 * one has its number. If /proc was taken away from the caller, or the clock of its time namespace
 * cannot be told, blocks may stay that others can free. The lock is taken anew for each block,
 * so that others wait for one at most.
 *
 * Cost: some system calls for each member, and at most 3,000 instructions for each block.
 * Context: thread. Not in handlers.
 * Return: how many blocks were freed, or -1 with errno: EINVAL, ECHILD, ENOTRECOVERABLE.
 */
long genp_free_dead(genp_partition_t *part);

/**
 * struct genp_shared_stat - the state of a shared heap
 * @size: of this structure, as the caller knows it.
 * @members: processes that have it open, or ended and left blocks.
 * @bytes: that it manages, headers included.
 * @used: bytes in blocks, headers included.
 * @used_peak: the most of @used there ever was.
 * @largest: the largest request that can be served, in bytes.
 * @blocks: blocks.
 * @own_blocks: of these, those of the caller.
 * @unowned_blocks: of these, those of nobody.
 * @repairs: how often the call of a process that died in it was undone.
 */
struct genp_shared_stat {
	uint32_t size;
	uint32_t members;
	uint64_t bytes;
	uint64_t used;
	uint64_t used_peak;
	uint64_t largest;
	uint64_t blocks;
	uint64_t own_blocks;
	uint64_t unowned_blocks;
	uint64_t repairs;
};

/**
 * genp_get_shared_stat() - the state of a shared heap
 * @part: the partition
 * @stat: where it is written to; its size says how much of it
 *
 * Cost: at most 10,000 instructions.
 * Context: thread. Not in handlers.
 * Return: 0, or -1 with errno: EINVAL, ECHILD, ENOTRECOVERABLE.
 */
int genp_get_shared_stat(const genp_partition_t *part, struct genp_shared_stat *stat);

#ifdef __cplusplus
}
#endif

#endif /* _GENP_SHARED_H */
