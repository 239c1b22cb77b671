// SPDX-License-Identifier: GPL-2.0
/*
 * A waiter can be served as soon as a reserve shrank, and is, by whoever shrank it. If that
 * one is kept from running just then, each call of anybody that takes the lending lock
 * charges the waiter's partition for a wake-up. It must not lose its pace by that.
 */
#include <grp.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "hogs.h"

/* Of the one who shrinks a reserve, and of who interrupts him. */
#define LOW    9
#define HIGH   10
#define ROUNDS 400
#define SPENT  (200 * MSEC)

struct shared {
	atomic_int round, done, busy, hit;
	atomic_ullong at, calls, silent;
};

static struct shared *shared;

/* An ordinary user who may have real-time priorities up to HIGH. */
static void be_ordinary(uid_t uid)
{
	struct rlimit most = { HIGH, HIGH };

	CHECK(!setrlimit(RLIMIT_RTPRIO, &most));
	CHECK(!setgroups(0, NULL));
	CHECK(!setresgid(uid, uid, uid));
	CHECK(!setresuid(uid, uid, uid));
	/* Forgotten with the user. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Keeps the other processor busy while a round runs. */
static void begin_hog(void)
{
	if (child())
		return;
	be_ordinary(1000);
	stay_on(1);
	be_fifo(HIGH);
	for (;;) {
		while (shared->busy)
			;
		pause_ms(1);
	}
}

static bool could_be_served(int fd)
{
	struct genp_info pool = info_by(fd);

	return pool.waiters && pool.free >= 128 * PAGE;
}

/* Wakes up in the middle of what the other one does. */
static void begin_interrupter(int fd)
{
	unsigned int seed = 1;

	if (child())
		return;
	be_ordinary(1000);
	stay_on(0);
	be_fifo(HIGH);
	for (__u64 last = 0;;) {
		__u64 at = shared->at, end;
		struct timespec until;

		if (at == last) {
			pause_ms(1);
			continue;
		}
		last = at;
		at += rand_r(&seed) % 1000 * 1000;
		until = (struct timespec){ at / SEC, at % SEC };
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		if (!could_be_served(fd))
			continue;
		for (end = now() + SPENT; now() < end; shared->calls++)
			info_by(fd);
		shared->hit = 1;
	}
}

/* Waits for 128 pages in each round; after a hit, asks for one until it gets that. */
static void begin_victim(const struct part *part)
{
	struct genp_borrow lease;
	__u64 begin;

	if (child())
		return;
	be_ordinary(1001);
	for (int round = 1; !shared->hit; round++) {
		while (shared->round != round)
			pause_ms(1);
		if (!borrow(part->fd, 128 * PAGE, GENP_WAIT_FOREVER, 0, &lease))
			give_back(part->fd, lease.handle);
		shared->done = round;
	}
	begin = now();
	while (borrow(part->fd, PAGE, GENP_NO_WAIT, 0, &lease) &&
	       now() < begin + 5 * SEC)
		pause_ms(5);
	shared->silent = now() - begin;
	printf("# refused %llu times for its pace\n",
	       stat_of(part->fd).pace_refusals);
	fflush(stdout);
	_exit(0);
}

static void resize(int fd, __u64 reserve)
{
	struct genp_resize ask = { .size = sizeof(ask), .reserve = reserve };

	CHECK(!ioctl(fd, GENP_RESIZE, &ask));
}

/* One round: the victim waits, and the reserve shrinks by what it waits for. */
static void play(const struct part *theirs, const struct part *lender,
		 const struct part *reserve)
{
	static struct genp_borrow lease;
	__u64 length = reserve->windows.reserve_length;

	if (lease.handle)
		give_back(lender->fd, lease.handle);
	EVENTUALLY(!borrow(lender->fd, 192 * PAGE, GENP_NO_WAIT, 0, &lease));
	shared->round++;
	EVENTUALLY(stat_of(theirs->fd).waiters == 1 ||
		   shared->done == shared->round);
	shared->busy = 1;
	shared->at = now() + MSEC;
	pause_ms(1);
	resize(reserve->fd, length - 128 * PAGE);
	shared->busy = 0;
	EVENTUALLY(shared->done == shared->round);
	resize(reserve->fd, length);
}

TEST(the_pace_of_a_waiter_is_its_own)
{
	struct part theirs = create(0, 256 * PAGE),
		    lender = create(0, 192 * PAGE), reserve;
	struct genp_create request =
		create_request(info().capacity - 256 * PAGE, 0);
	int fd = control();

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	CHECK(!try_create(&request));
	reserve = (struct part){ .fd = request.fd, .windows = request.windows };
	begin_hog();
	begin_interrupter(fd);
	begin_victim(&theirs);
	be_ordinary(1000);
	stay_on(0);
	be_fifo(LOW);
	for (int round = 0; round < ROUNDS && !shared->hit; round++)
		play(&theirs, &lender, &reserve);
	if (!shared->hit)
		SKIP("never in the middle");
	EVENTUALLY(shared->silent);
	printf("# in round %d, %llu calls: the victim got no page for %llu ms\n",
	       shared->round, (__u64)shared->calls, shared->silent / MSEC);
	EQUAL(stat_of(theirs.fd).pace_refusals, 0);
}
