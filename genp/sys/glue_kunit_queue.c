// SPDX-License-Identifier: GPL-2.0
/* A wait queue, and who is woken while others come, go and wake. */
#include <linux/slab.h>
#include <linux/wait.h>

#include "glue.h"
#include "glue_queue.h"

struct sleeper {
	struct wait_queue_entry entry;
	u32 woken;
};

struct woken {
	/* By the first piece. */
	u32 first;
	/* Those who waited before, and those who came meanwhile. */
	u32 before, meanwhile;
	/* The most often that one was woken. */
	u32 most;
	/* In the queue afterwards, marks included. */
	u32 left;
};

void genp_kunit_walk_queue(u32 waiting, u32 piece, bool woken_meanwhile,
			   struct woken *woken);

static int wake(struct wait_queue_entry *entry, unsigned int mode, int flags,
		void *key)
{
	container_of(entry, struct sleeper, entry)->woken++;
	list_del_init(&entry->entry);
	return 1;
}

static u32 sum(const struct sleeper *sleepers, u32 from, u32 to, u32 *most)
{
	u32 sum = 0;

	for (; from < to; from++) {
		sum += sleepers[from].woken;
		*most = max(*most, sleepers[from].woken);
	}
	return sum;
}

/**
 * genp_kunit_walk_queue - wake a queue in pieces
 * @waiting: how many wait
 * @piece: how many are woken at a time
 * @woken_meanwhile: whether somebody else wakes all after the first piece
 * @woken: who was woken; zeroes if there is no memory
 *
 * After the first piece the last one who waited goes, and two come: one first in the queue,
 * one last.
 *
 * Context: thread, may sleep.
 */
void genp_kunit_walk_queue(u32 waiting, u32 piece, bool woken_meanwhile,
			   struct woken *woken)
{
	struct sleeper *sleepers = kcalloc(waiting + 2, sizeof(*sleepers), GFP_KERNEL);
	struct wait_queue_head queue;
	struct genp_queue_walk walk;
	struct list_head *entry;
	u32 most = 0;

	memset(woken, 0, sizeof(*woken));
	if (!sleepers)
		return;
	init_waitqueue_head(&queue);
	for (u32 i = 0; i < waiting + 2; i++) {
		init_waitqueue_func_entry(&sleepers[i].entry, wake);
		if (i < waiting)
			list_add_tail(&sleepers[i].entry.entry, &queue.head);
	}
	genp_queue_walk_begin(&walk, &queue);
	genp_queue_walk_on(&walk, piece);
	woken->first = sum(sleepers, 0, waiting, &most);
	remove_wait_queue(&queue, &sleepers[waiting - 1].entry);
	add_wait_queue(&queue, &sleepers[waiting].entry);
	add_wait_queue_exclusive(&queue, &sleepers[waiting + 1].entry);
	if (woken_meanwhile)
		genp_queue_wake(&queue);
	while (genp_queue_walk_on(&walk, piece))
		;
	woken->before = sum(sleepers, 0, waiting, &most);
	woken->meanwhile = sum(sleepers, waiting, waiting + 2, &most);
	woken->most = most;
	list_for_each(entry, &queue.head)
		woken->left++;
	kfree(sleepers);
}
