/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * libgenp: partitions, their heaps and their leases for programs in C and C++.
 *
 * Functions that give a pointer give NULL on error, those that give an int -1,
 * and leave the reason in errno. The errors are the kernel's, see
 * Documentation/abi.rst, beside EINVAL for a pointer that is not what it should be
 * and EMFILE for more than 64 partitions in a program.
 *
 * The heap: genp_alloc(), genp_free() and their like make no system call and take no
 * page fault; a thread that did not create the partition asks the kernel for its ID once.
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
 *
 * No function may be called for a partition that is being destroyed.
 *
 * fork(): a partition belongs to the process that created or opened it. In a child of it
 * all calls for it and for its blocks and leases fail with ECHILD, and touching its
 * memory is SIGSEGV, as mappings are not inherited. genp_destroy() there closes the
 * child's descriptor and frees what the library knows; the partition stays as it is.
 * Only genp_partition_fd() works as before, to hand the descriptor on. A child may have
 * partitions of its own, whatever other threads of its parent were doing at the fork.
 * Children of vfork(), of _Fork() and of a bare clone() may call nothing of the library;
 * genp_destroy() fails with ECHILD there. posix_spawn() and exec need no care: the
 * descriptors are close-on-exec.
 *
 * Signal handlers may call everything but genp_create() and its like and genp_destroy(),
 * if the thread has allocated or freed something before. What is in the thread's cache is
 * served, whatever was interrupted; what needs a lock that the interrupted thread holds fails with EDEADLK, and nothing has
 * happened: a block that could not be freed is alive. Other calls than those from a
 * handler never give EDEADLK. The handler saves errno.
 *
 * Plug-ins: a shared library that contains this one, and created a partition, stays
 * loaded after dlclose() for as long as the program runs, because threads that used it
 * call it when they end.
 */
#ifndef _GENP_H
#define _GENP_H

#include <linux/genp.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct genp_partition genp_partition_t;

/* A partition of `reserve` bytes, which may borrow `borrow_limit` bytes more. */
genp_partition_t *genp_create(size_t reserve, size_t borrow_limit);
/* A partition with everything that can be chosen; `size` and `fd` are filled in. */
genp_partition_t *genp_create_from(const struct genp_create *request);
/*
 * A partition that another process created, by name: its memory and leases, not its heap.
 * EMLINK if this process has it already and it was created without GENP_CREATE_MULTIMAP.
 */
genp_partition_t *genp_open(const char *name);
/* The same by file descriptor, which the library owns from here on. */
genp_partition_t *genp_from_fd(int fd);
/*
 * Unmaps and closes it; its blocks and leases are gone. If the caller created it, it
 * also ends for all other users, as by GENP_DESTROY; not in a forked child, see above.
 */
int genp_destroy(genp_partition_t *part);

/*
 * The heap in the reserve. All of it can fail with ECHILD, EDEADLK and ENOTRECOVERABLE,
 * see above, and with EINVAL without a partition or with what is no block.
 */

/* A block aligned to 16 bytes; 0 bytes are one. ENOMEM. */
void *genp_alloc(genp_partition_t *part, size_t size);
/*
 * A block aligned to a power of two; anything else is EINVAL. ENOMEM, also if none of the
 * first 16 free blocks of each list of sizes, and of the first 256 in all, can hold it
 * aligned. More than 16 bytes of alignment always take the lock.
 */
void *genp_aligned_alloc(genp_partition_t *part, size_t align, size_t size);
/* A block of zeroes. The time to write them depends on their number. ENOMEM. */
void *genp_calloc(genp_partition_t *part, size_t count, size_t size);
/*
 * Changes the size of a block and keeps its contents and its alignment. Making it smaller
 * succeeds and does not move it. Making it larger moves it only if there is no room behind
 * it, and then takes time by its size. ENOMEM: the block is as it was.
 */
void *genp_realloc(void *block, size_t size);
/* Frees a block; NULL is nothing. */
int genp_free(void *block);

/*
 * Borrows for the partition's default term and waits at most `timeout_ms`
 * milliseconds: 0 does not wait, a negative value waits without a limit.
 */
void *genp_borrow(genp_partition_t *part, size_t size, long timeout_ms);
/* The same with everything GENP_BORROW takes; `expires` may be NULL. */
void *genp_borrow_until(genp_partition_t *part, size_t size, uint64_t deadline,
			uint64_t lease_ns, uint32_t reasons, uint64_t *expires);
/* Returns a lease. ESTALE if it is over. */
int genp_return(void *lease);
/* Renews a lease for another term from now, if there are no waiters: EAGAIN, ESTALE. */
int genp_renew(void *lease, uint64_t lease_ns, uint64_t *expires);

int genp_partition_fd(const genp_partition_t *part);
int genp_get_stat(const genp_partition_t *part, struct genp_stat *stat);
int genp_get_bounds(const genp_partition_t *part, struct genp_bounds *bounds);
int genp_get_info(struct genp_info *info);

#ifdef __cplusplus
}
#endif

#endif /* _GENP_H */
