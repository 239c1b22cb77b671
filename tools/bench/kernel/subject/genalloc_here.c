// SPDX-License-Identifier: GPL-2.0
/* The kernel's genalloc, for kernels that were built without it. */
#include <lib/genalloc.c>
