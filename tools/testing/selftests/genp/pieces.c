// SPDX-License-Identifier: GPL-2.0
/*
 * Leases end in pieces, at the priority of whoever needs that. Contract lines 4, 5; the
 * section "Pieces" in Documentation/recall-bound.rst.
 */
#include <dirent.h>

#include "hogs.h"

/* Of the documentation: pages, counted once for each mapping. */
#define PIECE 512UL
/* The default of recall_base_prio. */
#define BASE 1

#define TRACING "/sys/kernel/tracing/"

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0)
		SKIP("no %s", path);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* The pid of a thread of the kernel. */
static pid_t thread_named(const char *name)
{
	DIR *all = opendir("/proc");
	struct dirent *entry;
	char path[300], comm[32];
	pid_t found = 0;
	FILE *file;

	CHECK(all);
	while (!found && (entry = readdir(all))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%31s", comm) == 1 && !strcmp(comm, name))
			found = atoi(entry->d_name);
		fclose(file);
	}
	closedir(all);
	CHECK(found);
	return found;
}

static int priority_of(pid_t pid)
{
	struct sched_param param;

	EQUAL(sched_getscheduler(pid), SCHED_FIFO);
	CHECK(!sched_getparam(pid, &param));
	return param.sched_priority;
}

#define PAGES 300UL
#define WINDOWS 4

static void touch(char *at, unsigned long pages)
{
	for (unsigned long page = 0; page < pages; page++)
		at[page * PAGE] = 1;
}

/* Checks the pieces of a lease in the trace; returns the pages that they unmap. */
static unsigned long pages_in_pieces(FILE *trace, __u64 handle)
{
	unsigned long long of;
	unsigned long first, pages, mappings, sum = 0;
	char line[512], *at;

	while (fgets(line, sizeof(line), trace)) {
		at = strstr(line, "handle=");
		if (!strstr(line, "genp_unmap:") || !at)
			continue;
		EQUAL(sscanf(at, "handle=%llx first=%lu pages=%lu mappings=%lu", &of, &first, &pages,
			     &mappings), 4);
		if (of != handle)
			continue;
		EQUAL(first, sum);
		EQUAL(mappings, WINDOWS);
		if (pages * mappings > PIECE)
			FAIL("a piece has %lu pages in %lu mappings", pages, mappings);
		sum += pages;
	}
	return sum;
}

TEST(no_piece_is_longer_than_stated)
{
	struct part part = create_multimap(0, PAGES * PAGE), more[WINDOWS - 1];
	struct genp_borrow lease;
	FILE *trace;

	put(TRACING "events/genp/genp_unmap/enable", "1");
	for (int i = 0; i < WINDOWS - 1; i++) {
		more[i] = part;
		map(&more[i]);
	}
	CHECK(!borrow(part.fd, PAGES * PAGE, GENP_NO_WAIT, 0, &lease));
	touch(lease_at(&part, &lease), PAGES);
	EVENTUALLY(stat_of(part.fd).revocations == 1);
	for (unsigned long page = 0; page < PAGES; page++) {
		CHECK(is_gone(lease_at(&part, &lease) + page * PAGE));
		CHECK(is_gone(lease_at(&more[1], &lease) + page * PAGE));
	}
	trace = fopen(TRACING "trace", "r");
	CHECK(trace);
	EQUAL(pages_in_pieces(trace, lease.handle), PAGES);
	fclose(trace);
	put(TRACING "events/genp/genp_unmap/enable", "0");
}

/*
 * The borrower returns it when it ends by force: it ends once, and whoever asked for it,
 * and for whatever reason, finds all of it gone.
 */
TEST(a_lease_that_two_end_ends_once)
{
	struct genp_info before = info();
	struct part part = create_multimap(0, PAGES * PAGE), again = part;
	unsigned long returned = 0, revoked = 0;
	struct genp_borrow lease;
	struct genp_stat stat;

	NEEDS_PROMPT_UNMAPPING();
	map(&again);
	for (int round = 0; round < 400; round++) {
		char *at;

		if (borrow(part.fd, PAGES * PAGE, now() + 10 * SEC, 3 * MSEC, &lease)) {
			/* It ended before it was mapped, or there were too many of them. */
			CHECK(errno == ETIMEDOUT || errno == EAGAIN);
			pause_ms(2);
			continue;
		}
		at = lease_at(&part, &lease);
		while (now() + 30000 < lease.expires + round * 100)
			;
		if (!give_back(part.fd, lease.handle)) {
			returned++;
		} else {
			EQUAL(errno, ESTALE);
			revoked++;
		}
		CHECK(is_gone(at) && is_gone(at + (PAGES - 1) * PAGE));
		ERRNO(give_back(part.fd, lease.handle), ESTALE);
	}
	stat = stat_of(part.fd);
	printf("# %lu returned, %lu ended by force\n", returned, revoked);
	EQUAL(stat.returns, returned);
	EQUAL(stat.returns + stat.revocations, stat.borrows);
	EQUAL(stat.lent, 0);
	munmap(again.lease, again.windows.lease_length);
	drop(&part);
	expect_idle(&before);
}

TEST(whoever_waits_raises_who_ends_leases)
{
	struct part part = create(0, 4 * PAGE);
	pid_t pid, revoke = thread_named("genp_revoke");
	struct genp_borrow lease;

	CHECK(!borrow(part.fd, 4 * PAGE, GENP_NO_WAIT, 0, &lease));
	pid = child();
	if (!pid) {
		be_fifo(60);
		_exit(!!borrow(part.fd, PAGE, now() + 20 * SEC, 0, &lease));
	}
	EVENTUALLY(stat_of(part.fd).waiters == 1);
	EVENTUALLY(priority_of(revoke) == 60);
	EQUAL(reap(pid), 0);
	EQUAL(stat_of(part.fd).revocations, 1);
	EVENTUALLY(priority_of(revoke) == BASE);
}

TEST(nobody_raises_it_beyond_what_the_administrator_allows)
{
	struct part part = create(0, 4 * PAGE);
	pid_t pid, revoke = thread_named("genp_revoke");
	struct genp_borrow lease;

	CHECK(!borrow(part.fd, 4 * PAGE, GENP_NO_WAIT, 0, &lease));
	pid = child();
	if (!pid) {
		be_fifo(99);
		_exit(!!borrow(part.fd, PAGE, now() + 20 * SEC, 0, &lease));
	}
	EVENTUALLY(priority_of(revoke) == 90);
	EQUAL(reap(pid), 0);
}

/* The hogs have 50, the test has 60. */
static void begin_lease_under_hogs(struct part *part, struct genp_borrow *lease)
{
	*part = create(0, 4 * PAGE);
	/* As long as there is, for hogs that take their time to begin. */
	CHECK(!borrow(part->fd, 4 * PAGE, GENP_NO_WAIT, info().max_lease_ns, lease));
	begin_hogs();
	pause_ms(100);
	if (now() >= lease->expires)
		SKIP("this machine is too slow to be kept busy in time");
	while (now() < lease->expires + 200 * MSEC)
		pause_ms(20);
}

/* Threads above the base priority are not kept waiting for what nobody needs ... */
TEST(a_lease_that_nobody_needs_waits_for_all_above_the_base)
{
	struct genp_borrow lease;
	struct part part;

	begin_lease_under_hogs(&part, &lease);
	EQUAL(priority_of(thread_named("genp_revoke")), BASE);
	EQUAL(stat_of(part.fd).revocations, 0);
	end_hogs();
	EVENTUALLY(stat_of(part.fd).revocations == 1);
}

/* It has expired, so it is not renewed; but it is still there, and can be returned. */
TEST(a_late_lease_can_be_returned_and_not_renewed)
{
	struct genp_renew renew = { .size = sizeof(renew) };
	struct genp_borrow lease;
	struct part part;
	int err, returned, again;

	begin_lease_under_hogs(&part, &lease);
	renew.handle = lease.handle;
	err = ioctl(part.fd, GENP_RENEW, &renew) ? errno : 0;
	returned = give_back(part.fd, lease.handle) ? errno : 0;
	again = give_back(part.fd, lease.handle) ? errno : 0;
	end_hogs();
	EQUAL(err, ESTALE);
	EQUAL(returned, 0);
	EQUAL(again, ESTALE);
	EQUAL(stat_of(part.fd).returns, 1);
	EQUAL(stat_of(part.fd).revocations, 0);
}

/* ... and who needs it has it at once. */
TEST(a_waiter_has_a_late_lease_ended_at_once)
{
	struct genp_borrow lease, next;
	struct part part;

	begin_lease_under_hogs(&part, &lease);
	CHECK(!borrow(part.fd, PAGE, now() + 15 * SEC, 0, &next));
	for (int cpu = 0; cpu < hog_count; cpu++)
		CHECK(!waitpid(hogs[cpu], NULL, WNOHANG));
	end_hogs();
}

TEST(and_so_has_one_that_does_not_wait)
{
	struct genp_borrow lease, next;
	struct part part;

	begin_lease_under_hogs(&part, &lease);
	EVENTUALLY(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &next));
	for (int cpu = 0; cpu < hog_count; cpu++)
		CHECK(!waitpid(hogs[cpu], NULL, WNOHANG));
	end_hogs();
}
