// SPDX-License-Identifier: GPL-2.0
/* What functions of the kernel cost that GenP calls: of locks, tasks and waiting. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/wait.h>
#include <uapi/linux/sched/types.h>

#include "callees.h"

/* One access, or what the inline function of C does, each called as Rust calls it. */
#ifdef CONFIG_RUST
int rust_helper_atomic_read(const atomic_t *v);
int rust_helper_atomic_read_acquire(const atomic_t *v);
void rust_helper_atomic_set(atomic_t *v, int i);
void rust_helper_atomic_set_release(atomic_t *v, int i);
s64 rust_helper_atomic64_read(const atomic64_t *v);
void rust_helper_atomic64_set(atomic64_t *v, s64 i);
struct task_struct *rust_helper_get_current(void);
void rust_helper_get_task_struct(struct task_struct *t);
void rust_helper_put_task_struct(struct task_struct *t);
int rust_helper_signal_pending(struct task_struct *t);
bool rust_helper_IS_ERR(const void *ptr);
long rust_helper_PTR_ERR(const void *ptr);
void rust_helper_mutex_assert_is_held(struct mutex *mutex);
void rust_helper_init_wait(struct wait_queue_entry *wait);
#else
/* genp.ko has its own, the same code. */
static noinline int rust_helper_atomic_read(const atomic_t *v)
{
	return atomic_read(v);
}

static noinline int rust_helper_atomic_read_acquire(const atomic_t *v)
{
	return atomic_read_acquire(v);
}

static noinline void rust_helper_atomic_set(atomic_t *v, int i)
{
	atomic_set(v, i);
}

static noinline void rust_helper_atomic_set_release(atomic_t *v, int i)
{
	atomic_set_release(v, i);
}

static noinline s64 rust_helper_atomic64_read(const atomic64_t *v)
{
	return atomic64_read(v);
}

static noinline void rust_helper_atomic64_set(atomic64_t *v, s64 i)
{
	atomic64_set(v, i);
}

static noinline struct task_struct *rust_helper_get_current(void)
{
	return current;
}

static noinline void rust_helper_get_task_struct(struct task_struct *t)
{
	get_task_struct(t);
}

static noinline void rust_helper_put_task_struct(struct task_struct *t)
{
	put_task_struct(t);
}

static noinline int rust_helper_signal_pending(struct task_struct *t)
{
	return signal_pending(t);
}

static noinline bool rust_helper_IS_ERR(const void *ptr)
{
	return IS_ERR(ptr);
}

static noinline long rust_helper_PTR_ERR(const void *ptr)
{
	return PTR_ERR(ptr);
}

static noinline void rust_helper_mutex_assert_is_held(struct mutex *mutex)
{
	lockdep_assert_held(mutex);
}

static noinline void rust_helper_init_wait(struct wait_queue_entry *wait)
{
	init_wait(wait);
}
#endif

/* Below the thread that measures. */
#define LOW 1
#define HIGHER 2

static atomic_t number;
static atomic64_t long_number;
static DEFINE_MUTEX(mutex);
static DEFINE_SPINLOCK(spinlock);
static DECLARE_WAIT_QUEUE_HEAD(queue);
static struct wait_queue_entry entry;
static struct timespec64 time;
static struct task_struct *other;

static int set_priority(int priority)
{
	const struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_FIFO,
		.sched_priority = priority,
	};

	return sched_setattr_nocheck(other, &attr);
}

/* A thread that has ended, and to which nobody else refers. */
static struct task_struct *ended;

static void end_another(struct bench *bench)
{
	ended = kthread_run(callees_sleep, NULL, "genp_bench_end");
	if (IS_ERR(ended)) {
		ended = NULL;
		return;
	}
	get_task_struct(ended);
	kthread_stop(ended);
	/* It ends after that, and the kernel's own reference after a grace period. */
	fsleep(5000);
	rcu_barrier();
}

CALLEE(read, , rust_helper_atomic_read(&number), )
CALLEE(read_acquire, , rust_helper_atomic_read_acquire(&number), )
CALLEE(set, , rust_helper_atomic_set(&number, 1), )
CALLEE(set_release, , rust_helper_atomic_set_release(&number, 1), )
CALLEE(read64, , rust_helper_atomic64_read(&long_number), )
CALLEE(set64, , rust_helper_atomic64_set(&long_number, 1), )
CALLEE(get_current, , rust_helper_get_current(), )
CALLEE(get_task, , rust_helper_get_task_struct(other), put_task_struct(other))
CALLEE(put_task, if (!ended) return U64_MAX, rust_helper_put_task_struct(ended), )
CALLEE(signal_pending, , rust_helper_signal_pending(current), )
CALLEE(is_err, , rust_helper_IS_ERR(&number), )
CALLEE(ptr_err, , rust_helper_PTR_ERR(&number), )
CALLEE(assert_held, mutex_lock(&mutex), rust_helper_mutex_assert_is_held(&mutex),
       mutex_unlock(&mutex))
CALLEE(lock_mutex, , mutex_lock(&mutex), mutex_unlock(&mutex))
CALLEE(unlock_mutex, mutex_lock(&mutex), mutex_unlock(&mutex), )
CALLEE(lock_spin, , spin_lock(&spinlock), spin_unlock(&spinlock))
CALLEE(unlock_spin, spin_lock(&spinlock), spin_unlock(&spinlock), )
CALLEE(init_entry, , rust_helper_init_wait(&entry), )
CALLEE(prepare, init_wait(&entry),
       prepare_to_wait_exclusive(&queue, &entry, TASK_INTERRUPTIBLE), finish_wait(&queue, &entry))
CALLEE(finish, init_wait(&entry);
       prepare_to_wait_exclusive(&queue, &entry, TASK_INTERRUPTIBLE), finish_wait(&queue, &entry), )
/* As far apart as times are that GenP passes. */
CALLEE(normalize, , set_normalized_timespec64(&time, 1, 2 * NSEC_PER_SEC - 1), )
/* A thread that waits for this processor: it is dequeued and queued. */
CALLEE(set_attr, wake_up_process(other), set_priority(HIGHER), set_priority(LOW))

static const struct callee callees[] = {
	{ "rust_helper_atomic_read", read_ticks },
	{ "rust_helper_atomic_read_acquire", read_acquire_ticks },
	{ "rust_helper_atomic_set", set_ticks },
	{ "rust_helper_atomic_set_release", set_release_ticks },
	{ "rust_helper_atomic64_read", read64_ticks },
	{ "rust_helper_atomic64_set", set64_ticks },
	{ "rust_helper_get_current", get_current_ticks },
	{ "rust_helper_get_task_struct", get_task_ticks },
	{ "rust_helper_put_task_struct", put_task_ticks, .sleeps = true, .prepare = end_another },
	{ "rust_helper_signal_pending", signal_pending_ticks },
	{ "rust_helper_IS_ERR", is_err_ticks },
	{ "rust_helper_PTR_ERR", ptr_err_ticks },
	{ "rust_helper_mutex_assert_is_held", assert_held_ticks, .sleeps = true },
	{ "mutex_lock", lock_mutex_ticks, .sleeps = true },
	{ "mutex_unlock", unlock_mutex_ticks, .sleeps = true },
	{ "rt_spin_lock", lock_spin_ticks, .sleeps = true },
	{ "rt_spin_unlock", unlock_spin_ticks, .sleeps = true },
	{ "rust_helper_init_wait", init_entry_ticks },
	{ "prepare_to_wait_exclusive", prepare_ticks, .sleeps = true },
	{ "finish_wait", finish_ticks, .sleeps = true },
	{ "set_normalized_timespec64", normalize_ticks },
	{ "sched_setattr_nocheck", set_attr_ticks, .sleeps = true },
};

int callees_of_locks(unsigned int samples)
{
	int error;

	other = kthread_run(callees_sleep, NULL, "genp_bench_other");
	if (IS_ERR(other))
		return PTR_ERR(other);
	error = set_priority(LOW);
	if (!error)
		callees_measure(&callees_kernel, callees, ARRAY_SIZE(callees), samples);
	kthread_stop(other);
	return error;
}
