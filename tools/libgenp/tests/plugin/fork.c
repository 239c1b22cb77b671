// SPDX-License-Identifier: MIT OR Apache-2.0
/* Forked children of a program that uses partitions. */
#define _GNU_SOURCE
#include "plugin.h"
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>

static genp_partition_t *part;
static void *small, *large, *lease;

static int begin(void)
{
	part = genp_create(1 << 20, 1 << 20);
	CHECK(part);
	small = genp_alloc(part, 100);
	large = genp_alloc(part, 10000);
	lease = genp_borrow(part, 4096, 0);
	CHECK(small && large && lease);
	/* One block is in the thread cache. */
	CHECK(!genp_free(genp_alloc(part, 100)));
	return 0;
}

/* The parent's partition is as it was. */
static int end(void)
{
	void *again;

	CHECK(!destroyed());
	memset(small, 1, 100);
	memset(large, 2, 10000);
	memset(lease, 3, 4096);
	again = genp_alloc(part, 100);
	CHECK(again && again != small);
	CHECK(!genp_free(again) && !genp_free(small) && !genp_free(large));
	CHECK(!genp_return(lease));
	CHECK(!genp_destroy(part));
	CHECK(destroyed() == 1);
	return 0;
}

static int try_everything(void)
{
	struct genp_stat stat = { .size = sizeof(stat) };
	struct genp_bounds bounds = { .size = sizeof(bounds) };

	REFUSED(genp_alloc(part, 100), ECHILD);
	REFUSED(genp_alloc(part, 10000), ECHILD);
	REFUSED(genp_aligned_alloc(part, 64, 100), ECHILD);
	REFUSED(genp_calloc(part, 1, 100), ECHILD);
	REFUSED(genp_realloc(small, 200), ECHILD);
	REFUSED(genp_free(small), ECHILD);
	REFUSED(genp_free(large), ECHILD);
	REFUSED(genp_borrow(part, 4096, 0), ECHILD);
	REFUSED(genp_return(lease), ECHILD);
	REFUSED(genp_renew(lease, 0, NULL), ECHILD);
	REFUSED(genp_get_stat(part, &stat), ECHILD);
	REFUSED(genp_get_bounds(part, &bounds), ECHILD);
	return 0;
}

/* The child's own partition lies where the parent's did; it is the child's. */
static int have_its_own(void)
{
	genp_partition_t *own = genp_create(1 << 20, 0);
	void *block[20];

	CHECK(own);
	for (int i = 0; i < 20; i++) {
		block[i] = genp_alloc(own, 100);
		CHECK(block[i]);
		memset(block[i], i, 100);
	}
	/* The caches are used again; the parent's have nothing. */
	for (int i = 0; i < 20; i++)
		CHECK(!genp_free(block[i]));
	CHECK(genp_alloc(own, 100));
	REFUSED(genp_alloc(part, 100), ECHILD);
	CHECK(genp_partition_fd(part) >= 0 && is_open(genp_partition_fd(part)));
	return 0;
}

static int child_does(int (*what)(void))
{
	pid_t pid;

	CHECK(!begin());
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		_exit(what());
	CHECK(!ending(pid));
	return end();
}

static int destroy_in_child(void)
{
	int fd = genp_partition_fd(part);

	CHECK(!genp_destroy(part));
	CHECK(!is_open(fd));
	return 0;
}

CASE a_child_that_destroys_harms_nobody(void)
{
	return child_does(destroy_in_child);
}

CASE a_child_is_refused(void)
{
	return child_does(try_everything);
}

CASE a_child_may_have_its_own(void)
{
	return child_does(have_its_own);
}

static int have_children(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid)
		_exit(try_everything() ?: have_its_own() ?: destroy_in_child());
	return ending(pid);
}

CASE a_grandchild_harms_nobody(void)
{
	return child_does(have_children);
}

/* What was mapped in a child where the parent's partition was stays there. */
static int map_something(void)
{
	genp_partition_t *own = genp_create(1 << 20, 1 << 20);
	char *block = genp_alloc(own, 100000);

	CHECK(block && !genp_destroy(part));
	memset(block, 1, 100000);
	CHECK(!genp_free(block));
	return 0;
}

CASE a_child_loses_nothing_of_its_own(void)
{
	return child_does(map_something);
}

/* Children of clone() and _Fork() run no fork handler. */
CASE a_child_without_handlers_harms_nobody(void)
{
	pid_t pid;

	CHECK(!begin());
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	CHECK(pid >= 0);
	if (!pid) {
		errno = 0;
		_exit(genp_destroy(part) != -1 || errno != ECHILD);
	}
	CHECK(!ending(pid));
	return end();
}

/* The child shares the memory of its parent, even that of the library. */
CASE a_child_of_vfork_harms_nobody(void)
{
	pid_t pid;

	CHECK(!begin());
	pid = vfork();
	CHECK(pid >= 0);
	if (!pid)
		_exit(genp_destroy(part) != -1);
	CHECK(!ending(pid));
	return end();
}

static volatile int stop;

static void *use_heap(void *unused)
{
	(void)unused;
	while (!stop)
		genp_free(genp_alloc(part, 10000));
	return NULL;
}

/* A thread may hold every lock when another forks. */
CASE locks_of_other_threads_do_not_stop_a_child(void)
{
	pthread_t thread;

	CHECK(!begin());
	CHECK(!pthread_create(&thread, NULL, use_heap, NULL));
	for (int i = 0; i < 300; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid) {
			alarm(20);
			_exit(try_everything() ?: have_its_own() ?: destroy_in_child());
		}
		CHECK(!ending(pid));
	}
	stop = 1;
	pthread_join(thread, NULL);
	return end();
}
