// SPDX-License-Identifier: GPL-2.0
/* Futexes in a reserve whose pages come and go, and whose owners die. */
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include "hogs.h"

#define PAGES 8UL

static long futex(void *word, int operation, unsigned int value,
		  const struct timespec *limit)
{
	return syscall(SYS_futex, word, operation, value, limit, NULL, 0);
}

static void *map_by(int fd, const struct part *part)
{
	void *at =
		mmap(NULL, part->windows.reserve_length, PROT_READ | PROT_WRITE,
		     MAP_SHARED, fd, part->windows.reserve_offset);

	CHECK(at != MAP_FAILED);
	return at;
}

static int resize(int fd, __u64 length)
{
	struct genp_resize ask = { .size = sizeof(ask), .reserve = length };

	return ioctl(fd, GENP_RESIZE, &ask);
}

/* Waits until somebody waits for the word, and wakes him. */
static void wake_one(void *word)
{
	EVENTUALLY(futex(word, FUTEX_WAKE, 1, NULL) == 1);
}

static pid_t waiter(int fd, const struct part *part, unsigned long offset)
{
	pid_t pid = child();

	if (!pid) {
		struct timespec limit = { .tv_sec = 60 };
		char *at = map_by(fd, part);

		_exit(futex(at + offset, FUTEX_WAIT, 0, &limit) ? errno : 0);
	}
	return pid;
}

/* Whoever opened it by name has the same words. */
TEST(an_opened_partition_has_the_same_words)
{
	struct genp_create request = create_request(PAGES * PAGE, 0);
	struct genp_open again = { .size = sizeof(again), .name = "words" };
	struct part part;
	int fd = control();
	pid_t pid;

	strcpy(request.name, "words");
	part = create_from(request);
	CHECK(!ioctl(fd, GENP_OPEN, &again));
	pid = waiter(again.fd, &part, 2 * PAGE + 8);
	wake_one(part.reserve + 2 * PAGE + 8);
	EQUAL(reap(pid), 0);
}

/* Who waits in a page that is cut off is woken when it is there again, and can be killed. */
TEST(a_page_is_cut_off_while_somebody_waits)
{
	struct part part = create(PAGES * PAGE, 0);
	pid_t pid = waiter(part.fd, &part, 5 * PAGE),
	      doomed = waiter(part.fd, &part, 6 * PAGE);

	pause_ms(100);
	CHECK(!resize(part.fd, PAGE));
	ERRNO(futex(part.reserve + 5 * PAGE, FUTEX_WAKE, 1, NULL), EFAULT);
	kill(doomed, SIGKILL);
	EQUAL(WTERMSIG(reap(doomed)), SIGKILL);
	CHECK(!resize(part.fd, PAGES * PAGE));
	wake_one(part.reserve + 5 * PAGE);
	EQUAL(reap(pid), 0);
}

static void init(pthread_mutex_t *mutex, int protocol)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&attributes, protocol);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	EQUAL(pthread_mutex_init(mutex, &attributes), 0);
}

/* The owner's list leads through a page that is cut off before he dies. */
TEST(a_robust_list_in_a_page_that_is_gone)
{
	struct part part = create(PAGES * PAGE, 0);
	pid_t pid;

	for (unsigned long page = 0; page < PAGES; page++)
		init((void *)(part.reserve + page * PAGE),
		     PTHREAD_PRIO_INHERIT);
	pid = child();
	if (!pid) {
		char *at = map_by(part.fd, &part);

		for (unsigned long page = 0; page < PAGES; page++)
			CHECK(!pthread_mutex_lock((void *)(at + page * PAGE)));
		CHECK(!resize(part.fd, 3 * PAGE));
		kill(getpid(), SIGKILL);
	}
	EQUAL(WTERMSIG(reap(pid)), SIGKILL);
	CHECK(!resize(part.fd, PAGES * PAGE));
	drop(&part);
}

/* A chain through two mutexes in two partitions, under hogs of 50. */
TEST(a_chain_of_owners_is_boosted)
{
	struct part one = create(PAGE, 0), two = create(PAGE, 0);
	volatile int *stage = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t low, mid;

	init((void *)one.reserve, PTHREAD_PRIO_INHERIT);
	init((void *)two.reserve, PTHREAD_PRIO_INHERIT);
	be_fifo(60);
	low = child();
	if (!low) {
		pthread_mutex_t *mine = map_by(one.fd, &one);

		be_fifo(2);
		CHECK(!pthread_mutex_lock(mine));
		*stage = 1;
		while (*stage != 3)
			;
		CHECK(!pthread_mutex_unlock(mine));
		pause();
	}
	mid = child();
	if (!mid) {
		pthread_mutex_t *first = map_by(one.fd, &one),
				*mine = map_by(two.fd, &two);

		be_fifo(3);
		while (*stage != 1)
			pause_ms(1);
		CHECK(!pthread_mutex_lock(mine));
		*stage = 2;
		CHECK(!pthread_mutex_lock(first));
		CHECK(!pthread_mutex_unlock(first));
		CHECK(!pthread_mutex_unlock(mine));
		pause();
	}
	EVENTUALLY(*stage == 2);
	pause_ms(20);
	begin_hogs();
	pause_ms(5);
	*stage = 3;
	{
		struct timespec limit;
		int err;

		clock_gettime(CLOCK_REALTIME, &limit);
		limit.tv_sec += 8;
		err = pthread_mutex_timedlock((void *)two.reserve, &limit);
		end_hogs();
		EQUAL(err, 0);
	}
}

#define SECONDS 6

static void try_words(char *at, unsigned int seed)
{
	struct timespec limit = { .tv_nsec = 200000 };
	static const int operations[] = { FUTEX_WAIT, FUTEX_WAKE,
					  FUTEX_LOCK_PI2, FUTEX_TRYLOCK_PI,
					  FUTEX_UNLOCK_PI };

	for (;;) {
		char *word = at + rand_r(&seed) % PAGES * PAGE +
			     rand_r(&seed) % 4 * 64;
		int which = rand_r(&seed) % 7;

		if (which < 5)
			futex(word, operations[which], 0, &limit);
		else if (which == 5)
			syscall(SYS_futex, word, FUTEX_REQUEUE, 1,
				(void *)(long)INT_MAX, at + 64, 0);
		else
			madvise((char *)((long)word & ~(PAGE - 1)), PAGE,
				MADV_DONTNEED);
	}
}

static void write_words(char *at, pid_t of, unsigned int seed)
{
	char zeroes[64] = {};

	for (;;) {
		struct iovec from = { zeroes, sizeof(zeroes) };
		struct iovec to = { at + rand_r(&seed) % PAGES * PAGE,
				    sizeof(zeroes) };

		syscall(SYS_process_vm_writev, of, &from, 1, &to, 1, 0);
	}
}

static void hammer(int how, struct part *part, unsigned int seed)
{
	char *at;

	if (child())
		return;
	/* EINVAL while it is shrunk. */
	do
		at = mmap(NULL, part->windows.reserve_length,
			  PROT_READ | PROT_WRITE, MAP_SHARED, part->fd,
			  part->windows.reserve_offset);
	while (at == MAP_FAILED);
	if (how)
		write_words(at, getpid(), seed);
	try_words(at, seed);
}

/* The frames go round between this reserve, another one, and leases. */
TEST(words_in_pages_that_come_and_go)
{
	struct part part = create(PAGES * PAGE, 0), other = create(PAGE, 0),
		    lender = create(0, 64 * PAGE);
	struct genp_info before = info();
	unsigned long rounds = 0;
	__u64 end;

	for (unsigned int i = 0; i < 6; i++)
		hammer(i >= 4, &part, i + 1);
	for (end = now() + SECONDS * SEC; now() < end; rounds++) {
		struct genp_borrow lease;

		CHECK(!resize(part.fd, PAGE) &&
		      !resize(other.fd, PAGES * PAGE));
		if (!borrow(lender.fd, 32 * PAGE, GENP_NO_WAIT, 0, &lease)) {
			for (int i = 0; i < 32 * (int)PAGE; i += 512)
				EQUAL(lease_at(&lender, &lease)[i], 0);
			memset(lease_at(&lender, &lease), 0x5a, 32 * PAGE);
			give_back(lender.fd, lease.handle);
		}
		CHECK(!resize(other.fd, PAGE) &&
		      !resize(part.fd, PAGES * PAGE));
	}
	printf("# %lu rounds\n", rounds);
	EQUAL(info().broken_invariants, before.broken_invariants);
}
