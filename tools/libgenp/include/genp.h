/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * libgenp: partitions, their heaps and their leases for programs in C and C++.
 *
 *   genp/partition.h   partitions: create, open, destroy; statistics, bounds, events
 *   genp/rights.h      descriptors of a partition with which less can be done
 *   genp/heap.h        blocks in the reserve, without system calls and page faults
 *   genp/pool.h        objects of one size, a number of which is guaranteed
 *   genp/manager.h     other heap managers, chosen when a partition is created
 *   genp/shared.h      heaps that several processes share
 *   genp/lease.h       memory that is borrowed until a deadline
 *   genp.hpp           C++: std::pmr::memory_resource, an allocator
 *
 * Functions that give a pointer give NULL on error, those that give an int -1,
 * and leave the reason in errno. The errors are the kernel's, see
 * Documentation/abi.rst, beside EINVAL for a pointer that is not what it should be
 * and EMFILE for more than 64 partitions in a program. Of each function the comment says
 * what it costs at most ("Cost"), and where it may be called ("Context").
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
 * Signal handlers may call what has "handlers" in its Context, if the thread has allocated
 * or freed something before, or called genp_thread_attach(). What is in the thread's cache
 * is served, whatever was interrupted; what needs a lock that the interrupted thread holds
 * fails with EDEADLK, and nothing has happened: a block that could not be freed is alive.
 * Other calls than those from a handler never give EDEADLK. The handler saves errno.
 *
 * Plug-ins: a shared library that contains this one, and created a partition, stays
 * loaded after dlclose() for as long as the program runs, because threads that used it
 * call it when they end.
 */
#ifndef _GENP_H
#define _GENP_H

#include <genp/heap.h>
#include <genp/lease.h>
#include <genp/manager.h>
#include <genp/partition.h>
#include <genp/pool.h>
#include <genp/rights.h>
#include <genp/shared.h>

#endif /* _GENP_H */
