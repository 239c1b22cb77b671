// SPDX-License-Identifier: GPL-2.0
/*
 * Those who wait for events of a partition: there are so many at most, because one thread
 * wakes them all, and each is charged. Contract line 12.
 */
#include <sys/epoll.h>

#include "genp_test.h"

#define MOST 64
/* They are woken in pieces of MOST. */
#define CROWD (3 * MOST + 1)

static struct part part;

/* An epoll that has the descriptor, or -1. */
static int epoll_with(int fd)
{
	struct epoll_event edge = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	CHECK(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &edge));
	return epoll;
}

static __u32 what_epoll_says(int epoll)
{
	struct epoll_event event = { 0 };

	return epoll_wait(epoll, &event, 1, 0) == 1 ? event.events : 0;
}

static void fill(int epolls[MOST])
{
	part = create(0, 8 * PAGE);
	for (int i = 0; i < MOST; i++) {
		epolls[i] = epoll_with(part.fd);
		EQUAL(what_epoll_says(epolls[i]), 0);
	}
}

/* Those who come when there are so many are told as well, by another thread. */
TEST(who_comes_later_is_told_too)
{
	struct pollfd ask = { .events = POLLIN };
	int epolls[MOST], later[CROWD];
	struct genp_borrow lease;
	pid_t reader, poller;

	fill(epolls);
	for (int i = 0; i < CROWD; i++)
		later[i] = epoll_with(part.fd);
	ask.fd = part.fd;
	EQUAL(poll(&ask, 1, 0), 0);
	reader = child();
	if (!reader) {
		struct genp_event event;

		_exit(read(part.fd, &event, sizeof(event)) != sizeof(event));
	}
	poller = child();
	if (!poller)
		_exit(poll(&ask, 1, 60000) != 1);
	pause_ms(100);
	CHECK(!borrow(part.fd, 8 * PAGE, GENP_NO_WAIT, 0, &lease));
	EQUAL(reap(reader), 0);
	/* Of these the edge is what counts: the record is gone. */
	CHECK(!give_back(part.fd, lease.handle) || errno == ESTALE);
	CHECK(!borrow(part.fd, 8 * PAGE, GENP_NO_WAIT, 0, &lease));
	EQUAL(reap(poller), 0);
	for (int i = 0; i < CROWD; i++)
		EVENTUALLY(what_epoll_says(later[i]) == EPOLLIN);
	/* And of the end, by whoever destroys it. */
	CHECK(!destroy(part.fd));
	for (int i = 0; i < CROWD; i++)
		CHECK(what_epoll_says(later[i]) & EPOLLHUP);
}

TEST(all_of_them_are_told)
{
	struct genp_borrow lease;
	int epolls[MOST];

	fill(epolls);
	CHECK(!borrow(part.fd, 8 * PAGE, GENP_NO_WAIT, 0, &lease));
	for (int i = 0; i < MOST; i++)
		EVENTUALLY(what_epoll_says(epolls[i]) == EPOLLIN);
}

/* Stated in tuning.rst: what a wake-up is charged. */
#define WAKE_NS 2000

/* Borrows and returns all there is, which is an event each time, until that is refused. */
static __u64 events_until_refused(int epoll)
{
	struct genp_borrow lease;
	__u64 events = 0;

	while (events < 300) {
		struct genp_event event;

		if (borrow(part.fd, 8 * PAGE, GENP_NO_WAIT, 0, &lease)) {
			if (errno == EAGAIN)
				break;
			/* The one before is just being ended, or this one was late. */
			CHECK(errno == EDQUOT || errno == ETIMEDOUT);
			continue;
		}
		/* Two events that are told at once are charged once. */
		EVENTUALLY(what_epoll_says(epoll) & EPOLLIN);
		EQUAL(read(part.fd, &event, sizeof(event)), sizeof(event));
		if (give_back(part.fd, lease.handle))
			EQUAL(errno, ESTALE);
		events++;
	}
	return events;
}

/* No more of them than the share allows, if each wake-up is charged. */
TEST(each_of_them_is_charged)
{
	struct genp_bounds bounds = { .size = sizeof(bounds) };
	__u64 begin, events, work;
	int epolls[MOST];

	fill(epolls);
	CHECK(!ioctl(part.fd, GENP_GET_BOUNDS, &bounds));
	begin = now();
	events = events_until_refused(epolls[0]);
	work = bounds.recall_burst_ns + bounds.recall_work_ns * ((now() - begin) / 1000) / 1000000;
	printf("# %llu events with %d listeners, %llu allowed\n", events, MOST,
	       work / (MOST * WAKE_NS) + 2);
	CHECK(events <= work / (MOST * WAKE_NS) + 2);
}
