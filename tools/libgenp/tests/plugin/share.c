// SPDX-License-Identifier: MIT OR Apache-2.0
/* Threads that share a heap: what one has free, another gets, and nobody waits long. */
#define _GNU_SOURCE
#include "plugin.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

static genp_partition_t *part;
static void *blocks[1 << 15];

#define ROUNDS 3000
#define KEPT 8

static pthread_barrier_t turn;
static atomic_int asked;
static char *kept[KEPT];

/* Frees its blocks, and uses one of them at a time while another thread asks for one. */
static void *use_one(void *arg)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < KEPT; i++)
			genp_free(kept[i]);
		pthread_barrier_wait(&turn);
		while (!atomic_load(&asked))
			genp_free(genp_alloc(part, 64));
		pthread_barrier_wait(&turn);
		pthread_barrier_wait(&turn);
		for (int i = 0; i < KEPT; i++)
			kept[i] = genp_alloc(part, 64);
	}
	return arg;
}

CASE free_blocks_of_a_thread_are_had_by_another(void)
{
	size_t n = 0, refused = 0;
	pthread_t user;

	part = genp_create(1 << 20, 0);
	CHECK(part);
	while ((blocks[n] = genp_alloc(part, 64)))
		n++;
	CHECK(n > KEPT && !pthread_barrier_init(&turn, NULL, 2));
	for (int i = 0; i < KEPT; i++)
		kept[i] = blocks[--n];
	CHECK(!pthread_create(&user, NULL, use_one, NULL));
	for (int round = 0; round < ROUNDS; round++) {
		void *block;

		pthread_barrier_wait(&turn);
		for (volatile int i = 0; i < round % 100; i++)
			;
		block = genp_alloc(part, 64);
		atomic_store(&asked, 1);
		if (!block)
			refused++;
		pthread_barrier_wait(&turn);
		atomic_store(&asked, 0);
		/* To the heap, not to a cache of ours. */
		CHECK(!block || genp_realloc(block, 20) == block);
		CHECK(!genp_free(block));
		for (int i = 0; i < 2; i++)
			genp_free(genp_alloc(part, 500000));
		pthread_barrier_wait(&turn);
	}
	CHECK(!pthread_join(user, NULL));
	if (refused) {
		fprintf(stderr, "%zu of %d were refused\n", refused, ROUNDS);
		return __LINE__;
	}
	for (int i = 0; i < KEPT; i++)
		CHECK(!genp_free(kept[i]));
	while (n)
		CHECK(!genp_free(blocks[--n]));
	return genp_destroy(part);
}

#define MANY 24
#define BURST 32

static atomic_long waits;

/* Bursts of blocks, which a thread has of its own after a while. */
static void *burst(void *arg)
{
	struct rusage before, after;
	void *mine[BURST];

	for (int round = 0; round < 3000; round++) {
		if (round == 1000)
			getrusage(RUSAGE_THREAD, &before);
		for (int i = 0; i < BURST; i++)
			mine[i] = genp_alloc(part, (size_t)arg);
		for (int i = 0; i < BURST; i++)
			if (!mine[i] || genp_free(mine[i]))
				abort();
	}
	getrusage(RUSAGE_THREAD, &after);
	atomic_fetch_add(&waits, after.ru_nvcsw - before.ru_nvcsw);
	return NULL;
}

/* Voluntary switches are waits for the lock. */
CASE threads_with_bursts_do_not_wait(void)
{
	static const size_t sizes[] = { 64, 1000, 8192 };
	pthread_t threads[MANY];

	part = genp_create(64 << 20, 0);
	CHECK(part);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		for (int j = 0; j < MANY; j++)
			CHECK(!pthread_create(&threads[j], NULL, burst, (void *)sizes[i]));
		for (int j = 0; j < MANY; j++)
			CHECK(!pthread_join(threads[j], NULL));
		fprintf(stderr, "%zu bytes: %ld waits\n", sizes[i], (long)waits);
	}
	/* Of 4.6 million pairs. */
	CHECK(waits < 5000);
	return genp_destroy(part);
}
