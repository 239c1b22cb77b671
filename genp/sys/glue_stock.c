// SPDX-License-Identifier: GPL-2.0
/*
 * Pages for drivers. Preemption is disabled here around each take and give, because
 * get_cpu() and put_cpu() are inline functions in C and would be calls from Rust.
 */
#include <linux/genp.h>
#include <linux/mm.h>
#include <linux/smp.h>

#include "glue.h"

struct page *genp_alloc_page(struct genp_partition *part, unsigned int flags)
{
	struct page *page;

	if (unlikely(flags & ~(GENP_EMERGENCY | GENP_ZERO)))
		return genp_page_refuse(part);
	page = genp_page_take(part, get_cpu());
	put_cpu();
	if (likely(page && !(flags & GENP_ZERO) && !PageHWPoison(page)))
		return page;
	return genp_page_prepare(part, page, flags);
}

int genp_free_page(struct genp_partition *part, struct page *page)
{
	int err;

	if (unlikely(!page)) {
		genp_page_refuse(part);
		return -EINVAL;
	}
	err = genp_page_give(part, page, page_private(page), get_cpu());
	put_cpu();
	return err;
}
