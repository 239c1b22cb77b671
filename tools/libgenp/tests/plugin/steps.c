// SPDX-License-Identifier: MIT OR Apache-2.0
/* The instructions of single calls, counted one by one, where they cost most. */
#define _GNU_SOURCE
#include "steps.h"
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* The bounds in genp.h, and what the loop around a call takes. */
#define MOST 400000
#define MOST_FOUND 400
#define THREADS 40

static genp_partition_t *part;
static pthread_barrier_t filled, end;

/* Leaves as many blocks of as many sizes in its cache as that takes. */
static void *fill_caches(void *arg)
{
	static __thread void *held[40];

	for (size_t size = 16 + (uintptr_t)arg % 16; size <= 4096; size += size / 8) {
		int n = 0;

		while (n < 40 && (held[n] = genp_alloc(part, size)))
			n++;
		while (n)
			genp_free(held[--n]);
	}
	pthread_barrier_wait(&filled);
	pthread_barrier_wait(&end);
	return NULL;
}

static void many_caches(void)
{
	pthread_t thread;

	part = genp_create(4 << 20, 0);
	pthread_barrier_init(&filled, NULL, THREADS + 1);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, fill_caches, (void *)i);
	pthread_barrier_wait(&filled);
}

static void *holes[1 << 17];
static size_t count;

static void nothing_left(void)
{
	many_caches();
	while ((holes[count] = genp_alloc(part, 100)))
		count++;
}

/* Half of it is free, and no hole has room for more than a block. */
static void many_holes(void)
{
	nothing_left();
	for (size_t i = 0; i < count; i += 2)
		genp_free(holes[i]);
}

static void (*const scenes[])(void) = { many_caches, nothing_left, many_holes };

static void first_of_64(void)
{
	genp_partition_t *all[64];

	for (int i = 0; i < 64; i++)
		all[i] = genp_create(1 << 20, 0);
	part = all[63];
}

static void *volatile block;

static void take_all(void)
{
	block = genp_alloc(part, 3 << 20);
}

static void take_aligned(void)
{
	block = genp_aligned_alloc(part, 65536, 60000);
}

static void take_small(void)
{
	block = genp_alloc(part, 100);
}

static void grow(void)
{
	block = genp_realloc(holes[1], 4000);
}

static void give(void)
{
	genp_free(holes[2]);
}

static void (*const calls[])(void) = { take_small, take_all, take_aligned, grow, give };

/* Runs a call between two stops. */
static void perform(void (*scene)(void), void (*call)(void))
{
	scene();
	for (int i = 1; part && i < 3; i++)
		if (!holes[i])
			holes[i] = genp_alloc(part, 100);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGUSR1);
	call();
	raise(SIGUSR2);
	_exit(0);
}

long steps(void (*scene)(void), void (*call)(void))
{
	pid_t pid = fork();
	int status;
	long n = 0;

	if (!pid)
		perform(scene, call);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGUSR1)
		return -1;
	while (n < 4000000) {
		if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) || waitpid(pid, &status, 0) != pid)
			return -1;
		if (!WIFSTOPPED(status))
			return -1;
		if (WSTOPSIG(status) == SIGUSR2)
			break;
		n++;
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return n;
}

CASE no_call_takes_more_steps_than_is_said(void)
{
	int line = 0;

	for (size_t scene = 0; scene < sizeof(scenes) / sizeof(*scenes); scene++)
		for (size_t call = 0; call < sizeof(calls) / sizeof(*calls); call++) {
			long n = steps(scenes[scene], calls[call]);

			fprintf(stderr, "scene %zu, call %zu: %ld\n", scene, call, n);
			if (n < 0 || n > MOST)
				line = __LINE__;
		}
	return line;
}

static genp_pool_t *pool;
static void *batch[16];

static void with_pool(void)
{
	many_holes();
	pool = genp_pool_create(part, 16, 0, 4, 0);
	for (int i = 0; i < 16; i++)
		batch[i] = holes[3 + 2 * i];
}

static void ask(void)
{
	block = (void *)(genp_usable_size(holes[1]) + genp_size(holes[1]) + genp_is_block(holes[1]));
}

static void grow_in_place(void)
{
	block = (void *)(long)genp_realloc_in_place(holes[1], 120);
}

static void take_batch(void)
{
	genp_alloc_batch(part, 90, 16, batch);
}

static void give_batch(void)
{
	genp_free_batch(part, 16, batch);
}

static void look(void)
{
	struct genp_heap_stat stat = { .size = sizeof(stat) };

	genp_get_heap_stat(part, 0, &stat);
}

static void look_at_class(void)
{
	struct genp_class_stat stat = { .size = sizeof(stat) };

	genp_get_class_stat(part, 5, &stat);
}

static void give_all(void)
{
	genp_free_all(part);
}

static void take_object(void)
{
	block = genp_pool_alloc(pool);
}

static void take_and_give_object(void)
{
	genp_pool_free(pool, genp_pool_alloc(pool));
}

/* The bounds of genp.h; of what makes several calls, that of all of them. */
static const struct {
	void (*call)(void);
	long most;
} bounded[] = {
	{ give, 20000 },	 { ask, 3 * 500 },	 { grow_in_place, 2000 },
	{ take_batch, 16 * 1000 }, { give_batch, 16 * 1000 }, { look, 100000 },
	{ look_at_class, 50000 }, { give_all, 100000 },	 { take_object, 500 },
	{ take_and_give_object, 1000 },
};

static void in_arena(void)
{
	struct genp_create request = { .size = sizeof(request), .reserve = 1 << 20,
				       .node = GENP_ANY_NODE };

	part = genp_create_managed(&request, genp_arena_manager());
	holes[1] = genp_alloc(part, 100);
	holes[2] = genp_alloc(part, 100);
}

CASE an_arena_takes_no_more_steps_than_is_said(void)
{
	CHECK(steps(in_arena, take_small) <= 500 && steps(in_arena, take_small) > 0);
	CHECK(steps(in_arena, give) <= 500 && steps(in_arena, give) > 0);
	CHECK(steps(in_arena, give_all) <= 500 && steps(in_arena, give_all) > 0);
	return 0;
}

CASE what_came_later_takes_no_more_steps_than_is_said(void)
{
	static void (*const places[])(void) = { many_caches, with_pool };
	int line = 0;

	for (size_t place = 0; place < 2; place++)
		for (size_t i = 0; i < sizeof(bounded) / sizeof(*bounded); i++) {
			long n = steps(places[place], bounded[i].call);

			fprintf(stderr, "scene %zu, call %zu: %ld of %ld\n", place, i, n,
				bounded[i].most);
			if (n < 0 || n > bounded[i].most)
				line = __LINE__;
		}
	return line;
}

/* Of the same size as what was freed before, so that only the search differs. */
static void last_of_64(void)
{
	first_of_64();
	for (int i = 0; i < 8; i++)
		holes[i] = genp_alloc(part, 100);
	genp_free(holes[0]);
	genp_free(holes[3]);
}

CASE a_partition_is_found_among_all(void)
{
	long n = steps(last_of_64, give);

	fprintf(stderr, "%ld\n", n);
	CHECK(n > 0 && n <= MOST_FOUND);
	return 0;
}

/* Half of it is free, in holes for one block each. */
static void in_rlsf(void)
{
	struct genp_create request = { .size = sizeof(request), .reserve = 1 << 20,
				       .node = GENP_ANY_NODE };

	part = genp_create_managed(&request, genp_rlsf_manager());
	while ((holes[count] = genp_alloc(part, 100)))
		count++;
	for (size_t i = 0; i < count; i += 2)
		genp_free(holes[i]);
	holes[2] = holes[5];
}

/* The first block, for which all of the reserve is split. */
static void in_buddy(void)
{
	struct genp_create request = { .size = sizeof(request), .reserve = 1 << 20,
				       .node = GENP_ANY_NODE };

	part = genp_create_managed(&request, genp_buddy_manager());
	holes[1] = holes[2] = part;
}

CASE other_managers_take_no_more_steps_than_is_said(void)
{
	static void (*const some[])(void) = { take_small, take_all, give };
	int line = 0;

	for (size_t i = 0; i < 3; i++) {
		long n = steps(in_rlsf, some[i]);

		fprintf(stderr, "call %zu: %ld\n", i, n);
		if (n <= 0 || n > 1000)
			line = __LINE__;
	}
	CHECK(steps(in_buddy, take_small) > 0 && steps(in_buddy, take_small) <= 3000);
	return line;
}

/* Half of it is free, in holes for one block each, and some of it is another member's. */
static void in_shared(void)
{
	struct genp_create request = { .size = sizeof(request), .reserve = 1 << 20,
				       .node = GENP_ANY_NODE };

	part = genp_create_shared(&request, 0);
	while ((holes[count] = genp_aligned_alloc(part, count % 2 ? 16 : 64, 100)))
		count++;
	for (size_t i = 0; i < count; i += 2)
		genp_free(holes[i]);
}

static void put(void)
{
	genp_put(holes[1], genp_root(part));
}

static void look_at_shared(void)
{
	struct genp_shared_stat stat = { .size = sizeof(stat) };

	genp_get_shared_stat(part, &stat);
}

static void take_where_no_hole_fits(void)
{
	block = genp_aligned_alloc(part, 4096, 64);
}

static void give_between(void)
{
	genp_free(holes[3]);
}

/* The bounds of genp/shared.h. */
static const struct {
	void (*call)(void);
	long most;
} shared[] = {
	{ take_small, 3000 }, { give_between, 3000 }, { put, 3000 },
	{ take_all, 3000 },   { take_where_no_hole_fits, 30000 },
	{ look_at_shared, 10000 },
};

CASE a_shared_heap_takes_no_more_steps_than_is_said(void)
{
	int line = 0;

	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
		long n = steps(in_shared, shared[i].call);

		fprintf(stderr, "call %zu: %ld of %ld\n", i, n, shared[i].most);
		if (n <= 0 || n > shared[i].most)
			line = __LINE__;
	}
	return line;
}
