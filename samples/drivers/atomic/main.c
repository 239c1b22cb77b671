// SPDX-License-Identifier: GPL-2.0
/*
 * genp_atomic: takes and gives pages in a thread under a raw spinlock, in hardirq and
 * in NMI, on every CPU at the same time, and shows that each page has one owner and that
 * none is lost. It also calls the kernel's own allocators in the same contexts. With blocks
 * of several orders (blocks.rst), it shows besides that none is refused that is guaranteed,
 * while other partitions with blocks come and go.
 *
 *	insmod genp_atomic.ko
 *	echo 10 >/sys/kernel/debug/genp_atomic/run
 *	cat /sys/kernel/debug/genp_atomic/result
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/smp.h>

#include "../control.h"
#include "../older_kernels.h"
#include "atomic.h"

static unsigned int pages;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "pages of the stock; by default as many as all contexts can have");

static bool emergency;
module_param(emergency, bool, 0444);
MODULE_PARM_DESC(emergency, "take from the emergency stock when the partition's is empty");

static unsigned int orders;
module_param(orders, uint, 0444);
MODULE_PARM_DESC(orders, "take blocks up to this order too, of which GenP was loaded with enough");

static unsigned int period_us = 500;
module_param(period_us, uint, 0644);
MODULE_PARM_DESC(period_us, "from one interrupt to the next");

DEFINE_PER_CPU(struct atomic_cpu, atomic_cpus);
struct stocks stocks;
static struct result result;

/* The next interrupt is far enough away that interrupts never take all of a slow CPU. */
static enum hrtimer_restart hardirq_turn(struct hrtimer *timer)
{
	struct atomic_cpu *cpu = container_of(timer, struct atomic_cpu, timer);
	ktime_t begin = ktime_get(), end;

	actor_turn(cpu, IN_HARDIRQ);
	end = ktime_get();
	hrtimer_set_expires(timer, ktime_add(ktime_add_us(end, period_us),
					     3 * ktime_sub(end, begin)));
	return HRTIMER_RESTART;
}

/* Half of the NMIs go to another CPU, whatever it is doing. */
static unsigned int next_target(u64 turn)
{
	unsigned int cpu = smp_processor_id();

	return turn & 1 ? cpu : cpumask_next_wrap(cpu, cpu_online_mask);
}

static int thread_turns(void *data)
{
	struct atomic_cpu *cpu = data;
	struct counters *counters = &cpu->actor[IN_THREAD].counters;

	hrtimer_start(&cpu->timer, us_to_ktime(period_us), HRTIMER_MODE_REL_PINNED_HARD);
	while (!kthread_should_stop()) {
		raw_spin_lock(&cpu->lock);
		actor_turn(cpu, IN_THREAD);
		nmi_send(next_target(counters->turns));
		raw_spin_unlock(&cpu->lock);
		free_what_kernel_gave(cpu);
		if (counters->turns % 8)
			cond_resched();
		else
			usleep_range(50, 200);
	}
	hrtimer_cancel(&cpu->timer);
	return 0;
}

static void reset(unsigned int id)
{
	struct atomic_cpu *cpu = &per_cpu(atomic_cpus, id);
	unsigned int context;

	for (context = 0; context < NR_CONTEXTS; context++)
		actor_reset(&cpu->actor[context], id, context);
	raw_spin_lock_init(&cpu->lock);
	hrtimer_setup(&cpu->timer, hardirq_turn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	init_llist_head(&cpu->pages);
	init_llist_head(&cpu->objects);
	atomic_set(&cpu->nmi_sent, 0);
	cpu->thread = NULL;
}

static int start_threads(void)
{
	struct task_struct *thread;
	unsigned int id;

	for_each_online_cpu(id) {
		thread = kthread_run_on_cpu(thread_turns, &per_cpu(atomic_cpus, id), id, "genp_atomic/%u");
		if (IS_ERR(thread))
			return PTR_ERR(thread);
		per_cpu(atomic_cpus, id).thread = thread;
	}
	return 0;
}

/* Threads first: they start timers and send NMIs. */
static void stop(void)
{
	struct atomic_cpu *cpu;
	unsigned int id, context;

	for_each_online_cpu(id)
		if (per_cpu(atomic_cpus, id).thread)
			kthread_stop(per_cpu(atomic_cpus, id).thread);
	nmi_stop();
	for_each_online_cpu(id) {
		cpu = &per_cpu(atomic_cpus, id);
		for (context = 0; context < NR_CONTEXTS; context++)
			actor_give_all(&cpu->actor[context]);
		free_what_kernel_gave(cpu);
	}
}

/* Takes all pages and gives them back: none may be missing, and none be there twice. */
static unsigned int count_stock(void)
{
	struct page **all = kcalloc(pages + 1, sizeof(*all), GFP_KERNEL);
	unsigned int count = 0, i;

	if (!all)
		return 0;
	while (count <= pages) {
		all[count] = genp_alloc_page(stocks.part, GENP_ZERO);
		if (!all[count])
			break;
		count++;
	}
	for (i = 0; i < count; i++)
		if (genp_free_page(stocks.part, all[i]))
			count = 0;
	kfree(all);
	return count;
}

/* As many as all contexts can have. */
static unsigned int blocks_of_an_order(void)
{
	return orders ? HOLD * NR_CONTEXTS * num_online_cpus() : 0;
}

static unsigned int count_blocks(void)
{
	unsigned int order, sum = 0;
	struct genp_stat stat;

	genp_partition_stat(stocks.part, &stat);
	for (order = 1; order <= orders; order++)
		sum += stat.blocks_free[order];
	return sum;
}

static int run(unsigned int seconds)
{
	unsigned int id;
	int error;

	memset(&result, 0, sizeof(result));
	/* No CPU goes online or offline meanwhile. */
	cpus_read_lock();
	for_each_online_cpu(id)
		reset(id);
	result.no_nmi = nmi_start();
	error = start_threads();
	if (!error && orders)
		churn(seconds, orders, &result.churn);
	else if (!error)
		control_wait(seconds);
	stop();
	result_collect(&result);
	cpus_read_unlock();
	result.seconds = seconds;
	result.pages = pages;
	result.there_after = count_stock();
	result.blocks = orders * blocks_of_an_order();
	result.blocks_after = count_blocks();
	if (!error && !result_is_good(&result))
		error = -EIO;
	return error;
}

static void show(struct seq_file *out)
{
	result_show(&result, out);
}

static struct control control = { .run = run, .show = show };

static struct genp_partition *create(const char *name, u32 stock_pages, u32 blocks)
{
	struct genp_spec spec = {
		.name = name,
		.node = GENP_ANY_NODE,
		.stock_pages = stock_pages,
	};
	unsigned int order;

	for (order = 1; order <= orders; order++)
		spec.blocks[order] = blocks;
	return genp_partition_create(&spec);
}

static void destroy(struct genp_partition *part)
{
	struct genp_outstanding left;

	if (genp_partition_destroy(part, &left))
		pr_err("genp_atomic: %u pages and %u blocks were not given back; the partition stays\n",
		       left.pages, left.blocks);
}

static int __init genp_atomic_init(void)
{
	int error = -ENOMEM;

	if (orders >= GENP_ORDERS)
		return -EINVAL;
	/* With more than 64 an interrupt in the middle of a take may miss one: blocks.rst. */
	stocks.for_all = orders && !pages && blocks_of_an_order() <= 64;
	if (!pages)
		pages = HOLD * NR_CONTEXTS * num_online_cpus();
	stocks.orders = orders;
	stocks.flags = emergency ? GENP_EMERGENCY : 0;
	stocks.of_kernel = alloc_page(GFP_KERNEL);
	if (!stocks.of_kernel)
		return error;
	stocks.part = create("genp_atomic", pages, blocks_of_an_order());
	error = PTR_ERR_OR_ZERO(stocks.part);
	if (error)
		goto free_page;
	stocks.other = create("genp_atomic_other", 1, 0);
	error = PTR_ERR_OR_ZERO(stocks.other);
	if (error)
		goto destroy_part;
	control_create(&control);
	return 0;

destroy_part:
	destroy(stocks.part);
free_page:
	__free_page(stocks.of_kernel);
	return error;
}

static void __exit genp_atomic_exit(void)
{
	control_remove(&control);
	destroy(stocks.other);
	destroy(stocks.part);
	__free_page(stocks.of_kernel);
}

module_init(genp_atomic_init);
module_exit(genp_atomic_exit);
MODULE_AUTHOR("GenP developers");
MODULE_DESCRIPTION("Pages in a thread, in hardirq and in NMI at the same time");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(GENP_NAMESPACE);
