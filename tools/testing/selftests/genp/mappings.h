/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A partition with both windows mapped and a lease in one of them, all of it filled, and
 * the check that everything is as it was.
 */
#ifndef GENP_MAPPINGS_H
#define GENP_MAPPINGS_H

#include "genp_test.h"

/* Pages of the reserve, of the lease, and of the window, which has room for one lease. */
#define RESERVE 8UL
#define LEASE 4UL

static struct part part;
static struct genp_borrow lease;

static void fill(char *at, unsigned long pages)
{
	for (unsigned long i = 0; i < pages * PAGE; i++)
		at[i] = i / PAGE + i % 251;
}

/* Everything is there, and can be written. */
static void expect_whole(volatile char *at, unsigned long pages)
{
	for (unsigned long i = 0; i < pages * PAGE; i++) {
		if (at[i] != (char)(i / PAGE + i % 251))
			FAIL("byte %lu is another", i);
		at[i] = at[i];
	}
}

static void on_early_bus(int sig)
{
	expect_in_time(&lease);
	signal(sig, SIG_DFL);
}

static UNUSED void begin(void)
{
	struct genp_create ask = create_request(RESERVE * PAGE, RESERVE * PAGE);

	ask.max_leases = 1;
	part = create_from(ask);
	CHECK(!borrow(part.fd, LEASE * PAGE, GENP_NO_WAIT, 0, &lease));
	EQUAL(lease_at(&part, &lease) - part.lease, 0);
	signal(SIGBUS, on_early_bus);
	fill(part.reserve, RESERVE);
	fill(part.lease, LEASE);
}

static void end_lease(void)
{
	int err = give_back(part.fd, lease.handle);

	if (err)
		expect_in_time(&lease);
	CHECK(!err);
}

/* And with it: the lease ends as it should, and nothing is left of anything. */
static void end(const struct genp_info *before)
{
	expect_whole(part.reserve, RESERVE);
	expect_whole(part.lease, LEASE);
	CHECK(is_gone(part.lease + LEASE * PAGE));
	end_lease();
	for (unsigned long page = 0; page < LEASE; page++)
		CHECK(is_gone(part.lease + page * PAGE));
	close(part.fd);
	munmap(part.lease, part.windows.lease_length);
	munmap(part.reserve, part.windows.reserve_length);
	expect_idle(before);
}

#endif /* GENP_MAPPINGS_H */
