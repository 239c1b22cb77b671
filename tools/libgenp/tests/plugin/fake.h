/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A /dev/genp without a kernel module, good for one plug-in: partitions are files in
 * memory, mappings are not inherited, and what the module would be told is counted
 * where parent and child see it. Everything else goes to the kernel.
 */
#ifndef _FAKE_H
#define _FAKE_H

#include <stdbool.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* How often GENP_DESTROY was called, by whatever process. */
HIDDEN int destroyed(void);
/*
 * Has the call of this number from now on fail with ENOMEM, of those that resizing a partition
 * makes; 0: none. Whether there were not so many.
 */
HIDDEN void fail_at(int call);
HIDDEN bool all_succeeded(void);
/* Whether the file descriptor is open here. */
HIDDEN int is_open(int fd);

#endif /* _FAKE_H */
