// SPDX-License-Identifier: GPL-2.0
/*
 * genp_bench: runs a plan that is written to /sys/kernel/debug/genp_bench/run and shows
 * its figures in 'results', in the format of Documentation/benchmarks.rst:
 *
 *	echo quick >/sys/kernel/debug/genp_bench/run
 *	cat /sys/kernel/debug/genp_bench/results
 *
 * Plans:
 *	quick			every operation of GenP, for the guard
 *	levels ROLE MIB SIZE	every subject of a role at every fill level; 'page:alloc_page' in
 *				the place of a role is that subject alone
 *	sweep ROLE MIB SIZE	... taking many, then giving them back in any order
 *	churn ROLE MIB SIZE	... giving back and taking in any order
 *	lend PAGES		borrow and return, up to this many pages
 *	hard MIB		expensive cases
 *	callees			functions of the kernel that GenP calls
 *	contend ROLE MIB SIZE	... with another CPU doing the same
 *
 * 'locked' there shows the longest section of GenP with interrupts off since it was
 * written to.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <uapi/linux/sched/types.h>

#include "bench.h"

/* One run at a time, and no results of half a run. */
static DEFINE_MUTEX(lock);
static struct dentry *dir;

/* Plans of one role. */
static const struct {
	const char *name;
	int (*run)(const char *role, u64 pool, size_t size);
} role_plans[] = {
	{ "levels", plan_levels },
	{ "sweep", plan_sweep },
	{ "churn", plan_churn },
	{ "contend", plan_contend },
};

/* Context: thread, with the lock held. */
static int run(const char *plan)
{
	unsigned int number, size, i;
	char name[16], role[48];

	if (!strcmp(plan, "quick"))
		return plan_quick();
	if (!strcmp(plan, "callees"))
		return plan_callees(bench_samples);
	if (sscanf(plan, "lend %u", &number) == 1 && number)
		return plan_lend(bench_samples, number);
	if (sscanf(plan, "hard %u", &number) == 1 && number)
		return plan_hard(number * MEGA);
	if (sscanf(plan, "%15s %47s %u %u", name, role, &number, &size) != 4 || !number || !size)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(role_plans); i++)
		if (!strcmp(name, role_plans[i].name))
			return role_plans[i].run(role, number * MEGA, size);
	return -EINVAL;
}

/* Above all threads of GenP, so that they run only while we sleep. */
#define PRIORITY 95

static int run_above_others(const char *plan)
{
	const struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = SCHED_FIFO,
		.sched_priority = PRIORITY,
	};
	int nice = task_nice(current);
	int error = sched_setattr_nocheck(current, &attr);

	if (error)
		return error;
	error = run(plan);
	sched_set_normal(current, nice);
	return error;
}

static ssize_t run_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	char plan[64];
	int error;

	if (size >= sizeof(plan))
		return -EINVAL;
	if (copy_from_user(plan, from, size))
		return -EFAULT;
	plan[size] = 0;
	strim(plan);
	if (mutex_lock_interruptible(&lock))
		return -ERESTARTSYS;
	report_clear();
	error = run_above_others(plan);
	if (!error && bench_interrupted())
		error = -EINTR;
	mutex_unlock(&lock);
	return error ?: size;
}

static const struct file_operations run_ops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
};

static int results_show(struct seq_file *out, void *unused)
{
	if (mutex_lock_interruptible(&lock))
		return -ERESTARTSYS;
	report_show(out);
	mutex_unlock(&lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(results);

static int __init genp_bench_init(void)
{
	int error;

	error = clock_calibrate(!strcmp(bench_machine, "icount"));
	if (error) {
		pr_err("genp_bench: the clock of this machine does not count instructions\n");
		return error;
	}
	error = measure_init();
	if (error)
		return error;
	error = report_init();
	if (error) {
		measure_exit();
		return error;
	}
	dir = debugfs_create_dir("genp_bench", NULL);
	debugfs_create_file("run", 0200, dir, NULL, &run_ops);
	debugfs_create_file("results", 0400, dir, NULL, &results_fops);
	locked_init(dir);
	return 0;
}

static void __exit genp_bench_exit(void)
{
	debugfs_remove(dir);
	locked_exit();
	report_exit();
	measure_exit();
}

module_init(genp_bench_init);
module_exit(genp_bench_exit);
MODULE_AUTHOR("GenP developers");
MODULE_DESCRIPTION("What GenP and the kernel's own allocators cost");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(GENP_NAMESPACE);
