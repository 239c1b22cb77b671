// SPDX-License-Identifier: GPL-2.0
/* A figure: many undisturbed samples, sorted. */
#include <linux/hardirq.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kernel_stat.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "bench.h"

/* Samples that are not counted: cold caches and lazy initialisation cost once. */
#define WARM_UP 16
/* The limit of a figure in ticks: cases that are linear in the pool get fewer samples. */
#define TICKS_MAX 200000000ULL
#define SAMPLES_MIN 20
/* In this many ticks the timer interrupts, but adds less than a hundredth of them. */
#define LONG 2000000ULL

static u64 *samples;

int measure_init(void)
{
	samples = vmalloc_array(SAMPLES_MAX, sizeof(*samples));
	return samples ? 0 : -ENOMEM;
}

void measure_exit(void)
{
	vfree(samples);
}

/*
 * Take and give once. On PREEMPT_RT most of the kernel's allocators take locks that sleep,
 * so interrupts cannot be disabled around them.
 */
struct probe subject_probe(const struct subject *subject)
{
	return (struct probe) {
		.pair = subject->pair,
		.quiet = subject->atomic || !IS_ENABLED(CONFIG_PREEMPT_RT),
	};
}

/* What changes when something else runs here: an interrupt, a tick, another thread. */
struct disturbance {
	unsigned long jiffies;
	unsigned long switches;
	unsigned long interrupts;
#ifdef CONFIG_X86
	/* Interrupts that are not of a device: timers and IPIs. */
	irq_cpustat_t others;
#endif
};

static void note_disturbances(struct disturbance *now)
{
	memset(now, 0, sizeof(*now));
	now->jiffies = jiffies;
	now->switches = current->nvcsw + current->nivcsw;
	now->interrupts = kstat_cpu_irqs_sum(raw_smp_processor_id());
#ifdef CONFIG_X86
	now->others = *raw_cpu_ptr(&irq_stat);
#endif
}

static bool undisturbed(const struct disturbance *before)
{
	struct disturbance now;

	note_disturbances(&now);
	return !memcmp(&now, before, sizeof(now));
}

/* Takes one sample. Return: whether nothing else ran in the meantime. */
static bool sample(struct bench *bench, const struct probe *probe, u64 *ticks)
{
	struct disturbance before;
	unsigned long flags;
	bool good;

	if (probe->prepare)
		probe->prepare(bench);
	if (probe->quiet) {
		local_irq_save(flags);
		*ticks = probe->pair(bench);
		local_irq_restore(flags);
		return true;
	}
	migrate_disable();
	note_disturbances(&before);
	*ticks = probe->pair(bench);
	good = undisturbed(&before);
	migrate_enable();
	/* With a clock of time, samples of a shared machine are never undisturbed. */
	return good || !bench_rate.counts_instructions || *ticks > LONG;
}

static int compare(const void *a, const void *b)
{
	u64 first = *(const u64 *)a, second = *(const u64 *)b;

	return first < second ? -1 : first > second;
}

/**
 * measure() - take samples
 * @bench: the subject
 * @probe: how a sample is taken
 * @n: the number of samples; fewer if they are expensive
 *
 * The cost of reading the clock is subtracted.
 *
 * Context: thread. Return: the figure; its samples are sorted, and valid until the next call.
 */
struct figure measure(struct bench *bench, const struct probe *probe, unsigned int n)
{
	struct figure figure = { .samples = samples };
	u64 ticks, sum = 0;
	unsigned int i;

	n = min(n, SAMPLES_MAX);
	for (i = 0; i < WARM_UP && sum < TICKS_MAX / 16; i++) {
		sample(bench, probe, &ticks);
		sum += ticks;
	}
	sum = 0;
	bench->refused = 0;
	/* At most twice as many turns as samples, so that a disturbed measurement ends. */
	for (i = 0; i < 2 * n && figure.n < n; i++) {
		if (figure.n >= SAMPLES_MIN && sum > TICKS_MAX)
			break;
		if (!sample(bench, probe, &ticks)) {
			figure.dropped++;
			continue;
		}
		if (ticks == U64_MAX)
			break;
		sum += ticks;
		samples[figure.n++] = max(ticks, bench_rate.empty) - bench_rate.empty;
		if (!(i % 64))
			cond_resched();
	}
	sort(samples, figure.n, sizeof(*samples), compare, NULL);
	return figure;
}
