// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>

#include "glue.h"

/* Context: any. */
void *genp_sample_address(struct page *page)
{
	return page_address(page);
}
