// SPDX-License-Identifier: GPL-2.0
/* GENP_DESTROY, GENP_RESIZE, and deaths of all kinds. Contract lines 1, 9. */
#include "hogs.h"

static int resize(int fd, __u64 reserve, __u64 limit)
{
	struct genp_resize request = {
		.size = sizeof(request), .reserve = reserve, .borrow_limit = limit,
	};

	return ioctl(fd, GENP_RESIZE, &request);
}

TEST(a_destroyed_partition_refuses)
{
	struct part part = create(4 * PAGE, 4 * PAGE);
	struct genp_borrow lease, more;
	struct genp_alloc got;
	char *at;

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!region(part.fd, 64, 0, &got));
	at = lease_at(&part, &lease);
	CHECK(!destroy(part.fd));
	CHECK(is_gone(at));
	EQUAL(stat_of(part.fd).dying, 1);
	EQUAL(stat_of(part.fd).lent, 0);
	ERRNO(destroy(part.fd), EIDRM);
	ERRNO(region(part.fd, 64, 0, &got), EIDRM);
	ERRNO(borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &more), EIDRM);
	ERRNO(resize(part.fd, PAGE, PAGE), EIDRM);
	ERRNO(give_back(part.fd, lease.handle), ESTALE);
	/* The reserve stays until it is unmapped. */
	part.reserve[3 * PAGE] = 1;
}

TEST(growing)
{
	struct genp_info before = info();
	struct part part = create_multimap(2 * PAGE, PAGE), more;
	struct genp_alloc got;

	part.reserve[PAGE] = 5;
	ERRNO(region(part.fd, 3 * PAGE, 0, &got), E2BIG);
	ERRNO(resize(part.fd, before.free + 8 * PAGE, PAGE), E2BIG);
	ERRNO(resize(part.fd, before.free + PAGE, PAGE), before.free + PAGE > before.capacity ?
	      E2BIG : ENOSPC);
	CHECK(!resize(part.fd, 8 * PAGE, PAGE));
	EQUAL(info().committed, before.committed + 8 * PAGE);
	CHECK(!region(part.fd, 8 * PAGE, 0, &got));
	more = part;
	more.windows = stat_of(part.fd).windows;
	EQUAL(more.windows.reserve_length, 8 * PAGE);
	map(&more);
	EQUAL(more.reserve[PAGE], 5);
	EQUAL(more.reserve[7 * PAGE], 0);
	memset(more.reserve, 1, 8 * PAGE);
	/* The mapped reserve is unchanged. */
	EQUAL(part.reserve[0], 1);
	drop(&part);
	munmap(more.reserve, 8 * PAGE);
	munmap(more.lease, more.windows.lease_length);
	expect_idle(&before);
}

TEST(shrinking)
{
	struct genp_info before = info();
	struct part part = create(8 * PAGE, PAGE);
	struct genp_alloc low, high;

	NEEDS_PROMPT_UNMAPPING();
	memset(part.reserve, 1, 8 * PAGE);
	CHECK(!region(part.fd, 4 * PAGE, 0, &low));
	CHECK(!region(part.fd, 4 * PAGE, 0, &high));
	ERRNO(resize(part.fd, 4 * PAGE, PAGE), EBUSY);
	CHECK(!by_handle(part.fd, GENP_FREE, high.offset ? high.handle : low.handle));
	CHECK(!resize(part.fd, 4 * PAGE, PAGE));
	EQUAL(stat_of(part.fd).reserve, 4 * PAGE);
	EVENTUALLY(info().committed == before.committed + 4 * PAGE);
	part.reserve[4 * PAGE - 1] = 2;
	end_in_bus_error(part.reserve + 4 * PAGE);
}

TEST(a_lower_limit_holds_for_new_leases)
{
	struct part part = create(PAGE, 8 * PAGE);
	struct genp_borrow lease, more;

	CHECK(!borrow(part.fd, 4 * PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!resize(part.fd, PAGE, 5 * PAGE));
	ERRNO(borrow(part.fd, 6 * PAGE, GENP_NO_WAIT, 0, &more), E2BIG);
	ERRNO(borrow(part.fd, 2 * PAGE, GENP_NO_WAIT, 0, &more), EDQUOT);
	CHECK(!resize(part.fd, PAGE, 8 * PAGE));
	CHECK(!borrow(part.fd, 4 * PAGE, GENP_NO_WAIT, 0, &more));
	ERRNO(resize(part.fd, PAGE, 9 * PAGE), E2BIG);
}

/* Kills a process after `steps` steps of using a partition. */
static void live_and_die(int steps)
{
	struct genp_borrow lease;
	struct genp_alloc got;
	struct part part;
	pid_t pid = child();

	if (pid) {
		reap(pid);
		return;
	}
	if (steps-- == 0)
		raise(SIGKILL);
	part = create(16 * PAGE, 16 * PAGE);
	if (steps-- == 0)
		raise(SIGKILL);
	CHECK(!region(part.fd, 1000, 0, &got));
	if (steps-- == 0)
		raise(SIGKILL);
	CHECK(!borrow(part.fd, 8 * PAGE, GENP_NO_WAIT, 20 * MSEC, &lease));
	if (steps-- == 0)
		raise(SIGKILL);
	borrow(part.fd, 8 * PAGE, now() + 10 * MSEC, 20 * MSEC, &lease);
	if (steps-- == 0)
		raise(SIGKILL);
	give_back(part.fd, lease.handle);
	if (steps-- == 0)
		raise(SIGKILL);
	destroy(part.fd);
	raise(SIGKILL);
}

TEST(death_at_every_step)
{
	struct genp_info before = info();

	for (int round = 0; round < 10; round++)
		for (int steps = 0; steps < 7; steps++)
			live_and_die(steps);
	expect_idle(&before);
}

TEST(death_at_any_moment)
{
	struct genp_info before = info();

	for (int i = 0; i < 60; i++) {
		pid_t pid = child();

		if (!pid) {
			for (;;)
				live_and_die(6);
		}
		pause_ms(i % 10);
		kill(pid, SIGKILL);
		reap(pid);
	}
	expect_idle(&before);
}

TEST(a_hogged_machine_ends_leases_too)
{
	struct part part = create(0, 4 * PAGE);
	struct genp_borrow lease, next;

	/* Nothing of ordinary priority runs; the test, which is above the hogs, only waits. */
	CHECK(!borrow(part.fd, 4 * PAGE, GENP_NO_WAIT, 300 * MSEC, &lease));
	begin_hogs();
	CHECK(!borrow(part.fd, 4 * PAGE, now() + 15 * SEC, 0, &next));
	EQUAL(stat_of(part.fd).revocations, 1);
	CHECK(now() >= lease.expires);
	end_hogs();
}
