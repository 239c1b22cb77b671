// SPDX-License-Identifier: GPL-2.0
/* The plans: what is measured of which subjects. */
#include <linux/mm.h>
#include <linux/string.h>

#include "bench.h"

static const struct subject *const subjects[] = {
	&genp_page, &page_plain, &page_zeroed, &page_nolock,
	&gen_pool_page_first, &gen_pool_page_best,
	&genp_object, &slab_kmalloc, &slab_nolock, &slab_cache,
	&genp_element, &pool_mempool, &pool_preallocated, &pool_objpool,
	&genp_region, &gen_pool_region_first, &gen_pool_region_best,
};

static const struct {
	unsigned int fill;
	bool fragmented;
} levels[] = {
	{ 0, false },
	{ 10, false }, { 50, false }, { 90, false }, { 99, false }, { 100, false },
	{ 10, true }, { 50, true }, { 90, true }, { 99, true },
};

/* Measures one level of one subject. Return: whether it could be filled. */
static bool measure_level(struct bench *bench, unsigned int fill, bool fragmented, unsigned int n)
{
	const struct probe probe = subject_probe(bench->subject);
	struct figure figure;

	if (bench_fill(bench, fill, fragmented))
		return false;
	figure = measure(bench, &probe, n);
	figure.fill = fill;
	figure.state = fragmented ? "fragmented" : "fresh";
	report(bench, &figure);
	return true;
}

static int measure_levels(struct bench *bench)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(levels) && !bench_interrupted(); i++)
		if (!measure_level(bench, levels[i].fill, levels[i].fragmented, bench_samples))
			break;
	return 0;
}

/*
 * "page" is every subject of that role, "page:alloc_page" the one with that name. Subjects
 * without a pool of their own would fill the machine's memory.
 */
static bool is_for(const struct subject *subject, const char *role, u64 pool)
{
	size_t length = strlen(subject->role);

	if (strncmp(role, subject->role, length) ||
	    (role[length] && (role[length] != ':' || strcmp(role + length + 1, subject->name))))
		return false;
	return subject->bounded || pool <= bench_peer_mib * MEGA;
}

/**
 * plan_each() - measure every subject of a role, one after the other
 * @role: page, object, element, region, or one subject, such as page:alloc_page
 * @pool: bytes
 * @size: bytes of a block
 * @measure_one: the measurement
 *
 * Context: thread. Return: 0, -EINVAL if there is no such role, or what @measure_one
 * returned.
 */
int plan_each(const char *role, u64 pool, size_t size, int (*measure_one)(struct bench *bench))
{
	int error = -EINVAL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(subjects); i++) {
		if (!is_for(subjects[i], role, pool))
			continue;
		error = bench_with(subjects[i], pool, size, measure_one);
		if (error || bench_interrupted())
			break;
	}
	return error;
}

/* Every subject of a role at every fill level. */
int plan_levels(const char *role, u64 pool, size_t size)
{
	return plan_each(role, pool, size, measure_levels);
}

/* Gives back a random block and takes another one. */
static u64 churn_pair(struct bench *bench)
{
	unsigned long at = bench_random() % bench->nr_taken;
	const struct subject *subject = bench->subject;
	u64 begin = bench_clock(), end;

	subject->give(bench, bench->taken[at]);
	bench->taken[at] = subject->take(bench);
	end = bench_clock();
	return end - begin;
}

/* Takes one more block. */
static u64 sweep_take(struct bench *bench)
{
	u64 begin = bench_clock(), end;
	void *block = bench->subject->take(bench);

	end = bench_clock();
	if (!block)
		return U64_MAX;
	bench->taken[bench->nr_taken++] = block;
	return bench->nr_taken < bench->capacity ? end - begin : U64_MAX;
}

/* Gives back a random block. */
static u64 sweep_give(struct bench *bench)
{
	unsigned long at;
	u64 begin, end;
	void *block;

	if (!bench->nr_taken)
		return U64_MAX;
	at = bench_random() % bench->nr_taken;
	block = bench->taken[at];
	bench->taken[at] = bench->taken[--bench->nr_taken];
	begin = bench_clock();
	bench->subject->give(bench, block);
	end = bench_clock();
	return end - begin;
}

static void measure_part(struct bench *bench, u64 (*part)(struct bench *bench), const char *what,
			 int fill)
{
	struct probe probe = subject_probe(bench->subject);
	struct figure figure;
	char role[32];

	snprintf(role, sizeof(role), "%s_%s", bench->subject->role, what);
	probe.pair = part;
	figure = measure(bench, &probe, bench_samples);
	figure.role = role;
	figure.fill = fill;
	figure.state = fill < 0 ? "fresh" : "fragmented";
	report(bench, &figure);
}

/* Takes from empty to full, then gives back: costs that a block given back at once hides. */
static int measure_sweep(struct bench *bench)
{
	measure_part(bench, sweep_take, "take", -1);
	measure_part(bench, sweep_give, "give", -1);
	return 0;
}

/* Every subject of a role, taking many blocks and then giving them back. */
int plan_sweep(const char *role, u64 pool, size_t size)
{
	return plan_each(role, pool, size, measure_sweep);
}

/* The cost includes calls through pointers, which is the same for all subjects. */
static int measure_churn(struct bench *bench)
{
	static const unsigned int fills[] = { 50, 90 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fills) && !bench_interrupted(); i++) {
		if (bench_fill(bench, fills[i], true))
			break;
		measure_part(bench, churn_pair, "churn", fills[i]);
	}
	return 0;
}

/* Every subject of a role, giving back and taking in any order. */
int plan_churn(const char *role, u64 pool, size_t size)
{
	return plan_each(role, pool, size, measure_churn);
}

#define QUICK_POOL (16 * MEGA)
#define QUICK_SAMPLES 200
#define QUICK_OBJECT 256

static int measure_quick(struct bench *bench)
{
	static const unsigned int fills[] = { 0, 50, 99, 100 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fills); i++)
		measure_level(bench, fills[i], fills[i] == 50 || fills[i] == 99, QUICK_SAMPLES);
	return 0;
}

static int quick(const struct subject *subject, size_t size)
{
	return bench_with(subject, QUICK_POOL, size, measure_quick);
}

/* Every operation of GenP in a second or two, for the guard. */
int plan_quick(void)
{
	int error;

	error = quick(&genp_page, PAGE_SIZE);
	error = error ?: quick(&genp_object, QUICK_OBJECT);
	error = error ?: quick(&genp_element, QUICK_OBJECT);
	error = error ?: quick(&genp_region, QUICK_OBJECT);
	error = error ?: quick(&genp_region, PAGE_SIZE);
	return error ?: plan_lend(QUICK_SAMPLES, 64);
}
