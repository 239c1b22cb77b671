// SPDX-License-Identifier: GPL-2.0
/*
 * Processes of several namespaces share a heap: blocks of one that lives are its own, whatever
 * its clock, its process numbers or its /proc are, and each waits for the lock of the other.
 */
#include <sys/mount.h>

#include "shared_test.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

#define UNUSED_NUMBER 30000

/* The file by which the next process number of a namespace is chosen. */
static int last_number = -1;

static void choose_numbers(void)
{
	last_number = open("/proc/sys/kernel/ns_last_pid", O_RDWR | O_CLOEXEC);
	if (last_number < 0)
		SKIP("process numbers cannot be chosen: %m");
}

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

/* In a child that is the first process of a namespace of process numbers. */
static void in_pid_namespace(void (*run)(void))
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS))
		SKIP("no pid namespaces here: %m");
	CHECK(!mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	pid = child();
	if (!pid) {
		run();
		_exit(0);
	}
	status = reap(pid);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == EXIT_SKIPPED)
		SKIP("see above");
	EQUAL(WEXITSTATUS(status), 0);
}

/* One sees the /proc of its parents, another one has mounted its own. */
static void look_at_another_proc(void)
{
	genp_partition_t *part = create_shared();
	volatile int *step = common();
	pid_t pid = child();

	if (!pid)
		keep_a_block(step);
	EVENTUALLY(*step == 1);
	CHECK(!mount("proc", "/proc", "proc", 0, NULL));
	try_to_take(part, step);
	EQUAL(reap(pid), 0);
	CHECK(!genp_destroy(part));
}

TEST(blocks_of_one_with_another_proc_are_its_own)
{
	in_pid_namespace(look_at_another_proc);
}

static void exit_as(pid_t pid)
{
	int status = reap(pid);

	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Runs it in a new namespace of process numbers, as the process of this number there. */
static void as_number(int number, void (*run)(volatile int *), volatile int *word)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		SKIP("no pid namespaces here: %m");
	pid = child();
	if (pid)
		exit_as(pid);
	if (number > 1) {
		char text[16];
		int length = snprintf(text, sizeof(text), "%d", number - 1);

		CHECK(write(last_number, text, length) == length);
		pid = child();
		if (pid)
			exit_as(pid);
	}
	EQUAL(getpid(), number);
	run(word);
	_exit(0);
}

static pid_t start_as_number(int number, void (*run)(volatile int *), volatile int *word)
{
	pid_t pid = child();

	if (!pid)
		as_number(number, run, word);
	return pid;
}

/* How it ended, within some time. */
static int reap_soon(pid_t pid)
{
	int status = 0;

	EVENTUALLY(waitpid(pid, &status, WNOHANG) == pid);
	return status;
}

static void expect_success(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
		SKIP("see above");
	EQUAL(status, 0);
}

/* Nobody can tell namespaces apart where there is no /proc. */
TEST(blocks_of_one_without_proc_are_its_own)
{
	genp_partition_t *part;
	volatile int *step = common();
	pid_t pid;

	choose_numbers();
	CHECK(!unshare(CLONE_NEWNS) && !mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	CHECK(!mount("none", "/proc", "tmpfs", 0, NULL));
	part = create_shared();
	/* Outside, nobody has this number. */
	pid = start_as_number(UNUSED_NUMBER, keep_a_block, step);
	try_to_take(part, step);
	expect_success(reap_soon(pid));
	CHECK(!genp_destroy(part));
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
}

/* The lock tells who has it by a number that is another one's in each namespace. */
static void use_together(int one, int other)
{
	genp_partition_t *part = create_shared();
	volatile int *stop = common();
	pid_t first, second;
	int ends[2];

	choose_numbers();
	first = start_as_number(one, use, stop);
	second = start_as_number(other, use, stop);
	pause_ms(5000);
	*stop = 1;
	ends[0] = reap_soon(first);
	ends[1] = reap_soon(second);
	expect_success(ends[0]);
	expect_success(ends[1]);
	CHECK(!genp_destroy(part));
}

TEST(each_waits_for_the_lock_of_one_with_the_same_number)
{
	use_together(1, 1);
}

TEST(each_waits_for_the_lock_of_one_with_a_number_of_nobody)
{
	use_together(1, UNUSED_NUMBER);
}
