// SPDX-License-Identifier: GPL-2.0
/*
 * One turn of an actor: the same code in a thread, in hardirq and in NMI. It takes a
 * page or gives one back, and checks that nobody else had it meanwhile: the owner's mark
 * is written to several places of the page and must be there at the end.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../older_kernels.h"
#include "atomic.h"

#define MARKS 8
/* What is in a free page. */
#define NOBODY 0x6e6f626f6479ULL

static u32 random_below(struct actor *actor, u32 limit)
{
	actor->random ^= actor->random << 13;
	actor->random ^= actor->random >> 17;
	actor->random ^= actor->random << 5;
	return actor->random % limit;
}

/* All over the block. */
static u64 *place(struct page *page, unsigned int order, unsigned int i)
{
	return page_address(page) + i * ((PAGE_SIZE << order) / MARKS);
}

static void mark_page(struct page *page, unsigned int order, u64 mark)
{
	unsigned int i;

	for (i = 0; i < MARKS; i++)
		WRITE_ONCE(*place(page, order, i), mark);
}

/* Whether one of two values is in all places. */
static bool is_marked(struct page *page, unsigned int order, u64 mark, u64 or_mark)
{
	unsigned int i;
	u64 seen;

	for (i = 0; i < MARKS; i++) {
		seen = READ_ONCE(*place(page, order, i));
		if (seen != mark && seen != or_mark)
			return false;
	}
	return true;
}

static void check(struct actor *actor, struct page *page, unsigned int order, u64 mark,
		  u64 or_mark)
{
	actor->counters.checked++;
	if (!is_marked(page, order, mark, or_mark))
		actor->counters.wrong++;
}

static void take(struct actor *actor)
{
	unsigned int zero = random_below(actor, 8) ? 0 : GENP_ZERO;
	unsigned int order = random_below(actor, stocks.orders + 1);
	struct page *page;
	u64 mark;

	if (order)
		page = genp_alloc_pages(stocks.part, order, zero);
	else
		page = genp_alloc_page(stocks.part, stocks.flags | zero);
	if (!page) {
		actor->counters.empty++;
		actor->counters.denied += stocks.for_all;
		return;
	}
	actor->counters.taken++;
	actor->counters.blocks += !!order;
	/* A page that was never used, or comes from the emergency stock, is zeroed. */
	check(actor, page, order, 0, zero ? 0 : NOBODY);
	mark = (u64)actor->identity << 32 | ++actor->sequence;
	mark_page(page, order, mark);
	actor->held[actor->nr_held].page = page;
	actor->held[actor->nr_held].order = order;
	actor->held[actor->nr_held].mark = mark;
	actor->nr_held++;
}

static void give(struct actor *actor, unsigned int which)
{
	struct page *page = actor->held[which].page;
	unsigned int order = actor->held[which].order;

	check(actor, page, order, actor->held[which].mark, actor->held[which].mark);
	mark_page(page, order, NOBODY);
	if (genp_free_pages(stocks.part, page, order))
		actor->counters.failed++;
	else
		actor->counters.given++;
	actor->held[which] = actor->held[--actor->nr_held];
}

static void expect(struct actor *actor, int answer, int expected)
{
	if (answer == expected)
		actor->counters.refused++;
	else
		actor->counters.accepted++;
}

/*
 * Gives that are wrong. A page given back twice is only detected while it has not been
 * taken again, so this is done in a partition from which nobody else takes.
 */
static void misuse(struct actor *actor)
{
	struct page *page;

	if (test_and_set_bit_lock(0, &stocks.other_busy))
		return;
	page = genp_alloc_page(stocks.other, 0);
	if (page) {
		expect(actor, genp_free_page(stocks.part, page), -EINVAL);
		if (genp_free_page(stocks.other, page))
			actor->counters.failed++;
		expect(actor, genp_free_page(stocks.other, page), -ESTALE);
	} else {
		actor->counters.failed++;
	}
	expect(actor, genp_free_page(stocks.part, stocks.of_kernel), -EINVAL);
	clear_bit_unlock(0, &stocks.other_busy);
}

/*
 * The kernel's own functions for any context. What they return is kept in a list that is
 * linked through the memory itself, and not freed in this context.
 */
static void ask_kernel(struct atomic_cpu *cpu, struct actor *actor)
{
	struct llist_node *object;
	struct page *page;

	if (!HAS_NOLOCK)
		return;
	actor->counters.pages_tried++;
	page = alloc_pages_nolock(0, NUMA_NO_NODE, 0);
	if (page) {
		actor->counters.pages_got++;
		llist_add(page_address(page), &cpu->pages);
	}
	actor->counters.kmalloc_tried++;
	object = kmalloc_nolock(64, 0, NUMA_NO_NODE);
	if (object) {
		actor->counters.kmalloc_got++;
		llist_add(object, &cpu->objects);
	}
}

/* Context: thread. */
void free_what_kernel_gave(struct atomic_cpu *cpu)
{
	struct llist_node *node, *next;

	llist_for_each_safe(node, next, llist_del_all(&cpu->pages))
		free_page((unsigned long)node);
	llist_for_each_safe(node, next, llist_del_all(&cpu->objects))
		kfree(node);
}

void actor_reset(struct actor *actor, unsigned int cpu, enum atomic_context context)
{
	memset(actor, 0, sizeof(*actor));
	actor->identity = 0x47500000 | cpu << 4 | context;
	actor->random = actor->identity;
}

/**
 * actor_turn() - take a page or give one back, and sometimes try a wrong give
 * @cpu: this CPU
 * @context: what this runs in
 *
 * Context: any; turns of one actor do not interrupt each other. Cost: constant.
 */
void actor_turn(struct atomic_cpu *cpu, enum atomic_context context)
{
	struct actor *actor = &cpu->actor[context];
	unsigned int which;

	actor->counters.turns++;
	if (actor->nr_held) {
		which = random_below(actor, actor->nr_held);
		check(actor, actor->held[which].page, actor->held[which].order,
		      actor->held[which].mark, actor->held[which].mark);
	}
	/* Mostly takes, or mostly gives, so that the stock is full and empty at times. */
	if (actor->nr_held && (actor->nr_held == HOLD || !random_below(actor, 3)))
		give(actor, random_below(actor, actor->nr_held));
	else
		take(actor);
	if (!random_below(actor, 16))
		misuse(actor);
	ask_kernel(cpu, actor);
}

/* Context: any, when turns of this actor are over. */
void actor_give_all(struct actor *actor)
{
	while (actor->nr_held)
		give(actor, 0);
}
