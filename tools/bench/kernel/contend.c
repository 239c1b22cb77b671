// SPDX-License-Identifier: GPL-2.0
/* A subject is measured while another CPU takes and gives from it all the time. */
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "../../../samples/drivers/older_kernels.h"
#include "bench.h"

/* Pairs between two checks whether to stop. */
#define BURST 64

/* A copy: the counters in it are not shared. */
static int rival_turns(void *data)
{
	struct bench bench = *(struct bench *)data;
	unsigned int i;

	while (!kthread_should_stop()) {
		for (i = 0; i < BURST; i++)
			bench.subject->pair(&bench);
		cond_resched();
	}
	return 0;
}

static struct task_struct *start_rival(struct bench *bench)
{
	unsigned int here = raw_smp_processor_id(), other = cpumask_next_wrap(here, cpu_online_mask);

	if (other == here)
		return ERR_PTR(-ENODEV);
	return kthread_run_on_cpu(rival_turns, bench, other, "genp_rival/%u");
}

static int measure_contended(struct bench *bench)
{
	const struct probe probe = subject_probe(bench->subject);
	struct task_struct *rival;
	struct figure figure;
	int error;

	if (bench_fill(bench, 50, true))
		return 0;
	migrate_disable();
	rival = start_rival(bench);
	error = PTR_ERR_OR_ZERO(rival);
	if (!error) {
		figure = measure(bench, &probe, bench_samples);
		kthread_stop(rival);
		figure.fill = 50;
		figure.state = "fragmented";
		report(bench, &figure);
	}
	migrate_enable();
	return error;
}

/**
 * plan_contend() - every subject of a role with a rival on another CPU
 * @role: page, object, element, region
 * @pool: bytes
 * @size: bytes of a block
 *
 * Context: thread. Return: 0, -ENODEV if there is one CPU only, or another errno.
 */
int plan_contend(const char *role, u64 pool, size_t size)
{
	return plan_each(role, pool, size, measure_contended);
}
