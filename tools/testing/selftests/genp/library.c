// SPDX-License-Identifier: GPL-2.0
/* libgenp: its partitions and the processes that their owner starts. */
#include <spawn.h>

#include "genp.h"
#include "genp_test.h"

extern char **environ;

static genp_partition_t *part;
static char *block, *lease;
static uint64_t expires;

static void begin(void)
{
	part = genp_create(1 << 20, 1 << 20);
	CHECK(part);
	block = genp_alloc(part, 10000);
	lease = genp_borrow_until(part, PAGE, GENP_NO_WAIT, 0, 0, &expires);
	CHECK(block && lease);
}

static void expect_unharmed(void)
{
	struct genp_stat stat = { .size = sizeof(stat) };

	CHECK(!genp_get_stat(part, &stat));
	EQUAL(stat.dying, 0);
	/* Where the machine is slow, it ended by its term. */
	if (now() < expires)
		EQUAL(stat.lent, PAGE);
	memset(block, 1, 10000);
	CHECK(!genp_free(block));
	if (genp_return(lease))
		CHECK(errno == ESTALE && now() >= expires);
	CHECK(!genp_destroy(part));
}

/* Without a call: the kernel reads it when it is asked. */
TEST(a_heap_tells_how_full_it_is)
{
	struct genp_stat stat = { .size = sizeof(stat) };
	__u64 before;

	begin();
	CHECK(!genp_get_stat(part, &stat));
	before = stat.heap_used;
	CHECK(before >= 10000 && before < 100000);
	CHECK(stat.used == 1 << 20);
	block = genp_alloc(part, 300000);
	CHECK(block);
	CHECK(!genp_get_stat(part, &stat));
	CHECK(stat.heap_used >= before + 300000 && stat.heap_used < before + 310000);
	CHECK(!genp_free(block));
	CHECK(!genp_get_stat(part, &stat));
	EQUAL(stat.heap_used, before);
	CHECK(stat.heap_peak >= before + 300000);
	CHECK(!genp_destroy(part));
}

TEST(a_child_that_destroys_harms_nobody)
{
	struct genp_info before = info();
	pid_t pid;

	begin();
	pid = child();
	if (!pid)
		_exit(genp_destroy(part));
	EQUAL(reap(pid), 0);
	expect_unharmed();
	expect_idle(&before);
}

static void destroy_at_exit(void)
{
	genp_destroy(part);
}

TEST(exit_handlers_of_a_child_harm_nobody)
{
	pid_t pid;

	atexit(destroy_at_exit);
	begin();
	pid = child();
	if (!pid)
		exit(0);
	EQUAL(reap(pid), 0);
	expect_unharmed();
}

TEST(a_child_is_refused)
{
	pid_t pid;

	begin();
	pid = child();
	if (!pid) {
		CHECK(!genp_alloc(part, 100) && errno == ECHILD);
		CHECK(!genp_borrow(part, PAGE, 0) && errno == ECHILD);
		ERRNO(genp_return(lease), ECHILD);
		ERRNO(genp_free(block), ECHILD);
		/* Its own partition can lie where the parent's does. */
		part = genp_create(1 << 20, 0);
		CHECK(part);
		block = genp_alloc(part, 10000);
		CHECK(block);
		memset(block, 3, 10000);
		CHECK(!genp_free(block) && !genp_destroy(part));
		_exit(0);
	}
	EQUAL(reap(pid), 0);
	expect_unharmed();
}

/* The descriptor is the kernel's to judge: whoever has it may destroy. */
TEST(a_child_may_destroy_by_the_descriptor)
{
	struct genp_stat stat = { .size = sizeof(stat) };
	pid_t pid;

	begin();
	pid = child();
	if (!pid)
		_exit(destroy(genp_partition_fd(part)));
	EQUAL(reap(pid), 0);
	CHECK(!genp_get_stat(part, &stat));
	EQUAL(stat.dying, 1);
	CHECK(!genp_destroy(part));
}

TEST(programs_that_are_started_inherit_nothing)
{
	char fd[64], *argv[] = { "/bin/sh", "-c", fd, NULL };
	pid_t pid;

	begin();
	snprintf(fd, sizeof(fd), "! [ -e /proc/self/fd/%d ]", genp_partition_fd(part));
	CHECK(!posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ));
	EQUAL(reap(pid), 0);
	pid = vfork();
	if (!pid) {
		execve("/bin/sh", argv, environ);
		_exit(1);
	}
	EQUAL(reap(pid), 0);
	expect_unharmed();
}

TEST(death_of_a_child_harms_nobody)
{
	pid_t pid;

	begin();
	pid = child();
	if (!pid)
		raise(SIGKILL);
	reap(pid);
	expect_unharmed();
}
