// SPDX-License-Identifier: MIT OR Apache-2.0
/* What the heap promises: what was freed can be had again, and stays where it is. */
#define _GNU_SOURCE
#include "plugin.h"
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RESERVE (8 << 20)

static genp_partition_t *part;
static char *blocks[RESERVE / 32];

static size_t fill(size_t align, size_t size)
{
	size_t n = 0;

	while ((blocks[n] = align > 16 ? genp_aligned_alloc(part, align, size) :
					 genp_alloc(part, size))) {
		memset(blocks[n], n, size < 64 ? size : 64);
		n++;
	}
	return n;
}

static int free_all(size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK(!genp_free(blocks[i]));
	return 0;
}

/* Fills the heap, frees every other block, and asks for as many again. */
static int refill(size_t align, size_t size)
{
	size_t n = fill(align, size), again = 0;

	CHECK(n > 2 && errno == ENOMEM);
	for (size_t i = 0; i < n; i += 2)
		CHECK(!genp_free(blocks[i]));
	for (size_t i = 0; i < n; i += 2, again++) {
		blocks[i] = align > 16 ? genp_aligned_alloc(part, align, size) :
					 genp_alloc(part, size);
		if (!blocks[i]) {
			fprintf(stderr, "%zu bytes aligned to %zu: %zu of %zu\n", size, align,
				again, (n + 1) / 2);
			return __LINE__;
		}
	}
	return free_all(n);
}

CASE what_was_freed_can_be_had_again(void)
{
	static const size_t sizes[] = { 16,   48,    100,   600,   1000,   2048,   4096,  5000,
					8192, 10000, 16384, 32768, 65536, 100000, 131072, 1000000 };
	int line = 0;

	part = genp_create(RESERVE, 0);
	CHECK(part);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		line = refill(16, sizes[i]) ?: line;
	for (size_t align = 32; align <= 65536; align *= 2)
		line = refill(align, align) ?: refill(align, 3 * align - 40) ?: line;
	return line ?: genp_destroy(part);
}

/* Every other page: the header of each is in the page before. */
CASE aligned_blocks_lie_close(void)
{
	size_t n;

	part = genp_create(RESERVE, 0);
	CHECK(part);
	n = fill(4096, 4096);
	if (n < RESERVE / 8192 - 1) {
		fprintf(stderr, "%zu of %d\n", n, RESERVE / 8192);
		return __LINE__;
	}
	/* What is between them is good for others. */
	for (size_t i = n; i < 2 * n; i++) {
		blocks[i] = genp_alloc(part, 3584);
		CHECK(blocks[i]);
	}
	CHECK(!free_all(2 * n));
	return genp_destroy(part);
}

CASE only_powers_of_two_are_alignments(void)
{
	static const size_t wrong[] = { 0, 3, 12, 24, 100, SIZE_MAX };

	part = genp_create(RESERVE, 0);
	CHECK(part);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		errno = 0;
		CHECK(!genp_aligned_alloc(part, wrong[i], 100) && errno == EINVAL);
	}
	for (size_t align = 1; align <= 1 << 20; align *= 2) {
		char *block = genp_aligned_alloc(part, align, 100);

		CHECK(block && (uintptr_t)block % align == 0 && !genp_free(block));
	}
	return genp_destroy(part);
}

static int shrink(size_t from, size_t to)
{
	char *block = genp_alloc(part, from);
	size_t n;

	CHECK(block);
	memset(block, 7, from);
	n = fill(16, 4096);
	CHECK(genp_realloc(block, to) == block);
	for (size_t i = 0; i < to; i++)
		CHECK(block[i] == 7);
	return free_all(n) ?: genp_free(block);
}

CASE a_block_is_made_smaller_where_it_is(void)
{
	part = genp_create(RESERVE, 0);
	CHECK(part);
	return shrink(100000, 10) ?: shrink(100000, 99999) ?: shrink(200, 100) ?: shrink(1, 0) ?:
	       genp_destroy(part);
}

CASE a_vector_grows_through_the_heap(void)
{
	size_t size = 16;
	char *vector;

	part = genp_create(RESERVE, 0);
	CHECK(part);
	vector = genp_alloc(part, size);
	for (char *next = vector; next; vector = next) {
		memset(vector, 3, size);
		next = genp_realloc(vector, size + size / 8 + 16);
		if (!next)
			break;
		for (size_t i = 0; i < size; i++)
			CHECK(next[i] == 3);
		size += size / 8 + 16;
	}
	if (size < RESERVE * 8L / 10) {
		fprintf(stderr, "%zu of %d\n", size, RESERVE);
		return __LINE__;
	}
	CHECK(errno == ENOMEM);
	return genp_free(vector) ?: genp_destroy(part);
}

/* A block in the way behind it, and room before it. */
CASE a_vector_moves_down_to_grow(void)
{
	char *low, *vector, *high, *next;

	part = genp_create(RESERVE, 0);
	CHECK(part);
	low = genp_alloc(part, RESERVE / 4);
	vector = genp_alloc(part, RESERVE / 2);
	high = genp_alloc(part, RESERVE / 5);
	CHECK(low && vector && high);
	for (size_t i = 0; i < RESERVE / 2; i++)
		vector[i] = i % 251;
	CHECK(!genp_free(low));
	next = genp_realloc(vector, RESERVE / 100 * 70);
	CHECK(next && next < vector);
	for (size_t i = 0; i < RESERVE / 2; i++)
		CHECK(next[i] == (char)(i % 251));
	return genp_free(next) ?: genp_free(high) ?: genp_destroy(part);
}

CASE realloc_keeps_the_alignment(void)
{
	char *block, *wall;

	part = genp_create(RESERVE, 0);
	CHECK(part);
	for (size_t align = 32; align <= 65536; align *= 2) {
		block = genp_aligned_alloc(part, align, 100);
		wall = genp_alloc(part, 100);
		CHECK(block && wall);
		for (size_t size = 200; size < 200000; size *= 3) {
			block = genp_realloc(block, size);
			CHECK(block && (uintptr_t)block % align == 0);
		}
		CHECK(!genp_free(block) && !genp_free(wall));
	}
	return genp_destroy(part);
}

CASE what_is_no_block_is_refused(void)
{
	char *block, *other, on_stack[64];

	part = genp_create(RESERVE, 0);
	CHECK(part);
	for (size_t size = 16; size < 1 << 20; size = size * 3 + 5) {
		block = genp_alloc(part, size);
		other = genp_alloc(part, size);
		CHECK(block && other);
		/* What it holds may look like anything. */
		memset(block, 0x67, size);
		for (size_t at = 1; at < size && at < 5000; at++)
			CHECK(genp_free(block + at) && errno == EINVAL);
		/* A copy of another block with all that is around it. */
		if (size > 64)
			memcpy(block, other - 16, 32);
		CHECK(genp_free(block + 16) && errno == EINVAL);
		CHECK(!genp_free(block));
		CHECK(genp_free(block) && errno == EINVAL);
		CHECK(!genp_realloc(block, 1) && errno == EINVAL);
		CHECK(!genp_free(other));
		CHECK(genp_free(other) && errno == EINVAL);
		CHECK(genp_free(block) && errno == EINVAL);
	}
	CHECK(genp_free(on_stack) && errno == EINVAL);
	return genp_destroy(part);
}

/* Writes behind a block, in checking mode. */
static int overrun(const char *mode)
{
	genp_partition_t *checked;
	char *block, *next;

	CHECK(!setenv("GENP_CHECK", mode, 1));
	checked = genp_create(RESERVE, 0);
	CHECK(checked && !unsetenv("GENP_CHECK"));
	for (size_t size = 0; size < 40; size++) {
		block = genp_alloc(checked, size);
		next = genp_realloc(genp_alloc(checked, 3 * size), size);
		CHECK(block && next);
		memset(block, 1, size);
		memset(next, 2, size);
		CHECK(!genp_free(block) && !genp_free(next));
	}
	for (size_t size = 1; size < 100000; size = size * 2 + 1) {
		block = genp_alloc(checked, size);
		CHECK(block);
		block[size] = 0;
		REFUSED(genp_free(block), ENOTRECOVERABLE);
		REFUSED(genp_realloc(block, size + 1), ENOTRECOVERABLE);
	}
	return genp_destroy(checked);
}

CASE a_byte_behind_a_block_is_found(void)
{
	pid_t pid;
	int status;

	CHECK(!overrun("1"));
	pid = fork();
	if (!pid) {
		overrun("abort");
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	return 0;
}

/* What is written to a block that was freed, or behind one, is noticed or harmless. */
CASE writes_to_freed_blocks_do_no_harm(void)
{
	char *block, *next, *again;

	part = genp_create(RESERVE, 0);
	CHECK(part);
	for (int i = 0; i < 100; i++) {
		block = genp_alloc(part, 100);
		next = genp_alloc(part, 100);
		CHECK(!genp_free(next) && !genp_free(block));
		/* In a cache, nothing of it is there. */
		memset(block, 0x41, 100);
		memset(next, 0x41, 100);
		again = genp_alloc(part, 100);
		CHECK(again == block || again == next);
		CHECK(!genp_free(again));
	}
	block = genp_alloc(part, 200000);
	next = genp_alloc(part, 200000);
	CHECK(block && next && !genp_free(block));
	memset(block, 0x41, 200000);
	REFUSED(genp_alloc(part, 190000), ENOTRECOVERABLE);
	REFUSED(genp_free(next), ENOTRECOVERABLE);
	return genp_destroy(part);
}
