// SPDX-License-Identifier: MIT OR Apache-2.0
/* Partitions with other heap managers. */
#define _GNU_SOURCE
#include "plugin.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RESERVE (1 << 20)

static genp_partition_t *part;
static char *blocks[RESERVE / 32];

static genp_partition_t *create(const struct genp_manager *manager)
{
	struct genp_create request = { .size = sizeof(request), .reserve = RESERVE,
				       .node = GENP_ANY_NODE };

	return genp_create_managed(&request, manager);
}

static uint64_t used(void)
{
	struct genp_heap_stat stat = { .size = sizeof(stat) };

	return genp_get_heap_stat(part, 0, &stat) ? UINT64_MAX : stat.used;
}

/* What holds for the heap of every manager. */
static int use(void)
{
	char *block, *other;

	CHECK(part && !used());
	for (size_t align = 16; align <= 4096; align *= 2) {
		block = genp_aligned_alloc(part, align, 1000);
		CHECK(block && (uintptr_t)block % align == 0 && genp_has(part, block));
		memset(block, 1, genp_usable_size(block));
		CHECK(genp_is_block(block) && !genp_is_block(block + 16));
		block = genp_realloc(block, 3000);
		CHECK(block && (uintptr_t)block % align == 0 && block[999] == 1);
		CHECK(genp_realloc(block, 10) == block && genp_usable_size(block) >= 10);
		CHECK(!genp_free(block));
		errno = 0;
		CHECK(genp_free(block) == -1 && errno == EINVAL);
	}
	block = genp_calloc(part, 10, 100);
	other = genp_alloc(part, 100);
	for (int i = 0; i < 1000; i++)
		CHECK(!block[i]);
	REFUSED(genp_realloc_in_place(other, RESERVE), ENOMEM);
	REFUSED(genp_free(block + 16), EINVAL);
	REFUSED(genp_alloc(part, RESERVE), ENOMEM);
	CHECK(!genp_free(block) && !genp_free(other) && !used());
	CHECK(genp_alloc_batch(part, 50, 100, (void **)blocks) == 100 && used() >= 5000);
	blocks[100] = NULL;
	CHECK(genp_free_batch(part, 101, (void **)blocks) == 101 && !used());
	return 0;
}

/* Blocks of a size are had as often as before, and all of them after all were freed. */
static int fill_and_free(void)
{
	size_t n = 0, again = 0;

	while ((blocks[n] = genp_alloc(part, 100)))
		memset(blocks[n++], 5, 100);
	CHECK(n > 1000 && errno == ENOMEM && used() <= RESERVE);
	for (size_t i = 0; i < n; i++)
		CHECK(!genp_free(blocks[i]));
	CHECK(!used());
	while (again < n && (blocks[again] = genp_alloc(part, 100)))
		again++;
	CHECK(again == n && !genp_free_all(part) && !used());
	REFUSED(genp_free(blocks[n / 2]), EINVAL);
	blocks[0] = genp_alloc(part, RESERVE / 4);
	CHECK(blocks[0] && !genp_free(blocks[0]));
	return genp_destroy(part);
}

CASE allocators_of_other_crates_are_managers(void)
{
	const struct genp_manager *managers[] = { genp_rlsf_manager(), genp_buddy_manager() };

	for (int i = 0; i < 2; i++) {
		int line;

		part = create(managers[i]);
		line = use();
		if (!line)
			line = fill_and_free();
		if (line)
			return line;
	}
	return 0;
}

/* The same for the heap of libgenp and for one that processes share. */
CASE a_heap_keeps_to_what_managers_do(void)
{
	struct genp_create request = { .size = sizeof(request), .reserve = RESERVE,
				       .node = GENP_ANY_NODE };
	int line;

	part = genp_create(RESERVE, 0);
	line = use();
	if (line)
		return line;
	CHECK(!fill_and_free());
	part = genp_create_shared(&request, 0);
	line = use();
	if (line)
		return line;
	REFUSED(genp_free_all(part), ENOTSUP);
	return genp_destroy(part);
}

CASE an_arena_frees_all_at_once(void)
{
	size_t n = 0, again = 0;
	int line;

	part = create(genp_arena_manager());
	line = use();
	if (line)
		return line;
	CHECK(!genp_free_all(part));
	while ((blocks[n] = genp_alloc(part, 100)))
		memset(blocks[n++], 5, 100);
	/* 112 bytes and a header, one behind the other. */
	CHECK(n == RESERVE / 128 && errno == ENOMEM && used() == n * 128);
	CHECK(blocks[1] == blocks[0] + 128);
	/* The last one can be had again, another one not. */
	CHECK(!genp_free(blocks[n - 1]) && genp_alloc(part, 100) == blocks[n - 1]);
	CHECK(!genp_free(blocks[5]) && !genp_alloc(part, 100));
	CHECK(!genp_free_all(part) && !used());
	for (size_t i = 0; i < n; i++)
		CHECK(!genp_is_block(blocks[i]));
	while (genp_alloc(part, 100))
		again++;
	CHECK(again == n && !genp_destroy(part));
	return 0;
}

/* A manager of the program's own: a block for each of 64 places. */
struct places {
	char *start;
	size_t size;
	char taken[64];
};

static int destroyed_heaps;

static void *begin(void *start, size_t length)
{
	struct places *places = calloc(1, sizeof(*places));

	if (places) {
		places->start = start;
		places->size = length / 64;
	}
	return places;
}

static void end(void *heap)
{
	destroyed_heaps++;
	free(heap);
}

static void *take(void *heap, size_t bytes, size_t align)
{
	struct places *places = heap;

	for (int i = 0; i < 64; i++)
		if (!places->taken[i] && bytes <= places->size && align <= 4096) {
			places->taken[i] = 1;
			return places->start + i * places->size;
		}
	errno = ENOMEM;
	return NULL;
}

static size_t bytes_of(void *heap, void *block)
{
	struct places *places = heap;
	size_t offset = (char *)block - places->start;

	if (offset % places->size == 0 && places->taken[offset / places->size])
		return places->size;
	errno = EINVAL;
	return 0;
}

static int give(void *heap, void *block)
{
	struct places *places = heap;

	if (!bytes_of(heap, block))
		return -1;
	places->taken[((char *)block - places->start) / places->size] = 0;
	return 0;
}

static size_t in_use(void *heap)
{
	struct places *places = heap;
	size_t n = 0;

	for (int i = 0; i < 64; i++)
		n += places->taken[i] * places->size;
	return n;
}

CASE a_program_brings_its_own_manager(void)
{
	struct genp_manager manager = { .size = sizeof(manager), .create = begin, .destroy = end,
					.alloc = take, .free = give, .usable = bytes_of,
					.used = in_use };
	struct genp_manager lacking = manager;
	size_t n = 0;

	part = create(&manager);
	CHECK(part && !used());
	while ((blocks[n] = genp_alloc(part, 100)))
		n++;
	CHECK(n == 64 && errno == ENOMEM && used() == RESERVE);
	CHECK(genp_usable_size(blocks[3]) == RESERVE / 64 && genp_realloc(blocks[3], 5000) == blocks[3]);
	REFUSED(genp_free(blocks[3] + 1), EINVAL);
	REFUSED(genp_free_all(part), ENOTSUP);
	for (size_t i = 0; i < n; i++)
		CHECK(!genp_free(blocks[i]));
	CHECK(!used() && !genp_destroy(part) && destroyed_heaps == 1);
	lacking.free = NULL;
	REFUSED(create(&lacking), EINVAL);
	lacking = manager;
	lacking.size--;
	REFUSED(create(&lacking), EINVAL);
	REFUSED(create(NULL), EINVAL);
	REFUSED(genp_create_managed(NULL, &manager), EINVAL);
	return 0;
}
