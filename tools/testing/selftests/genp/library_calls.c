// SPDX-License-Identifier: GPL-2.0
/* libgenp: what it asks the kernel for, and memory that processes share by offsets. */
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "genp.h"
#include "genp_test.h"

#define NAME "library_calls"

static genp_partition_t *part;

TEST(processes_share_memory_by_offsets)
{
	char name[GENP_NAME_SIZE], *block;
	genp_partition_t *theirs;
	uint64_t offset;
	pid_t pid;

	part = genp_create_named(NAME, 1 << 20, 0);
	CHECK(part && !genp_get_name(part, name));
	CHECK(!strcmp(name, NAME));
	CHECK(!genp_create_named(NAME, 1 << 20, 0) && errno == EEXIST);
	CHECK(!genp_create_named("a name", 1 << 20, 0) && errno == EINVAL);
	block = genp_alloc(part, 100);
	CHECK(block && !genp_offset(part, block, &offset));
	strcpy(block, "ours");
	pid = child();
	if (!pid) {
		theirs = genp_open(NAME);
		CHECK(theirs && !genp_alloc(theirs, 100) && errno == ENOMEM);
		block = genp_at(theirs, offset, 100);
		CHECK(block && !strcmp(block, "ours"));
		strcpy(block, "theirs");
		_exit(genp_destroy(theirs));
	}
	EQUAL(reap(pid), 0);
	CHECK(!strcmp(block, "theirs"));
	CHECK(!genp_free(block) && !genp_destroy(part));
}

TEST(events_are_waited_for)
{
	struct genp_event event;
	struct pollfd poll_fd = { .fd = eventfd(0, EFD_CLOEXEC), .events = POLLIN };
	void *lease;

	part = genp_create(PAGE, 16 * PAGE);
	CHECK(part && poll_fd.fd >= 0);
	ERRNO(genp_wait_event(part, &event, 0), EAGAIN);
	ERRNO(genp_wait_event(part, &event, 10), ETIMEDOUT);
	ERRNO(genp_wait_event(part, NULL, 0), EINVAL);
	ERRNO(genp_set_eventfd(part, 1000, 1 << GENP_EVENT_BUDGET_LOW), EBADF);
	CHECK(!genp_set_eventfd(part, poll_fd.fd, 1 << GENP_EVENT_BUDGET_LOW));
	lease = genp_borrow(part, 15 * PAGE, 0);
	CHECK(lease);
	CHECK(!genp_wait_event(part, &event, -1));
	EQUAL(event.type, GENP_EVENT_BUDGET_LOW);
	EQUAL(event.value, PAGE);
	EQUAL(poll(&poll_fd, 1, -1), 1);
	CHECK(!genp_set_eventfd(part, -1, 0));
	CHECK(!genp_return(lease) || errno == ESTALE);
	CHECK(!destroy(genp_partition_fd(part)));
	do
		CHECK(!genp_wait_event(part, &event, 1000));
	while (event.type != GENP_EVENT_DYING);
	ERRNO(genp_wait_event(part, &event, 1000), EIDRM);
	CHECK(!genp_destroy(part) && !close(poll_fd.fd));
}

TEST(the_borrow_limit_changes)
{
	struct genp_stat stat = { .size = sizeof(stat) };
	void *lease;

	part = genp_create(1 << 20, 16 * PAGE);
	CHECK(part && !genp_set_borrow_limit(part, 4 * PAGE));
	CHECK(!genp_get_stat(part, &stat));
	EQUAL(stat.borrow_limit, 4 * PAGE);
	EQUAL(stat.reserve, 1 << 20);
	CHECK(!genp_borrow(part, 5 * PAGE, 0));
	lease = genp_borrow(part, 4 * PAGE, 0);
	CHECK(lease && (!genp_return(lease) || errno == ESTALE));
	CHECK(!genp_set_borrow_limit(part, 16 * PAGE));
	CHECK(genp_set_borrow_limit(part, 32 * PAGE) == -1);
	ERRNO(genp_set_borrow_limit(part, 1), EINVAL);
	/* The heap was not touched by any of it. */
	CHECK(genp_alloc(part, 100000) && !genp_destroy(part));
}

/* How many partitions there are of this name, and the last one. */
static int listed(const char *name, struct genp_list *last)
{
	struct genp_list one = { 0 };
	int found, count = 0;

	while ((found = genp_list_next(&one)) > 0) {
		if (strcmp(one.name, name))
			continue;
		*last = one;
		count++;
	}
	EQUAL(found, 0);
	return count;
}

TEST(all_partitions_are_listed)
{
	struct genp_list found = { 0 };
	genp_partition_t *other;

	part = genp_create_named(NAME, 4 * PAGE, PAGE);
	other = genp_create_named(NAME "_other", PAGE, 0);
	CHECK(part && other);
	EQUAL(listed(NAME, &found), 1);
	EQUAL(found.reserve, 4 * PAGE);
	EQUAL(found.borrow_limit, PAGE);
	EQUAL(found.pid, getpid());
	EQUAL(listed(NAME "_other", &found), 1);
	EQUAL(found.reserve, PAGE);
	ERRNO(genp_list_next(NULL), EINVAL);
	CHECK(!genp_destroy(other) && !genp_destroy(part));
	EQUAL(listed(NAME, &found), 0);
}

TEST(calls_are_timed)
{
	uint64_t counts[GENP_HISTOGRAM_BUCKETS], sum = 0;
	void *lease;

	part = genp_create(PAGE, 16 * PAGE);
	CHECK(part);
	lease = genp_borrow(part, PAGE, 0);
	CHECK(lease && !genp_get_histogram(part, GENP_OP_BORROW, counts));
	for (int i = 0; i < GENP_HISTOGRAM_BUCKETS; i++)
		sum += counts[i];
	EQUAL(sum, 1);
	ERRNO(genp_get_histogram(part, GENP_OP_COUNT, counts), EINVAL);
	ERRNO(genp_get_histogram(part, GENP_OP_BORROW, NULL), EINVAL);
	CHECK(!genp_destroy(part));
}

static long faults(void)
{
	struct rusage usage;

	CHECK(!getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt + usage.ru_majflt;
}

/* Everything, everything again at once, and from a pool: the reserve is there. */
TEST(no_call_takes_a_page_fault)
{
	static void *blocks[4096];
	genp_pool_t *pool;
	long before;
	size_t n;

	part = genp_create(1 << 20, 0);
	CHECK(part && !genp_thread_attach());
	memset(blocks, 1, sizeof(blocks));
	for (int round = 0; round < 3; round++) {
		/* What the first round touches of the program itself does not count. */
		before = faults();
		n = genp_alloc_batch(part, 300, 4096, blocks);
		CHECK(n > 2500 && n < 4096);
		for (size_t i = 0; i < n; i++)
			memset(blocks[i], 0x5a, 300);
		CHECK(genp_free_batch(part, n / 2, blocks) == n / 2);
		CHECK(!genp_free_all(part));
		if (round)
			EQUAL(faults(), before);
	}
	pool = genp_pool_create(part, 1000, 64, 900, 0);
	CHECK(pool);
	for (n = 0; n < 900; n++)
		blocks[n] = genp_pool_alloc(pool);
	before = faults();
	for (n = 0; n < 900; n++)
		CHECK(!genp_pool_free(pool, blocks[n]));
	EQUAL(faults(), before);
	CHECK(!genp_pool_destroy(pool) && !genp_destroy(part));
}
