/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * libgenp: partitions, their heaps and their leases for programs in C and C++.
 *
 * Functions that give a pointer give NULL on error, those that give an int -1,
 * and leave the reason in errno. The errors are the kernel's, see
 * Documentation/abi.rst, beside EINVAL for a pointer that is not what it should be
 * and EMFILE for more than 64 partitions in a program.
 *
 * After genp_create(), genp_alloc() and genp_free() and their like make no system
 * call, take no page fault and a constant number of steps; a thread that did not
 * create the partition asks the kernel for its number once. Their lock inherits
 * priority; most calls need none, for blocks of up to 4,096 bytes that a thread
 * frees wait for it, a few of each size. That costs nobody memory: it is refused
 * only after all that waits went back. Sizes above 256 bytes are rounded up, by a
 * sixteenth at most, if there is room. A block that is freed twice or was never allocated is
 * EINVAL as far as that shows; no function may be called for a partition that is
 * being destroyed.
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
genp_partition_t *genp_create_from(const struct genp_create *ask);
/* A partition of somebody else's, by name: its memory and leases, not its heap. */
genp_partition_t *genp_open(const char *name);
/* The same by file descriptor, which belongs to the library from here on. */
genp_partition_t *genp_from_fd(int fd);
/*
 * Unmaps and closes it; blocks and leases had through it are gone. Who created it
 * also ends it for everybody else, as GENP_DESTROY does.
 */
int genp_destroy(genp_partition_t *part);

/* The heap in the reserve. Blocks are aligned to 16 bytes or as asked. */
void *genp_alloc(genp_partition_t *part, size_t size);
void *genp_aligned_alloc(genp_partition_t *part, size_t align, size_t size);
void *genp_calloc(genp_partition_t *part, size_t count, size_t size);
void *genp_realloc(void *block, size_t size);
int genp_free(void *block);

/*
 * Borrows for the partition's default term and waits at most `timeout_ms`
 * milliseconds: 0 does not wait, a negative one waits for ever.
 */
void *genp_borrow(genp_partition_t *part, size_t size, long timeout_ms);
/* The same with everything GENP_BORROW takes; `expires` may be NULL. */
void *genp_borrow_until(genp_partition_t *part, size_t size, uint64_t deadline,
			uint64_t lease_ns, uint32_t reasons, uint64_t *expires);
/* Gives a lease back. ESTALE if it is over. */
int genp_return(void *lease);
/* Another term from now, if nobody waits: EAGAIN, ESTALE. */
int genp_renew(void *lease, uint64_t lease_ns, uint64_t *expires);

int genp_partition_fd(const genp_partition_t *part);
int genp_get_stat(const genp_partition_t *part, struct genp_stat *stat);
int genp_get_bounds(const genp_partition_t *part, struct genp_bounds *bounds);
int genp_get_info(struct genp_info *info);

#ifdef __cplusplus
}
#endif

#endif /* _GENP_H */
