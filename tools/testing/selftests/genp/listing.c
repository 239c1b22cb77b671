// SPDX-License-Identifier: GPL-2.0
/*
 * Whoever may open /dev/genp can list the partitions. What a list tells of one is what holds
 * for that one, whatever comes and goes meanwhile.
 */
#include <grp.h>

#include "genp_test.h"
#include "user_namespace.h"

static struct part named(const char *name, __u64 reserve, __u64 limit)
{
	struct genp_create request = create_request(reserve, limit);

	strcpy(request.name, name);
	request.mode = 0666;
	return create_from(request);
}

/* How often a name is listed; the last of them in `found`. */
static int count_listed(int fd, const char *name, struct genp_list *found)
{
	struct genp_list listed = {};
	int count = 0;

	while (list_next(fd, &listed)) {
		if (strcmp(listed.name, name))
			continue;
		*found = listed;
		count++;
	}
	return count;
}

static struct genp_list listed_as(const char *name)
{
	struct genp_list found;
	int fd = control();

	EQUAL(count_listed(fd, name, &found), 1);
	close(fd);
	return found;
}

static bool is_listed(const char *name)
{
	struct genp_list found;
	int fd = control(), count = count_listed(fd, name, &found);

	close(fd);
	return count;
}

/* An ordinary user, but for the device, which is open. */
static void become(uid_t uid)
{
	CHECK(!setgroups(0, NULL));
	CHECK(!setresgid(uid, uid, uid));
	CHECK(!setresuid(uid, uid, uid));
}

TEST(each_is_listed_once_and_in_order)
{
	struct part first = named("first", PAGE, 0), unnamed = create(2 * PAGE, 0), last = named("last", PAGE, 0);
	int fd = control(), seen = 0, without_a_name = 0;
	struct genp_list listed = {}, before = {};

	while (list_next(fd, &listed)) {
		CHECK(listed.id >= before.cursor);
		EQUAL(listed.cursor, listed.id + 1);
		before = listed;
		without_a_name += !listed.name[0];
		seen++;
	}
	EQUAL(seen, 3);
	EQUAL(without_a_name, 1);
	/* What was answered last is left as it is. */
	EQUAL(listed.cursor, before.cursor);
	listed_as("first");
	listed_as("last");
	drop(&first);
	drop(&unnamed);
	drop(&last);
	EVENTUALLY(info().partitions == 0);
	CHECK(!is_listed("first"));
}

TEST(the_figures_are_those_of_the_partition)
{
	struct part part = named("figures", 4 * PAGE, 8 * PAGE);
	struct genp_list listed;
	struct genp_borrow lease;
	struct genp_alloc alloc;
	struct genp_stat stat;

	CHECK(!region(part.fd, 3 * PAGE, 0, &alloc));
	CHECK(!borrow(part.fd, 2 * PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!give_back(part.fd, lease.handle));
	ERRNO(give_back(part.fd, lease.handle), ESTALE);
	ERRNO(by_handle(part.fd, GENP_FREE, 0), EINVAL);
	CHECK(!borrow(part.fd, 5 * PAGE, GENP_NO_WAIT, 0, &lease));
	listed = listed_as("figures");
	expect_in_time(&lease);
	stat = stat_of(part.fd);
	EQUAL(listed.reserve, 4 * PAGE);
	EQUAL(listed.borrow_limit, 8 * PAGE);
	EQUAL(listed.used, 3 * PAGE);
	EQUAL(listed.lent, 5 * PAGE);
	EQUAL(listed.regions, 1);
	EQUAL(listed.leases, 1);
	EQUAL(listed.waiters, 0);
	EQUAL(listed.dying, 0);
	EQUAL(listed.borrows, 2);
	EQUAL(listed.returns, 1);
	EQUAL(listed.misuses, 1);
	EQUAL(listed.stale_handles, 1);
	EQUAL(listed.revocations, stat.revocations);
	EQUAL(listed.timeouts, stat.timeouts);
	EQUAL(listed.uid, geteuid());
	EQUAL(listed.pid, getpid());
}

TEST(a_stock_is_listed)
{
	struct genp_create request = create_request(0, 0);
	struct genp_list listed;
	struct part part;

	strcpy(request.name, "stock");
	request.stock_pages = 5;
	part = create_from(request);
	listed = listed_as("stock");
	EQUAL(listed.stock_owned, 5);
	EQUAL(listed.stock_free, 5);
	EQUAL(listed.reserve, 0);
	drop(&part);
}

/* Units of regions may be larger than the reserve. */
TEST(a_reserve_is_listed_as_it_is_committed)
{
	struct genp_create request = create_request(3 * PAGE, 0);
	struct part part;

	strcpy(request.name, "units");
	request.min_alloc_order = 16;
	part = create_from(request);
	EQUAL(listed_as("units").reserve, 3 * PAGE);
	drop(&part);
}

TEST(after_a_resize_the_new_sizes_are_listed)
{
	struct part part = named("resized", 4 * PAGE, 8 * PAGE);
	struct genp_resize resize = { .size = sizeof(resize), .reserve = PAGE, .borrow_limit = 2 * PAGE };

	CHECK(!ioctl(part.fd, GENP_RESIZE, &resize));
	EQUAL(listed_as("resized").reserve, PAGE);
	EQUAL(listed_as("resized").borrow_limit, 2 * PAGE);
}

TEST(a_destroyed_one_is_listed_until_its_last_close)
{
	struct part part = named("destroyed", PAGE, PAGE);

	CHECK(!destroy(part.fd));
	EQUAL(listed_as("destroyed").dying, 1);
	drop(&part);
	EVENTUALLY(!is_listed("destroyed"));
}

TEST(an_ordinary_user_sees_those_of_others)
{
	struct part part = named("of-root", PAGE, 0);
	struct genp_list found;
	int fd = control();
	pid_t pid = child();

	if (!pid) {
		become(1000);
		EQUAL(count_listed(fd, "of-root", &found), 1);
		EQUAL(found.uid, 0);
		EQUAL(found.pid, getppid());
		EQUAL(found.reserve, PAGE);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
	drop(&part);
}

/* As its processes: those of who has no number in the namespace. */
TEST(a_user_namespace_hides_those_of_owners_without_a_number)
{
	struct part part = named("outside", PAGE, 0);
	struct genp_list found;
	int fd = control(), status;
	pid_t pid = child();

	if (!pid) {
		struct genp_create request = create_request(PAGE, 0);

		become(1000);
		strcpy(request.name, "inside");
		CHECK(!ioctl(fd, GENP_CREATE, &request));
		enter_user_namespace();
		EQUAL(count_listed(fd, "outside", &found), 0);
		EQUAL(count_listed(fd, "inside", &found), 1);
		EQUAL(found.uid, 0);
		_exit(0);
	}
	status = reap(pid);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == EXIT_SKIPPED)
		SKIP("no user namespaces here");
	EQUAL(WEXITSTATUS(status), 0);
	drop(&part);
}

TEST(a_pid_namespace_has_numbers_of_its_own)
{
	struct part part = named("above", PAGE, 0);
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		SKIP("no pid namespaces here: %m");
	pid = child();
	if (!pid) {
		struct part own = named("within", PAGE, 0);

		EQUAL(getpid(), 1);
		EQUAL(listed_as("within").pid, 1);
		EQUAL(listed_as("above").pid, 0);
		drop(&own);
		_exit(0);
	}
	status = reap(pid);
	EQUAL(status, 0);
	EQUAL(listed_as("above").pid, getpid());
	drop(&part);
}

/* Its number may be another one's soon. */
TEST(a_creator_that_has_ended_has_no_number)
{
	struct genp_open request = { .size = sizeof(request), .name = "left" };
	int go[2], fd = control();
	pid_t pid;

	CHECK(!pipe(go));
	pid = child();
	if (!pid) {
		char byte;

		named("left", PAGE, 0);
		CHECK(read(go[0], &byte, 1) == 1);
		_exit(0);
	}
	EVENTUALLY(!ioctl(fd, GENP_OPEN, &request));
	EQUAL(listed_as("left").pid, pid);
	CHECK(write(go[1], "", 1) == 1);
	EQUAL(reap(pid), 0);
	EQUAL(listed_as("left").pid, 0);
	close(request.fd);
}

static const struct {
	const char *name;
	unsigned int pages;
} kinds[] = { { "one", 1 }, { "two", 2 }, { "three", 3 } };

#define KINDS (sizeof(kinds) / sizeof(*kinds))

/* Creates and closes for ever. */
static pid_t come_and_go(size_t kind)
{
	pid_t pid = child();

	if (pid)
		return pid;
	for (;;) {
		struct part part = named(kinds[kind].name, 0, kinds[kind].pages * PAGE);

		drop(&part);
	}
}

/* The number of an account is used again at once: what is told is never of two partitions. */
TEST(what_comes_and_goes_is_never_mixed_up)
{
	struct genp_list listed = {};
	size_t seen[KINDS] = {};
	int fd = control();
	pid_t pids[KINDS];

	for (size_t i = 0; i < KINDS; i++)
		pids[i] = come_and_go(i);
	for (int round = 0; round < 20000; round++) {
		if (!list_next(fd, &listed)) {
			listed.cursor = 0;
			continue;
		}
		for (size_t i = 0; i < KINDS; i++) {
			if (strcmp(listed.name, kinds[i].name))
				continue;
			EQUAL(listed.borrow_limit, kinds[i].pages * PAGE);
			EQUAL(listed.pid, pids[i]);
			seen[i]++;
		}
	}
	for (size_t i = 0; i < KINDS; i++) {
		kill(pids[i], SIGKILL);
		reap(pids[i]);
	}
	printf("# seen %zu, %zu, %zu\n", seen[0], seen[1], seen[2]);
	EVENTUALLY(info().partitions == 0);
}

/* Whoever lists has nothing of it: a partition ends although somebody lists all the time. */
TEST(a_lister_keeps_no_partition)
{
	struct genp_info before = info();
	struct genp_list listed = {};
	pid_t pid = child();
	int fd = control();

	if (!pid)
		for (;;)
			if (!list_next(fd, &listed))
				listed.cursor = 0;
	for (int round = 0; round < 100; round++) {
		struct part part = named("short", PAGE, PAGE);

		drop(&part);
	}
	expect_idle(&before);
	kill(pid, SIGKILL);
	reap(pid);
}
