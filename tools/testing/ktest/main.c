// SPDX-License-Identifier: GPL-2.0
/*
 * genp_ktest: reading /sys/kernel/debug/genp_ktest runs all tests and returns their
 * results as KTAP.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "ktest.h"

void ktest_fail(struct ktest *t, int line, const char *format, ...)
{
	va_list args;
	int length;

	if (*t->why)
		return;
	length = scnprintf(t->why, sizeof(t->why), "line %d: ", line);
	va_start(args, format);
	vscnprintf(t->why + length, sizeof(t->why) - length, format, args);
	va_end(args);
}

/* Creates a partition; on failure the test fails and the result is NULL. */
struct genp_partition *ktest_create(struct ktest *t, const struct genp_spec *spec)
{
	struct genp_partition *part = genp_partition_create(spec);

	if (!IS_ERR(part))
		return part;
	ktest_fail(t, __LINE__, "creating a partition: %ld", PTR_ERR(part));
	return NULL;
}

struct genp_stat ktest_stat(struct genp_partition *part)
{
	struct genp_stat stat;

	genp_partition_stat(part, &stat);
	return stat;
}

/* A test that runs in hardirq, also on PREEMPT_RT. */
struct hardirq_run {
	struct irq_work work;
	struct completion done;
	const struct kcase *kcase;
	struct ktest *t;
};

static void run_here(struct irq_work *work)
{
	struct hardirq_run *run = container_of(work, struct hardirq_run, work);

	run->kcase->run(run->t);
	complete(&run->done);
}

static void run_in_hardirq(const struct kcase *kcase, struct ktest *t)
{
	struct hardirq_run *run = kzalloc_obj(*run);

	if (!run) {
		ktest_fail(t, __LINE__, "no memory");
		return;
	}
	run->work = IRQ_WORK_INIT_HARD(run_here);
	init_completion(&run->done);
	run->kcase = kcase;
	run->t = t;
	irq_work_queue(&run->work);
	wait_for_completion(&run->done);
	irq_work_sync(&run->work);
	kfree(run);
}

static void set_up(struct ktest *t)
{
	struct genp_spec spec = {
		.reserve = RESERVE,
		.borrow_limit = 8 * PAGE_SIZE,
		.node = GENP_ANY_NODE,
		.stock_pages = STOCK,
		.blocks = BLOCKS,
	};

	memset(t, 0, sizeof(*t));
	t->part = ktest_create(t, &spec);
	t->other = ktest_create(t, &spec);
	if (!t->part || !t->other)
		return;
	t->cache = genp_cache_create(t->part, OBJECT_SIZE, 0, OBJECTS);
	t->elements = IS_ERR(t->cache) ? ERR_CAST(t->cache) : genp_elements_create(t->cache, MINIMUM);
	if (IS_ERR(t->elements))
		ktest_fail(t, __LINE__, "creating a cache and a pool: %ld", PTR_ERR(t->elements));
}

/* Everything can be destroyed if the test left nothing behind. */
static void tear_down(struct ktest *t)
{
	if (!IS_ERR_OR_NULL(t->elements))
		EQUAL(t, genp_elements_destroy(t->elements), 0);
	if (!IS_ERR_OR_NULL(t->cache))
		EQUAL(t, genp_cache_destroy(t->cache), 0);
	if (t->part)
		EQUAL(t, genp_partition_destroy(t->part, NULL), 0);
	if (t->other)
		EQUAL(t, genp_partition_destroy(t->other, NULL), 0);
}

static void run_case(const struct kcase *kcase, bool in_hardirq, unsigned int number,
		     struct seq_file *out)
{
	struct ktest t;

	set_up(&t);
	if (!*t.why && in_hardirq)
		run_in_hardirq(kcase, &t);
	else if (!*t.why)
		kcase->run(&t);
	tear_down(&t);
	if (*t.why)
		seq_printf(out, "# %s: %s\n", kcase->name, t.why);
	seq_printf(out, "%sok %u %s%s\n", *t.why ? "not " : "", number, kcase->name,
		   in_hardirq ? "_in_hardirq" : "");
}

static int genp_ktest_show(struct seq_file *out, void *unused)
{
	static const struct kcase *const suites[] = {
		partition_cases, region_cases, page_cases, block_cases, lease_cases,
		object_cases, genalloc_cases, memory_error_cases,
	};
	const struct kcase *kcase;
	unsigned int number = 0, i;

	seq_puts(out, "KTAP version 1\n");
	for (i = 0; i < ARRAY_SIZE(suites); i++)
		for (kcase = suites[i]; kcase->name; kcase++) {
			run_case(kcase, false, ++number, out);
			if (kcase->in_hardirq_too)
				run_case(kcase, true, ++number, out);
		}
	seq_printf(out, "1..%u\n", number);
	return 0;
}

/* With a buffer for all results: with a smaller one the tests would run again. */
static int genp_ktest_open(struct inode *inode, struct file *file)
{
	return single_open_size(file, genp_ktest_show, NULL, 64 * 1024);
}

static const struct file_operations genp_ktest_fops = {
	.owner = THIS_MODULE,
	.open = genp_ktest_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static struct dentry *file;

static int __init genp_ktest_init(void)
{
	file = debugfs_create_file("genp_ktest", 0400, NULL, NULL, &genp_ktest_fops);
	return 0;
}

static void __exit genp_ktest_exit(void)
{
	debugfs_remove(file);
}

module_init(genp_ktest_init);
module_exit(genp_ktest_exit);
MODULE_AUTHOR("GenP developers");
MODULE_DESCRIPTION("Tests of GenP's interface for drivers");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(GENP_NAMESPACE);
