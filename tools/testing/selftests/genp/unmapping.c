// SPDX-License-Identifier: GPL-2.0
/*
 * Unmapping: after a return every page is unmapped for every thread at once.
 * Contract lines 5, 8.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>

#include "genp_test.h"

/* Entries of a page table. */
#define ENTRIES (PAGE / 8)
/* Enough for three page tables. */
#define MOST (2 * ENTRIES + 176)

/* Lengths of leases: about the ends of a page table. 0 after the last. */
static unsigned long length_of(int which)
{
	const unsigned long lengths[] = {
		1, 2, 3, 64, ENTRIES - 1, ENTRIES, ENTRIES + 1, 2 * ENTRIES, 2 * ENTRIES + 1, MOST, 0
	};

	return lengths[which];
}

#define EACH_LENGTH(_pages)						\
	for (unsigned long _i = 0, _pages; (_pages = length_of(_i)); _i++)

static void touch(char *at, unsigned long pages)
{
	for (unsigned long page = 0; page < pages; page++)
		at[page * PAGE] = 1;
}

static void all_gone(const char *at, unsigned long pages)
{
	for (unsigned long page = 0; page < pages; page++)
		if (!is_gone(at + page * PAGE))
			FAIL("page %lu of %lu is still there", page, pages);
}

TEST(every_page_of_a_returned_lease_is_gone)
{
	struct part part = create(0, MOST * PAGE);

	EACH_LENGTH(pages) {
		struct genp_borrow lease;
		char *at;

		CHECK(!borrow(part.fd, pages * PAGE, GENP_NO_WAIT, 0, &lease));
		at = lease_at(&part, &lease);
		touch(at, pages);
		CHECK(!give_back(part.fd, lease.handle));
		all_gone(at, pages);
	}
}

TEST(other_leases_stay)
{
	struct part part = create(0, MOST * PAGE);
	struct genp_borrow before, lease, behind;

	CHECK(!borrow(part.fd, 3 * PAGE, GENP_NO_WAIT, 0, &before));
	CHECK(!borrow(part.fd, 700 * PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!borrow(part.fd, 3 * PAGE, GENP_NO_WAIT, 0, &behind));
	memset(lease_at(&part, &before), 5, 3 * PAGE);
	memset(lease_at(&part, &behind), 6, 3 * PAGE);
	CHECK(!give_back(part.fd, lease.handle));
	for (unsigned long i = 0; i < 3 * PAGE; i++) {
		EQUAL(lease_at(&part, &before)[i], 5);
		EQUAL(lease_at(&part, &behind)[i], 6);
	}
}

TEST(a_lease_is_gone_from_all_mappings_of_the_process)
{
	struct part part = create_multimap(0, MOST * PAGE), again = part;

	map(&again);
	EACH_LENGTH(pages) {
		struct genp_borrow lease;

		CHECK(!borrow(part.fd, pages * PAGE, GENP_NO_WAIT, 0, &lease));
		touch(lease_at(&part, &lease), pages);
		touch(lease_at(&again, &lease), pages);
		CHECK(!give_back(part.fd, lease.handle));
		all_gone(lease_at(&part, &lease), pages);
		all_gone(lease_at(&again, &lease), pages);
	}
}

/* A return by a process that has mapped the window, but not touched the lease. */
TEST(a_lease_that_was_never_mapped_here_is_gone_elsewhere)
{
	struct part part = create(0, 64 * PAGE);
	struct genp_borrow lease;
	int to_child[2], to_parent[2], status;
	char byte = 0;
	pid_t pid;

	CHECK(!pipe(to_child) && !pipe(to_parent));
	pid = child();
	if (!pid) {
		struct part own = part;

		map(&own);
		CHECK(!borrow(part.fd, 64 * PAGE, GENP_NO_WAIT, 0, &lease));
		touch(lease_at(&own, &lease), 64);
		CHECK(write(to_parent[1], &lease, sizeof(lease)) == sizeof(lease));
		CHECK(read(to_child[0], &byte, 1) == 1);
		all_gone(lease_at(&own, &lease), 64);
		_exit(0);
	}
	CHECK(read(to_parent[0], &lease, sizeof(lease)) == sizeof(lease));
	CHECK(!give_back(part.fd, lease.handle));
	all_gone(lease_at(&part, &lease), 64);
	CHECK(write(to_child[1], &byte, 1) == 1);
	status = reap(pid);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

TEST(a_lease_is_gone_from_a_window_that_was_protected)
{
	struct part part = create(0, 64 * PAGE);
	__u64 length = part.windows.lease_length;
	struct genp_borrow lease;
	char *at;

	for (int prot = 0; prot < 2; prot++) {
		CHECK(!borrow(part.fd, 64 * PAGE, GENP_NO_WAIT, 0, &lease));
		at = lease_at(&part, &lease);
		touch(at, 64);
		CHECK(!mprotect(part.lease, length, prot ? PROT_READ : PROT_NONE));
		CHECK(!give_back(part.fd, lease.handle));
		CHECK(!mprotect(part.lease, length, PROT_READ | PROT_WRITE));
		all_gone(at, 64);
	}
}

/* Each page is mapped at its offset, whatever the protection was when it was mapped. */
TEST(a_lease_in_a_window_that_was_protected_is_whole)
{
	struct part part = create_multimap(0, 64 * PAGE), again = part;
	__u64 length = part.windows.lease_length;

	map(&again);
	for (int prot = 0; prot < 2; prot++) {
		struct genp_borrow lease;

		CHECK(!mprotect(part.lease, length, prot ? PROT_READ : PROT_NONE));
		CHECK(!borrow(part.fd, 64 * PAGE, GENP_NO_WAIT, 0, &lease));
		CHECK(!mprotect(part.lease, length, PROT_READ | PROT_WRITE));
		for (int page = 0; page < 64; page++)
			lease_at(&again, &lease)[page * PAGE] = page;
		for (int page = 0; page < 64; page++)
			EQUAL(lease_at(&part, &lease)[page * PAGE], page);
		CHECK(!give_back(part.fd, lease.handle));
	}
}

static atomic_bool enough;

/* Takes the mmap lock, for reading and for writing, again and again. */
static void *map_and_unmap(void *unused)
{
	while (!enough) {
		char *at = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

		CHECK(at != MAP_FAILED);
		CHECK(!munmap(at, 256 * PAGE));
	}
	return unused;
}

TEST(leases_are_returned_beside_mmap)
{
	struct part part = create(0, 64 * PAGE);
	pthread_t id;

	CHECK(!pthread_create(&id, NULL, map_and_unmap, NULL));
	for (int round = 0; round < 300; round++) {
		struct genp_borrow lease;
		char *at;

		CHECK(!borrow(part.fd, 64 * PAGE, GENP_NO_WAIT, 0, &lease));
		at = lease_at(&part, &lease);
		touch(at, 64);
		CHECK(!give_back(part.fd, lease.handle));
		CHECK(is_gone(at) && is_gone(at + 31 * PAGE) && is_gone(at + 63 * PAGE));
	}
	enough = true;
	CHECK(!pthread_join(id, NULL));
}

/* A thread on another processor that writes to the pages of a lease all the time. */
struct writer {
	char *_Atomic at;
	unsigned long pages;
	atomic_ulong turns;
	atomic_bool stopped;
};

static __thread sigjmp_buf stop_writing;

static void end_of_lease(int sig)
{
	(void)sig;
	siglongjmp(stop_writing, 1);
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
}

static void *write_always(void *data)
{
	struct writer *writer = data;

	on_cpu(1);
	for (;;) {
		char *at;

		while (!(at = writer->at))
			if (enough)
				return NULL;
		if (!sigsetjmp(stop_writing, 1)) {
			for (;;) {
				touch(at, writer->pages);
				writer->turns++;
			}
		}
		writer->at = NULL;
		writer->stopped = true;
	}
}

/*
 * One round: the writer has all pages in its TLB when they are returned; the next borrower
 * gets the same frames, because there are no others.
 */
static void return_under_the_writer(struct writer *writer, struct part *part, struct part *next)
{
	struct genp_borrow lease, after;
	const char *at;

	CHECK(!borrow(part->fd, writer->pages * PAGE, GENP_NO_WAIT, 0, &lease));
	writer->turns = 0;
	writer->stopped = false;
	writer->at = lease_at(part, &lease);
	while (writer->turns < 3)
		sched_yield();
	CHECK(!give_back(part->fd, lease.handle));
	CHECK(!borrow(next->fd, writer->pages * PAGE, GENP_NO_WAIT, 0, &after));
	at = lease_at(next, &after);
	for (int look = 0; look < 3; look++)
		for (unsigned long page = 0; page < writer->pages; page++)
			if (at[page * PAGE])
				FAIL("page %lu of %lu is written to after its return", page,
				     writer->pages);
	EVENTUALLY(writer->stopped);
	CHECK(!give_back(next->fd, after.handle));
}

TEST(no_thread_writes_to_a_page_that_was_returned)
{
	static const unsigned long some[] = { 2, 3, 8, 30, 64, 600 };
	struct sigaction action = { .sa_handler = end_of_lease, .sa_flags = SA_NODEFER };

	NEEDS_PROMPT_UNMAPPING();
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("this takes two processors");
	CHECK(!sigaction(SIGBUS, &action, NULL));
	on_cpu(0);
	for (unsigned int i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct writer writer = { .pages = some[i] };
		struct part hoarder = create(info().free - some[i] * PAGE, 0);
		struct part part = create(0, some[i] * PAGE), next = create(0, some[i] * PAGE);
		pthread_t id;

		enough = false;
		CHECK(!pthread_create(&id, NULL, write_always, &writer));
		for (int round = 0; round < 20; round++)
			return_under_the_writer(&writer, &part, &next);
		enough = true;
		CHECK(!pthread_join(id, NULL));
		drop(&next);
		drop(&part);
		drop(&hoarder);
		EVENTUALLY(!info().committed);
	}
}
