/* SPDX-License-Identifier: GPL-2.0 */
/* The namespace of GenP's exports, for MODULE_IMPORT_NS(). */
#ifndef _LINUX_GENP_NAMESPACE_H
#define _LINUX_GENP_NAMESPACE_H

#include <linux/version.h>

/* A string since 6.13, a bare word before. */
#if KERNEL_VERSION(6, 13, 0) > LINUX_VERSION_CODE
#define GENP_NAMESPACE GENP
#else
#define GENP_NAMESPACE "GENP"
#endif

#endif /* _LINUX_GENP_NAMESPACE_H */
