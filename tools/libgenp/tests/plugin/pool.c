// SPDX-License-Identifier: MIT OR Apache-2.0
/* Pools of objects. */
#define _GNU_SOURCE
#include "plugin.h"
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define RESERVE (1 << 20)
#define OBJECTS 100
#define THREADS 4

static genp_partition_t *part;
static genp_pool_t *pool;
static char *objects[OBJECTS + 8], *rest[RESERVE / 32];

static struct genp_pool_stat state(void)
{
	struct genp_pool_stat stat = { .size = sizeof(stat) };

	if (genp_pool_get_stat(pool, &stat))
		memset(&stat, 0xff, sizeof(stat));
	return stat;
}

/* All that is left of the heap. */
static void exhaust(void)
{
	for (size_t n = 0; (rest[n] = genp_alloc(part, 16)); n++)
		;
}

CASE objects_are_guaranteed(void)
{
	part = genp_create(RESERVE, 0);
	pool = genp_pool_create(part, 200, 64, OBJECTS, 0);
	CHECK(pool && state().objects == OBJECTS && state().stride == 256 && !state().used);
	exhaust();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < OBJECTS; i++) {
			objects[i] = genp_pool_alloc(pool);
			CHECK(objects[i] && (uintptr_t)objects[i] % 64 == 0);
			memset(objects[i], i, 200);
		}
		errno = 0;
		CHECK(!genp_pool_alloc(pool) && errno == ENOMEM);
		CHECK(state().used == OBJECTS && state().used_peak == OBJECTS);
		CHECK(state().refusals == (uint64_t)round + 1);
		REFUSED(genp_pool_destroy(pool), EBUSY);
		for (int i = 0; i < OBJECTS; i++) {
			CHECK(objects[i][0] == i && objects[i][199] == i);
			CHECK(!genp_pool_free(pool, objects[i]));
			REFUSED(genp_pool_free(pool, objects[i]), EINVAL);
		}
	}
	REFUSED(genp_pool_free(pool, objects[0] + 1), EINVAL);
	REFUSED(genp_pool_free(pool, rest[0]), EINVAL);
	REFUSED(genp_pool_free(pool, &pool), EINVAL);
	CHECK(!genp_pool_free(pool, NULL) && !state().used);
	CHECK(!genp_pool_destroy(pool));
	/* Its memory is the heap's again. */
	CHECK(genp_alloc(part, 200 * OBJECTS));
	CHECK(!genp_destroy(part));
	return 0;
}

CASE a_pool_grows_if_it_is_to(void)
{
	part = genp_create(RESERVE, 0);
	pool = genp_pool_create(part, 200, 0, OBJECTS, GENP_POOL_GROW);
	CHECK(pool);
	for (int i = 0; i < OBJECTS + 8; i++)
		CHECK((objects[i] = genp_pool_alloc(pool)));
	CHECK(state().used == OBJECTS && state().extra == 8);
	CHECK(!genp_pool_free(pool, objects[OBJECTS + 7]));
	REFUSED(genp_pool_free(pool, objects[OBJECTS + 7]), EINVAL);
	CHECK(state().extra == 7);
	exhaust();
	REFUSED(genp_pool_alloc(pool), ENOMEM);
	for (int i = 0; i < OBJECTS + 7; i++)
		CHECK(!genp_pool_free(pool, objects[i]));
	CHECK(!state().used && !state().extra && !genp_pool_destroy(pool));
	CHECK(!genp_destroy(part));
	return 0;
}

CASE senseless_pools_are_refused(void)
{
	part = genp_create(RESERVE, 0);
	REFUSED(genp_pool_create(part, 0, 0, 1, 0), EINVAL);
	REFUSED(genp_pool_create(part, 1, 3, 1, 0), EINVAL);
	REFUSED(genp_pool_create(part, 1, 0, 0, 0), EINVAL);
	REFUSED(genp_pool_create(part, 1, 0, (1 << 24) + 1, 0), EINVAL);
	REFUSED(genp_pool_create(part, 1, 0, 1, 2), EINVAL);
	REFUSED(genp_pool_create(NULL, 1, 0, 1, 0), EINVAL);
	REFUSED(genp_pool_create(part, SIZE_MAX, 0, 1, 0), ENOMEM);
	REFUSED(genp_pool_create(part, SIZE_MAX / 2, 0, 16, 0), ENOMEM);
	REFUSED(genp_pool_create(part, RESERVE, 0, 1, 0), ENOMEM);
	REFUSED(genp_pool_alloc(NULL), EINVAL);
	REFUSED(genp_pool_free(NULL, &part), EINVAL);
	REFUSED(genp_pool_destroy(NULL), EINVAL);
	CHECK(!genp_destroy(part));
	return 0;
}

static volatile int wrong;

/* Each object has one owner at a time. */
static void *use_objects(void *arg)
{
	char *mine[8];

	for (int round = 0; round < 20000; round++) {
		int n = 0;

		while (n < 8 && (mine[n] = genp_pool_alloc(pool)))
			memset(mine[n++], (int)(uintptr_t)arg, 64);
		while (n--) {
			for (int i = 0; i < 64; i++)
				if (mine[n][i] != (int)(uintptr_t)arg)
					wrong = __LINE__;
			if (genp_pool_free(pool, mine[n]))
				wrong = __LINE__;
		}
	}
	return NULL;
}

CASE threads_share_a_pool(void)
{
	pthread_t threads[THREADS];

	part = genp_create(RESERVE, 0);
	pool = genp_pool_create(part, 64, 0, 8 * (THREADS - 1), 0);
	CHECK(pool);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, use_objects, (void *)i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(!wrong && !state().used && !genp_pool_destroy(pool));
	CHECK(!genp_destroy(part));
	return 0;
}

CASE a_child_is_refused_its_parents_pool(void)
{
	pid_t pid;

	part = genp_create(RESERVE, 0);
	pool = genp_pool_create(part, 64, 0, 8, 0);
	objects[0] = genp_pool_alloc(pool);
	CHECK(objects[0]);
	pid = fork();
	if (!pid) {
		errno = 0;
		if (genp_pool_alloc(pool) || errno != ECHILD)
			_exit(1);
		if (!genp_pool_free(pool, objects[0]) || errno != ECHILD)
			_exit(2);
		_exit(genp_pool_destroy(pool) || genp_destroy(part));
	}
	CHECK(!ending(pid));
	CHECK(!genp_pool_free(pool, objects[0]) && !genp_pool_destroy(pool) && !genp_destroy(part));
	return 0;
}
