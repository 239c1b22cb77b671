// SPDX-License-Identifier: MIT OR Apache-2.0
/* The instructions of a call that finds the thread's stack of blocks full. */
#include "steps.h"

static genp_partition_t *part;
static void *holes[1 << 14];

/* How many blocks the stack of the thread has when another one is freed. */
static int freed;

/* Blocks are freed that have a free one on either side, so that each is a hole of its own, and
 * none is merged with one that was freed before.
 */
static void full_stack(void)
{
	size_t count;

	part = genp_create(1 << 20, 0);
	for (count = 0; (holes[count] = genp_alloc(part, 100)); count++)
		;
	for (size_t i = 0; i < count; i += 2)
		genp_free(holes[i]);
	for (int i = 0; i < freed; i++)
		genp_free(holes[5 + 4 * i]);
}

static void give_one(void)
{
	genp_free(holes[1]);
}

CASE a_full_stack_takes_no_more_steps_than_is_said(void)
{
	long most = 0;

	for (freed = 0; freed < 70; freed++) {
		long n = steps(full_stack, give_one);

		CHECK(n > 0);
		most = n > most ? n : most;
	}
	fprintf(stderr, "full stack: %ld\n", most);
	/* Else it was never full. */
	CHECK(most > 2000 && most <= 20000);
	return 0;
}
