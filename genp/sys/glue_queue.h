/* SPDX-License-Identifier: GPL-2.0 */
/* A walk over a wait queue, in pieces; glue_queue.c says how. */
#ifndef _GENP_GLUE_QUEUE_H
#define _GENP_GLUE_QUEUE_H

#include <linux/wait.h>

struct genp_queue_walk {
	struct wait_queue_head *queue;
	/* Behind the last one that was woken, and behind the last one to be woken. */
	struct wait_queue_entry here, end;
};

void genp_queue_walk_begin(struct genp_queue_walk *walk,
			   struct wait_queue_head *queue);
bool genp_queue_walk_on(struct genp_queue_walk *walk, unsigned int most);

#endif /* _GENP_GLUE_QUEUE_H */
