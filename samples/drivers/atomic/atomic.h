/* SPDX-License-Identifier: GPL-2.0 */
/* The declarations that the parts of the driver share; main.c says what it does. */
#ifndef _GENP_ATOMIC_H
#define _GENP_ATOMIC_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/genp.h>
#include <linux/hrtimer.h>
#include <linux/llist.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* The contexts that take pages on each CPU; each interrupts those before it. */
enum atomic_context {
	IN_THREAD,	/* a thread that holds a raw spinlock */
	IN_HARDIRQ,	/* an hrtimer that runs in hardirq also on PREEMPT_RT */
	IN_NMI,
	NR_CONTEXTS,
};

/* The most pages that one of them has at a time. */
#define HOLD 4

/**
 * struct counters - what was done and seen; one u64 each, so that they can be summed
 * @turns: how often actor_turn() ran.
 * @taken: pages taken with genp_alloc_page().
 * @given: pages given back.
 * @empty: genp_alloc_page() returned NULL.
 * @denied: it did although there was a page or block for each that can be taken at once.
 * @blocks: blocks of more than a page among those that were taken.
 * @checked: pages whose owner marks were read.
 * @wrong: pages with another mark than the owner's, or not zeroed although requested.
 * @refused: deliberately wrong gives that got the right errno.
 * @accepted: those that did not.
 * @failed: correct gives that were refused.
 * @pages_tried: calls of alloc_pages_nolock().
 * @pages_got: those that gave a page.
 * @kmalloc_tried: calls of kmalloc_nolock().
 * @kmalloc_got: those that gave an object.
 */
struct counters {
	u64 turns;
	u64 taken;
	u64 given;
	u64 empty;
	u64 denied;
	u64 blocks;
	u64 checked;
	u64 wrong;
	u64 refused;
	u64 accepted;
	u64 failed;
	u64 pages_tried;
	u64 pages_got;
	u64 kmalloc_tried;
	u64 kmalloc_got;
};

/**
 * struct actor - one context on one CPU; not used by others while it runs
 * @held: its pages, and what it wrote into each of them.
 * @nr_held: their number.
 * @identity: the upper half of its marks.
 * @sequence: the lower half of the last one.
 * @random: state of a generator of its own.
 */
struct actor {
	struct {
		struct page *page;
		unsigned int order;
		u64 mark;
	} held[HOLD];
	unsigned int nr_held;
	u32 identity;
	u32 sequence;
	u32 random;
	struct counters counters;
};

/**
 * struct atomic_cpu - one CPU
 * @lock: what the thread holds when it takes and gives.
 * @pages: pages that alloc_pages_nolock() gave; the thread frees them.
 * @objects: objects that kmalloc_nolock() gave.
 * @nmi_sent: an NMI is on its way here.
 */
struct atomic_cpu {
	struct actor actor[NR_CONTEXTS];
	raw_spinlock_t lock;
	struct hrtimer timer;
	struct task_struct *thread;
	struct llist_head pages;
	struct llist_head objects;
	atomic_t nmi_sent;
};

DECLARE_PER_CPU(struct atomic_cpu, atomic_cpus);

/**
 * struct stocks - where pages come from
 * @part: the partition that all take from.
 * @other: another partition, for wrong gives; one user at a time.
 * @other_busy: bit 0: @other is in use.
 * @of_kernel: a page that is in no stock.
 * @flags: of genp_alloc_page().
 * @orders: blocks up to this order are taken too.
 * @for_all: there is one of each order for all that can be taken at once.
 */
struct stocks {
	struct genp_partition *part;
	struct genp_partition *other;
	unsigned long other_busy;
	struct page *of_kernel;
	unsigned int flags;
	unsigned int orders;
	bool for_all;
};

extern struct stocks stocks;

/* turn.c */
void actor_reset(struct actor *actor, unsigned int cpu, enum atomic_context context);
void actor_turn(struct atomic_cpu *cpu, enum atomic_context context);
void actor_give_all(struct actor *actor);
void free_what_kernel_gave(struct atomic_cpu *cpu);

/* churn.c */
struct churn {
	u64 created;
	u64 refused;
	u64 wrong;
};

void churn(unsigned int seconds, unsigned int orders, struct churn *churn);

/* nmi.c */
const char *nmi_start(void);
void nmi_send(unsigned int cpu);
void nmi_stop(void);

/* report.c */
struct result {
	struct counters counters[NR_CONTEXTS];
	unsigned int seconds;
	unsigned int cpus;
	unsigned int pages;
	unsigned int there_after;
	unsigned int blocks;
	unsigned int blocks_after;
	struct churn churn;
	const char *no_nmi;
};

void result_collect(struct result *result);
bool result_is_good(const struct result *result);
void result_show(const struct result *result, struct seq_file *out);

#endif /* _GENP_ATOMIC_H */
