/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running these drivers by two files in debugfs, in a directory with the name of the
 * module. A number of seconds is written to 'run'; the write returns when the run is
 * over, with EIO if it found an error. 'result' has what was counted.
 */
#ifndef _GENP_SAMPLE_CONTROL_H
#define _GENP_SAMPLE_CONTROL_H

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

#define CONTROL_SECONDS_MAX 86400

/**
 * struct control - a driver that can be run
 * @run: runs it for a number of seconds, in the thread that writes to the file.
 * @show: prints what the last run found.
 * @dir: the directory, for more files.
 * @lock: one run at a time, and no result before it is over.
 */
struct control {
	int (*run)(unsigned int seconds);
	void (*show)(struct seq_file *out);
	struct dentry *dir;
	struct mutex lock;
};

static ssize_t control_run(struct file *file, const char __user *from, size_t size,
			   loff_t *pos)
{
	struct control *control = file->private_data;
	unsigned int seconds;
	int error;

	error = kstrtouint_from_user(from, size, 0, &seconds);
	if (error)
		return error;
	if (seconds < 1 || seconds > CONTROL_SECONDS_MAX)
		return -EINVAL;
	if (mutex_lock_interruptible(&control->lock))
		return -ERESTARTSYS;
	error = control->run(seconds);
	mutex_unlock(&control->lock);
	return error ?: size;
}

static const struct file_operations control_run_ops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = control_run,
};

static int control_show(struct seq_file *out, void *unused)
{
	struct control *control = out->private;

	if (mutex_lock_interruptible(&control->lock))
		return -ERESTARTSYS;
	control->show(out);
	mutex_unlock(&control->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(control);

static void control_create(struct control *control)
{
	mutex_init(&control->lock);
	control->dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("run", 0200, control->dir, control, &control_run_ops);
	debugfs_create_file("result", 0400, control->dir, control, &control_fops);
}

static void control_remove(struct control *control)
{
	debugfs_remove(control->dir);
}

/* Whether the time is over or a signal is pending. */
static inline void control_wait(unsigned int seconds)
{
	ktime_t end = ktime_add_ms(ktime_get(), seconds * 1000ULL);

	while (ktime_before(ktime_get(), end) && !signal_pending(current))
		msleep_interruptible(50);
}

#endif /* _GENP_SAMPLE_CONTROL_H */
