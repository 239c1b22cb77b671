// SPDX-License-Identifier: MIT OR Apache-2.0
/* Signal handlers that use the heap of the thread they interrupt. */
#define _GNU_SOURCE
#include "plugin.h"
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#define KEPT 64
#define INTERRUPTIONS 2000

static genp_partition_t *part;
static volatile sig_atomic_t interruptions, refusals, wrong;
static void *kept[KEPT];

/* Nothing but EDEADLK may be refused; a block that cannot be freed now is freed later. */
static void use_it(size_t size)
{
	void **slot = NULL, *block;

	for (int i = 0; i < KEPT; i++) {
		if (!kept[i])
			slot = &kept[i];
		else if (!genp_free(kept[i]))
			kept[i] = NULL;
		else if (errno != EDEADLK)
			wrong = __LINE__;
	}
	if (!slot)
		return;
	block = genp_alloc(part, size);
	if (!block) {
		refusals++;
		if (errno != EDEADLK)
			wrong = __LINE__;
		return;
	}
	memset(block, 0x55, size);
	if (genp_free(block))
		*slot = block;
}

static void on_signal(int sig)
{
	int saved = errno;

	(void)sig;
	use_it(64);
	use_it(8000);
	interruptions++;
	errno = saved;
}

static int exchange(void)
{
	char *small[12], *large;

	for (int i = 0; i < 12; i++) {
		small[i] = genp_alloc(part, 64);
		CHECK(small[i]);
		memset(small[i], i, 64);
	}
	large = genp_alloc(part, 9000);
	CHECK(large);
	memset(large, 12, 9000);
	for (int i = 0; i < 12; i++) {
		CHECK(small[i][0] == i && small[i][63] == i);
		CHECK(!genp_free(small[i]));
	}
	CHECK(large[0] == 12 && large[8999] == 12);
	CHECK(!genp_free(large));
	return 0;
}

/* Allocates blocks of a size until there are no more, and frees them. */
static int exhaust(size_t size, size_t *blocks)
{
	static void *all[1 << 14];

	*blocks = 0;
	while ((all[*blocks] = genp_alloc(part, size)))
		++*blocks;
	CHECK(errno == ENOMEM);
	for (size_t i = 0; i < *blocks; i++)
		CHECK(!genp_free(all[i]));
	return 0;
}

/* How many small blocks there are, after no larger one was left in a cache. */
static int count(size_t *blocks)
{
	return exhaust(8192, blocks) ?: exhaust(64, blocks);
}

CASE a_handler_is_refused_or_served(void)
{
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { 0 };
	size_t before, after;
	int line;

	part = genp_create(1 << 20, 0);
	CHECK(part);
	line = count(&before);
	if (line)
		return line;
	signal(SIGALRM, on_signal);
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	while (interruptions < INTERRUPTIONS && !wrong) {
		line = exchange();
		if (line)
			return line;
	}
	CHECK(!setitimer(ITIMER_REAL, &never, NULL));
	if (wrong)
		return wrong;
	for (int i = 0; i < KEPT; i++)
		CHECK(!genp_free(kept[i]));
	line = count(&after);
	if (line)
		return line;
	/* Nothing was lost. Where the last one goes depends on how the others lie. */
	CHECK(after >= before);
	return genp_destroy(part);
}

#ifdef __x86_64__
#define TRAP_FLAG 0x100
/* More than a thread keeps of what it freed: each call takes the lock. */
#define UNCACHED 100000

static volatile long steps, enter_at;
static void (*enter)(void);

/* After each instruction of the call: enters the heap once. */
static void on_step(int sig)
{
	int saved = errno;

	(void)sig;
	if (++steps == enter_at)
		enter();
	errno = saved;
}

static void use_the_lock(void)
{
	use_it(UNCACHED);
}

/* Turns single steps on or off, which handlers are free of; beside the red zone. */
static void trap(long flag)
{
	asm volatile("lea -128(%%rsp), %%rsp\n\tpushfq\n\tandq %1, (%%rsp)\n\torq %0, (%%rsp)\n\t"
		     "popfq\n\tlea 128(%%rsp), %%rsp" : : "r"(flag), "r"(~(long)TRAP_FLAG) : "cc", "memory");
}

/* Not by a timer, whose signals may all miss the heap's lock. */
CASE a_handler_between_any_two_instructions_is_refused_or_served(void)
{
	void *block;

	part = genp_create(1 << 20, 0);
	CHECK(part);
	enter = use_the_lock;
	signal(SIGTRAP, on_step);
	for (enter_at = 1; enter_at == 1 || steps >= enter_at - 1; enter_at++) {
		steps = 0;
		trap(TRAP_FLAG);
		block = genp_alloc(part, UNCACHED);
		trap(0);
		CHECK(block && !wrong);
		CHECK(!genp_free(block));
	}
	CHECK(refusals > 0 && refusals < enter_at);
	for (int i = 0; i < KEPT; i++)
		CHECK(!genp_free(kept[i]));
	return genp_destroy(part);
}

static char *theirs;

static void free_theirs(void)
{
	if (!genp_free(theirs))
		theirs = NULL;
	else if (errno != EDEADLK)
		wrong = __LINE__;
}

static void alloc_theirs(void)
{
	theirs = genp_alloc(part, 64);
	if (!theirs && errno != EDEADLK)
		wrong = __LINE__;
	if (theirs)
		memset(theirs, 2, 64);
}

/* One call is stepped through, and another one comes at one of its instructions. */
static char *step_through(char *ours, void (*call)(void))
{
	enter = call;
	steps = 0;
	trap(TRAP_FLAG);
	if (ours)
		genp_free(ours);
	else
		ours = genp_alloc(part, 64);
	trap(0);
	return ours;
}

/* Both are of one size, so that they meet in the thread's cache. */
CASE a_handler_between_any_two_instructions_has_a_block_of_its_own(void)
{
	size_t before, after;
	char *ours;
	int line;

	part = genp_create(1 << 20, 0);
	CHECK(part);
	line = count(&before);
	if (line)
		return line;
	signal(SIGTRAP, on_step);
	for (enter_at = 1; enter_at == 1 || steps >= enter_at - 1; enter_at++) {
		theirs = NULL;
		ours = step_through(NULL, alloc_theirs);
		CHECK(ours && ours != theirs && !wrong);
		memset(ours, 1, 64);
		CHECK(!theirs || (theirs[0] == 2 && theirs[63] == 2));
		if (!theirs)
			theirs = genp_alloc(part, 64);
		CHECK(theirs && theirs != ours);
		step_through(ours, free_theirs);
		CHECK(!wrong && !(theirs && genp_free(theirs)));
	}
	line = count(&after);
	if (line)
		return line;
	CHECK(after >= before);
	return genp_destroy(part);
}
#endif
