// SPDX-License-Identifier: GPL-2.0
/* What a partition may cause the recall thread. Contract line 12. */
#include "genp_test.h"
#include "threads.h"

#define PARTITIONS 4

static struct genp_bounds bounds_of(int fd)
{
	struct genp_bounds bounds = { .size = sizeof(bounds) };

	if (ioctl(fd, GENP_GET_BOUNDS, &bounds))
		FAIL("GENP_GET_BOUNDS: %s", strerror(errno));
	return bounds;
}

/* The most leases that may have ended by force in @elapsed nanoseconds. */
static __u64 most_ends(int fd, __u64 elapsed)
{
	struct genp_bounds bounds = bounds_of(fd);
	__u64 work = bounds.recall_burst_ns + bounds.recall_work_ns * (elapsed / 1000) / 1000000;

	return work / GENP_RECALL_END_NS + 1;
}

/* Borrows a page for a term that may be over before the borrower ran. */
static void borrow_shortly(int fd, __u64 term, struct genp_borrow *lease)
{
	while (borrow(fd, PAGE, GENP_NO_WAIT, term, lease))
		CHECK(errno == ETIMEDOUT || errno == EAGAIN || errno == EDQUOT);
}

/* One page for the shortest time again and again, in a turn for each partition. */
TEST(no_more_leases_end_than_is_stated)
{
	struct part parts[PARTITIONS];
	__u64 begin, granted = 0, refused = 0, allowed = 0;
	struct genp_borrow lease;

	for (int i = 0; i < PARTITIONS; i++)
		parts[i] = create(0, 64 * PAGE);
	begin = now();
	/* Twice what is allowed, if the machine is fast enough. */
	while (now() < begin + 2 * SEC || (!refused && now() < begin + 10 * SEC)) {
		for (int i = 0; i < PARTITIONS; i++) {
			if (!borrow(parts[i].fd, PAGE, GENP_NO_WAIT, 1, &lease)) {
				granted++;
				continue;
			}
			CHECK(errno == EAGAIN || errno == EBUSY || errno == EDQUOT || errno == ETIMEDOUT);
		}
		refused = stat_of(parts[0].fd).pace_refusals;
	}
	for (int i = 0; i < PARTITIONS; i++) {
		struct genp_stat stat = stat_of(parts[i].fd);

		allowed = most_ends(parts[i].fd, now() - begin);
		if (stat.revocations > allowed)
			FAIL("%llu leases ended by force, %llu are allowed", stat.revocations, allowed);
		CHECK(stat.borrows <= stat.revocations + stat.returns + stat.leases);
		drop(&parts[i]);
	}
	printf("# %llu leases in 4 partitions, %llu refused in the first, %llu ends allowed\n",
	       granted, refused, allowed);
	/* On a slow machine leases end more slowly than they may, and other limits refuse more. */
	CHECK(refused > 0 || granted / PARTITIONS <= allowed);
}

/* ... nor by renewing them to an earlier time each. */
TEST(renewals_are_limited_as_well)
{
	struct part part = create(0, PAGE);
	__u64 term = info().max_lease_ns;
	int refused = 0;

	for (int round = 0; round < 100000 && !refused; round++) {
		struct genp_renew renew = { .size = sizeof(renew) };
		struct genp_borrow lease;

		if (borrow(part.fd, PAGE, GENP_NO_WAIT, term, &lease)) {
			EQUAL(errno, EAGAIN);
			refused = 1;
			continue;
		}
		renew.handle = lease.handle;
		/* Each one is due before what the recall thread sleeps for. */
		for (int i = 1; i <= 200 && !refused; i++) {
			renew.lease_ns = term - i * (term / 256);
			if (ioctl(part.fd, GENP_RENEW, &renew)) {
				CHECK(errno == EAGAIN || errno == ESTALE);
				refused = errno == EAGAIN;
			}
		}
		if (give_back(part.fd, lease.handle))
			EQUAL(errno, ESTALE);
	}
	CHECK(refused);
	CHECK(stat_of(part.fd).pace_refusals > 0);
}

/* A borrower who returns what it has before it is recalled is not held up. */
TEST(what_is_returned_in_time_costs_nothing)
{
	struct part part = create(0, 64 * PAGE);
	struct genp_borrow lease;

	for (int i = 0; i < 3000; i++) {
		CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
		/* A slow machine may be late. */
		if (give_back(part.fd, lease.handle))
			EQUAL(errno, ESTALE);
	}
	CHECK(stat_of(part.fd).pace_refusals == 0);
}

TEST(a_term_that_is_too_short_is_raised)
{
	struct genp_create ask = create_request(0, 4 * PAGE);
	__u64 least = info().min_lease_ns, begin;
	struct genp_renew renew = { .size = sizeof(renew), .lease_ns = 1 };
	struct genp_borrow lease;
	struct part part;

	CHECK(least > 0 && least <= 1000000);
	ask.lease_default_ns = 1;
	part = create_from(ask);
	begin = now();
	borrow_shortly(part.fd, 0, &lease);
	CHECK(lease.expires >= begin + least);
	begin = now();
	borrow_shortly(part.fd, 1, &lease);
	CHECK(lease.expires >= begin + least);
	borrow_shortly(part.fd, info().max_lease_ns, &lease);
	renew.handle = lease.handle;
	begin = now();
	CHECK(!ioctl(part.fd, GENP_RENEW, &renew));
	CHECK(renew.expires >= begin + least);
}

TEST(the_parts_of_all_are_the_share)
{
	struct part part = create(0, PAGE);
	struct genp_info pool = info();

	EQUAL(bounds_of(part.fd).recall_work_ns,
	      (__u64)pool.recall_share * 10000000 / pool.max_partitions);
	CHECK(bounds_of(part.fd).recall_burst_ns > 0);
}

#define ROUNDS 500

/* What GenP's threads of real-time priority slept and woke for. */
static __u64 sleeps(void)
{
	return sleeps_of("genp_recall") + sleeps_of("genp_notify") + sleeps_of("genp_refill");
}

/*
 * Creating, destroying and closing are the caller's own time: they wake no thread of
 * real-time priority, whether somebody listens or not.
 */
TEST(creating_and_destroying_wakes_no_thread)
{
	__u64 before;

	/* What the tests before left to do. */
	EVENTUALLY(is_idle("genp_recall") && is_idle("genp_notify") && is_idle("genp_refill"));
	before = sleeps();
	for (int i = 0; i < ROUNDS; i++) {
		struct part part = create(4 * PAGE, 4 * PAGE);
		struct pollfd listener = { .fd = part.fd, .events = POLLIN };

		CHECK(poll(&listener, 1, 0) == 0);
		if (i % 2) {
			CHECK(!destroy(part.fd));
			CHECK(poll(&listener, 1, 0) == 1 && listener.revents & POLLHUP);
		}
		drop(&part);
	}
	/* Another program may have caused one or two. */
	printf("# %llu sleeps in %d rounds\n", sleeps() - before, ROUNDS);
	CHECK(sleeps() - before < ROUNDS / 10);
}
