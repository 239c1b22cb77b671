/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Partitions of libgenp. See genp.h for what holds for all of its functions. */
#ifndef _GENP_PARTITION_H
#define _GENP_PARTITION_H

#include <linux/genp.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct genp_partition genp_partition_t;

/**
 * genp_create() - create a partition
 * @reserve: bytes that are present from the start, rounded up to whole pages
 * @borrow_limit: bytes that it may borrow besides, rounded up to whole pages
 *
 * The whole reserve becomes one heap, see genp_alloc().
 *
 * Cost: system calls; linear in @reserve, which is mapped and zeroed.
 * Context: thread. Not in handlers.
 * Return: the partition, or NULL with errno: ENOENT, EACCES without the module; E2BIG,
 * ENOSPC, EUSERS, EAGAIN if it is refused, see GENP_CREATE; EMFILE, ENOMEM.
 */
genp_partition_t *genp_create(size_t reserve, size_t borrow_limit);

/**
 * genp_create_named() - create a partition that others can open by name
 * @name: less than GENP_NAME_SIZE letters, digits, '.', '_' and '-'
 * @reserve: as of genp_create()
 * @borrow_limit: as of genp_create()
 *
 * Processes of the same user can open it with genp_open(); genp_create_from() can let
 * others do so as well.
 *
 * Cost: as genp_create().
 * Context: thread. Not in handlers.
 * Return: as genp_create(); also EEXIST for a name that another partition has, EINVAL for
 * what is no name.
 */
genp_partition_t *genp_create_named(const char *name, size_t reserve, size_t borrow_limit);

/**
 * genp_create_from() - create a partition with everything that can be chosen
 * @request: see struct genp_create; its size and fd are filled in by the library
 *
 * Cost: as genp_create().
 * Context: thread. Not in handlers.
 * Return: as genp_create_named().
 */
genp_partition_t *genp_create_from(const struct genp_create *request);

/**
 * genp_create_resizable() - create a partition whose reserve can become larger
 * @request: as of genp_create_from(), with a reserve
 * @most: bytes that the reserve can have at most, rounded up to whole pages
 *
 * As genp_create_from(); genp_resize() changes the reserve. Nothing is promised of the memory
 * up to @most, but addresses for it are set aside: genp_partition_of() finds them. They count to RLIMIT_AS, and after
 * mlockall(MCL_FUTURE) to RLIMIT_MEMLOCK.
 *
 * Cost: as genp_create().
 * Context: thread. Not in handlers.
 * Return: as genp_create_from(); also EINVAL without a reserve, E2BIG if that is larger than
 * @most, ENOMEM without so many addresses.
 */
genp_partition_t *genp_create_resizable(const struct genp_create *request, size_t most);

/**
 * genp_resize() - make the reserve of a partition, and the heap in it, larger or smaller
 * @part: a partition of genp_create_resizable() or genp_create_managed_resizable()
 * @bytes: how large, rounded up to whole pages
 *
 * Blocks stay where they are, and threads go on to use the heap meanwhile: they wait for the
 * heap's lock as for any other call, and take no page fault, but for one that was just looking at
 * a cached block that is taken away: it takes one at most. What a call adds is a piece, and
 * only whole pieces, the last ones, are taken away again: when they have no block, cached ones
 * not counted, which are returned to the heap first. 31 pieces can be added. If the process
 * dies, the partition ends as always.
 *
 * If the call fails, the heap has what it had before, or what was asked for; then a part
 * of what was taken from it is not given back yet, which the next call does. It must not free a
 * block, nor ask about one, that is gone: what is said of misuse does not hold for addresses that
 * a call takes away meanwhile.
 *
 * Cost: system calls; linear in what the reserve has then, whose added part is zeroed. The heap's
 * lock is held for at most 20,000 instructions at a time.
 * Context: thread. Not in handlers.
 * Return: 0, or -1 with errno: EOPNOTSUPP if the partition was made otherwise; E2BIG above what
 * was set aside; EINVAL if no piece ends there; EBUSY if a block, or a region of another
 * process, is in the way, or a driver uses the partition; ENOMEM for 32 pieces; ENOSPC, E2BIG,
 * EAGAIN, ENOMEM, EIDRM as of GENP_RESIZE; EAGAIN, ENOMEM as of mmap(2); EINVAL, ECHILD,
 * EDEADLK, ENOTRECOVERABLE.
 */
int genp_resize(genp_partition_t *part, size_t bytes);

/**
 * genp_open() - open a partition that another process created
 * @name: its name
 *
 * Its memory and its leases are shared, see genp_at(). Its heap is the creator's:
 * genp_alloc() is ENOMEM here, unless the heap is one to be shared, see genp_share_heap().
 *
 * Cost: system calls.
 * Context: thread. Not in handlers.
 * Return: the partition, or NULL with errno: ENOENT, EACCES; EMLINK if this process has
 * it already and it was created without GENP_CREATE_MULTIMAP; EMFILE.
 */
genp_partition_t *genp_open(const char *name);

/**
 * genp_from_fd() - open a partition by its file descriptor
 * @fd: the descriptor; the library owns it from here on, also if the call fails
 *
 * As genp_open(), for a descriptor that came through a socket or was inherited, with the rights
 * that it has, see genp_restrict(): without that to write, memory is mapped for reading, and
 * without that to borrow, no leases are.
 *
 * Cost: system calls.
 * Context: thread. Not in handlers.
 * Return: as genp_open(); also EBADF, ENOTTY.
 */
genp_partition_t *genp_from_fd(int fd);

/**
 * genp_inherited() - use the partition that this program was started with
 *
 * The one of "genpctl create -- PROGRAM", by the descriptor in the variable GENP_FD, with a
 * heap in its reserve as if the caller had created it. The library owns the descriptor from
 * here on, and programs that this one starts do not get it.
 *
 * Cost: system calls.
 * Context: thread. Not in handlers.
 * Return: as genp_from_fd(); also ENOENT without the variable, EBADF if it is no
 * descriptor, as in a second call, ENOMEM if there are regions in the partition already. Without
 * the rights to write and to allocate there is no heap, as of genp_open().
 */
genp_partition_t *genp_inherited(void);

/**
 * genp_destroy() - end a partition
 * @part: the partition; no other call for it may be in progress or follow
 *
 * Unmaps and closes it; its blocks and leases are gone. If the caller created it, it
 * also ends for all other users, as by GENP_DESTROY; not in a forked child, see genp.h, and
 * not without the right to manage it.
 *
 * Cost: system calls.
 * Context: thread; also a forked child. Not in handlers.
 * Return: 0, or -1 with errno: EINVAL, ECHILD in a child of vfork().
 */
int genp_destroy(genp_partition_t *part);

/**
 * genp_partition_fd() - the file descriptor of a partition
 * @part: the partition
 *
 * It stays the library's. Others can get it through a socket, and inherit it if its
 * close-on-exec flag is cleared.
 *
 * Cost: constant, no system call.
 * Context: any; also a forked child.
 * Return: the descriptor, or -1 with errno: EINVAL.
 */
int genp_partition_fd(const genp_partition_t *part);

/**
 * genp_get_name() - the name of a partition
 * @part: the partition
 * @name: where it is written to, with its terminating zero; empty if it has none
 *
 * Cost: a system call.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL, ECHILD.
 */
int genp_get_name(const genp_partition_t *part, char name[GENP_NAME_SIZE]);

/**
 * genp_set_borrow_limit() - change what a partition may borrow
 * @part: the partition
 * @bytes: whole pages, at most what it was created with
 *
 * The limit can be lower than what is borrowed now: then nothing more is lent. Waits for
 * genp_resize() in another thread.
 *
 * Cost: two system calls.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL, E2BIG, ENOSPC as of GENP_RESIZE; ECHILD; EDEADLK in a
 * handler that interrupted genp_resize().
 */
int genp_set_borrow_limit(genp_partition_t *part, uint64_t bytes);

/**
 * genp_set_eventfd() - have an eventfd signalled at events
 * @part: the partition
 * @fd: an eventfd, which stays the caller's; -1 for none
 * @mask: the types of events: bits 1 << GENP_EVENT_*
 *
 * Cost: a system call.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EBADF, EINVAL, ECHILD.
 */
int genp_set_eventfd(genp_partition_t *part, int fd, uint32_t mask);

/**
 * genp_wait_event() - wait for the next event of a partition
 * @part: the partition
 * @event: where it is written to
 * @timeout_ms: the most milliseconds to wait; 0 does not wait, a negative value waits
 *	without a limit
 *
 * Each event is read once, by whoever comes first; only one at a time should wait so.
 *
 * Cost: two system calls, and the wait.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EAGAIN if @timeout_ms is 0 and there is none, ETIMEDOUT,
 * EINTR; EIDRM when the partition was destroyed and all events were read; EINVAL, ECHILD.
 */
int genp_wait_event(genp_partition_t *part, struct genp_event *event, int timeout_ms);

/**
 * genp_get_stat() - the state and the counters of a partition, as the kernel has them
 * @part: the partition
 * @stat: where they are written to
 *
 * Cost: a system call.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL, ECHILD.
 */
int genp_get_stat(const genp_partition_t *part, struct genp_stat *stat);

/**
 * genp_get_bounds() - how long calls for a partition can take
 * @part: the partition
 * @bounds: where the bounds are written to
 *
 * Cost: a system call.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL, ECHILD.
 */
int genp_get_bounds(const genp_partition_t *part, struct genp_bounds *bounds);

/**
 * genp_get_histogram() - how long calls for a partition took
 * @part: the partition
 * @op: the operation, GENP_OP_*
 * @counts: where the numbers are written to, see struct genp_histogram
 *
 * Cost: a system call.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL, ECHILD.
 */
int genp_get_histogram(const genp_partition_t *part, uint32_t op,
		       uint64_t counts[GENP_HISTOGRAM_BUCKETS]);

/**
 * genp_get_info() - the state of the pool that all partitions are of
 * @info: where it is written to
 *
 * Cost: three system calls.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: ENOENT, EACCES without the module; EINVAL.
 */
int genp_get_info(struct genp_info *info);

/**
 * genp_list_next() - the next of all partitions there are, whoever's they are
 * @partition: where it is written to, see struct genp_list; its cursor is 0 for the first
 * partition, or what the last call left there
 *
 * One that is created or ends meanwhile may be missing. Those whose owner has no number in
 * the caller's user namespace are left out. It is left as it is if there is no further one.
 *
 * Cost: three system calls.
 * Context: any, handlers too. A forked child too.
 * Return: 1 if there is one, 0 if not, or -1 with errno: ENOENT without the module, EACCES
 * without the right to open /dev/genp, ENOTTY of an older module, EINVAL.
 */
int genp_list_next(struct genp_list *partition);

/**
 * genp_reserve() - where the reserve of a partition is
 * @part: the partition
 * @length: where its bytes are written to; may be NULL
 *
 * Cost: constant, no system call.
 * Context: any, handlers too.
 * Return: its first byte, or NULL with errno: ENOMEM if it has no reserve, EINVAL, ECHILD.
 */
void *genp_reserve(const genp_partition_t *part, size_t *length);

/**
 * genp_offset() - the place of memory in a partition, for others who have it
 * @part: the partition
 * @address: in its reserve or in a lease
 * @offset: where the offset in the partition's file is written to
 *
 * Another process that has the partition open gets the same memory by genp_at().
 *
 * Cost: constant, no system call.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EINVAL if there is no such memory, ECHILD.
 */
int genp_offset(const genp_partition_t *part, const void *address, uint64_t *offset);

/**
 * genp_at() - the memory at a place in a partition
 * @part: the partition
 * @offset: in the partition's file, from genp_offset()
 * @length: the bytes that must be there
 *
 * Whoever hands offsets over decides what is alive there: the library does not look.
 *
 * Cost: constant, no system call.
 * Context: any, handlers too.
 * Return: its address here, or NULL with errno: EINVAL if it is not in the reserve or in the
 * window of leases as a whole, ECHILD.
 */
void *genp_at(const genp_partition_t *part, uint64_t offset, size_t length);

/**
 * genp_has() - whether memory is of a partition
 * @part: the partition
 * @address: any address
 *
 * Cost: constant, no system call.
 * Context: any, handlers too; a forked child too.
 * Return: 1 if the address is in its reserve or in its window of leases, else 0.
 */
int genp_has(const genp_partition_t *part, const void *address);

/**
 * genp_partition_of() - the partition that memory is of
 * @address: any address
 *
 * Cost: at most 400 instructions, no system call.
 * Context: any, handlers too. Not while the partition is destroyed.
 * Return: the partition, or NULL with errno: EINVAL, ECHILD for one of the parent's.
 */
genp_partition_t *genp_partition_of(const void *address);

#ifdef __cplusplus
}
#endif

#endif /* _GENP_PARTITION_H */
