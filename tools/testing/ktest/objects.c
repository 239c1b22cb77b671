// SPDX-License-Identifier: GPL-2.0
/* Object caches and element pools, in a thread and in hardirq. */
#include "ktest.h"

/* Context: thread. */
static void cache_create_refuses_what_is_wrong(struct ktest *t)
{
	static const struct {
		size_t size;
		size_t align;
		u32 count;
		int error;
	} wrong[] = {
		{ 0, 0, 1, -EINVAL },
		{ 8, 0, 0, -EINVAL },
		{ 8, 3, 1, -EINVAL },
		{ 8, 2 * PAGE_SIZE, 1, -EINVAL },
		{ RESERVE, 0, 2, -E2BIG },
		{ SIZE_MAX / 2, 0, 4, -E2BIG },
		{ RESERVE / 4, 0, 4, -ENOMEM },
	};
	struct genp_cache *cache;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		cache = genp_cache_create(t->part, wrong[i].size, wrong[i].align, wrong[i].count);
		if (PTR_ERR_OR_ZERO(cache) != wrong[i].error)
			ktest_fail(t, __LINE__, "case %u: %d, not %d", i, PTR_ERR_OR_ZERO(cache),
				   wrong[i].error);
	}
}

/* Context: thread. */
static void objects_are_aligned_and_zeroed(struct ktest *t)
{
	struct genp_cache *cache = genp_cache_create(t->other, 100, 256, 10);
	void *objects[10];
	unsigned int i;

	ERROR(t, cache, 0);
	if (IS_ERR(cache))
		return;
	EQUAL(t, genp_cache_avail(cache), 10);
	for (i = 0; i < 10; i++) {
		objects[i] = genp_cache_alloc(cache);
		CHECK(t, objects[i] && IS_ALIGNED((unsigned long)objects[i], 256));
		CHECK(t, objects[i] && !memchr_inv(objects[i], 0, 100));
	}
	CHECK(t, !genp_cache_alloc(cache));
	EQUAL(t, genp_cache_avail(cache), 0);
	EQUAL(t, genp_cache_destroy(cache), -EBUSY);
	for (i = 0; i < 10; i++)
		EQUAL(t, genp_cache_free(cache, objects[i]), 0);
	EQUAL(t, genp_cache_destroy(cache), 0);
}

static void objects_have_one_owner(struct ktest *t)
{
	void *objects[OBJECTS - MINIMUM];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		objects[i] = genp_cache_alloc(t->cache);
		CHECK(t, objects[i]);
		if (!objects[i])
			return;
		memset(objects[i], i, OBJECT_SIZE);
	}
	/* The other objects are the element pool's minimum. */
	CHECK(t, !genp_cache_alloc(t->cache));
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		CHECK(t, !memchr_inv(objects[i], i, OBJECT_SIZE));
		EQUAL(t, genp_cache_free(t->cache, objects[i]), 0);
	}
	EQUAL(t, genp_cache_avail(t->cache), OBJECTS - MINIMUM);
}

static void cache_free_refuses_what_is_wrong(struct ktest *t)
{
	char *object = genp_cache_alloc(t->cache);

	CHECK(t, object);
	EQUAL(t, genp_cache_free(t->cache, object + 1), -EINVAL);
	EQUAL(t, genp_cache_free(t->cache, object - 100 * OBJECT_SIZE), -EINVAL);
	EQUAL(t, genp_cache_free(t->cache, object + 100 * OBJECT_SIZE), -EINVAL);
	EQUAL(t, genp_cache_free(t->cache, t), -EINVAL);
	EQUAL(t, genp_cache_free(t->cache, NULL), -EINVAL);
	EQUAL(t, genp_element_free(t->elements, object), -ESTALE);
	EQUAL(t, genp_cache_free(t->cache, object), 0);
	EQUAL(t, genp_cache_free(t->cache, object), -ESTALE);
}

/* Context: thread. */
static void elements_create_refuses_what_is_wrong(struct ktest *t)
{
	ERROR(t, genp_elements_create(t->cache, 0), -EINVAL);
	ERROR(t, genp_elements_create(t->cache, OBJECTS - MINIMUM + 1), -ENOSPC);
	/* A failed call takes no objects. */
	EQUAL(t, genp_cache_avail(t->cache), OBJECTS - MINIMUM);
}

/* Context: thread. */
static void nothing_goes_while_it_is_used(struct ktest *t)
{
	void *element = genp_element_alloc(t->elements);

	CHECK(t, element);
	EQUAL(t, genp_elements_destroy(t->elements), -EBUSY);
	EQUAL(t, genp_element_free(t->elements, element), 0);
	EQUAL(t, genp_cache_destroy(t->cache), -EBUSY);
}

static void a_minimum_is_there_when_the_cache_is_empty(struct ktest *t)
{
	void *objects[OBJECTS - MINIMUM], *elements[MINIMUM];
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = genp_cache_alloc(t->cache);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < MINIMUM; i++) {
			elements[i] = genp_element_alloc(t->elements);
			CHECK(t, elements[i]);
		}
		CHECK(t, !genp_element_alloc(t->elements));
		for (i = 0; i < MINIMUM; i++)
			EQUAL(t, genp_element_free(t->elements, elements[i]), 0);
		/* They belong to the minimum again, not to the cache. */
		CHECK(t, !genp_cache_alloc(t->cache));
	}
	for (i = 0; i < ARRAY_SIZE(objects); i++)
		EQUAL(t, genp_cache_free(t->cache, objects[i]), 0);
}

/* A pool can take all objects; the first ones that are freed refill its minimum. */
static void a_pool_takes_more_than_its_minimum(struct ktest *t)
{
	void *elements[OBJECTS];
	unsigned int i;

	for (i = 0; i < OBJECTS; i++) {
		elements[i] = genp_element_alloc(t->elements);
		CHECK(t, elements[i]);
	}
	CHECK(t, !genp_element_alloc(t->elements));
	for (i = 0; i < OBJECTS; i++) {
		EQUAL(t, genp_element_free(t->elements, elements[i]), 0);
		EQUAL(t, genp_cache_avail(t->cache), i < MINIMUM ? 0 : i + 1 - MINIMUM);
	}
}

static void element_free_refuses_what_is_wrong(struct ktest *t)
{
	char *element = genp_element_alloc(t->elements);

	CHECK(t, element);
	EQUAL(t, genp_element_free(t->elements, element + 1), -EINVAL);
	EQUAL(t, genp_element_free(t->elements, t), -EINVAL);
	EQUAL(t, genp_cache_free(t->cache, element), -ESTALE);
	EQUAL(t, genp_element_free(t->elements, element), 0);
	EQUAL(t, genp_element_free(t->elements, element), -ESTALE);
}

const struct kcase object_cases[] = {
	{ "cache_create_refuses_what_is_wrong", cache_create_refuses_what_is_wrong },
	{ "objects_are_aligned_and_zeroed", objects_are_aligned_and_zeroed },
	{ "objects_have_one_owner", objects_have_one_owner, true },
	{ "cache_free_refuses_what_is_wrong", cache_free_refuses_what_is_wrong, true },
	{ "elements_create_refuses_what_is_wrong", elements_create_refuses_what_is_wrong },
	{ "nothing_goes_while_it_is_used", nothing_goes_while_it_is_used },
	{ "a_minimum_is_there_when_the_cache_is_empty", a_minimum_is_there_when_the_cache_is_empty, true },
	{ "a_pool_takes_more_than_its_minimum", a_pool_takes_more_than_its_minimum, true },
	{ "element_free_refuses_what_is_wrong", element_free_refuses_what_is_wrong, true },
	{}
};
