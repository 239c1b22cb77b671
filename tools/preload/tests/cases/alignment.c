// SPDX-License-Identifier: MIT OR Apache-2.0
/* Alignment, and what is none. */
#include "case.h"

#define IS(block, align) (!((uintptr_t)(block) % (align)))

CASE(blocks_are_aligned_to_16)
{
	for (size_t size = 0; size < 5000; size++) {
		char *block = malloc(size), *more = calloc(1, size);

		CHECK(IS(block, 16) && IS(more, 16));
		more = realloc(more, size * 2 + 1);
		CHECK(IS(more, 16));
		free(block), free(more);
	}
	return 0;
}

CASE(alignments_are_kept)
{
	for (size_t align = 1; align <= 1 << 20; align *= 2) {
		for (size_t size = 1; size <= 100000; size *= 10) {
			char *block = memalign(align, size), *other = aligned_alloc(align, size);
			void *third = NULL;

			CHECK(block && other && IS(block, align) && IS(other, align));
			memset(block, 1, size), memset(other, 2, size);
			if (align >= sizeof(void *))
				CHECK(!posix_memalign(&third, align, size) && IS(third, align));
			CHECK(block[size - 1] == 1);
			CHECK(malloc_usable_size(block) >= size);
			free(block), free(third);
			other = realloc(other, size * 2);
			CHECK(other && other[size - 1] == 2);
			free(other);
		}
	}
	return 0;
}

CASE(bad_alignments_are_einval)
{
	size_t bad[] = { 0, 1, 2, 3, 4, 7, 12, 24, 48, 100, SIZE_MAX };

	for (int i = 0; i < 11; i++) {
		void *block = bad;

		errno = 77;
		CHECK(posix_memalign(&block, HIDE(bad[i]), 100) == EINVAL);
		CHECK(block == bad && errno == 77);
	}
	return 0;
}

CASE(odd_alignments_of_memalign_do_no_harm)
{
	size_t odd[] = { 0, 1, 3, 7, 12, 24, 48, 100 };

	for (int i = 0; i < 8; i++) {
		char *block = memalign(HIDE(odd[i]), 100);

		CHECK(block);
		memset(block, 1, 100);
		free(block);
	}
	errno = 0;
	CHECK(!memalign(HIDE(SIZE_MAX), 100) && errno == EINVAL);
	return 0;
}

CASE(pages_are_pages)
{
	char *block = valloc(10), *whole = pvalloc(10);

	size_t page = sysconf(_SC_PAGESIZE);

	CHECK(block && IS(block, page) && whole && IS(whole, page));
	CHECK(malloc_usable_size(whole) >= page);
	memset(whole, 1, page);
	free(block), free(whole);
	return 0;
}
