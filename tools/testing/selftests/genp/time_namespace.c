// SPDX-License-Identifier: GPL-2.0
/* All times are those of the caller's time namespace, in and out. */
#include "genp_test.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static const int offsets[] = { 100000, -1 };

/* How often a slow machine may be in the way. */
#define TRIES 10

/* A child whose clock is this many seconds ahead; 0 in the child. */
static pid_t child_ahead(int seconds)
{
	char text[32];
	int fd;

	if (unshare(CLONE_NEWTIME))
		SKIP("no time namespaces here: %m");
	while (now() < 2 * SEC)
		pause_ms(100);
	snprintf(text, sizeof(text), "monotonic %d 0\n", seconds);
	fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	return child();
}

/* Runs `work` in children whose clocks are ahead and behind. */
static void in_other_times(void (*work)(void))
{
	for (unsigned int i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		__u64 here = now();
		pid_t pid = child_ahead(offsets[i]);

		if (!pid) {
			/* Else nothing is tested. */
			CHECK(offsets[i] < 0 || now() > here + 50000 * SEC);
			work();
			exit(0);
		}
		EQUAL(reap(pid), 0);
	}
}

/* Borrows a page: where the machine is slow, a lease may end before it is mapped. */
static struct genp_borrow borrow_page(int fd, __u64 lease_ns)
{
	struct genp_borrow lease;
	int tries = 0;

	while (borrow(fd, PAGE, GENP_NO_WAIT, lease_ns, &lease)) {
		EQUAL(errno, ETIMEDOUT);
		CHECK(++tries < TRIES);
	}
	return lease;
}

static void look_at_expiry(void)
{
	struct part part = create(0, PAGE);
	struct genp_renew renew = { .size = sizeof(renew), .lease_ns = 700 * MSEC };
	__u64 begin = now();
	struct genp_borrow lease = borrow_page(part.fd, 500 * MSEC);

	CHECK(begin + 500 * MSEC <= lease.expires && lease.expires <= now() + 500 * MSEC);
	renew.handle = lease.handle;
	begin = now();
	if (ioctl(part.fd, GENP_RENEW, &renew)) {
		CHECK(errno == ESTALE && now() >= lease.expires);
		return;
	}
	CHECK(begin + 700 * MSEC <= renew.expires && renew.expires <= now() + 700 * MSEC);
	EVENTUALLY(!stat_of(part.fd).lent);
	CHECK(now() >= renew.expires);
}

TEST(expiry_is_by_the_clock_of_the_caller)
{
	in_other_times(look_at_expiry);
}

/*
 * A request for what is on lease already, `ahead` from now or at `deadline`. It may be
 * granted if the lease ended before the request was looked at: it is made again then.
 */
static int answer(int fd, __u64 ahead, __u64 deadline)
{
	struct genp_borrow more;

	for (int tries = 0; tries < TRIES; tries++) {
		__u64 until = deadline;

		borrow_page(fd, SEC);
		if (ahead)
			until = now() + ahead;
		if (borrow(fd, PAGE, until, 0, &more)) {
			int error = errno;

			CHECK(!ahead || now() >= until);
			EVENTUALLY(!stat_of(fd).lent);
			return error;
		}
		give_back(fd, more.handle);
	}
	return 0;
}

static void wait_in_vain(void)
{
	struct part part = create(0, PAGE);
	struct genp_borrow lease, more;

	EQUAL(answer(part.fd, 30 * MSEC, 0), ETIMEDOUT);
	/* Passed, on this clock or on any. */
	EQUAL(answer(part.fd, 0, now() - 1), ETIMEDOUT);
	EQUAL(answer(part.fd, 0, 1), ETIMEDOUT);
	EQUAL(answer(part.fd, 0, GENP_NO_WAIT), EDQUOT);
	/* For ever, and later than any clock goes. */
	for (int less = 0; less < 2; less++) {
		lease = borrow_page(part.fd, SEC);
		if (borrow(part.fd, PAGE, GENP_WAIT_FOREVER - less, 0, &more))
			EQUAL(errno, ETIMEDOUT);
		CHECK(now() >= lease.expires);
		EVENTUALLY(!stat_of(part.fd).lent);
	}
}

TEST(deadlines_are_by_the_clock_of_the_caller)
{
	in_other_times(wait_in_vain);
}

/*
 * Reads up to the recall of a lease: false if it ended without one, because the machine
 * was so slow that the term was over before its end was announced.
 */
static bool next_recall(int fd, __u64 handle, struct genp_event *event)
{
	do {
		EQUAL(read(fd, event, sizeof(*event)), sizeof(*event));
		if (event->type == GENP_EVENT_REVOKED && event->handle == handle)
			return false;
	} while (event->type != GENP_EVENT_RECALLED || event->handle != handle);
	return true;
}

static void read_events(void)
{
	struct part part = create(0, 16 * PAGE);
	struct genp_borrow lease;
	struct genp_event event;
	__u64 begin = now();
	int tries = 0;

	do {
		CHECK(++tries < TRIES);
		lease = borrow_page(part.fd, 300 * MSEC);
	} while (!next_recall(part.fd, lease.handle, &event));
	CHECK(begin <= event.time && event.time <= now());
	EQUAL(event.value, lease.expires);
}

TEST(events_are_by_the_clock_of_the_reader)
{
	in_other_times(read_events);
}

/* One partition, two clocks: the borrower's is ahead, the reader's is the host's. */
TEST(borrower_and_reader_have_their_own_clocks)
{
	struct part part = create(0, 16 * PAGE);
	struct genp_event event;
	struct genp_borrow lease;
	__u64 begin = now();
	int fd[2];
	pid_t pid;

	CHECK(!pipe(fd));
	pid = child_ahead(100000);
	if (!pid) {
		map(&part);
		lease = borrow_page(part.fd, 300 * MSEC);
		CHECK(write(fd[1], &lease, sizeof(lease)) == sizeof(lease));
		exit(0);
	}
	close(fd[1]);
	CHECK(read(fd[0], &lease, sizeof(lease)) == sizeof(lease));
	if (!next_recall(part.fd, lease.handle, &event))
		SKIP("the lease ended before it was recalled: the machine is slow");
	CHECK(begin <= event.time && event.time <= now());
	EQUAL(event.value + 100000 * SEC, lease.expires);
	EQUAL(reap(pid), 0);
}
