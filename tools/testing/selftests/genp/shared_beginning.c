// SPDX-License-Identifier: GPL-2.0
/*
 * Who dies while it begins a shared heap leaves that to the next: at each return from the
 * kernel, and so also between the call that takes the reserve and the first word in it.
 */

#include "shared_test.h"
#include "traced.h"

/* Calls of the kernel that making a heap takes, at most. */
#define MOST_CALLS 400

/* Shares the heap, but is stopped at each call of the kernel. */
static pid_t traced_maker(void)
{
	pid_t pid = child();

	if (!pid) {
		genp_partition_t *part = genp_open(SHARED_NAME);

		CHECK(part);
		be_traced();
		CHECK(!genp_share_heap(part, shared_flags()));
		_exit(0);
	}
	return pid;
}

/* Somebody else has it, at once: nobody is making one any more. */
static void expect_heap(int number)
{
	genp_partition_t *part = genp_open(SHARED_NAME);
	int tries = 0;
	void *blocks[4];

	CHECK(part);
	while (genp_share_heap(part, shared_flags())) {
		if (errno != EAGAIN || ++tries > 100)
			FAIL("after a death at call %d nobody gets the heap: %m", number);
		pause_ms(5);
	}
	for (int i = 0; i < 4; i++)
		CHECK((blocks[i] = genp_alloc(part, 1000)));
	for (int i = 0; i < 4; i++)
		CHECK(!genp_free(blocks[i]));
	CHECK(!genp_destroy(part));
}

TEST(who_dies_while_it_makes_the_heap_leaves_that_to_the_next)
{
	int number, fd;

	for (number = 0; number < MOST_CALLS; number++) {
		fd = create_to_share();
		if (!die_at_call(traced_maker(), number))
			break;
		expect_heap(number);
		CHECK(!destroy(fd));
		close(fd);
	}
	printf("# died at each of %d calls and returns\n", number);
	CHECK(number > 4 && number < MOST_CALLS);
}
