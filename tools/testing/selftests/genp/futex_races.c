// SPDX-License-Identifier: GPL-2.0
/*
 * Futexes in a reserve that shrinks, grows, is forgotten, faulted in, pinned and closed
 * meanwhile: nobody hangs, no word is another owner's, and no frame keeps its name beyond
 * its reserve. The kernel complains of such a frame when the module is unloaded.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "genp_test.h"

#define PAGES 16UL

static atomic_bool enough;
static struct part part;
static atomic_ulong calls, cuts;

static long futex(void *word, int operation, __u32 value, const void *limit, void *other)
{
	return syscall(SYS_futex, word, operation, value, limit, other, 0);
}

static char *word_of(unsigned int turn)
{
	return part.reserve + turn % PAGES * PAGE + turn % 64 * 4;
}

/* Errors there may be: the page is gone, the word is another, nobody came. */
static void expect_answer(long answer)
{
	calls++;
	if (answer < 0 && errno != EFAULT && errno != EAGAIN && errno != ETIMEDOUT &&
	    errno != EINVAL && errno != ESRCH && errno != EDEADLK && errno != EPERM &&
	    errno != ENOSYS)
		FAIL("a futex answers %s", strerrorname_np(errno));
}

static void *wait_and_wake(void *unused)
{
	struct timespec brief = { .tv_nsec = 200000 };

	for (unsigned int turn = 0; !enough; turn += 7) {
		char *word = word_of(turn), *other = word_of(turn * 3 + 1);
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec = (until.tv_nsec + 300000) % 1000000000;
		expect_answer(futex(word, FUTEX_WAIT, 0, &brief, NULL));
		expect_answer(futex(other, FUTEX_WAKE, 100, NULL, NULL));
		expect_answer(futex(word, FUTEX_REQUEUE, 1, (void *)1, other));
		if (turn % 5 == 0 && !futex(word, FUTEX_LOCK_PI, 0, &until, NULL))
			expect_answer(futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL));
	}
	return unused;
}

static void *forget(void *unused)
{
	while (!enough) {
		madvise(part.reserve, PAGES * PAGE, MADV_DONTNEED);
		madvise(part.reserve, PAGES * PAGE, MADV_POPULATE_WRITE);
		mprotect(part.reserve, PAGES * PAGE, PROT_READ);
		mprotect(part.reserve, PAGES * PAGE, PROT_READ | PROT_WRITE);
	}
	return unused;
}

static void *cut(void *unused)
{
	while (!enough) {
		struct genp_resize ask = { .size = sizeof(ask) };

		ask.reserve = (1 + cuts++ % PAGES) * PAGE;
		if (ioctl(part.fd, GENP_RESIZE, &ask))
			CHECK(errno == ENOSPC || errno == EAGAIN);
	}
	return unused;
}

/* Mappings that come and go, and pipes that keep pages. */
static void *map_and_pin(void *unused)
{
	char page[PAGE];
	int fd[2];

	CHECK(!pipe2(fd, O_NONBLOCK));
	while (!enough) {
		struct genp_stat stat = stat_of(part.fd);
		char *at = mmap(NULL, stat.windows.reserve_length, PROT_READ | PROT_WRITE,
				MAP_SHARED, part.fd, 0);
		struct iovec iov = { at, PAGE };

		if (at == MAP_FAILED)
			continue;
		iov.iov_base = at + stat.windows.reserve_length - PAGE;
		futex(iov.iov_base, FUTEX_WAKE, 1, NULL, NULL);
		(void)!vmsplice(fd[1], &iov, 1, SPLICE_F_GIFT | SPLICE_F_NONBLOCK);
		munmap(at, stat.windows.reserve_length);
		if (cuts % 3)
			while (read(fd[0], page, PAGE) > 0)
				;
	}
	close(fd[0]);
	close(fd[1]);
	return unused;
}

/* Gets what was cut off, and knows it by its own names. */
static void *take_over(void *unused)
{
	while (!enough) {
		struct genp_create ask = create_request(info().free, 0);
		char *at;

		if (try_create(&ask))
			continue;
		at = mmap(NULL, ask.windows.reserve_length, PROT_READ | PROT_WRITE, MAP_SHARED,
			  ask.fd, 0);
		CHECK(at != MAP_FAILED);
		/* Nobody waits for a word of this one. */
		for (__u64 i = 0; i < ask.windows.reserve_length; i += PAGE)
			for (int word = 0; word < 64; word += 9)
				EQUAL(futex(at + i + word * 4, FUTEX_WAKE, 1, NULL, NULL), 0);
		munmap(at, ask.windows.reserve_length);
		close(ask.fd);
	}
	return unused;
}

TEST(words_in_a_reserve_that_changes)
{
	void *(*works[])(void *) = { wait_and_wake, wait_and_wake, forget, cut, map_and_pin,
				     take_over };
	struct genp_info before = info();
	struct part hoard = create(before.free - 3 * PAGES * PAGE, 0);
	pthread_t threads[6];

	part = create(PAGES * PAGE, 0);
	for (int i = 0; i < 6; i++)
		CHECK(!pthread_create(&threads[i], NULL, works[i], NULL));
	pause_ms(12000);
	enough = true;
	for (int i = 0; i < 6; i++)
		CHECK(!pthread_join(threads[i], NULL));
	printf("# %lu calls, %lu cuts\n", calls, cuts);
	drop(&part);
	drop(&hoard);
	expect_idle(&before);
}

/* An owner or a waiter of a PI futex, in a process and a mapping of its own. */
static pid_t locker(int number)
{
	struct timespec until;
	pid_t pid = child();
	long answer;
	char *word;

	if (pid)
		return pid;
	word = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, part.fd, 0);
	CHECK(word != MAP_FAILED);
	word += 9 * PAGE;
	if (number)
		pause_ms(100 + 20 * number);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	answer = futex(word, FUTEX_LOCK_PI, 0, &until, NULL);
	if (!number) {
		EQUAL(answer, 0);
		pause_ms(700);
		answer = futex(word, FUTEX_UNLOCK_PI, 0, NULL, NULL);
	}
	printf("# %s %d: %s\n", number ? "waiter" : "owner", number,
	       answer ? strerrorname_np(errno) : "0");
	fflush(stdout);
	_exit(0);
}

/* Their page goes: by shrinking, or with everything. */
static void pi_in_a_page_that_goes(bool shrink)
{
	struct genp_resize less = { .size = sizeof(less), .reserve = PAGE };
	struct genp_info before = info();
	pid_t pids[4];

	part = create(PAGES * PAGE, 0);
	for (int i = 0; i < 4; i++)
		pids[i] = locker(i);
	pause_ms(400);
	if (shrink)
		CHECK(!ioctl(part.fd, GENP_RESIZE, &less));
	else
		CHECK(!destroy(part.fd));
	for (int i = 0; i < 4; i++)
		EQUAL(reap(pids[i]), 0);
	drop(&part);
	expect_idle(&before);
}

TEST(a_pi_futex_is_cut_off) { pi_in_a_page_that_goes(true); }
TEST(a_pi_futex_is_destroyed) { pi_in_a_page_that_goes(false); }

static volatile char *wait_at;

static void *wait_long(void *unused)
{
	struct timespec limit = { .tv_sec = 30 };

	calls = futex((void *)wait_at, FUTEX_WAIT, 0, &limit, NULL) ? errno : 0;
	enough = true;
	return unused;
}

/* Who waits in a page that is cut off is not woken by another partition with the frame. */
TEST(a_waiter_in_a_page_that_is_cut_off)
{
	struct genp_resize size = { .size = sizeof(size), .reserve = PAGE };
	struct genp_create ask;
	pthread_t thread;
	char *at;

	part = create(PAGES * PAGE, 0);
	wait_at = part.reserve + 5 * PAGE;
	CHECK(!pthread_create(&thread, NULL, wait_long, NULL));
	pause_ms(200);
	CHECK(!ioctl(part.fd, GENP_RESIZE, &size));
	ask = create_request(info().free, 0);
	CHECK(!try_create(&ask));
	at = mmap(NULL, ask.windows.reserve_length, PROT_READ | PROT_WRITE, MAP_SHARED, ask.fd, 0);
	for (__u64 i = 0; i < ask.windows.reserve_length; i += PAGE)
		EQUAL(futex(at + i, FUTEX_WAKE, 1, NULL, NULL), 0);
	CHECK(!enough);
	munmap(at, ask.windows.reserve_length);
	close(ask.fd);
	/* It is the same place of the same file when it is there again. */
	size.reserve = PAGES * PAGE;
	CHECK(!ioctl(part.fd, GENP_RESIZE, &size));
	EQUAL(futex(part.reserve + 5 * PAGE, FUTEX_WAKE, 1, NULL, NULL), 1);
	CHECK(!pthread_join(thread, NULL));
	EQUAL(calls, 0);
	drop(&part);
}
