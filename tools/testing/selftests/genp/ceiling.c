// SPDX-License-Identifier: GPL-2.0
/* The ceilings of one user: bytes, partitions, leases, waiters. Contract lines 1 and 12. */
#include "capability.h"
#include "ceilings.h"
#include "genp_test.h"
#include "user_namespace.h"

/* A user with only the device, kept open from before. */
static void become(uid_t uid)
{
	CHECK(!setresgid(uid, uid, uid));
	CHECK(!setresuid(uid, uid, uid));
}

TEST(a_user_cannot_exceed_the_ceiling)
{
	__u64 most = ceiling();
	struct genp_create all = create_request(most, 0), again = create_request(most, 0);
	struct genp_create more = create_request(PAGE, 0);
	int fd = control();

	become(1000);
	CHECK(!ioctl(fd, GENP_CREATE, &all));
	ERRNO(ioctl(fd, GENP_CREATE, &more), ENOSPC);
	close(all.fd);
	CHECK(!ioctl(fd, GENP_CREATE, &again));
}

TEST(nor_by_growing)
{
	__u64 most = ceiling();
	struct genp_create request = create_request(PAGE, 0);
	struct genp_resize more = { .size = sizeof(more), .reserve = most + PAGE };
	int fd = control();

	become(1000);
	CHECK(!ioctl(fd, GENP_CREATE, &request));
	ERRNO(ioctl(request.fd, GENP_RESIZE, &more), ENOSPC);
	more.reserve = most;
	CHECK(!ioctl(request.fd, GENP_RESIZE, &more));
}

TEST(nor_as_root_of_a_user_namespace)
{
	struct genp_create more = create_request(ceiling() + PAGE, 0);
	int fd = control();

	become(1000);
	enter_user_namespace();
	ERRNO(ioctl(fd, GENP_CREATE, &more), ENOSPC);
}

TEST(users_have_a_ceiling_each)
{
	__u64 most = ceiling();
	struct genp_create request = create_request(most, 0);
	int fd = control();
	pid_t pid = child();

	if (!pid) {
		become(1001);
		_exit(ioctl(fd, GENP_CREATE, &request) ? errno : (pause(), 0));
	}
	EVENTUALLY(info().partitions == 1);
	become(1000);
	CHECK(!ioctl(fd, GENP_CREATE, &request));
	EQUAL(waitpid(pid, NULL, WNOHANG), 0);
}

TEST(nor_with_a_capability_for_something_else)
{
	struct genp_create more = create_request(ceiling() + PAGE, 0);
	int fd = control();

	become_with(1000, CAP_DAC_OVERRIDE);
	ERRNO(ioctl(fd, GENP_CREATE, &more), ENOSPC);
}

TEST(who_may_exceed_resources_may_exceed_it)
{
	struct genp_create more = create_request(ceiling() + PAGE, 0);
	int fd = control();

	become_with(1000, CAP_SYS_RESOURCE);
	CHECK(!ioctl(fd, GENP_CREATE, &more));
}

TEST(an_administrator_may_exceed_it)
{
	struct genp_create request = create_request(ceiling() + PAGE, 0);

	CHECK(!try_create(&request));
}

static __u32 limited(__u32 most)
{
	if (!most)
		SKIP("no such ceiling is set");
	return most;
}

static int create_at(int fd, struct genp_create request)
{
	return ioctl(fd, GENP_CREATE, &request) ? -1 : request.fd;
}

TEST(a_user_has_so_many_partitions)
{
	__u32 most = limited(info().uid_max_partitions);
	__u64 before = info().ceiling_refusals;
	struct genp_create one = create_request(PAGE, 0);
	int fd = control(), mine[256];
	pid_t pid;

	become(1000);
	for (__u32 i = 0; i < most; i++) {
		mine[i] = create_at(fd, one);
		CHECK(mine[i] >= 0);
	}
	ERRNO(create_at(fd, one), EUSERS);
	close(mine[0]);
	CHECK(create_at(fd, one) >= 0);
	ERRNO(create_at(fd, one), EUSERS);
	/* Root of a user namespace is the same user. */
	pid = child();
	if (!pid) {
		enter_user_namespace();
		ERRNO(create_at(fd, one), EUSERS);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
	struct genp_info after = { .size = sizeof(after) };

	CHECK(!ioctl(fd, GENP_GET_INFO, &after));
	CHECK(after.ceiling_refusals >= before + 3);
}

TEST(a_user_is_promised_so_many_leases)
{
	__u32 most = limited(info().uid_max_leases);
	struct genp_create half = create_request(0, PAGE), rest = half, none;
	int fd = control();

	half.max_leases = most / 2 + 1;
	rest.max_leases = most - half.max_leases;
	none = create_request(PAGE, 0);
	none.max_leases = half.max_leases;
	become(1000);
	CHECK(create_at(fd, half) >= 0);
	ERRNO(create_at(fd, half), EUSERS);
	CHECK(create_at(fd, rest) >= 0);
	/* Who cannot borrow takes none. */
	CHECK(create_at(fd, none) >= 0);
}

TEST(who_may_exceed_resources_may_have_more_partitions)
{
	__u32 most = limited(info().uid_max_partitions);
	struct genp_create one = create_request(PAGE, PAGE);
	int fd = control();

	become_with(1000, CAP_SYS_RESOURCE);
	one.max_leases = 64;
	for (__u32 i = 0; i <= most; i++)
		CHECK(create_at(fd, one) >= 0);
}

/* Has all that can be lent, again and again. */
static void take_all(void)
{
	struct part part = create(0, info().free);
	struct genp_borrow lease;

	for (;;)
		borrow(part.fd, part.windows.lease_length / stat_of(part.fd).max_leases,
		       GENP_WAIT_FOREVER, 0, &lease);
}

static void wait_for_ever(int fd)
{
	struct genp_borrow lease;

	for (;;)
		if (!borrow(fd, PAGE, GENP_WAIT_FOREVER, 0, &lease))
			give_back(fd, lease.handle);
}

TEST(so_many_of_a_user_wait)
{
	__u32 most = limited(info().uid_max_waiters);
	struct genp_create ask = create_request(0, 16 * PAGE);
	int fd = control(), err = 0, mine[2];
	struct genp_borrow lease;

	ask.max_leases = 8;
	if (!child())
		take_all();
	EVENTUALLY(info().lent > 0);
	become(1000);
	for (int i = 0; i < 2; i++) {
		mine[i] = create_at(fd, ask);
		CHECK(mine[i] >= 0);
	}
	/* In two partitions, and one more than may. */
	for (__u32 i = 0; i <= most; i++)
		if (!child())
			wait_for_ever(mine[i % 2]);
	/* A lease may be granted in between: so until it is refused. */
	for (__u64 limit = now() + 60 * SEC; err != EUSERS && now() < limit;) {
		struct genp_stat one = stat_of(mine[0]), other = stat_of(mine[1]);

		/* Not read at once, so one that went may be counted with one that came. */
		CHECK(one.waiters <= most && other.waiters <= most);
		err = borrow(mine[0], PAGE, now() + MSEC, 0, &lease) ? errno : 0;
		if (!err)
			give_back(mine[0], lease.handle);
		pause_ms(1);
	}
	EQUAL(err, EUSERS);
	CHECK(stat_of(mine[0]).ceiling_refusals > 0);
}
