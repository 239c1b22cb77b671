// SPDX-License-Identifier: MIT OR Apache-2.0
/* What can be asked about blocks, and what is done with many of them. */
#define _GNU_SOURCE
#include "plugin.h"
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define RESERVE (4 << 20)
#define MANY 5000

static genp_partition_t *part;
static void *blocks[MANY];

CASE a_block_says_what_it_has(void)
{
	static const size_t sizes[] = { 0, 1, 16, 17, 100, 255, 257, 4096, 5000, 65536, 65537, 1000000 };
	int nothing;

	part = genp_create(RESERVE, 0);
	CHECK(part);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *block = genp_alloc(part, sizes[i]);

		CHECK(block && genp_is_block(block) && genp_size(block) == sizes[i]);
		CHECK(genp_usable_size(block) >= sizes[i] && genp_usable_size(block) >= 16);
		CHECK(genp_usable_size(block) <= sizes[i] + sizes[i] / 16 + 16);
		/* All of it can be used: nothing else is broken by that. */
		memset(block, 0xff, genp_usable_size(block));
		CHECK(!genp_is_block(block + 16) && !genp_is_block(block + 1));
		CHECK(!genp_free(block) && !genp_is_block(block));
		REFUSED(genp_usable_size(block), EINVAL);
		REFUSED(genp_size(block), EINVAL);
	}
	REFUSED(genp_usable_size(&nothing), EINVAL);
	CHECK(!genp_is_block(&nothing) && !genp_is_block(NULL));
	CHECK(!genp_usable_size(NULL) && !genp_size(NULL));
	CHECK(!genp_destroy(part));
	return 0;
}

CASE a_block_grows_where_it_is_or_stays(void)
{
	char *block, *next;

	part = genp_create(RESERVE, 0);
	block = genp_alloc(part, 100000);
	next = genp_alloc(part, 100000);
	CHECK(block && next);
	memset(block, 7, 100000);
	REFUSED(genp_realloc_in_place(block, 200000), ENOMEM);
	CHECK(genp_size(block) == 100000 && block[0] == 7 && block[99999] == 7);
	CHECK(!genp_free(next));
	CHECK(!genp_realloc_in_place(block, 200000) && genp_size(block) == 200000);
	CHECK(block[0] == 7 && block[99999] == 7);
	CHECK(!genp_realloc_in_place(block, 10) && genp_usable_size(block) < 100);
	REFUSED(genp_realloc_in_place(block, SIZE_MAX), ENOMEM);
	REFUSED(genp_realloc_in_place(block + 1, 10), EINVAL);
	CHECK(!genp_free(block));
	REFUSED(genp_realloc_in_place(block, 10), EINVAL);
	CHECK(!genp_destroy(part));
	return 0;
}

/* No two of them overlap, and each is a block. */
static int check_distinct(size_t n, size_t size)
{
	for (size_t i = 0; i < n; i++) {
		CHECK(genp_size(blocks[i]) == size);
		memset(blocks[i], (int)i, size);
	}
	for (size_t i = 0; i < n; i++)
		CHECK(((unsigned char *)blocks[i])[size - 1] == (unsigned char)i);
	return 0;
}

CASE a_batch_is_allocated_and_freed(void)
{
	static const size_t sizes[] = { 1, 100, 700, 70000 };
	void *no_block = &part;

	part = genp_create(RESERVE, 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t wanted = sizes[i] > 700 ? 30 : MANY;
		size_t n = genp_alloc_batch(part, sizes[i], wanted, blocks);

		CHECK(n == wanted && !check_distinct(n, sizes[i]));
		/* With some of them in the cache. */
		CHECK(genp_free_batch(part, n / 2, blocks) == n / 2);
		CHECK(genp_alloc_batch(part, sizes[i], n / 2, blocks) == n / 2);
		CHECK(!check_distinct(n, sizes[i]));
		CHECK(genp_free_batch(part, n, blocks) == n);
		REFUSED(genp_free(blocks[n - 1]), EINVAL);
	}
	/* What there is, and why not more. */
	errno = 0;
	CHECK(genp_alloc_batch(part, 100000, MANY, blocks) >= 40 && errno == ENOMEM);
	CHECK(!genp_alloc(part, 100000));
	blocks[3] = NULL;
	blocks[5] = no_block;
	errno = 0;
	CHECK(genp_free_batch(part, 10, blocks) == 5 && errno == EINVAL);
	/* The same block twice in a batch. */
	blocks[7] = blocks[6];
	CHECK(genp_free_batch(part, 4, blocks + 6) == 1 && errno == EINVAL);
	REFUSED(genp_alloc_batch(NULL, 100, 1, blocks), EINVAL);
	REFUSED(genp_alloc_batch(part, 100, 1, NULL), EINVAL);
	REFUSED(genp_free_batch(NULL, 1, blocks), EINVAL);
	CHECK(!genp_alloc_batch(part, 100, 0, NULL) && !genp_free_batch(part, 0, NULL));
	CHECK(!genp_destroy(part));
	return 0;
}

CASE all_blocks_are_freed_at_once(void)
{
	struct genp_heap_stat before = { .size = sizeof(before) }, stat = before;
	size_t n, again;

	part = genp_create(RESERVE, 0);
	CHECK(!genp_get_heap_stat(part, 0, &before));
	for (int round = 0; round < 100; round++) {
		n = genp_alloc_batch(part, 1000, MANY, blocks);
		CHECK(n > 1000 && errno == ENOMEM);
		for (size_t i = 0; i < n; i += 3)
			CHECK(!genp_free(blocks[i]));
		CHECK(!genp_free_all(part));
		/* None of them is one any longer, where others are neither. */
		for (size_t i = 0; i < n; i++) {
			CHECK(!genp_is_block(blocks[i]));
			REFUSED(genp_free(blocks[i]), EINVAL);
		}
		CHECK(!genp_get_heap_stat(part, 0, &stat));
		CHECK(!stat.used && !stat.taken && !stat.cached_blocks);
		CHECK(stat.free == before.free && stat.largest == before.largest);
		again = genp_alloc_batch(part, 1000, MANY, blocks);
		CHECK(again == n && !check_distinct(n, 1000));
		CHECK(!genp_free_all(part));
	}
	REFUSED(genp_free_all(NULL), EINVAL);
	CHECK(!genp_destroy(part));
	return 0;
}

CASE addresses_and_offsets_belong_together(void)
{
	uint64_t offset, lease_offset;
	char *start, *block, *lease, outside;
	size_t length;

	part = genp_create(RESERVE, 1 << 20);
	start = genp_reserve(part, &length);
	CHECK(start && length == RESERVE && genp_reserve(part, NULL) == start);
	block = genp_alloc(part, 100);
	lease = genp_borrow(part, 4096, 0);
	CHECK(block && lease);
	CHECK(!genp_offset(part, block, &offset) && !genp_offset(part, lease, &lease_offset));
	CHECK(offset == (uint64_t)(block - start) && lease_offset >= RESERVE);
	CHECK(genp_at(part, offset, 100) == block && genp_at(part, lease_offset, 4096) == lease);
	CHECK(genp_at(part, 0, RESERVE) == start);
	REFUSED(genp_at(part, 1, RESERVE), EINVAL);
	REFUSED(genp_at(part, UINT64_MAX, 1), EINVAL);
	REFUSED(genp_at(part, 0, SIZE_MAX), EINVAL);
	REFUSED(genp_offset(part, &outside, &offset), EINVAL);
	REFUSED(genp_offset(part, block, NULL), EINVAL);
	CHECK(genp_has(part, block) && genp_has(part, lease) && !genp_has(part, &outside));
	CHECK(!genp_has(NULL, block));
	CHECK(genp_partition_of(block) == part && genp_partition_of(lease) == part);
	REFUSED(genp_partition_of(&outside), EINVAL);
	CHECK(!genp_return(lease) && !genp_free(block) && !genp_destroy(part));
	return 0;
}

CASE statistics_of_a_heap_add_up(void)
{
	struct genp_heap_stat empty = { .size = sizeof(empty) }, stat = empty;
	struct genp_class_stat class_stat = { .size = sizeof(class_stat) };
	uint64_t cached = 0, last = 0;
	uint32_t short_one[2] = { 8, 0 };

	part = genp_create(RESERVE, 0);
	CHECK(!genp_get_heap_stat(part, 0, &empty));
	CHECK(!empty.used && !empty.taken && !empty.fragmentation && !empty.refusals);
	CHECK(empty.bytes == empty.free && empty.largest > RESERVE / 33 * 32 && empty.largest < RESERVE);
	/* That much there is indeed, and not more. */
	blocks[0] = genp_alloc(part, empty.largest);
	CHECK(blocks[0] && !genp_free(blocks[0]) && !genp_alloc(part, empty.largest + 1));
	for (int i = 0; i < 1000; i++)
		blocks[i] = genp_alloc(part, 1000);
	CHECK(!genp_get_heap_stat(part, 0, &stat));
	CHECK(stat.used == 1000 * 1040 && stat.taken == stat.used && stat.free == stat.bytes - stat.used);
	CHECK(stat.refusals == 1 && stat.taken_peak > empty.largest);
	for (int i = 0; i < 1000; i += 2)
		CHECK(!genp_free(blocks[i]));
	CHECK(!genp_get_heap_stat(part, GENP_HEAP_RESET_PEAK, &stat));
	CHECK(stat.used == 500 * 1040 && stat.taken == stat.used + stat.cached_blocks * 1040);
	CHECK(stat.cached_blocks > 0 && stat.fragmentation > 100 && stat.fragmentation < 200);
	CHECK(!genp_get_heap_stat(part, 0, &stat) && stat.taken_peak == stat.taken);
	for (uint32_t i = 0; i < stat.classes; i++) {
		CHECK(!genp_get_class_stat(part, i, &class_stat) && class_stat.bytes > last);
		CHECK(class_stat.cached_blocks <= class_stat.limit);
		CHECK(!class_stat.cached_blocks || class_stat.bytes == 1024);
		last = class_stat.bytes;
		cached += class_stat.cached_blocks;
	}
	CHECK(cached == stat.cached_blocks && last == 65536);
	REFUSED(genp_get_class_stat(part, stat.classes, &class_stat), EINVAL);
	REFUSED(genp_get_heap_stat(part, 2, &stat), EINVAL);
	REFUSED(genp_get_heap_stat(part, 0, NULL), EINVAL);
	/* A caller that knows less, and one that knows nothing. */
	CHECK(!genp_get_heap_stat(part, 0, (void *)short_one) && short_one[1] == stat.classes);
	short_one[0] = 0;
	REFUSED(genp_get_heap_stat(part, 0, (void *)short_one), EINVAL);
	CHECK(!genp_destroy(part));
	return 0;
}

static volatile int used, attached;

/* Only read, write, exit and the return from a handler are allowed to it then. */
static void *use_in_strict_mode(void *arg)
{
	void *block;

	attached = !genp_thread_attach() && !genp_thread_attach();
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		syscall(SYS_exit, 0);
	block = genp_alloc(arg, 100);
	used = block && !genp_free(block) && (block = genp_alloc(arg, 100000)) && !genp_free(block);
	syscall(SYS_exit, 0);
	return NULL;
}

CASE an_attached_thread_makes_no_system_call(void)
{
	pthread_t thread;

	part = genp_create(RESERVE, 0);
	CHECK(!pthread_create(&thread, NULL, use_in_strict_mode, part));
	CHECK(!pthread_join(thread, NULL));
	CHECK(attached && used);
	CHECK(!genp_destroy(part));
	return 0;
}
