/* SPDX-License-Identifier: GPL-2.0 */
/* Read by bindgen: the interface for drivers, and a macro of the kernel as a constant. */
#ifndef _GENP_SAMPLE_GLUE_H
#define _GENP_SAMPLE_GLUE_H

#include <linux/genp.h>
#include <asm/page.h>

enum { GENP_SAMPLE_PAGE_SIZE = PAGE_SIZE };

void *genp_sample_address(struct page *page);

#endif /* _GENP_SAMPLE_GLUE_H */
