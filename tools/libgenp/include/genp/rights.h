/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Descriptors with some of the rights to a partition, GENP_RIGHT_*, for processes that shall do
 * less with it than its creator. What needs a right that is missing fails with EACCES, in any
 * function of the library.
 */
#ifndef _GENP_RIGHTS_H
#define _GENP_RIGHTS_H

#include <genp/partition.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * genp_restrict() - make a descriptor of a partition with fewer rights
 * @part: the partition
 * @rights: bits GENP_RIGHT_*, each of which this partition's descriptor has; 0 for none, which
 *	leaves the reserve to be read, and statistics, bounds and histograms
 *
 * The descriptor is the caller's and close-on-exec; it can be handed to another process, which
 * uses it by genp_from_fd(). It keeps the partition as any other does.
 *
 * Cost: a system call.
 * Context: any, handlers too; also a forked child.
 * Return: the descriptor, or -1 with errno: EACCES for rights that are missing here; EIDRM after
 * the partition was destroyed; EMFILE, ENFILE, ENOMEM; ENOTTY of an older module; EINVAL.
 */
int genp_restrict(const genp_partition_t *part, uint32_t rights);

/**
 * genp_open_read_only() - open a partition of which the caller may read
 * @name: its name
 *
 * As genp_open(), without any right: the reserve is mapped for reading, and leases are not. The
 * bits for reading of the mode with which the partition was created suffice.
 *
 * Cost: system calls.
 * Context: thread. Not in handlers.
 * Return: the partition, or NULL with errno: ENOENT, EACCES, EMFILE; EINVAL of an older module.
 */
genp_partition_t *genp_open_read_only(const char *name);

/**
 * genp_get_rights() - what a partition may be used for here
 * @part: the partition
 * @rights: where the bits GENP_RIGHT_* are written to
 *
 * Those of its descriptor when it was opened; for one that came by genp_from_fd() or
 * genp_inherited() they are read from /proc, and without that it is taken to have all.
 *
 * Cost: constant, no system call.
 * Context: any, handlers too; also a forked child.
 * Return: 0, or -1 with errno: EINVAL.
 */
int genp_get_rights(const genp_partition_t *part, uint32_t *rights);

#ifdef __cplusplus
}
#endif

#endif /* _GENP_RIGHTS_H */
