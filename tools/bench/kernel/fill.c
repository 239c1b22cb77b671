// SPDX-License-Identifier: GPL-2.0
/* Filling a subject to a level, fresh or fragmented, and emptying it again. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "bench.h"

static u64 random_state;

/* The same numbers in every run, so that counts repeat. */
void bench_random_restart(void)
{
	random_state = 0x9e3779b97f4a7c15ULL;
}

/* xorshift64. */
u32 bench_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 32;
}

/* Sets a subject up. Return: 0, or an errno without anything to close. */
static int bench_open(struct bench *bench, const struct subject *subject, u64 pool, size_t size)
{
	int error;

	bench_random_restart();
	*bench = (struct bench) {
		.subject = subject,
		.size = size,
		.pool = pool,
		.capacity = div_u64(pool, size),
	};
	error = subject->set_up(bench);
	if (error) {
		report_skip(bench, "it could not be set up");
		return error;
	}
	bench->taken = vmalloc_array(bench->capacity, sizeof(*bench->taken));
	if (!bench->taken) {
		subject->tear_down(bench);
		return -ENOMEM;
	}
	return 0;
}

static void bench_close(struct bench *bench)
{
	bench_drain(bench);
	vfree(bench->taken);
	bench->subject->tear_down(bench);
}

/**
 * bench_with() - set a subject up, measure it, and take it down again
 * @subject: the subject
 * @pool: bytes
 * @size: bytes of a block
 * @work: the measurement
 *
 * Context: thread. Return: what @work returned, or an errno.
 */
int bench_with(const struct subject *subject, u64 pool, size_t size,
	       int (*work)(struct bench *bench))
{
	struct bench bench;
	int error;

	error = bench_open(&bench, subject, pool, size);
	if (error)
		return error;
	error = work(&bench);
	bench_close(&bench);
	return error;
}

static void take_up_to(struct bench *bench, unsigned long count)
{
	void *block;

	if (bench->subject->take_many && !bench->nr_taken)
		bench->nr_taken = bench->subject->take_many(bench, bench->taken, count);
	while (bench->nr_taken < count) {
		block = bench->subject->take(bench);
		if (!block)
			break;
		bench->taken[bench->nr_taken++] = block;
		if (!(bench->nr_taken % 1024))
			cond_resched();
	}
}

static void give_down_to(struct bench *bench, unsigned long count)
{
	while (bench->nr_taken > count) {
		bench->subject->give(bench, bench->taken[--bench->nr_taken]);
		if (!(bench->nr_taken % 1024))
			cond_resched();
	}
}

static void shuffle(void **blocks, unsigned long count)
{
	unsigned long i, other;

	for (i = count; i > 1; i--) {
		other = bench_random() % i;
		swap(blocks[i - 1], blocks[other]);
	}
}

/*
 * Moves every other block to the upper half and shuffles both halves: blocks are given
 * back from the end, so that the first ones leave single holes.
 */
static void scatter(struct bench *bench)
{
	unsigned long lower = (bench->nr_taken + 1) / 2, i;

	for (i = 1; i < lower; i++)
		swap(bench->taken[i], bench->taken[2 * i]);
	shuffle(bench->taken, lower);
	shuffle(bench->taken + lower, bench->nr_taken - lower);
}

/**
 * bench_fill() - bring a subject to a fill level
 * @bench: an open subject
 * @percent: of the capacity that is taken; 100: until nothing is left
 * @fragmented: by giving back single blocks of a full pool, otherwise in order
 *
 * Context: thread. Return: 0, or -ENOMEM if there were not enough blocks.
 */
int bench_fill(struct bench *bench, unsigned int percent, bool fragmented)
{
	unsigned long wanted = div_u64((u64)bench->capacity * percent, 100);

	bench_drain(bench);
	bench_random_restart();
	take_up_to(bench, fragmented ? bench->capacity : wanted);
	if (bench->nr_taken < wanted) {
		report_skip(bench, "there was not enough to fill it");
		return -ENOMEM;
	}
	if (fragmented) {
		scatter(bench);
		give_down_to(bench, wanted);
	}
	return 0;
}

void bench_drain(struct bench *bench)
{
	give_down_to(bench, 0);
}
