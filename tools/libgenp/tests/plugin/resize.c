// SPDX-License-Identifier: MIT OR Apache-2.0
/* A heap that becomes larger and smaller while it is used. */
#define _GNU_SOURCE
#include "plugin.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1UL << 20)

static genp_partition_t *made(size_t reserve, size_t most)
{
	struct genp_create request = { .size = sizeof(request), .reserve = reserve,
				       .node = GENP_ANY_NODE };

	return genp_create_resizable(&request, most);
}

static genp_partition_t *managed(const struct genp_manager *manager, size_t most)
{
	struct genp_create request = { .size = sizeof(request), .reserve = MIB,
				       .node = GENP_ANY_NODE };

	return genp_create_managed_resizable(&request, manager, most);
}

static uint64_t heap_bytes(genp_partition_t *part)
{
	struct genp_heap_stat stat = { .size = sizeof(stat) };

	return genp_get_heap_stat(part, 0, &stat) ? 0 : stat.bytes;
}

static uint64_t used(genp_partition_t *part)
{
	struct genp_heap_stat stat = { .size = sizeof(stat) };

	return genp_get_heap_stat(part, 0, &stat) ? UINT64_MAX : stat.used;
}

CASE a_heap_grows_where_it_is(void)
{
	genp_partition_t *part = made(MIB, 8 * MIB);
	size_t length;
	char *start, *small, *large;

	CHECK(part && (small = genp_alloc(part, 900000)));
	memset(small, 7, 900000);
	REFUSED(genp_alloc(part, 3 * MIB), ENOMEM);
	CHECK(!genp_resize(part, 4 * MIB));
	CHECK((start = genp_reserve(part, &length)) && length == 4 * MIB);
	CHECK(genp_is_block(small) && small[0] == 7 && small[899999] == 7);
	/* Over the old end, and what is told there. */
	CHECK(!genp_free(small) && (large = genp_alloc(part, 3 * MIB + MIB / 2)));
	memset(large, 8, 3 * MIB + MIB / 2);
	CHECK(genp_has(part, start + 4 * MIB - 1) && !genp_has(part, start + 4 * MIB));
	REFUSED(genp_free(start + 4 * MIB + 64), EINVAL);
	CHECK(!genp_free(large) && !used(part));
	CHECK(!genp_resize(part, 4 * MIB) && !genp_resize(part, 4 * MIB - 1));
	return genp_destroy(part);
}

CASE a_heap_shrinks_when_its_end_is_free(void)
{
	genp_partition_t *part = made(MIB, 4 * MIB);
	void *blocks[4096];
	uint64_t first;
	char *start;
	int n = 0;

	CHECK(part && (first = heap_bytes(part)));
	CHECK(!genp_resize(part, 2 * MIB) && !genp_resize(part, 3 * MIB));
	while (n < 4096 && (blocks[n] = genp_alloc(part, 1000)))
		n++;
	CHECK(n > 2500 && n < 4096);
	REFUSED(genp_resize(part, 2 * MIB), EBUSY);
	REFUSED(genp_resize(part, 2 * MIB + MIB / 2), EINVAL);
	REFUSED(genp_resize(part, 0), EINVAL);
	/* Some of them go to the cache of the thread, from where they are had back. */
	while (n > 500)
		CHECK(!genp_free(blocks[--n]));
	CHECK(!genp_resize(part, MIB) && heap_bytes(part) == first);
	start = genp_reserve(part, NULL);
	/* What is gone can be read, by who looked for a block there before. */
	CHECK(!*(volatile char *)(start + 2 * MIB));
	REFUSED(genp_free(start + 2 * MIB + 16), EINVAL);
	for (int i = 0; i < n; i++)
		CHECK(!genp_free(blocks[i]));
	CHECK(!used(part) && !genp_resize(part, 4 * MIB));
	CHECK((blocks[0] = genp_alloc(part, 3 * MIB)));
	memset(blocks[0], 1, 3 * MIB);
	REFUSED(genp_resize(part, MIB), EBUSY);
	CHECK(!genp_free(blocks[0]) && !genp_resize(part, MIB));
	return genp_destroy(part);
}

CASE only_what_was_made_for_it_is_resized(void)
{
	genp_partition_t *part = genp_create(MIB, 0);
	struct genp_create request = { .size = sizeof(request), .reserve = MIB,
				       .node = GENP_ANY_NODE };

	CHECK(part);
	REFUSED(genp_resize(part, 2 * MIB), EOPNOTSUPP);
	CHECK(!genp_destroy(part));
	REFUSED(genp_resize(NULL, 2 * MIB), EINVAL);
	REFUSED(genp_create_resizable(NULL, MIB), EINVAL);
	REFUSED(made(MIB, MIB - 4096), E2BIG);
	REFUSED(made(MIB, SIZE_MAX), E2BIG);
	REFUSED(made(MIB, SIZE_MAX / 2), ENOMEM);
	REFUSED(made(0, MIB), EINVAL);
	CHECK((part = made(MIB, 40 * MIB)));
	REFUSED(genp_resize(part, 40 * MIB + 1), E2BIG);
	for (size_t i = 2; i <= 32; i++)
		CHECK(!genp_resize(part, i * MIB));
	REFUSED(genp_resize(part, 33 * MIB), ENOMEM);
	CHECK(!genp_resize(part, MIB) && !genp_resize(part, 40 * MIB));
	CHECK(!genp_destroy(part));
	part = genp_create_managed(&request, genp_arena_manager());
	CHECK(part);
	REFUSED(genp_resize(part, 2 * MIB), EOPNOTSUPP);
	return genp_destroy(part);
}

/* With the heap manager of libgenp, or this one. */
static int refused_in_the_middle(const struct genp_manager *manager)
{
	for (int step = 1, through = 0; through < 2; step++) {
		genp_partition_t *part = manager ? managed(manager, 8 * MIB) : made(MIB, 8 * MIB);
		char *block;

		CHECK(part && step < 50);
		CHECK((block = genp_alloc(part, 900000)));
		memset(block, step, 900000);
		fail_at(step);
		if (!genp_resize(part, 4 * MIB))
			genp_resize(part, MIB);
		through += all_succeeded();
		fail_at(0);
		CHECK(genp_is_block(block) && block[0] == step && block[899999] == step);
		REFUSED(genp_alloc(part, 2 * MIB), ENOMEM);
		CHECK(!genp_resize(part, 8 * MIB) && !genp_free(block));
		CHECK((block = genp_alloc(part, 7 * MIB)));
		memset(block, 1, 7 * MIB);
		CHECK(!genp_free(block) && !genp_resize(part, MIB) && !used(part));
		CHECK(!genp_destroy(part));
	}
	return 0;
}

/* Whatever call of the kernel fails, blocks stay and the next call does what this one did not. */
CASE who_is_refused_in_the_middle_goes_on(void)
{
	int line = refused_in_the_middle(NULL);

	return line ? line : refused_in_the_middle(genp_arena_manager());
}

CASE an_arena_grows_and_shrinks_behind_its_blocks(void)
{
	genp_partition_t *part = managed(genp_arena_manager(), 4 * MIB);
	char *first, *second;

	CHECK(part && heap_bytes(part) == MIB && (first = genp_alloc(part, 900000)));
	memset(first, 5, 900000);
	REFUSED(genp_alloc(part, MIB), ENOMEM);
	CHECK(!genp_resize(part, 2 * MIB) && !genp_resize(part, 4 * MIB));
	CHECK(heap_bytes(part) == 4 * MIB && (second = genp_alloc(part, 3 * MIB)));
	memset(second, 6, 3 * MIB);
	CHECK(second < first + MIB && first[899999] == 5);
	REFUSED(genp_resize(part, 2 * MIB), EBUSY);
	CHECK(heap_bytes(part) == 4 * MIB && genp_is_block(second) && second[3 * MIB - 1] == 6);
	CHECK(!genp_free(second) && !genp_resize(part, MIB) && heap_bytes(part) == MIB);
	REFUSED(genp_free(second), EINVAL);
	REFUSED(genp_alloc(part, MIB), ENOMEM);
	CHECK(genp_is_block(first) && first[0] == 5 && !genp_free_all(part));
	REFUSED(genp_alloc(part, MIB), ENOMEM);
	CHECK(!genp_resize(part, 3 * MIB) && genp_alloc(part, 2 * MIB));
	return genp_destroy(part);
}

CASE heaps_of_other_crates_only_grow(void)
{
	const struct genp_manager *managers[] = { genp_rlsf_manager(), genp_buddy_manager() };

	for (int i = 0; i < 2; i++) {
		genp_partition_t *part = managed(managers[i], 4 * MIB);
		char *first, *second;

		CHECK(part && (first = genp_alloc(part, 300000)));
		memset(first, 5, 300000);
		REFUSED(genp_alloc(part, MIB), ENOMEM);
		CHECK(!genp_resize(part, 4 * MIB) && heap_bytes(part) == 4 * MIB);
		CHECK((second = genp_alloc(part, MIB)));
		memset(second, 6, MIB);
		CHECK(first[0] == 5 && first[299999] == 5 && genp_usable_size(second) >= MIB);
		REFUSED(genp_resize(part, MIB), EOPNOTSUPP);
		CHECK(!genp_free(first) && !genp_free(second) && !used(part));
		REFUSED(genp_resize(part, MIB), EOPNOTSUPP);
		CHECK(heap_bytes(part) == 4 * MIB && (second = genp_alloc(part, MIB)));
		CHECK(!genp_free_all(part) && genp_alloc(part, MIB) && !genp_destroy(part));
	}
	return 0;
}

CASE who_cannot_resize_is_told_so(void)
{
	struct genp_manager manager = *genp_arena_manager();
	genp_partition_t *part;
	char *block;

	manager.resize = NULL;
	CHECK((part = managed(&manager, 4 * MIB)) && (block = genp_alloc(part, 1000)));
	REFUSED(genp_resize(part, 2 * MIB), EOPNOTSUPP);
	CHECK(heap_bytes(part) == MIB && genp_is_block(block) && !genp_resize(part, MIB));
	REFUSED(genp_create_managed_resizable(NULL, &manager, MIB), EINVAL);
	REFUSED(managed(NULL, MIB), EINVAL);
	REFUSED(managed(&manager, MIB - 4096), E2BIG);
	return genp_destroy(part);
}

static genp_partition_t *busy;
static atomic_bool stop;
static atomic_int wrong;

/* Allocates and frees, and has each block as it wrote it. */
static void *load(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	char *held[64] = { 0 };
	size_t sizes[64];

	while (!stop) {
		int i = rand_r(&seed) % 64;

		if (held[i]) {
			if (held[i][0] != i || held[i][sizes[i] - 1] != i || genp_free(held[i]))
				wrong++;
			held[i] = NULL;
			continue;
		}
		sizes[i] = 1 + rand_r(&seed) % (i % 8 ? 500 : 20000);
		held[i] = genp_alloc(busy, sizes[i]);
		if (held[i])
			held[i][0] = held[i][sizes[i] - 1] = i;
	}
	for (int i = 0; i < 64; i++)
		if (held[i] && genp_free(held[i]))
			wrong++;
	return NULL;
}

CASE threads_go_on_while_it_is_resized(void)
{
	unsigned int seed = 1;
	int grown = 0, shrunk = 0;
	pthread_t threads[4];

	busy = made(MIB, 16 * MIB);
	CHECK(busy);
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, load, (void *)(i + 1)));
	for (int i = 0; i < 3000; i++) {
		size_t length, bytes = (1 + rand_r(&seed) % 16) * MIB;

		CHECK(genp_reserve(busy, &length));
		if (!genp_resize(busy, bytes)) {
			grown += bytes > length;
			shrunk += bytes < length;
			continue;
		}
		CHECK(bytes < length ? errno == EBUSY || errno == EINVAL : errno == ENOMEM);
	}
	stop = true;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK(!wrong && grown > 20 && shrunk > 20);
	CHECK(!genp_resize(busy, MIB) && !used(busy));
	return genp_destroy(busy);
}

CASE a_forked_child_resizes_nothing(void)
{
	genp_partition_t *part = made(MIB, 4 * MIB);
	pid_t pid;

	CHECK(part && !genp_resize(part, 2 * MIB));
	pid = fork();
	if (!pid) {
		errno = 0;
		_exit(genp_resize(part, 4 * MIB) == -1 && errno == ECHILD ? 0 : 1);
	}
	CHECK(!ending(pid) && !genp_resize(part, 4 * MIB));
	return genp_destroy(part);
}
