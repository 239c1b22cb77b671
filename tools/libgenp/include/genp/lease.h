/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Leases of libgenp. See genp.h for what holds for all of its functions. */
#ifndef _GENP_LEASE_H
#define _GENP_LEASE_H

#include <genp/partition.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * genp_borrow() - borrow memory for the partition's default term
 * @part: the partition
 * @size: bytes, rounded up to whole pages
 * @timeout_ms: the most milliseconds to wait for it; 0 does not wait, a negative value
 *	waits without a limit
 *
 * After its term the memory is taken back, and touching it is SIGBUS.
 *
 * Cost: a system call, and a wait that has a bound: see genp_get_bounds().
 * Context: any, handlers too.
 * Return: the memory, or NULL with errno: EDQUOT, EAGAIN, ETIMEDOUT, E2BIG, EBUSY, EUSERS,
 * EIDRM, EINTR as of GENP_BORROW; EINVAL, ECHILD, EDEADLK.
 */
void *genp_borrow(genp_partition_t *part, size_t size, long timeout_ms);

/**
 * genp_borrow_until() - borrow memory, with everything GENP_BORROW takes
 * @part: the partition
 * @size: bytes, rounded up to whole pages
 * @deadline: until when to wait, in ns of CLOCK_MONOTONIC; GENP_NO_WAIT, GENP_WAIT_FOREVER
 * @lease_ns: the term; 0 is the partition's default
 * @reasons: what to wait for, GENP_WAIT_*; 0 is both
 * @expires: where the end of the term is written to; may be NULL
 *
 * Cost: as genp_borrow().
 * Context: any, handlers too.
 * Return: as genp_borrow().
 */
void *genp_borrow_until(genp_partition_t *part, size_t size, uint64_t deadline,
			uint64_t lease_ns, uint32_t reasons, uint64_t *expires);

/**
 * genp_return() - give borrowed memory back
 * @lease: what genp_borrow() gave
 *
 * Cost: a system call, linear in the pages of the lease.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: ESTALE if the lease is over, EINVAL, ECHILD, EDEADLK.
 */
int genp_return(void *lease);

/**
 * genp_renew() - renew a lease for another term from now
 * @lease: what genp_borrow() gave
 * @lease_ns: the term; 0 is the partition's default
 * @expires: where the new end is written to; may be NULL
 *
 * Cost: a system call.
 * Context: any, handlers too.
 * Return: 0, or -1 with errno: EAGAIN while somebody waits for memory, ESTALE if the lease
 * is over, EINVAL, ECHILD, EDEADLK.
 */
int genp_renew(void *lease, uint64_t lease_ns, uint64_t *expires);

#ifdef __cplusplus
}
#endif

#endif /* _GENP_LEASE_H */
