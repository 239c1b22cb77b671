// SPDX-License-Identifier: GPL-2.0
/*
 * After set-up nothing allocates memory of the kernel: every allocation of the processes
 * and of the module's threads is made to fail while regions and leases are allocated and
 * freed. Needs a kernel with fault injection: the debug kernel.
 */
#include <ctype.h>
#include <dirent.h>

#include "genp_test.h"

#define ROUNDS 100
#define THREADS 8

/* The file that makes a thread's allocations fail. Opened ahead: that needs memory. */
static int switches[THREADS], switch_count;

static bool say(const char *dir, const char *file, const char *value)
{
	char path[128];
	bool said;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", dir, file);
	fd = open(path, O_WRONLY);
	said = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	if (fd >= 0)
		close(fd);
	return said;
}

static void add_switch(const char *pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%.16s/make-it-fail", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && switch_count < THREADS);
	switches[switch_count++] = fd;
}

static bool is_ours(const char *pid)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = 0;
	fclose(file);
	return !strncmp(name, "genp_recall", 11) || !strncmp(name, "genp_notify", 11) ||
	       !strncmp(name, "genp_scrub", 10);
}

/* Every allocation, of whatever size and kind, of the tasks that are switched on. */
static void arm(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc" };
	size_t i;

	if (access("/sys/kernel/debug/failslab/probability", W_OK))
		SKIP("this kernel cannot make allocations fail");
	for (i = 0; i < 2; i++) {
		CHECK(say(kinds[i], "task-filter", "Y"));
		CHECK(say(kinds[i], "ignore-gfp-wait", "N"));
		CHECK(say(kinds[i], "verbose", "0"));
		CHECK(say(kinds[i], "interval", "1"));
		CHECK(say(kinds[i], "times", "-1"));
		CHECK(say(kinds[i], "probability", "100"));
	}
	CHECK(say("fail_page_alloc", "min-order", "0"));
	CHECK(say("fail_page_alloc", "ignore-gfp-highmem", "N"));
}

static void add_own_threads(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int before = switch_count;

	CHECK(dir);
	while ((entry = readdir(dir)))
		if (isdigit(entry->d_name[0]) && is_ours(entry->d_name))
			add_switch(entry->d_name);
	closedir(dir);
	EQUAL(switch_count - before, 3);
}

static void fail_all(bool on)
{
	int i;

	for (i = 0; i < switch_count; i++)
		if (pwrite(switches[i], on ? "1" : "0", 1, 0) != 1)
			_exit(2);
}

/* The first failure. Printing needs memory, so it is done later. */
static const char *failure;
static int failure_errno;

#define TRY(_cond)							\
	do {								\
		if (!failure && !(_cond)) {				\
			failure = #_cond;				\
			failure_errno = errno;				\
		}							\
	} while (0)

static void judge(void)
{
	if (failure)
		FAIL("failed without memory: %s: %s", failure, strerror(failure_errno));
}

static bool works_at(char *at, size_t length)
{
	at[0] = 1;
	at[length - 1] = 2;
	return at[0] == 1 && at[length - 1] == 2;
}

static void round_trip(struct part *part)
{
	struct genp_renew renew = { .size = sizeof(renew) };
	struct genp_stat stat = { .size = sizeof(stat) };
	struct genp_bounds bounds = { .size = sizeof(bounds) };
	struct pollfd poll_fd = { .fd = part->fd, .events = POLLPRI };
	struct genp_alloc alloc;
	struct genp_borrow lease;

	TRY(!region(part->fd, 4000, 64, &alloc));
	TRY(works_at(part->reserve + alloc.offset - part->windows.reserve_offset, 4000));
	TRY(!borrow(part->fd, 16 * PAGE, GENP_NO_WAIT, 0, &lease));
	if (failure)
		return;
	TRY(works_at(lease_at(part, &lease), 16 * PAGE));
	renew.handle = lease.handle;
	TRY(!ioctl(part->fd, GENP_RENEW, &renew));
	TRY(!ioctl(part->fd, GENP_GET_STAT, &stat));
	TRY(!ioctl(part->fd, GENP_GET_BOUNDS, &bounds));
	TRY(poll(&poll_fd, 1, 0) >= 0);
	TRY(!give_back(part->fd, lease.handle));
	TRY(!by_handle(part->fd, GENP_FREE, alloc.handle));
}

TEST(regions_and_leases_need_no_memory)
{
	struct part part = create(64 * PAGE, 64 * PAGE);
	int i, fd;

	arm();
	add_switch("self");
	add_own_threads();
	CHECK(!mlockall(MCL_CURRENT | MCL_FUTURE));
	fail_all(true);
	/* Whether anything fails at all. */
	fd = open("/dev/null", O_RDONLY);
	TRY(fd == -1 && errno == ENOMEM);
	for (i = 0; i < ROUNDS; i++)
		round_trip(&part);
	fail_all(false);
	judge();
	EQUAL(stat_of(part.fd).borrows, ROUNDS);
	EQUAL(stat_of(part.fd).allocs, ROUNDS);
}

/* Holds all free frames until the lease is revoked, then touches its window. */
static void hold_until_revoked(struct part *part, __u64 term, struct genp_borrow *lease)
{
	struct genp_event event;

	TRY(!borrow(part->fd, info().free, GENP_NO_WAIT, term, lease));
	fail_all(true);
	TRY(read(part->fd, &event, sizeof(event)) == sizeof(event));
}

TEST(waiting_and_revocation_need_no_memory)
{
	/* Leaves little to be lent, so that the lease is granted long before its end. */
	struct part rest = create(info().free - 192 * PAGE, 0);
	struct part holder = create(0, 128 * PAGE), waiter = create(64 * PAGE, 64 * PAGE);
	struct genp_borrow held, lease;
	int i;

	arm();
	add_switch("self");
	add_own_threads();
	CHECK(!mlockall(MCL_CURRENT | MCL_FUTURE));
	for (i = 0; i < 3 && !failure; i++) {
		hold_until_revoked(&holder, info().max_lease_ns, &held);
		TRY(!borrow(waiter.fd, 16 * PAGE, GENP_WAIT_FOREVER, 0, &lease));
		TRY(!failure && works_at(lease_at(&waiter, &lease), 16 * PAGE));
		TRY(give_back(holder.fd, held.handle) && errno == ESTALE);
		TRY(!give_back(waiter.fd, lease.handle));
		fail_all(false);
	}
	judge();
	EQUAL(stat_of(holder.fd).revocations, 3);
	EQUAL(stat_of(waiter.fd).waits, 3);
	drop(&rest);
}
