// SPDX-License-Identifier: GPL-2.0
/*
 * The longest raw-locked section of GenP: probes at the end of genp_raw_lock() and at the
 * beginning of genp_raw_unlock(), between which interrupts are off. A section takes no
 * other raw lock of GenP's, and this counts for one CPU, so one start is enough.
 *
 * What the probes cost is measured with a lock of our own, and subtracted.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kprobes.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include "bench.h"

#ifdef CONFIG_KRETPROBES

#define TRIES 100

static struct {
	u64 begin;
	u64 longest;
	u64 probes;
	unsigned long sections;
} locked;

static int after_lock(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	locked.begin = bench_clock();
	return 0;
}

static int before_unlock(struct kprobe *probe, struct pt_regs *regs)
{
	u64 end = bench_clock();

	if (locked.begin) {
		locked.longest = max(locked.longest, end - locked.begin);
		locked.sections++;
	}
	locked.begin = 0;
	return 0;
}

static struct kretprobe lock_probe = {
	.kp.symbol_name = "genp:genp_raw_lock",
	.handler = after_lock,
	.maxactive = 8,
};

static struct kprobe unlock_probe = {
	.symbol_name = "genp:genp_raw_unlock",
	.pre_handler = before_unlock,
};

static void reset(void)
{
	locked.longest = 0;
	locked.sections = 0;
}

/* A section without work. */
static void calibrate(void)
{
	unsigned long (*lock)(raw_spinlock_t *lock) = (void *)lock_probe.kp.addr;
	void (*unlock)(raw_spinlock_t *lock, unsigned long flags) = (void *)unlock_probe.addr;
	DEFINE_RAW_SPINLOCK(own);
	unsigned int i;

	locked.probes = U64_MAX;
	for (i = 0; i < TRIES; i++) {
		reset();
		unlock(&own, lock(&own));
		locked.probes = min(locked.probes, locked.longest);
	}
	reset();
}

static int probe(void)
{
	int error;

	if (locked.probes)
		return 0;
	error = register_kretprobe(&lock_probe);
	if (error)
		return error;
	error = register_kprobe(&unlock_probe);
	if (error) {
		unregister_kretprobe(&lock_probe);
		return error;
	}
	calibrate();
	return 0;
}

/* The longest section since the last write, in ticks, and the number of sections. */
static int locked_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%llu %lu %llu\n", clock_unit(locked.longest - min(locked.longest, locked.probes)),
		   locked.sections, locked.probes);
	return 0;
}

static int locked_open(struct inode *inode, struct file *file)
{
	return single_open(file, locked_show, NULL);
}

static ssize_t locked_write(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	int error = probe();

	reset();
	return error ?: size;
}

static const struct file_operations locked_ops = {
	.owner = THIS_MODULE,
	.open = locked_open,
	.read = seq_read,
	.write = locked_write,
	.llseek = seq_lseek,
	.release = single_release,
};

void locked_init(struct dentry *dir)
{
	debugfs_create_file("locked", 0600, dir, NULL, &locked_ops);
}

void locked_exit(void)
{
	if (!locked.probes)
		return;
	unregister_kprobe(&unlock_probe);
	unregister_kretprobe(&lock_probe);
}

#else

void locked_init(struct dentry *dir)
{
}

void locked_exit(void)
{
}

#endif
