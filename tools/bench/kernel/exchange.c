// SPDX-License-Identifier: GPL-2.0
/*
 * Regions of any size, exchanged for others in any order: what a region costs that is not
 * the one that was just given back.
 */
#include "bench.h"

/* Alignments are powers of two up to a page; without them, 1. */
#define ALIGNMENTS 13
/* So many refusals in a row mean that the pool is full. */
#define REFUSALS_MOST 200

/* The state of the measured case; one runs at a time. */
static struct {
	unsigned int alignments;
	u64 wanted;
} exchange;

/* Sizes from a unit to 64 KiB, each power of two with the same frequency. */
static size_t any_size(void)
{
	return 1 + bench_random() % (64U << bench_random() % 11);
}

static size_t any_align(void)
{
	return exchange.alignments > 1 ? 1UL << bench_random() % exchange.alignments : 0;
}

static bool take_any(struct bench *bench)
{
	struct genp_region region;

	if (bench->nr_taken == bench->capacity ||
	    genp_alloc(bench->part, any_size(), any_align(), &region))
		return false;
	bench->taken[bench->nr_taken++] = (void *)(uintptr_t)region.handle;
	return true;
}

static void give_any(struct bench *bench)
{
	unsigned long at = bench_random() % bench->nr_taken;

	bench->subject->give(bench, bench->taken[at]);
	bench->taken[at] = bench->taken[--bench->nr_taken];
}

static u64 bytes_used(struct bench *bench)
{
	struct genp_stat stat;

	genp_partition_stat(bench->part, &stat);
	return stat.used;
}

/* Takes regions until the pool is filled to the level or refuses them again and again. */
static void take_to_level(struct bench *bench)
{
	unsigned int refusals = 0;

	while (bytes_used(bench) < exchange.wanted && refusals < REFUSALS_MOST)
		refusals = take_any(bench) ? 0 : refusals + 1;
}

static void give_to_level(struct bench *bench)
{
	while (bench->nr_taken > 1 && bytes_used(bench) > exchange.wanted)
		give_any(bench);
}

/* An exchange for a region of another size changes the level a little. */
static void keep_level(struct bench *bench)
{
	take_to_level(bench);
	give_to_level(bench);
}

/* Frees a region and allocates another one. */
static u64 any_pair(struct bench *bench)
{
	unsigned long at = bench_random() % bench->nr_taken;
	struct genp_region old = { .handle = (uintptr_t)bench->taken[at] }, new;
	size_t size = any_size(), align = any_align();
	u64 begin, end;
	int error;

	begin = bench_clock();
	genp_free(bench->part, &old);
	error = genp_alloc(bench->part, size, align, &new);
	end = bench_clock();
	bench->refused += !!error;
	bench->taken[at] = error ? NULL : (void *)(uintptr_t)new.handle;
	if (error)
		bench->taken[at] = bench->taken[--bench->nr_taken];
	return bench->nr_taken ? end - begin : U64_MAX;
}

/**
 * exchange_fill() - fill a pool with regions of any size until one is refused
 * @bench: an open subject with regions
 */
void exchange_fill(struct bench *bench)
{
	exchange.alignments = 1;
	bench_random_restart();
	while (take_any(bench))
		;
}

static void report_exchange(struct bench *bench, const char *role, int fill, bool levelled)
{
	const struct probe probe = {
		.prepare = levelled ? keep_level : NULL, .pair = any_pair, .quiet = true,
	};
	struct figure figure = measure(bench, &probe, bench_samples);

	figure.role = role;
	figure.state = "fragmented";
	figure.fill = fill;
	report(bench, &figure);
}

/* At each level, which is reached by freeing any regions of a full pool. */
static void measure_levels(struct bench *bench, const char *role, unsigned int alignments)
{
	static const unsigned int fills[] = { 99, 90, 50, 10 };
	unsigned int i;

	exchange.alignments = alignments;
	exchange.wanted = bench->pool;
	bench_random_restart();
	take_to_level(bench);
	for (i = 0; i < ARRAY_SIZE(fills) && !bench_interrupted(); i++) {
		exchange.wanted = div_u64(bench->pool * fills[i], 100);
		give_to_level(bench);
		report_exchange(bench, role, fills[i], true);
	}
}

/**
 * exchange_measure() - exchange regions of any size, and of any size and alignment
 * @bench: an open subject with regions, filled by exchange_fill()
 */
void exchange_measure(struct bench *bench)
{
	report_exchange(bench, "region_random", -1, false);
	measure_levels(bench, "region_random", 1);
	measure_levels(bench, "region_aligned", ALIGNMENTS);
}
