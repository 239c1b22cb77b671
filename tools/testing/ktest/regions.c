// SPDX-License-Identifier: GPL-2.0
/* Regions of the reserve, in a thread and in hardirq. */
#include "ktest.h"

static void alloc_refuses_what_is_wrong(struct ktest *t)
{
	static const struct {
		size_t size;
		size_t align;
		int error;
	} wrong[] = {
		{ 0, 0, -EINVAL },
		{ 100, 3, -EINVAL },
		{ 100, 2 * PAGE_SIZE, -EINVAL },
		{ RESERVE + 1, 0, -E2BIG },
		{ SIZE_MAX, 0, -E2BIG },
		{ RESERVE, 0, -ENOMEM },
	};
	struct genp_region region;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		if (genp_alloc(t->part, wrong[i].size, wrong[i].align, &region) != wrong[i].error)
			ktest_fail(t, __LINE__, "size %zu, alignment %zu", wrong[i].size, wrong[i].align);
}

static void free_refuses_what_is_wrong(struct ktest *t)
{
	struct genp_region region, wrong;

	EQUAL(t, genp_alloc(t->part, 100, 0, &region), 0);
	EQUAL(t, genp_free(t->other, &region), -EINVAL);
	wrong = region;
	wrong.handle = ~0ULL;
	EQUAL(t, genp_free(t->part, &wrong), -EINVAL);
	wrong.handle = 0;
	EQUAL(t, genp_free(t->part, &wrong), -EINVAL);
	EQUAL(t, genp_free(t->part, &region), 0);
	EQUAL(t, genp_free(t->part, &region), -ESTALE);
}

static void regions_are_as_asked_for(struct ktest *t)
{
	static const size_t aligns[] = { 0, 1, 8, 64, 512, PAGE_SIZE };
	struct genp_region regions[ARRAY_SIZE(aligns)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(aligns); i++) {
		EQUAL(t, genp_alloc(t->other, 1000 + i, aligns[i], &regions[i]), 0);
		EQUAL(t, regions[i].size, 1000 + i);
		CHECK(t, !aligns[i] || IS_ALIGNED((unsigned long)regions[i].addr, aligns[i]));
		memset(regions[i].addr, i + 1, regions[i].size);
	}
	for (i = 0; i < ARRAY_SIZE(aligns); i++) {
		CHECK(t, !memchr_inv(regions[i].addr, i + 1, regions[i].size));
		EQUAL(t, genp_free(t->other, &regions[i]), 0);
	}
}

/* The whole reserve as one region, repeatedly. */
static void the_reserve_is_contiguous(struct ktest *t)
{
	struct genp_region region, none;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		EQUAL(t, genp_alloc(t->other, RESERVE, PAGE_SIZE, &region), 0);
		EQUAL(t, genp_alloc(t->other, 1, 0, &none), -ENOMEM);
		memset(region.addr, 0x55, RESERVE);
		EQUAL(t, genp_free(t->other, &region), 0);
	}
}

/* Context: thread. */
static void handles_run_out(struct ktest *t)
{
	struct genp_spec spec = { .reserve = RESERVE, .node = GENP_ANY_NODE, .max_regions = 1 };
	struct genp_partition *part = ktest_create(t, &spec);
	struct genp_region region, none;

	if (!part)
		return;
	EQUAL(t, genp_alloc(part, 1, 0, &region), 0);
	EQUAL(t, genp_alloc(part, 1, 0, &none), -ENOMEM);
	EQUAL(t, genp_free(part, &region), 0);
	EQUAL(t, genp_partition_destroy(part, NULL), 0);
}

/* Context: thread. */
static void the_reserve_is_zeroed_at_first(struct ktest *t)
{
	struct genp_region region;

	EQUAL(t, genp_alloc(t->other, RESERVE, 0, &region), 0);
	CHECK(t, !memchr_inv(region.addr, 0, RESERVE));
	EQUAL(t, genp_free(t->other, &region), 0);
}

static void misuse_is_counted(struct ktest *t)
{
	struct genp_stat before = ktest_stat(t->other), after;
	struct genp_region region;

	EQUAL(t, genp_alloc(t->other, 0, 0, &region), -EINVAL);
	EQUAL(t, genp_alloc(t->other, 1, 0, &region), 0);
	EQUAL(t, genp_free(t->other, &region), 0);
	EQUAL(t, genp_free(t->other, &region), -ESTALE);
	after = ktest_stat(t->other);
	EQUAL(t, after.misuses - before.misuses, 1);
	EQUAL(t, after.stale_handles - before.stale_handles, 1);
}

const struct kcase region_cases[] = {
	{ "alloc_refuses_what_is_wrong", alloc_refuses_what_is_wrong, true },
	{ "free_refuses_what_is_wrong", free_refuses_what_is_wrong, true },
	{ "regions_are_as_asked_for", regions_are_as_asked_for, true },
	{ "the_reserve_is_contiguous", the_reserve_is_contiguous, true },
	{ "handles_run_out", handles_run_out },
	{ "the_reserve_is_zeroed_at_first", the_reserve_is_zeroed_at_first },
	{ "misuse_is_counted", misuse_is_counted },
	{}
};
