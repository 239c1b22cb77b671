// SPDX-License-Identifier: GPL-2.0
/*
 * Partitions of a partition: they are made of what was set aside for them, whatever others
 * have, give it back there, and end with it. Contract lines 1, 2, 7 and 9.
 */
#include <sys/uio.h>

#include "children.h"

TEST(is_told_of)
{
	int fd = control(), parent = parent_of(PAGE, 8 * PAGE, 6 * PAGE, 2);
	struct genp_stat stat;
	struct genp_list listed = {};
	int child = child_of(parent, 2 * PAGE, 3 * PAGE, PAGE, 1);
	__u32 id;

	CHECK(info().features & GENP_FEATURE_CHILDREN);
	CHECK(child >= 0);
	stat = stat_of(parent);
	EQUAL(stat.quota, 6 * PAGE);
	EQUAL(stat.quota_used, 3 * PAGE);
	EQUAL(stat.borrow_limit, 5 * PAGE);
	EQUAL(stat.borrow_given, 3 * PAGE);
	EQUAL(stat.parent, GENP_NO_PARENT);
	EQUAL(stat.depth, 0);
	EQUAL(stat.children, 1);
	EQUAL(stat.children_left, 0);
	CHECK(list_next(fd, &listed));
	EQUAL(listed.parent, GENP_NO_PARENT);
	EQUAL(listed.quota, 6 * PAGE);
	EQUAL(listed.quota_used, 3 * PAGE);
	id = listed.id;
	CHECK(list_next(fd, &listed));
	EQUAL(listed.parent, id);
	EQUAL(listed.depth, 1);
	stat = stat_of(child);
	EQUAL(stat.reserve, 2 * PAGE);
	EQUAL(stat.quota, PAGE);
	EQUAL(stat.parent, id);
	EQUAL(stat.depth, 1);
	EQUAL(stat.children_left, 1);
	EQUAL(info().partitions, 3);
	EQUAL(info().committed, 7 * PAGE);
}

TEST(is_made_though_others_have_all)
{
	struct genp_info before;
	int parent = parent_of(0, 0, 64 * PAGE, 1), others = exhaust();

	before = info();
	for (int round = 0; round < 20; round++) {
		struct genp_create request = child_request(60 * PAGE, 0, 0, 0);
		struct part child;

		request.stock_pages = 4;
		CHECK(!ioctl(parent, GENP_CREATE_CHILD, &request));
		child = (struct part){ .fd = request.fd, .windows = request.windows };
		map(&child);
		for (int page = 0; page < 60; page++) {
			EQUAL(child.reserve[page * PAGE], 0);
			child.reserve[page * PAGE] = 'x';
		}
		EQUAL(stat_of(parent).quota_used, 64 * PAGE);
		EQUAL(info().committed, before.committed);
		ERRNO(child_of(parent, PAGE, 0, 0, 0), ENOSPC);
		drop(&child);
		EVENTUALLY(!stat_of(parent).quota_used && !stat_of(parent).children);
		expect_idle(&before);
	}
	close(others);
	close(parent);
}

TEST(has_no_more_than_was_set_aside)
{
	int parent = parent_of(PAGE, 4 * PAGE, 4 * PAGE, 2);
	struct genp_create request = child_request(PAGE, 0, 0, 0);

	ERRNO(child_of(parent, 5 * PAGE, 0, 0, 0), ENOSPC);
	ERRNO(child_of(parent, 3 * PAGE, 0, 2 * PAGE, 0), ENOSPC);
	ERRNO(child_of(parent, 0, 5 * PAGE, 0, 0), EDQUOT);
	ERRNO(child_of(parent, PAGE, 0, 0, 2), ENOSPC);
	ERRNO(child_of(parent, 0, 0, 0, 0), EINVAL);
	request.stock_pages = 4;
	ERRNO(ioctl(parent, GENP_CREATE_CHILD, &request), ENOSPC);
	request.stock_pages = 1;
	request.stock_limit = 2;
	ERRNO(ioctl(parent, GENP_CREATE_CHILD, &request), EOPNOTSUPP);
	request = child_request(PAGE, 0, 0, 0);
	request.padding = 1;
	ERRNO(ioctl(parent, GENP_CREATE_CHILD, &request), EINVAL);
	EQUAL(stat_of(parent).quota_used, 0);
	EQUAL(stat_of(parent).borrow_limit, 4 * PAGE);
	/* Nor without anything. */
	close(parent);
	parent = parent_of(PAGE, 4 * PAGE, 0, 0);
	ERRNO(child_of(parent, 0, PAGE, 0, 0), ENOSPC);
	close(parent);
}

TEST(is_part_of_four_others_at_most)
{
	int fd[GENP_MAX_DEPTH + 1] = { parent_of(0, 0, PAGE, GENP_MAX_DEPTH + 1) };

	for (int depth = 1; depth <= GENP_MAX_DEPTH; depth++) {
		fd[depth] = child_of(fd[depth - 1], 0, 0, PAGE, GENP_MAX_DEPTH + 1 - depth);
		CHECK(fd[depth] >= 0);
		EQUAL(stat_of(fd[depth]).depth, depth);
	}
	ERRNO(child_of(fd[GENP_MAX_DEPTH], PAGE, 0, 0, 0), E2BIG);
	/* The last one is destroyed by the end of the first one. */
	CHECK(!destroy(fd[0]));
	for (int depth = 0; depth <= GENP_MAX_DEPTH; depth++)
		ERRNO(destroy(fd[depth]), EIDRM);
}

TEST(limit_is_its_parents)
{
	int parent = parent_of(0, 10 * PAGE, 0, 2);
	int child = child_of(parent, 0, 6 * PAGE, 0, 0);
	struct genp_borrow own, lease, more;

	ERRNO(borrow(parent, 5 * PAGE, GENP_NO_WAIT, 0, &own), E2BIG);
	CHECK(!borrow(parent, 2 * PAGE, GENP_NO_WAIT, 0, &own));
	/* What is on lease is given to nobody. */
	WHILE_LENT(own, child_of(parent, 0, 3 * PAGE, 0, 0), EDQUOT);
	ERRNO(resized(child, 0, 7 * PAGE), E2BIG);
	CHECK(!borrow(child, 5 * PAGE, GENP_NO_WAIT, 0, &lease));
	WHILE_LENT(lease, resized(child, 0, 4 * PAGE), EBUSY);
	CHECK(!resized(child, 0, 5 * PAGE));
	EQUAL(stat_of(parent).borrow_limit, 5 * PAGE);
	/* All is one sum: the parent cannot make it more. */
	ERRNO(resized(parent, 0, 6 * PAGE), E2BIG);
	WHILE_LENT(own, child_of(parent, 0, 4 * PAGE, 0, 0), EDQUOT);
	CHECK(!resized(child, 0, 6 * PAGE));
	CHECK(!resized(parent, 0, 2 * PAGE));
	ERRNO(resized(parent, 0, 5 * PAGE), E2BIG);
	WHILE_LENT(own, borrow(parent, PAGE, GENP_NO_WAIT, 0, &more), EDQUOT);
	close(child);
	EVENTUALLY(stat_of(parent).borrow_limit == 8 * PAGE);
	CHECK(!resized(parent, 0, 10 * PAGE));
	close(parent);
}

TEST(end_of_a_child_serves_its_parent)
{
	int parent = parent_of(0, 8 * PAGE, 0, 1), child = child_of(parent, 0, 4 * PAGE, 0, 0);
	struct genp_borrow lease;
	pid_t pid;

	CHECK(!borrow(parent, 2 * PAGE, GENP_NO_WAIT, 0, &lease));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		/* It has a copy of the descriptor. */
		close(child);
		if (borrow(parent, 3 * PAGE, now() + 60 * SEC, 0, &lease))
			_exit(1);
		_exit(0);
	}
	EVENTUALLY(stat_of(parent).waiters == 1 || now() > lease.expires);
	close(child);
	EQUAL(reap(pid), 0);
	/* Otherwise the end of the lease may have done it. */
	expect_in_time(&lease);
}

TEST(grows_and_shrinks_by_its_parents_quota)
{
	int parent = parent_of(PAGE, 0, 10 * PAGE, 1);
	struct genp_create request = child_request(4 * PAGE, 0, 0, 0);
	struct genp_info before;
	struct part child;

	CHECK(!ioctl(parent, GENP_CREATE_CHILD, &request));
	child = (struct part){ .fd = request.fd, .windows = request.windows };
	map(&child);
	exhaust();
	before = info();
	ERRNO(resized(child.fd, 11 * PAGE, 0), ENOSPC);
	CHECK(!resized(child.fd, 10 * PAGE, 0));
	EQUAL(stat_of(parent).quota_used, 10 * PAGE);
	child.windows = stat_of(child.fd).windows;
	map(&child);
	child.reserve[9 * PAGE] = 'x';
	CHECK(!resized(child.fd, PAGE, 0));
	CHECK(is_gone(child.reserve + 9 * PAGE));
	EVENTUALLY(stat_of(parent).quota_used == PAGE);
	EQUAL(info().committed, before.committed);
	EQUAL(info().free, 0);
}

TEST(reserve_and_quota_are_one_sum)
{
	int parent = parent_of(4 * PAGE, 0, 6 * PAGE, 2);
	struct genp_info before;
	int child;

	exhaust();
	before = info();
	/* In one step, both ways. */
	CHECK(!resized_with_quota(parent, 9 * PAGE, 0, PAGE));
	ERRNO(child_of(parent, 2 * PAGE, 0, 0, 0), ENOSPC);
	CHECK(!resized_with_quota(parent, 2 * PAGE, 0, 8 * PAGE));
	EVENTUALLY(info().committed == before.committed);
	child = child_of(parent, 8 * PAGE, 0, 0, 0);
	CHECK(child >= 0);
	ERRNO(resized_with_quota(parent, 2 * PAGE, 0, 9 * PAGE), ENOSPC);
	ERRNO(resized_with_quota(parent, 3 * PAGE, 0, 8 * PAGE), ENOSPC);
	ERRNO(resized_with_quota(parent, 2 * PAGE, 0, 7 * PAGE), EBUSY);
	ERRNO(resized_with_quota(parent, 10 * PAGE, 0, 0), EBUSY);
	/* One that knows no quota keeps it. */
	CHECK(!resized(parent, PAGE, 0));
	EQUAL(stat_of(parent).quota, 8 * PAGE);
	EVENTUALLY(info().free == PAGE);
	close(child);
	EVENTUALLY(!stat_of(parent).quota_used);
	CHECK(!resized_with_quota(parent, PAGE, 0, 0));
	EVENTUALLY(info().free == 9 * PAGE);
	ERRNO(resized_with_quota(parent, 0, 0, 0), EINVAL);
}

TEST(a_region_keeps_reserve_and_quota)
{
	int parent = parent_of(4 * PAGE, 0, 2 * PAGE, 1);
	struct genp_alloc alloc;

	CHECK(!region(parent, 4 * PAGE, 0, &alloc));
	exhaust();
	ERRNO(resized_with_quota(parent, 2 * PAGE, 0, 4 * PAGE), EBUSY);
	ERRNO(resized_with_quota(parent, 2 * PAGE, 0, PAGE), EBUSY);
	EQUAL(stat_of(parent).quota, 2 * PAGE);
	EQUAL(stat_of(parent).reserve, 4 * PAGE);
	CHECK(child_of(parent, 2 * PAGE, 0, 0, 0) >= 0);
}

/* Pages that somebody still holds come back to the quota when nobody does. */
TEST(pinned_pages_come_back_late)
{
	int parent = parent_of(0, 0, 4 * PAGE, 1), pipes[2];
	struct genp_create request = child_request(4 * PAGE, 0, 0, 0);
	struct part child;
	struct iovec from;

	CHECK(!ioctl(parent, GENP_CREATE_CHILD, &request));
	child = (struct part){ .fd = request.fd, .windows = request.windows };
	map(&child);
	exhaust();
	CHECK(!pipe(pipes));
	from = (struct iovec){ child.reserve, PAGE };
	EQUAL(vmsplice(pipes[1], &from, 1, 0), PAGE);
	drop(&child);
	EVENTUALLY(stat_of(parent).quota_used == PAGE);
	EQUAL(stat_of(parent).children, 1);
	EQUAL(info().quarantined, PAGE);
	ERRNO(child_of(parent, 3 * PAGE, 0, 0, 0), ENOSPC);
	close(pipes[0]);
	close(pipes[1]);
	EVENTUALLY(!stat_of(parent).quota_used);
	CHECK(child_of(parent, 4 * PAGE, 0, 0, 0) >= 0);
}

TEST(ends_with_its_parent)
{
	struct genp_info before = info();
	int parent = parent_of(0, 8 * PAGE, 8 * PAGE, 3);
	int child = child_of(parent, 2 * PAGE, 4 * PAGE, 4 * PAGE, 1);
	int last = child_of(child, 3 * PAGE, 2 * PAGE, 0, 0);
	struct genp_borrow lease;
	struct genp_event event;
	struct pollfd poller;
	pid_t pid;

	CHECK(last >= 0);
	CHECK(!borrow(last, 2 * PAGE, GENP_NO_WAIT, 0, &lease));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		ERRNO(borrow(last, PAGE, GENP_WAIT_FOREVER, 0, &lease), EIDRM);
		_exit(0);
	}
	EVENTUALLY(stat_of(last).waiters == 1 || now() > lease.expires);
	expect_in_time(&lease);
	CHECK(!destroy(parent));
	EQUAL(reap(pid), 0);
	EQUAL(stat_of(last).dying, 1);
	EQUAL(stat_of(last).lent, 0);
	ERRNO(borrow(last, PAGE, GENP_NO_WAIT, 0, &lease), EIDRM);
	ERRNO(child_of(child, 0, 0, PAGE, 0), EIDRM);
	ERRNO(child_of(parent, 0, 0, PAGE, 0), EIDRM);
	ERRNO(resized(last, PAGE, 0), EIDRM);
	/* Who listens is told. */
	poller = (struct pollfd){ .fd = last, .events = POLLPRI };
	EQUAL(poll(&poller, 1, 10000), 1);
	do
		CHECK(read(last, &event, sizeof(event)) == sizeof(event));
	while (event.type != GENP_EVENT_DYING);
	close(parent);
	close(last);
	close(child);
	expect_idle(&before);
}

/* The memory of a child that somebody has stays his, until he lets go of it. */
TEST(outlives_the_close_of_its_parent_only_as_memory)
{
	struct genp_info before = info();
	int parent = parent_of(2 * PAGE, 4 * PAGE, 8 * PAGE, 1);
	struct genp_create request = child_request(3 * PAGE, 2 * PAGE, 0, 0);
	struct genp_borrow lease;
	struct part child;

	CHECK(!ioctl(parent, GENP_CREATE_CHILD, &request));
	child = (struct part){ .fd = request.fd, .windows = request.windows };
	map(&child);
	CHECK(!borrow(child.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	child.reserve[0] = 'x';
	close(parent);
	EVENTUALLY(stat_of(child.fd).dying);
	EVENTUALLY(info().committed == 3 * PAGE);
	EQUAL(info().lent, 0);
	EQUAL(child.reserve[0], 'x');
	CHECK(is_gone(lease_at(&child, &lease)));
	close(child.fd);
	EQUAL(child.reserve[0], 'x');
	EQUAL(info().partitions, 2);
	munmap(child.reserve, 3 * PAGE);
	munmap(child.lease, child.windows.lease_length);
	expect_idle(&before);
}

TEST(has_a_name_of_its_own)
{
	int parent = parent_of(0, 0, 4 * PAGE, 2);
	struct genp_create request = child_request(PAGE, 0, 0, 0);
	int fd;

	strcpy(request.name, "child");
	CHECK(!ioctl(parent, GENP_CREATE_CHILD, &request));
	fd = opened("child");
	CHECK(fd >= 0);
	EQUAL(stat_of(fd).depth, 1);
	ERRNO(ioctl(parent, GENP_CREATE_CHILD, &request), EEXIST);
	EQUAL(stat_of(parent).quota_used, PAGE);
	close(request.fd);
	CHECK(!destroy(parent));
	ERRNO(opened("child"), ENOENT);
	close(fd);
}
