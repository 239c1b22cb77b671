/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A /dev/genp without a kernel module, good for one plug-in: partitions are files in
 * memory, mappings are not inherited, and what the module would be told is counted
 * where parent and child see it. Everything else goes to the kernel.
 */
#ifndef _FAKE_H
#define _FAKE_H

#define HIDDEN __attribute__((visibility("hidden")))

/* How often GENP_DESTROY was called, by whatever process. */
HIDDEN int destroyed(void);
/* Whether the file descriptor is open here. */
HIDDEN int is_open(int fd);

#endif /* _FAKE_H */
