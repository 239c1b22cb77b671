// SPDX-License-Identifier: GPL-2.0
/*
 * What functions of the kernel cost that GenP calls: for tools/wcet/callees.toml. Each
 * count has the call and its arguments in it.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/rtmutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "bench.h"

#ifdef CONFIG_RUST
/* Of the kernel's Rust support, without a header. */
int rust_helper_atomic_fetch_add(int i, atomic_t *v);
bool rust_helper_atomic_try_cmpxchg(atomic_t *v, int *old, int new);
int rust_helper_atomic_xchg(atomic_t *v, int new);
s64 rust_helper_atomic64_fetch_add(s64 i, atomic64_t *v);
#else
/* genp.ko has its own, the same code. */
static noinline int rust_helper_atomic_fetch_add(int i, atomic_t *v)
{
	return atomic_fetch_add(i, v);
}

static noinline bool rust_helper_atomic_try_cmpxchg(atomic_t *v, int *old, int new)
{
	return atomic_try_cmpxchg(v, old, new);
}

static noinline int rust_helper_atomic_xchg(atomic_t *v, int new)
{
	return atomic_xchg(v, new);
}

static noinline s64 rust_helper_atomic64_fetch_add(s64 i, atomic64_t *v)
{
	return atomic64_fetch_add(i, v);
}
#endif

static DEFINE_RAW_SPINLOCK(lock);
static DEFINE_RT_MUTEX(mutex);
static atomic_t number;
static atomic64_t long_number;
static struct task_struct *sleeper;
static u8 from[PAGE_SIZE], to[PAGE_SIZE];
static unsigned long flags;
static void *mapped;
/* Called, as with a size that the compiler does not know. */
static void *(*volatile set)(void *, int, size_t) = memset;
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

static void nothing(struct irq_work *work)
{
}

static struct irq_work work = IRQ_WORK_INIT_HARD(nothing);

static int sleep(void *unused)
{
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

/* The function NAME_ticks(): what CALL costs, after BEFORE, and with AFTER done then. */
#define CALLEE(name, before, call, after)		\
static noinline u64 name##_ticks(struct bench *bench)	\
{							\
	u64 begin, end;					\
							\
	before;						\
	barrier();					\
	begin = bench_clock();				\
	call;						\
	end = bench_clock();				\
	after;						\
	return end - begin;				\
}

CALLEE(irqsave, , raw_spin_lock_irqsave(&lock, flags), raw_spin_unlock_irqrestore(&lock, flags))
CALLEE(irqrestore, raw_spin_lock_irqsave(&lock, flags), raw_spin_unlock_irqrestore(&lock, flags), )
CALLEE(fetch_add, , rust_helper_atomic_fetch_add(1, &number), )
CALLEE(try_cmpxchg, int old = 1, rust_helper_atomic_try_cmpxchg(&number, &old, 2), )
CALLEE(xchg, , rust_helper_atomic_xchg(&number, 1), )
CALLEE(fetch_add64, , rust_helper_atomic64_fetch_add(1, &long_number), )
CALLEE(queue, , irq_work_queue(&work), )
CALLEE(time, , ktime_get(), )
CALLEE(set_page, , set(to, 0, PAGE_SIZE), )
CALLEE(copy_page, , copy(to, from, PAGE_SIZE), )
CALLEE(walk, , vmalloc_to_page(mapped), )
CALLEE(wake, , wake_up_process(sleeper), )
CALLEE(take_mutex, , rt_mutex_lock(&mutex), rt_mutex_unlock(&mutex))
CALLEE(give_mutex, rt_mutex_lock(&mutex), rt_mutex_unlock(&mutex), )

/* Without the interrupt that the last sample asked for. */
static void settle(struct bench *bench)
{
	irq_work_sync(&work);
	fsleep(100);
}

static const struct {
	const char *name;
	u64 (*ticks)(struct bench *bench);
	bool sleeps;
	bool settles;
} callees[] = {
	{ "_raw_spin_lock_irqsave", irqsave_ticks },
	{ "_raw_spin_unlock_irqrestore", irqrestore_ticks },
	{ "rust_helper_atomic_fetch_add", fetch_add_ticks },
	{ "rust_helper_atomic_try_cmpxchg", try_cmpxchg_ticks },
	{ "rust_helper_atomic_xchg", xchg_ticks },
	{ "rust_helper_atomic64_fetch_add", fetch_add64_ticks },
	{ "irq_work_queue", queue_ticks, .settles = true },
	{ "ktime_get", time_ticks },
	{ "vmalloc_to_page", walk_ticks },
	{ "memset", set_page_ticks },
	{ "memcpy", copy_page_ticks },
	{ "wake_up_process", wake_ticks, .settles = true },
	{ "rt_mutex_lock", take_mutex_ticks, .sleeps = true },
	{ "rt_mutex_unlock", give_mutex_ticks, .sleeps = true },
};

static const struct subject kernel = { .name = "kernel", .role = "callee" };

/* What each function costs. Nothing else wants the locks. */
int plan_callees(unsigned int samples)
{
	struct bench bench = { .subject = &kernel, .size = PAGE_SIZE };
	unsigned int i;

	sleeper = kthread_run(sleep, NULL, "genp_bench_wake");
	if (IS_ERR(sleeper))
		return PTR_ERR(sleeper);
	mapped = vmalloc(PAGE_SIZE);
	if (!mapped) {
		kthread_stop(sleeper);
		return -ENOMEM;
	}
	for (i = 0; i < ARRAY_SIZE(callees) && !bench_interrupted(); i++) {
		const struct probe probe = {
			.prepare = callees[i].settles ? settle : NULL,
			.pair = callees[i].ticks,
			.quiet = !callees[i].sleeps,
		};
		struct figure figure = measure(&bench, &probe, samples);

		figure.state = callees[i].name;
		figure.fill = -1;
		report(&bench, &figure);
	}
	vfree(mapped);
	kthread_stop(sleeper);
	return 0;
}
