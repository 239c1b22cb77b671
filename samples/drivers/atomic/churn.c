// SPDX-License-Identifier: GPL-2.0
/*
 * Partitions with blocks come and go while others take theirs. Nothing that a partition
 * leaves in a block is seen by the next one.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "../control.h"
#include "atomic.h"

#define MOST 3

/* Takes all blocks of a new partition, writes to them, and gives them back. */
static void use(struct genp_partition *part, const u32 *blocks, unsigned int orders,
		struct churn *churn)
{
	struct page *taken[MOST];
	unsigned int order, i;

	for (order = 1; order <= orders; order++) {
		for (i = 0; i < blocks[order]; i++) {
			taken[i] = genp_alloc_pages(part, order, 0);
			if (!taken[i] ||
			    memchr_inv(page_address(taken[i]), 0, PAGE_SIZE << order)) {
				churn->wrong++;
				return;
			}
			memset(page_address(taken[i]), 0x5a, PAGE_SIZE << order);
		}
		churn->wrong += !!genp_alloc_pages(part, order, 0);
		while (i)
			churn->wrong += !!genp_free_pages(part, taken[--i], order);
	}
}

/**
 * churn() - create partitions with blocks and destroy them
 * @seconds: for so long, or until there is a signal
 * @orders: of blocks up to this order
 * @churn: what was counted
 *
 * Context: thread.
 */
void churn(unsigned int seconds, unsigned int orders, struct churn *churn)
{
	ktime_t end = ktime_add_ms(ktime_get(), seconds * 1000ULL);
	struct genp_spec spec = { .node = GENP_ANY_NODE };
	struct genp_partition *part;
	unsigned int order, turn;

	for (turn = 0; ktime_before(ktime_get(), end) && !signal_pending(current); turn++) {
		for (order = 1; order <= orders; order++)
			spec.blocks[order] = 1 + (turn >> order) % MOST;
		part = genp_partition_create(&spec);
		/* More than the two of each order that the others leave. */
		if (IS_ERR(part)) {
			churn->refused++;
			churn->wrong += PTR_ERR(part) != -ENOSPC;
		} else {
			churn->created++;
			use(part, spec.blocks, orders, churn);
			churn->wrong += !!genp_partition_destroy(part, NULL);
		}
		msleep_interruptible(1);
	}
}
