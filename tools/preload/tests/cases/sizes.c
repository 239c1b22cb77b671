// SPDX-License-Identifier: MIT OR Apache-2.0
/* Sizes: none, too many, and what is there of a block. */
#include "case.h"

CASE(no_bytes_are_a_block)
{
	void *a = malloc(0), *b = malloc(0), *c = calloc(0, 5), *d = realloc(NULL, 0);

	CHECK(a && b && c && d && a != b && c != d);
	free(a), free(b), free(c), free(d);
	free(NULL);
	return 0;
}

CASE(more_than_there_is_is_enomem)
{
	size_t sizes[] = { PTRDIFF_MAX, (size_t)PTRDIFF_MAX + 1, SIZE_MAX - 64, SIZE_MAX };
	char *block = malloc(100), *array;

	memset(block, 7, 100);
	for (int i = 0; i < 4; i++) {
		size_t size = HIDE(sizes[i]);
		void *aligned = &sizes;

		errno = 0;
		CHECK(!malloc(size) && errno == ENOMEM);
		errno = 0;
		CHECK(!calloc(1, size) && errno == ENOMEM);
		errno = 0;
		CHECK(!realloc(block, size) && errno == ENOMEM && block[99] == 7);
		errno = 0;
		CHECK(!memalign(64, size) && errno == ENOMEM);
		errno = 0;
		CHECK(!aligned_alloc(64, size) && errno == ENOMEM);
		errno = 0;
		CHECK(!valloc(size) && errno == ENOMEM);
		errno = 0;
		CHECK(!pvalloc(size) && errno == ENOMEM);
		CHECK(posix_memalign(&aligned, 64, size) == ENOMEM && aligned == &sizes);
	}
	errno = 0;
	CHECK(!calloc(HIDE(SIZE_MAX / 2), 3) && errno == ENOMEM);
	errno = 0;
	CHECK(!reallocarray(block, HIDE(SIZE_MAX / 2), 3) && errno == ENOMEM);
	array = reallocarray(block, 50, 4);
	CHECK(array && array[99] == 7);
	free(array);
	return 0;
}

CASE(what_is_usable_is_stable_and_writable)
{
	for (size_t size = 1; size < 300000; size += size / 3 + 1) {
		char *block = malloc(size);
		size_t usable = malloc_usable_size(block);

		CHECK(block && usable >= size);
		memset(block, 0x5a, usable);
		CHECK(malloc_usable_size(block) == usable);
		block = realloc(block, usable + 1);
		CHECK(block && block[0] == 0x5a && block[usable - 1] == 0x5a);
		free(block);
	}
	CHECK(!malloc_usable_size(NULL));
	return 0;
}

CASE(calloc_gives_zeroes)
{
	for (size_t size = 1; size < 100000; size += size / 2 + 1) {
		char *block = malloc(size), zero = 0;

		memset(block, 1, size);
		free(block);
		block = calloc(1, size);
		for (size_t i = 0; i < size; i++)
			zero |= block[i];
		CHECK(!zero);
		free(block);
	}
	return 0;
}

CASE(realloc_keeps_what_was_there)
{
	unsigned char *block = NULL;

	for (size_t size = 1; size < 1000000; size += size / 5 + 1) {
		block = realloc(block, size);
		CHECK(block);
		block[size - 1] = size;
	}
	for (size_t size = 1; size < 1000000; size += size / 5 + 1)
		CHECK(block[size - 1] == (unsigned char)size);
	for (size_t size = 900000; size > 3; size /= 3)
		CHECK((block = realloc(block, size)));
	CHECK(block[0] == 1 && block[1] == 2);
	CHECK(!realloc(HIDE(block), 0));
	return 0;
}

CASE(errno_is_left_alone)
{
	void *blocks[200];

	errno = 77;
	for (int i = 0; i < 200; i++)
		blocks[i] = malloc(5000);
	for (int i = 0; i < 200; i++)
		free(blocks[i]);
	CHECK(errno == 77);
	return 0;
}

CASE(it_says_what_is_in_use)
{
	struct mallinfo2 before = mallinfo2(), after;
	char *block = HIDE(malloc(50000));

	after = mallinfo2();
	CHECK(after.uordblks >= before.uordblks + 50000);
	CHECK(after.uordblks + after.fordblks <= after.arena);
	free(block);
	CHECK(mallopt(M_TRIM_THRESHOLD, -1) == 1 && mallopt(M_MMAP_MAX, 0) == 1);
	CHECK(malloc_trim(0) >= 0);
	return 0;
}

/* Ends the program. */
CASE(free_twice)
{
	char *block = HIDE(malloc(100000)), *after = HIDE(malloc(100000));
	char *again = HIDE(block);

	free(block);
	free(again);
	return after ? __LINE__ : 0;
}
