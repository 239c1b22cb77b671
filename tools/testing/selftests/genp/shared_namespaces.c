// SPDX-License-Identifier: GPL-2.0
/*
 * All that share a heap are of one namespace of process numbers, and others are refused: the lock
 * tells its holder by such a number. Blocks of one that lives are its own, whatever its clock
 * or /proc are.
 */
#include <sys/mount.h>

#include "shared_test.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

/* A word that parent and children have in common, to tell each other how far they are. */
static volatile int *common(void)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(page != MAP_FAILED);
	return page;
}

/* Has a block, until somebody tried to take it away. */
static void keep_a_block(volatile int *step)
{
	genp_partition_t *part = share();
	char *block = genp_alloc(part, 1000);

	CHECK(block);
	memset(block, 'a', 1000);
	*step = 1;
	EVENTUALLY(*step == 2);
	EQUAL(shared_stat(part).own_blocks, 1);
	for (int i = 0; i < 1000; i++)
		EQUAL(block[i], 'a');
	CHECK(!genp_free(block));
	_exit(0);
}

/* Its block is still its own. */
static void try_to_take(genp_partition_t *part, volatile int *step)
{
	long freed;
	char *block;

	EVENTUALLY(*step == 1);
	freed = genp_free_dead(part);
	block = genp_alloc(part, 1000);
	CHECK(block);
	memset(block, 'b', 1000);
	*step = 2;
	EQUAL(freed, 0);
	CHECK(!genp_free(block));
}

/* The time at which a process began is told by the clock of who asks. */
TEST(blocks_of_one_with_another_clock_are_its_own)
{
	genp_partition_t *part = create_shared();
	volatile int *step = common();
	char offset[] = "boottime 100000 0\n";
	pid_t pid;
	int fd;

	if (unshare(CLONE_NEWTIME))
		SKIP("no time namespaces here: %m");
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, offset, strlen(offset)) == (ssize_t)strlen(offset));
	close(fd);
	pid = child();
	if (!pid)
		keep_a_block(step);
	try_to_take(part, step);
	EQUAL(reap(pid), 0);
	CHECK(!genp_destroy(part));
}

static void expect_success(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
		SKIP("see above");
	EQUAL(status, 0);
}

/* In a child that is the first process of a namespace of process numbers. */
static void in_pid_namespace(void (*run)(void))
{
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS))
		SKIP("no pid namespaces here: %m");
	CHECK(!mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	pid = child();
	if (!pid) {
		EQUAL(getpid(), 1);
		run();
		_exit(0);
	}
	expect_success(reap(pid));
}

/* Nobody can tell who ends here: no heap is made, and none shared. */
static void expect_no_heap(void)
{
	struct genp_create ask = create_request(SHARED_RESERVE, 0);
	genp_partition_t *part;

	errno = 0;
	CHECK(!genp_create_shared(&ask, shared_flags()) && errno == EXDEV);
	part = genp_open(SHARED_NAME);
	CHECK(part);
	ERRNO(genp_share_heap(part, shared_flags()), EXDEV);
	CHECK(!genp_destroy(part));
}

/* With the /proc of its parents, and with its own. */
static void be_refused(void)
{
	expect_no_heap();
	CHECK(!mount("proc", "/proc", "proc", 0, NULL));
	{
		genp_partition_t *part = genp_open(SHARED_NAME);

		CHECK(part);
		ERRNO(genp_share_heap(part, shared_flags()), EXDEV);
		CHECK(!genp_destroy(part));
	}
}

TEST(who_has_other_process_numbers_is_refused)
{
	genp_partition_t *part = create_shared();
	struct genp_shared_stat before = shared_stat(part);

	in_pid_namespace(be_refused);
	EQUAL(shared_stat(part).members, before.members);
	CHECK(!genp_free(genp_alloc(part, 1000)));
	CHECK(!genp_destroy(part));
}

TEST(who_has_no_proc_is_refused)
{
	genp_partition_t *part = create_shared();
	pid_t pid = child();

	if (!pid) {
		if (unshare(CLONE_NEWNS))
			SKIP("no mount namespaces here: %m");
		CHECK(!mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
		CHECK(!mount("none", "/proc", "tmpfs", 0, NULL));
		expect_no_heap();
		_exit(0);
	}
	expect_success(reap(pid));
	CHECK(!genp_destroy(part));
}

/* In a namespace of its own; then /proc is that of nobody. */
static void lose_proc(void)
{
	genp_partition_t *part;
	volatile int *step = common();
	pid_t pid;

	CHECK(!mount("proc", "/proc", "proc", 0, NULL));
	part = create_shared();
	pid = child();
	if (!pid)
		keep_a_block(step);
	EVENTUALLY(*step == 1);
	CHECK(!mount("none", "/proc", "tmpfs", 0, NULL));
	try_to_take(part, step);
	EQUAL(reap(pid), 0);
	CHECK(!genp_destroy(part));
}

TEST(blocks_of_one_that_cannot_be_seen_are_its_own)
{
	in_pid_namespace(lose_proc);
}

/* Allocates and frees until it is told to stop. */
static void use(volatile int *stop)
{
	genp_partition_t *part = share();

	while (!*stop) {
		void *block = genp_aligned_alloc(part, 256, 1000);

		if (!block)
			FAIL("no block: %m");
		CHECK(!genp_free(block));
	}
	CHECK(genp_alloc(part, 1000));
	_exit(0);
}

static void use_together(void)
{
	volatile int *stop = common();
	genp_partition_t *part;
	pid_t pids[2];

	CHECK(!mount("proc", "/proc", "proc", 0, NULL));
	part = create_shared();
	for (int i = 0; i < 2; i++) {
		pids[i] = child();
		if (!pids[i])
			use(stop);
	}
	pause_ms(300);
	*stop = 1;
	EQUAL(reap(pids[0]), 0);
	EQUAL(reap(pids[1]), 0);
	EQUAL(genp_free_dead(part), 2);
	EQUAL(shared_stat(part).used, 0);
	CHECK(!genp_destroy(part));
}

TEST(two_of_one_namespace_share_a_heap)
{
	in_pid_namespace(use_together);
}
