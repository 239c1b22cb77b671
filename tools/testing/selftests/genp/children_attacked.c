// SPDX-License-Identifier: GPL-2.0
/*
 * Who has a part of a partition and wants more: rights and bytes by detours, and calls that
 * race with the end of what they need. Contract lines 2, 9 and 10.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "children.h"
#include "traced.h"

TEST(making_children_needs_its_right)
{
	int parent = parent_of(0, 0, 4 * PAGE, 4);
	struct genp_info before = info();
	struct genp_stat stat = stat_of(parent);

	for (__u32 rights = 0; rights <= GENP_RIGHTS_ALL; rights++) {
		int fd = restricted(parent, rights), child;

		CHECK(fd >= 0);
		if (!(rights & GENP_RIGHT_CHILDREN)) {
			ERRNO(child_of(fd, PAGE, 0, 0, 0), EACCES);
			close(fd);
			continue;
		}
		child = child_of(fd, PAGE, 0, 0, 0);
		CHECK(child >= 0);
		/* It has these rights and no others. */
		close(restricted(child, rights));
		for (__u32 bit = 1; bit < GENP_RIGHTS_ALL; bit <<= 1)
			if (!(rights & bit))
				ERRNO(restricted(child, bit), EACCES);
		close(child);
		close(fd);
		EVENTUALLY(stat_of(parent).children == stat.children);
	}
	expect_idle(&before);
}

/* A name is opened with all rights by who made it, so who has not all gets none. */
TEST(a_name_gives_no_rights)
{
	int parent = parent_of(0, 0, 4 * PAGE, 4);
	int fd = restricted(parent, GENP_RIGHTS_ALL & ~GENP_RIGHT_WRITE);
	struct genp_create request = child_request(PAGE, 0, 0, 0);

	strcpy(request.name, "detour");
	request.mode = 0666;
	ERRNO(ioctl(fd, GENP_CREATE_CHILD, &request), EACCES);
	ERRNO(opened("detour"), ENOENT);
	EQUAL(stat_of(parent).quota_used, 0);
}

/* All that a child can ask for, and what its parent has stays what it is. */
TEST(a_child_has_what_it_was_given)
{
	int parent = parent_of(0, 8 * PAGE, 8 * PAGE, 4);
	int child = child_of(parent, 2 * PAGE, 4 * PAGE, 2 * PAGE, 1);
	struct genp_info before = info();
	struct genp_borrow lease, more;

	ERRNO(resized(child, 2 * PAGE, 5 * PAGE), E2BIG);
	ERRNO(resized_with_quota(child, 2 * PAGE, 4 * PAGE, 7 * PAGE), ENOSPC);
	ERRNO(resized_with_quota(child, 7 * PAGE, 4 * PAGE, 2 * PAGE), ENOSPC);
	ERRNO(resized_with_quota(child, info().capacity, 4 * PAGE, info().capacity), ENOSPC);
	ERRNO(resized_with_quota(child, PAGE, 4 * PAGE, 1ULL << 62), E2BIG);
	ERRNO(resized_with_quota(child, PAGE, 4 * PAGE, PAGE / 2), EINVAL);
	ERRNO(child_of(child, 3 * PAGE, 0, 0, 0), ENOSPC);
	ERRNO(child_of(child, 0, 5 * PAGE, PAGE, 0), EDQUOT);
	ERRNO(child_of(child, PAGE, 0, 0, 1), ENOSPC);
	ERRNO(child_of(child, PAGE, 0, 0, ~0U), E2BIG);
	CHECK(!borrow(child, 4 * PAGE, GENP_NO_WAIT, 0, &lease));
	WHILE_LENT(lease, borrow(child, PAGE, GENP_NO_WAIT, 0, &more), EDQUOT);
	/* What it has on lease cannot be given on, to be had twice. */
	WHILE_LENT(lease, child_of(child, 0, PAGE, 0, 0), EDQUOT);
	/* Its own growth is its parent's quota, no more. */
	CHECK(!resized_with_quota(child, 3 * PAGE, 4 * PAGE, 5 * PAGE));
	ERRNO(resized_with_quota(child, 3 * PAGE, 4 * PAGE, 6 * PAGE), ENOSPC);
	ERRNO(child_of(parent, PAGE, 0, 0, 0), ENOSPC);
	EQUAL(info().committed, before.committed);
	EQUAL(info().free + info().lent, before.free);
	EQUAL(info().partitions, before.partitions);
}

/* A request that cannot be answered leaves nothing behind. */
TEST(an_answer_that_fails_makes_no_child)
{
	int parent = parent_of(0, 4 * PAGE, 4 * PAGE, 1);
	struct genp_create *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*page = child_request(4 * PAGE, 4 * PAGE, 0, 0);
	CHECK(!mprotect(page, PAGE, PROT_READ));
	for (int round = 0; round < 10; round++) {
		ERRNO(ioctl(parent, GENP_CREATE_CHILD, page), EFAULT);
		EVENTUALLY(!stat_of(parent).children);
		EQUAL(stat_of(parent).quota_used, 0);
		EQUAL(stat_of(parent).borrow_limit, 4 * PAGE);
	}
}

static _Atomic int made, refused;
static int shared;

/* Makes children, and grandchildren of them, as long as there is somebody to make them of. */
static void *make(void *last)
{
	for (;;) {
		int child = child_of(shared, PAGE, PAGE, PAGE, 1), own;

		if (child < 0) {
			if (errno == EIDRM)
				return last;
			CHECK(errno == ENOSPC || errno == EDQUOT || errno == EAGAIN);
			refused++;
			continue;
		}
		made++;
		own = child_of(child, PAGE, PAGE, 0, 0);
		CHECK(own >= 0 || errno == EIDRM || errno == EAGAIN);
		if (own >= 0)
			close(own);
		close(child);
	}
}

TEST(children_race_with_the_end_of_their_parent)
{
	struct genp_info before = info();

	for (int round = 0; round < 40; round++) {
		pthread_t threads[4];

		shared = parent_of(PAGE, 16 * PAGE, 16 * PAGE, 8);
		for (int i = 0; i < 4; i++)
			CHECK(!pthread_create(&threads[i], NULL, make, NULL));
		pause_ms(round % 5);
		CHECK(!destroy(shared));
		for (int i = 0; i < 4; i++)
			CHECK(!pthread_join(threads[i], NULL));
		/* Nobody is part of it any more, but what was closed just now. */
		EVENTUALLY(!stat_of(shared).children);
		EQUAL(stat_of(shared).quota_used, 0);
		EQUAL(stat_of(shared).borrow_given, 0);
		close(shared);
		expect_idle(&before);
	}
	printf("# %d children, %d refused\n", made, refused);
	CHECK(made > 0);
}

/* ... in whichever order the descriptors and mappings of a tree are closed. */
TEST(a_tree_is_closed_in_any_order)
{
	struct genp_info before = info();
	int order[3] = { 0, 1, 2 };

	for (int round = 0; round < 12; round++) {
		struct part parts[3] = {};
		int one = round % 3, other = round / 3 % 3, at = order[one];

		order[one] = order[other];
		order[other] = at;
		parts[0].fd = parent_of(PAGE, 6 * PAGE, 6 * PAGE, 2);
		for (int i = 1; i < 3; i++) {
			struct genp_create request =
				child_request(PAGE, PAGE, i < 2 ? PAGE : 0, i < 2 ? 1 : 0);

			CHECK(!ioctl(parts[i - 1].fd, GENP_CREATE_CHILD, &request));
			parts[i].fd = request.fd;
		}
		for (int i = 0; i < 3; i++) {
			parts[i].windows = stat_of(parts[i].fd).windows;
			map(&parts[i]);
			if (round & 1)
				close(parts[i].fd);
		}
		for (int i = 0; i < 3; i++) {
			struct part *part = &parts[order[i]];

			munmap(part->reserve, part->windows.reserve_length);
			munmap(part->lease, part->windows.lease_length);
			if (!(round & 1))
				close(part->fd);
		}
		expect_idle(&before);
	}
}

static void work(void)
{
	int parent = parent_of(PAGE, 4 * PAGE, 6 * PAGE, 3);
	int child = child_of(parent, PAGE, 2 * PAGE, 3 * PAGE, 1);
	int last = child_of(child, PAGE, PAGE, 0, 0);
	struct genp_borrow lease;

	CHECK(last >= 0);
	CHECK(!borrow(last, PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!resized_with_quota(child, 2 * PAGE, PAGE, 2 * PAGE));
	CHECK(!resized(last, 2 * PAGE, PAGE));
	CHECK(!destroy(child));
	close(last);
	close(parent);
}

TEST(a_death_at_any_call_leaves_nothing)
{
	struct genp_info before = info();
	int number;

	for (number = 0; number < 500; number++) {
		pid_t pid = fork();
		bool died;

		CHECK(pid >= 0);
		if (!pid) {
			be_traced();
			work();
			_exit(0);
		}
		died = die_at_call(pid, number);
		expect_idle(&before);
		if (!died)
			break;
	}
	printf("# died at each of %d calls and returns\n", number);
	CHECK(number > 20 && number < 500);
}
