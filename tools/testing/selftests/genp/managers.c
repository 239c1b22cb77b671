// SPDX-License-Identifier: GPL-2.0
/* Heap managers of libgenp in a reserve: each gives memory that is nobody else's. */
#include "genp.h"
#include "genp_test.h"

#define RESERVE (1UL << 20)
#define BLOCKS 2000

static unsigned char *blocks[BLOCKS];

static size_t size_of(unsigned int number)
{
	return 1 + number * 7919 % 3000;
}

static void expect_own(unsigned int number)
{
	for (size_t i = 0; i < size_of(number); i++)
		EQUAL(blocks[number][i], (unsigned char)number);
}

static void give(unsigned int number)
{
	expect_own(number);
	CHECK(!genp_free(blocks[number]));
	ERRNO(genp_free(blocks[number]), EINVAL);
	blocks[number] = NULL;
}

/* Fills the reserve, frees every other block, fills it again, and frees all. */
static void use(const struct genp_manager *manager)
{
	struct genp_create ask = create_request(RESERVE, 0);
	genp_partition_t *part = genp_create_managed(&ask, manager);
	struct genp_heap_stat stat = { .size = sizeof(stat) };
	unsigned int taken = 0;

	CHECK(part);
	for (int round = 0; round < 2; round++) {
		taken = 0;
		for (unsigned int i = 0; i < BLOCKS; i++) {
			if (!blocks[i])
				blocks[i] = genp_alloc(part, size_of(i));
			if (!blocks[i])
				continue;
			memset(blocks[i], i, size_of(i));
			taken++;
		}
		CHECK(taken > 300);
		for (unsigned int i = round; i < BLOCKS; i += 2 - round)
			if (blocks[i])
				give(i);
	}
	if (blocks[0])
		give(0);
	CHECK(!genp_get_heap_stat(part, 0, &stat));
	EQUAL(stat.used, 0);
	CHECK(!genp_free_all(part));
	CHECK(!genp_destroy(part));
}

TEST(rlsf_manages_a_reserve)
{
	use(genp_rlsf_manager());
}

TEST(a_buddy_allocator_manages_a_reserve)
{
	use(genp_buddy_manager());
}

TEST(an_arena_manages_a_reserve)
{
	use(genp_arena_manager());
}
