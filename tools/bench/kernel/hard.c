// SPDX-License-Identifier: GPL-2.0
/*
 * Expensive cases: a page when all others are taken, at any position; a region that has to
 * be searched for and split off; one freed between two free ones; refused requests; and
 * any regions exchanged for others.
 */
#include <linux/mm.h>

#include "bench.h"

/* The state of the measured case; one runs at a time. */
static struct {
	unsigned long turn;
	struct genp_region left, middle, right;
	size_t refused_size;
} hard;

static void report_case(struct bench *bench, u64 (*pair)(struct bench *bench), const char *role,
			const char *state)
{
	const struct probe probe = { .pair = pair, .quiet = true };
	struct figure figure = measure(bench, &probe, bench_samples);

	figure.role = role;
	figure.state = state;
	figure.fill = -1;
	report(bench, &figure);
}

/* All blocks but one are taken, at each turn another one. */
static u64 last_pair(struct bench *bench)
{
	unsigned long at = bench_random() % bench->nr_taken;
	u64 ticks;

	bench->subject->give(bench, bench->taken[at]);
	ticks = bench->subject->pair(bench);
	bench->taken[at] = bench->subject->take(bench);
	return ticks;
}

static int measure_last(struct bench *bench)
{
	char role[32];
	int error;

	error = bench_fill(bench, 100, false);
	if (error)
		return error;
	snprintf(role, sizeof(role), "%s_last", bench->subject->role);
	report_case(bench, last_pair, role, "fragmented");
	return 0;
}

static int allocate(struct bench *bench, size_t size, struct genp_region *region)
{
	return genp_alloc(bench->part, size, 0, region);
}

/* The smallest region from one free block of the whole pool: the last class is searched. */
static u64 split_ticks(struct bench *bench)
{
	struct genp_region region;
	u64 begin, end;
	int error;

	begin = bench_clock();
	error = allocate(bench, 1, &region);
	end = bench_clock();
	if (!error)
		genp_free(bench->part, &region);
	bench->refused += !!error;
	return end - begin;
}

/* Three adjacent regions, the middle one freed last: it merges with both. */
static u64 merge_ticks(struct bench *bench)
{
	u64 begin, end;
	int error;

	error = allocate(bench, bench->size, &hard.left) ?:
		allocate(bench, bench->size, &hard.middle) ?:
		allocate(bench, bench->size, &hard.right);
	genp_free(bench->part, &hard.left);
	genp_free(bench->part, &hard.right);
	begin = bench_clock();
	error = genp_free(bench->part, &hard.middle) ?: error;
	end = bench_clock();
	bench->refused += !!error;
	return end - begin;
}

static u64 refused_ticks(struct bench *bench)
{
	struct genp_region region;
	u64 begin, end;
	int error;

	begin = bench_clock();
	error = allocate(bench, hard.refused_size, &region);
	end = bench_clock();
	if (!error)
		genp_free(bench->part, &region);
	bench->refused += !!error;
	return end - begin;
}

/* Frees a region twice and measures the second call. */
static u64 stale_ticks(struct bench *bench)
{
	struct genp_region region;
	u64 begin, end;

	if (allocate(bench, bench->size, &region))
		return U64_MAX;
	genp_free(bench->part, &region);
	begin = bench_clock();
	bench->refused += !!genp_free(bench->part, &region);
	end = bench_clock();
	return end - begin;
}

static int measure_regions(struct bench *bench)
{
	report_case(bench, split_ticks, "region_split", "fresh");
	report_case(bench, merge_ticks, "region_merge", "fresh");
	report_case(bench, stale_ticks, "region_stale", "fresh");
	hard.refused_size = bench->pool + 1;
	report_case(bench, refused_ticks, "region_fail", "fresh");
	exchange_fill(bench);
	hard.refused_size = bench->pool / 2;
	report_case(bench, refused_ticks, "region_fail", "fragmented");
	exchange_measure(bench);
	return 0;
}

/* objpool allocates all its objects in one piece, which limits their number. */
#define OBJECTS_MOST (64 * MEGA)

/**
 * plan_hard() - expensive cases
 * @pool: bytes
 */
int plan_hard(u64 pool)
{
	int error;

	error = bench_with(&genp_page, pool, PAGE_SIZE, measure_last);
	error = error ?: bench_with(&gen_pool_page_first, pool, PAGE_SIZE, measure_last);
	error = error ?: bench_with(&gen_pool_page_best, pool, PAGE_SIZE, measure_last);
	if (pool <= OBJECTS_MOST) {
		error = error ?: bench_with(&genp_object, pool, 256, measure_last);
		error = error ?: bench_with(&pool_objpool, pool, 256, measure_last);
	}
	return error ?: bench_with(&genp_region, pool, 256, measure_regions);
}
