// SPDX-License-Identifier: GPL-2.0
/*
 * After "4" was written to clear_refs, a lease that is borrowed is written to without a
 * fault all the same: "works, no effect" (Documentation/mappings.rst).
 */
#include <sys/resource.h>

#include "genp_test.h"

#define PAGES 16UL

static long faults(void)
{
	struct rusage usage;

	CHECK(!getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt;
}

static long faults_of_a_lease(struct part *part)
{
	struct genp_borrow lease;
	long before, after;
	char *at;

	CHECK(!borrow(part->fd, PAGES * PAGE, GENP_NO_WAIT, 0, &lease));
	at = lease_at(part, &lease);
	before = faults();
	for (unsigned long page = 0; page < PAGES; page++)
		at[page * PAGE] = 1;
	after = faults();
	CHECK(!give_back(part->fd, lease.handle));
	return after - before;
}

TEST(clear_refs_has_no_effect_on_later_leases)
{
	struct part part = create(PAGE, PAGES * PAGE);
	int fd = open("/proc/self/clear_refs", O_WRONLY);
	long before[2], after[3];

	if (fd < 0)
		SKIP("this kernel has no clear_refs");
	for (int i = 0; i < 2; i++)
		before[i] = faults_of_a_lease(&part);
	EQUAL(write(fd, "4", 1), 1);
	for (int i = 0; i < 3; i++)
		after[i] = faults_of_a_lease(&part);
	printf("# faults of a lease of %lu pages: %ld and %ld before, %ld, %ld and %ld after\n",
	       PAGES, before[0], before[1], after[0], after[1], after[2]);
	EQUAL(before[1], 0);
	EQUAL(after[1], 0);
	EQUAL(after[2], 0);
}
