/* SPDX-License-Identifier: GPL-2.0 */
/* What bindgen reads: the interface for drivers, and what of the kernel is a macro. */
#ifndef _GENP_SAMPLE_GLUE_H
#define _GENP_SAMPLE_GLUE_H

#include <linux/genp.h>
#include <asm/page.h>

enum { GENP_SAMPLE_PAGE_SIZE = PAGE_SIZE };

void *genp_sample_address(struct page *page);

#endif /* _GENP_SAMPLE_GLUE_H */
