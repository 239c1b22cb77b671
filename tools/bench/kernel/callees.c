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

#include "callees.h"

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
static void *(*volatile move)(void *, const void *, size_t) = memmove;
/* The longest list that is moved. */
#define MOVED 256

static void nothing(struct irq_work *work)
{
}

static struct irq_work work = IRQ_WORK_INIT_HARD(nothing);

int callees_sleep(void *unused)
{
	while (!kthread_should_stop()) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
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
CALLEE(move, , move(to + 1, to, MOVED), )
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

static const struct callee callees[] = {
	{ "_raw_spin_lock_irqsave", irqsave_ticks },
	{ "_raw_spin_unlock_irqrestore", irqrestore_ticks },
	{ "rust_helper_atomic_fetch_add", fetch_add_ticks },
	{ "rust_helper_atomic_try_cmpxchg", try_cmpxchg_ticks },
	{ "rust_helper_atomic_xchg", xchg_ticks },
	{ "rust_helper_atomic64_fetch_add", fetch_add64_ticks },
	{ "irq_work_queue", queue_ticks, .prepare = settle },
	{ "ktime_get", time_ticks },
	{ "vmalloc_to_page", walk_ticks },
	{ "memset", set_page_ticks },
	{ "memcpy", copy_page_ticks },
	{ "memmove", move_ticks },
	{ "wake_up_process", wake_ticks, .prepare = settle },
	{ "rt_mutex_lock", take_mutex_ticks, .sleeps = true },
	{ "rt_mutex_unlock", give_mutex_ticks, .sleeps = true },
};

const struct subject callees_kernel = { .name = "kernel", .role = "callee" };

/* Measures functions and reports them. */
void callees_measure(const struct subject *subject, const struct callee *callees,
		     unsigned int count, unsigned int samples)
{
	struct bench bench = { .subject = subject, .size = PAGE_SIZE };
	unsigned int i;

	for (i = 0; i < count && !bench_interrupted(); i++) {
		const struct probe probe = {
			.prepare = callees[i].prepare,
			.pair = callees[i].ticks,
			.quiet = !callees[i].sleeps,
		};
		struct figure figure = measure(&bench, &probe, samples);

		figure.state = callees[i].name;
		figure.fill = -1;
		report(&bench, &figure);
	}
}

/* What each function costs. Nothing else wants the locks. */
int plan_callees(unsigned int samples)
{
	sleeper = kthread_run(callees_sleep, NULL, "genp_bench_wake");
	if (IS_ERR(sleeper))
		return PTR_ERR(sleeper);
	mapped = vmalloc(PAGE_SIZE);
	if (mapped)
		callees_measure(&callees_kernel, callees, ARRAY_SIZE(callees), samples);
	vfree(mapped);
	kthread_stop(sleeper);
	if (!mapped)
		return -ENOMEM;
	return callees_of_locks(samples) ?: callees_of_memory(samples);
}
