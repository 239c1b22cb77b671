// SPDX-License-Identifier: GPL-2.0
/*
 * Contiguous blocks for drivers. Preemption is disabled here around each take and give, as
 * for pages.
 */
#include <linux/genp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "glue.h"

/* Here, for Rust has no parameters that are texts. Room for each order and its count. */
static char blocks[256];
module_param_string(blocks, blocks, sizeof(blocks), 0);
MODULE_PARM_DESC(blocks, "Contiguous blocks, in addition to the pool, as ORDER:COUNT,...: 9:2,4:16");

const char *genp_blocks_parameter(size_t *length)
{
	*length = strlen(blocks);
	return blocks;
}

struct page *genp_alloc_pages(struct genp_partition *part, unsigned int order,
			      unsigned int flags)
{
	struct page *block;

	if (!order)
		return genp_alloc_page(part, flags);
	if (unlikely(order >= GENP_ORDERS || flags & ~GENP_ZERO))
		return genp_page_refuse(part);
	block = genp_block_take(part, order, get_cpu());
	put_cpu();
	return block ? genp_block_prepare(part, block, order, flags) : NULL;
}

int genp_free_pages(struct genp_partition *part, struct page *block,
		    unsigned int order)
{
	int err;

	if (!order)
		return genp_free_page(part, block);
	if (unlikely(!block || order >= GENP_ORDERS)) {
		genp_page_refuse(part);
		return -EINVAL;
	}
	err = genp_block_give(part, block, page_private(block), order, get_cpu());
	put_cpu();
	return err;
}
