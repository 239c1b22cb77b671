// SPDX-License-Identifier: GPL-2.0
/*
 * The clock: a time stamp counter that counts instructions in QEMU with -icount shift=0,
 * and time on other machines. Loops of known length show which.
 */
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>

#include "bench.h"

struct clock bench_rate;

#define TRIES 100

static u64 empty_once(void)
{
	u64 begin = bench_clock();

	return bench_clock() - begin;
}

/* 1 + 2 * turns instructions. */
static noinline u64 loop_once(u32 turns)
{
#ifdef __x86_64__
	u64 begin = bench_clock();

	asm volatile("mov %0, %%ecx\n"
		     "1: dec %%ecx\n"
		     "jnz 1b" : : "r"(turns) : "ecx", "cc");
	return bench_clock() - begin;
#elif defined(CONFIG_ARM64)
	u64 begin = bench_clock();

	asm volatile("mov w9, %w0\n"
		     "1: subs w9, w9, #1\n"
		     "b.ne 1b" : : "r"(turns) : "x9", "cc");
	return bench_clock() - begin;
#else
	return 0;
#endif
}

/* The minimum of many tries, without interrupts and other disturbances. */
static u64 least_loop(u32 turns)
{
	u64 least = U64_MAX;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		local_irq_save(flags);
		least = min(least, turns ? loop_once(turns) : empty_once());
		local_irq_restore(flags);
	}
	return least;
}

/* The mean, if the clock counts time in steps that are not small compared to this. */
static u64 mean_empty(void)
{
	u64 least = bench_rate.empty, sum = 0, once;
	unsigned int i, n = 0;

	for (i = 0; i < 100 * TRIES; i++) {
		once = empty_once();
		/* An interrupt came between. */
		if (once > 4 * least + 100)
			continue;
		sum += once;
		n++;
	}
	return n ? div_u64(sum, n) : least;
}

static bool counts(u32 turns)
{
	return least_loop(turns) == bench_rate.empty + 1 + 2 * turns;
}

/**
 * clock_calibrate() - determine what a tick is
 * @must_count: whether a tick has to be an instruction
 *
 * Context: thread. Return: 0, or -EOPNOTSUPP if @must_count is not fulfilled.
 */
int clock_calibrate(bool must_count)
{
	u64 begin, ticks, ns;

	bench_rate.empty = least_loop(0);
	bench_rate.counts_instructions = counts(10) && counts(1000) && counts(100000);
	if (bench_rate.counts_instructions)
		return 0;
	if (must_count)
		return -EOPNOTSUPP;
	bench_rate.empty = mean_empty();
	begin = ktime_get_ns();
	ticks = bench_clock();
	mdelay(50);
	ticks = bench_clock() - ticks;
	ns = ktime_get_ns() - begin;
	bench_rate.ticks_per_ms = max(1ULL, mul_u64_u64_div_u64(ticks, 1000000, ns));
	return 0;
}

/* Converts ticks to the reported unit: instructions or nanoseconds. */
u64 clock_unit(u64 ticks)
{
	if (bench_rate.counts_instructions)
		return ticks;
	return mul_u64_u64_div_u64(ticks, 1000000, bench_rate.ticks_per_ms);
}
