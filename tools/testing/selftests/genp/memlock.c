// SPDX-License-Identifier: GPL-2.0
/* Windows and RLIMIT_MEMLOCK: what counts when all that is mapped is to be locked. */
#include <sys/resource.h>

#include "genp_test.h"

#define LIMIT (64 * PAGE)

static long locked_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	CHECK(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "VmLck: %ld", &kib);
	fclose(file);
	CHECK(kib >= 0);
	return kib;
}

/* As an ordinary user of this limit, whose every mapping is locked from now on. */
static void lock_what_comes(void)
{
	struct rlimit limit = { LIMIT, LIMIT };

	CHECK(!setrlimit(RLIMIT_MEMLOCK, &limit));
	CHECK(!setuid(1000));
	CHECK(!mlockall(MCL_FUTURE));
}

static void *window(const struct genp_create *ask)
{
	return mmap(NULL, ask->windows.lease_length, PROT_READ | PROT_WRITE, MAP_SHARED, ask->fd,
		    ask->windows.lease_offset);
}

static struct genp_create lender(__u64 limit, __u32 max_leases)
{
	struct genp_create ask = create_request(PAGE, limit);

	ask.flags = GENP_CREATE_MULTIMAP;
	ask.max_leases = max_leases;
	CHECK(!try_create(&ask));
	return ask;
}

/* The kernel asks how long a mapping is before it asks whose: max_leases slices. */
TEST(a_window_longer_than_the_limit_is_refused)
{
	struct genp_create many = lender(32 * PAGE, 16), few = lender(32 * PAGE, 2);

	EQUAL(many.windows.lease_length, 16 * 32 * PAGE);
	lock_what_comes();
	ERRNO(window(&many), EAGAIN);
	CHECK(window(&few) != MAP_FAILED);
}

/* Neither window is ever counted as locked, so the limit is for each alone. */
TEST(windows_do_not_use_the_limit_up)
{
	struct genp_create ask = lender(32 * PAGE, 2);
	long before;

	lock_what_comes();
	before = locked_kib();
	for (int i = 0; i < 4; i++) {
		CHECK(window(&ask) != MAP_FAILED);
		CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ask.fd,
			   ask.windows.reserve_offset) != MAP_FAILED);
	}
	EQUAL(locked_kib(), before);
}

TEST(a_window_that_was_mapped_before_stays)
{
	struct genp_create ask = lender(32 * PAGE, 16);
	char *at = window(&ask);
	struct genp_borrow lease;

	CHECK(at != MAP_FAILED);
	lock_what_comes();
	CHECK(!borrow(ask.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	at[0] = 1;
	CHECK(!give_back(ask.fd, lease.handle));
}

/* With the right to lock any amount there is no limit. */
TEST(the_privileged_have_no_limit)
{
	struct genp_create ask = lender(32 * PAGE, 16);
	struct rlimit limit = { LIMIT, LIMIT };

	CHECK(!setrlimit(RLIMIT_MEMLOCK, &limit));
	CHECK(!mlockall(MCL_FUTURE));
	CHECK(window(&ask) != MAP_FAILED);
}
