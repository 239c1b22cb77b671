// SPDX-License-Identifier: GPL-2.0
/*
 * Wait queues of any length. The kernel's wake_up_all() holds the queue's lock until it has
 * woken everybody, with interrupts disabled where spinlock_t does not sleep.
 */
#include <linux/sched.h>
#include <linux/wait.h>

#include "glue.h"
#include "glue_queue.h"

/* Those who are woken under the lock at a time: as many as genp_notify wakes. */
#define CROWD_PIECE 64

/**
 * genp_queue_length - how many wait in a queue
 * @queue: the struct wait_queue_head
 * @most: where to stop counting
 *
 * Context: thread, may sleep on PREEMPT_RT; at most @most steps under the queue's lock.
 */
unsigned int genp_queue_length(void *queue, unsigned int most)
{
	struct wait_queue_head *head = queue;
	struct list_head *entry;
	unsigned int count = 0;
	unsigned long flags;

	spin_lock_irqsave(&head->lock, flags);
	/* loop-bound: MAX_LISTENERS */
	list_for_each(entry, &head->head) {
		if (count == most)
			break;
		count++;
	}
	spin_unlock_irqrestore(&head->lock, flags);
	return count;
}

/**
 * genp_queue_has_any - whether anybody waits in a queue
 * @queue: the struct wait_queue_head
 *
 * Without its lock, under which somebody may be waking many. The barrier in it orders what
 * the caller did before and the look; who joins must not look for it before he can be seen
 * here.
 *
 * Context: any.
 */
bool genp_queue_has_any(void *queue)
{
	return wq_has_sleeper(queue);
}

/* Whoever else wakes the queue comes by a mark. */
static int pass_over(struct wait_queue_entry *mark, unsigned int mode, int flags,
		     void *key)
{
	return 0;
}

void genp_queue_walk_begin(struct genp_queue_walk *walk,
			   struct wait_queue_head *queue)
{
	unsigned long flags;

	walk->queue = queue;
	init_waitqueue_func_entry(&walk->here, pass_over);
	init_waitqueue_func_entry(&walk->end, pass_over);
	spin_lock_irqsave(&queue->lock, flags);
	list_add(&walk->here.entry, &queue->head);
	list_add_tail(&walk->end.entry, &queue->head);
	spin_unlock_irqrestore(&queue->lock, flags);
}

/**
 * genp_queue_walk_on - wake the next ones of a queue
 * @walk: the walk
 * @most: how many at most
 *
 * Who comes meanwhile is not woken: neither before the first mark nor behind the last one.
 *
 * Context: thread, may sleep on PREEMPT_RT. Return: whether there may be more; the walk is
 * over otherwise.
 */
bool genp_queue_walk_on(struct genp_queue_walk *walk, unsigned int most)
{
	struct wait_queue_entry *entry;
	unsigned long flags;
	bool more = true;

	spin_lock_irqsave(&walk->queue->lock, flags);
	/* loop-bound: MAX_LISTENERS */
	for (; more && most; most--) {
		entry = list_next_entry(&walk->here, entry);
		more = entry != &walk->end;
		if (!more)
			break;
		/* First, since it may leave the queue when it is woken. */
		list_move(&walk->here.entry, &entry->entry);
		entry->func(entry, TASK_NORMAL, 0, NULL);
	}
	if (!more) {
		list_del(&walk->here.entry);
		list_del(&walk->end.entry);
	}
	spin_unlock_irqrestore(&walk->queue->lock, flags);
	return more;
}

/**
 * genp_queue_wake - wake all who wait in a queue
 * @queue: the struct wait_queue_head
 *
 * In pieces, between which others get the lock and the processor.
 *
 * Context: thread, may sleep. Linear in those who wait when it begins.
 */
void genp_queue_wake(void *queue)
{
	struct genp_queue_walk walk;

	genp_queue_walk_begin(&walk, queue);
	/* loop-bound: listeners / CROWD_PIECE + 1 */
	while (genp_queue_walk_on(&walk, CROWD_PIECE))
		cond_resched();
}
