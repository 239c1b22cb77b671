// SPDX-License-Identifier: GPL-2.0
/* Ways around the ceilings of a user, and around the modes of names. Contract lines 1, 12. */
#include <pthread.h>
#include <sys/fsuid.h>
#include <sys/resource.h>

#include "capability.h"
#include "ceilings.h"
#include "genp_test.h"

static void become(uid_t uid)
{
	CHECK(!setgroups(0, NULL));
	CHECK(!setresgid(uid, uid, uid));
	CHECK(!setresuid(uid, uid, uid));
}

static int create_at(int fd, struct genp_create request)
{
	return ioctl(fd, GENP_CREATE, &request) ? -1 : request.fd;
}

TEST(stocks_count_against_the_ceiling)
{
	struct genp_create ask = create_request(0, 0);
	__u64 most = ceiling();
	int fd = control();

	become(1000);
	ask.stock_pages = most / PAGE + 1;
	ERRNO(create_at(fd, ask), ENOSPC);
	ask.stock_pages = most / PAGE;
	CHECK(create_at(fd, ask) >= 0);
	ERRNO(create_at(fd, create_request(PAGE, 0)), ENOSPC);
}

TEST(a_stock_does_not_grow_by_itself)
{
	struct genp_create ask = create_request(0, 0);
	int fd = control();
	__u64 before;

	ceiling();
	become(1000);
	ask.stock_pages = 1;
	ask.stock_low = 1;
	ask.stock_limit = info_by(fd).capacity / PAGE;
	before = info_by(fd).committed;
	CHECK(create_at(fd, ask) >= 0);
	pause_ms(300);
	EQUAL(info_by(fd).committed, before + PAGE);
}

TEST(a_budget_of_none_promises_leases_all_the_same)
{
	struct genp_create ask = create_request(PAGE, PAGE);
	struct genp_resize none = { .size = sizeof(none), .reserve = PAGE };
	struct genp_resize again = { .size = sizeof(again), .reserve = PAGE, .borrow_limit = PAGE };
	__u32 most = info().uid_max_leases;
	int fd = control(), first, second;

	if (!most)
		SKIP("no ceiling of leases");
	become(1000);
	ask.max_leases = most;
	first = create_at(fd, ask);
	CHECK(first >= 0);
	CHECK(!ioctl(first, GENP_RESIZE, &none));
	second = create_at(fd, ask);
	printf("# with a budget of 0: %s\n", second < 0 ? "refused" : "made");
	if (second >= 0)
		ERRNO(ioctl(first, GENP_RESIZE, &again), EUSERS);
}

/* What is pinned counts until it is let go. */
TEST(quarantine_counts_against_the_ceiling)
{
	__u64 most = ceiling();
	struct genp_resize less = { .size = sizeof(less), .reserve = PAGE };
	struct genp_resize more = { .size = sizeof(more), .reserve = most };
	struct genp_create ask = create_request(most, 0);
	int fd = control(), pipes[2];
	struct iovec iov;
	struct part part;

	become(1000);
	CHECK(!ioctl(fd, GENP_CREATE, &ask));
	part.fd = ask.fd;
	part.windows = ask.windows;
	map(&part);
	CHECK(!pipe(pipes));
	iov = (struct iovec){ part.reserve + PAGE, 8 * PAGE };
	EQUAL(vmsplice(pipes[1], &iov, 1, 0), 8 * PAGE);
	CHECK(!ioctl(part.fd, GENP_RESIZE, &less));
	ERRNO(ioctl(part.fd, GENP_RESIZE, &more), ENOSPC);
	more.reserve = most - 8 * PAGE;
	CHECK(!ioctl(part.fd, GENP_RESIZE, &more));
	ERRNO(create_at(fd, create_request(PAGE, 0)), ENOSPC);
	close(pipes[0]);
	close(pipes[1]);
	EVENTUALLY(!info_by(fd).quarantined);
	more.reserve = most;
	CHECK(!ioctl(part.fd, GENP_RESIZE, &more));
}

static int device;
static __u64 most_bytes;

static void *create_always(void *data)
{
	int *worst = data;

	for (int i = 0; i < 3000; i++) {
		int fd = create_at(device, create_request(most_bytes / 2 + PAGE, 0));
		int again = create_at(device, create_request(most_bytes / 2, 0));

		if (fd >= 0 && again >= 0)
			(*worst)++;
		if (fd >= 0)
			close(fd);
		if (again >= 0)
			close(again);
	}
	return NULL;
}

/* Threads that create at once: all together are within the ceiling. */
TEST(threads_cannot_exceed_it_together)
{
	pthread_t threads[3];
	int worst = 0;

	most_bytes = ceiling();
	device = control();
	become(1000);
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_create(&threads[i], NULL, create_always, &worst));
	for (int i = 0; i < 1000; i++) {
		CHECK(info_by(device).committed <= most_bytes);
		pause_ms(1);
	}
	for (int i = 0; i < 3; i++)
		CHECK(!pthread_join(threads[i], NULL));
	EQUAL(worst, 0);
	EVENTUALLY(!info_by(device).committed);
	CHECK(create_at(device, create_request(most_bytes, 0)) >= 0);
}

/* A partition of root's that a user resizes, and one of a user's that root resizes. */
TEST(the_owner_is_who_counts)
{
	__u64 most = ceiling();
	struct genp_resize more = { .size = sizeof(more), .reserve = most };
	int fd = control(), of_user = -1, of_root;
	pid_t pid;

	of_root = create_at(fd, create_request(PAGE, 0));
	CHECK(of_root >= 0);
	pid = child();
	if (!pid) {
		become(1000);
		of_user = create_at(fd, create_request(most, 0));
		CHECK(of_user >= 0);
		CHECK(!ioctl(of_root, GENP_RESIZE, &more));
		more.reserve = most + PAGE;
		ERRNO(ioctl(of_root, GENP_RESIZE, &more), ENOSPC);
		ERRNO(ioctl(of_user, GENP_RESIZE, &more), ENOSPC);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
}

static int open_named(int fd, const char *name)
{
	struct genp_open request = { .size = sizeof(request) };

	strcpy(request.name, name);
	return ioctl(fd, GENP_OPEN, &request) ? -1 : request.fd;
}

/* Who is what: effective ids and groups, the saved and the file system's. */
TEST(ids_that_are_not_effective_open_nothing)
{
	struct genp_create ask = create_request(PAGE, 0);
	int fd = control();
	pid_t pid;

	strcpy(ask.name, "theirs");
	ask.mode = 0660;
	CHECK(!setresgid(70, 70, 0) && !setresuid(70, 70, 0));
	CHECK(!ioctl(fd, GENP_CREATE, &ask));
	CHECK(!setresuid(0, 0, 0) && !setresgid(0, 0, 0));
	pid = child();
	if (!pid) {
		gid_t groups[2] = { 5, 70 };

		CHECK(!setgroups(0, NULL));
		CHECK(!setresgid(1000, 1000, 70));
		CHECK(!setresuid(1000, 1000, 70));
		ERRNO(open_named(fd, "theirs"), EACCES);
		CHECK(!setresgid(-1, 70, -1));
		CHECK(open_named(fd, "theirs") >= 0);
		CHECK(!setresgid(-1, 1000, -1));
		ERRNO(open_named(fd, "theirs"), EACCES);
		CHECK(setgroups(2, groups));
		/* The file system's ids: what files would ask for. */
		setfsgid(70);
		printf("# with fsgid 70: %s\n", open_named(fd, "theirs") < 0 ? "no" : "yes");
		setfsgid(1000);
		setfsuid(70);
		printf("# with fsuid 70: %s\n", open_named(fd, "theirs") < 0 ? "no" : "yes");
		_exit(0);
	}
	EQUAL(reap(pid), 0);
	pid = child();
	if (!pid) {
		gid_t groups[2] = { 5, 70 };

		CHECK(!setgroups(2, groups) && !setresgid(1000, 1000, 1000));
		CHECK(!setresuid(1000, 1000, 1000));
		CHECK(open_named(fd, "theirs") >= 0);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
}

/* Refusals are counted, once each. */
TEST(each_refusal_is_counted)
{
	__u64 most = ceiling(), before;
	struct genp_resize more = { .size = sizeof(more), .reserve = most + PAGE };
	int fd = control(), mine;

	become(1000);
	before = info_by(fd).ceiling_refusals;
	ERRNO(create_at(fd, create_request(most + PAGE, 0)), ENOSPC);
	EQUAL(info_by(fd).ceiling_refusals, before + 1);
	mine = create_at(fd, create_request(PAGE, 0));
	CHECK(mine >= 0);
	ERRNO(ioctl(mine, GENP_RESIZE, &more), ENOSPC);
	EQUAL(info_by(fd).ceiling_refusals, before + 2);
	/* A full pool is no ceiling. */
	more.reserve = info_by(fd).capacity;
	ERRNO(ioctl(mine, GENP_RESIZE, &more), ENOSPC);
	EQUAL(info_by(fd).ceiling_refusals, before + 3);
}

/* Few files: what cannot be told is undone. */
TEST(a_full_file_table_leaves_nothing)
{
	struct rlimit few = { 0, 4096 };
	int fd = control(), mine;
	struct genp_create ask = create_request(PAGE, PAGE);

	strcpy(ask.name, "full");
	few.rlim_cur = fd + 1;
	CHECK(!setrlimit(RLIMIT_NOFILE, &few));
	for (int i = 0; i < 300; i++)
		ERRNO(create_at(fd, ask), EMFILE);
	few.rlim_cur = fd + 2;
	CHECK(!setrlimit(RLIMIT_NOFILE, &few));
	mine = create_at(fd, ask);
	CHECK(mine >= 0);
	for (int i = 0; i < 300; i++)
		ERRNO(open_named(fd, "full"), EMFILE);
	close(mine);
	EQUAL(info_by(fd).partitions, 0);
	EQUAL(info_by(fd).committed, 0);
}
