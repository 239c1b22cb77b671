// SPDX-License-Identifier: GPL-2.0
/* Tasks, sleeping and threads: one call of the kernel in each function. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>
#include <uapi/linux/sched/types.h>

#include "glue.h"
#include "older_kernels.h"

u64 genp_now(void)
{
	return ktime_get_ns();
}

/**
 * genp_time_to_host - from the caller's time namespace
 * @time: CLOCK_MONOTONIC nanoseconds there; more than a ktime_t holds is for ever
 *
 * Return: what genp_now() says then; 0 if that was before it began.
 */
u64 genp_time_to_host(u64 time)
{
	if (time >= KTIME_MAX)
		return time;
	return timens_ktime_to_host(CLOCK_MONOTONIC, ns_to_ktime(time));
}

/**
 * genp_time_from_host - to the caller's time namespace
 * @time: what genp_now() says then
 *
 * Return: CLOCK_MONOTONIC nanoseconds there; 0 if that was before it began.
 */
u64 genp_time_from_host(u64 time)
{
	struct timespec64 offset = {};
	s64 here = min_t(u64, time, KTIME_MAX), there;

	timens_add_monotonic(&offset);
	if (check_add_overflow(here, timespec64_to_ns(&offset), &there))
		return KTIME_MAX;
	return max_t(s64, there, 0);
}

void genp_task_get(struct task_struct *task)
{
	get_task_struct(task);
}

void genp_task_put(struct task_struct *task)
{
	put_task_struct(task);
}

void genp_task_wake(struct task_struct *task)
{
	wake_up_process(task);
}

bool genp_is_current(const struct task_struct *task)
{
	return task == current;
}

int genp_current_prio(void)
{
	return READ_ONCE(current->prio);
}

u32 genp_current_euid(void)
{
	return from_kuid(&init_user_ns, current_euid());
}

u32 genp_current_egid(void)
{
	return from_kgid(&init_user_ns, current_egid());
}

/**
 * genp_uid_here - the number of a user for the current task
 * @uid: its number in the initial user namespace
 *
 * Return: its number in the task's user namespace; (uid_t)-1 if it has none there.
 */
u32 genp_uid_here(u32 uid)
{
	return from_kuid(current_user_ns(), make_kuid(&init_user_ns, uid));
}

struct pid *genp_creator_get(void)
{
	return get_pid(task_tgid(current));
}

void genp_creator_put(struct pid *creator)
{
	put_pid(creator);
}

/**
 * genp_creator_here - the number of a process for the current task
 * @creator: the process
 *
 * Its number may be another one's after its end, so it has none then.
 *
 * Return: its number in the task's pid namespace; 0 if it has none there or has ended.
 */
u32 genp_creator_here(struct pid *creator)
{
	return pid_has_task(creator, PIDTYPE_TGID) ? pid_vnr(creator) : 0;
}

bool genp_in_group(u32 gid)
{
	return in_egroup_p(make_kgid(&init_user_ns, gid));
}

bool genp_capable_resource(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
}

bool genp_capable_override(void)
{
	return ns_capable_noaudit(&init_user_ns, CAP_DAC_OVERRIDE);
}

/**
 * genp_prepare_sleep - set the state of the current task before a sleep
 * @interruptible: whether a signal ends the sleep; it counts as idle otherwise
 *
 * A wake-up from here on makes the next genp_sleep() return at once.
 */
void genp_prepare_sleep(bool interruptible)
{
	set_current_state(interruptible ? TASK_INTERRUPTIBLE : TASK_IDLE);
}

void genp_finish_sleep(void)
{
	__set_current_state(TASK_RUNNING);
}

bool genp_signal_pending(void)
{
	return signal_pending(current);
}

/**
 * genp_sleep - sleep until woken or until a time
 * @deadline: CLOCK_MONOTONIC nanoseconds; KTIME_MAX or more means no deadline
 *
 * Return: whether the deadline passed.
 */
bool genp_sleep(u64 deadline)
{
	ktime_t expires = ns_to_ktime(deadline);

	if (deadline >= KTIME_MAX)
		return schedule_hrtimeout(NULL, HRTIMER_MODE_ABS) == 0;
	return schedule_hrtimeout(&expires, HRTIMER_MODE_ABS) == 0;
}

void genp_cond_resched(void)
{
	cond_resched();
}

struct task_struct *genp_thread_create(int (*run)(void *data), void *data,
				       const char *name)
{
	return kthread_create(run, data, "%s", name);
}

int genp_thread_fifo(struct task_struct *task, int priority)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_FIFO,
		.sched_priority = priority,
	};

	return sched_setattr_nocheck(task, &attr);
}

bool genp_thread_should_stop(void)
{
	return kthread_should_stop();
}

/**
 * genp_thread_stop - stop a thread and wait for its end
 * @task: the thread, to which the caller has a reference
 *
 * For the rest of its life it has the priority of whoever waits for it, if that is a
 * real-time one: otherwise threads in between would keep both waiting.
 *
 * Context: thread, may sleep.
 */
void genp_thread_stop(struct task_struct *task)
{
	int prio = clamp(genp_current_prio(), 0, MAX_PRIO);

	/* If it is refused, the end takes longer. */
	if (prio < MAX_RT_PRIO && READ_ONCE(task->prio) > prio)
		genp_thread_fifo(task, clamp(MAX_RT_PRIO - 1 - prio, 1, MAX_RT_PRIO - 1));
	kthread_stop(task);
}
