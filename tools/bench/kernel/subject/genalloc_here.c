// SPDX-License-Identifier: GPL-2.0
/* The kernel's genalloc, for a kernel that was built without it. */
#include <lib/genalloc.c>
