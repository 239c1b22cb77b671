// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that the scrub thread, which has ordinary priority, had no time to zero are
 * zeroed when they are taken. Contract line 8.
 */
#include "hogs.h"

#define PAGES 64
#define LENGTH (PAGES * (long)PAGE)

static char buffer[PAGES * PAGE_MOST];
static int scratch;

/* Copies to or from a lease by the kernel, because the lease may end at any time. */
static bool copy(char *lease, bool into)
{
	if (into) {
		EQUAL(pwrite(scratch, buffer, LENGTH, 0), LENGTH);
		return pread(scratch, lease, LENGTH, 0) == LENGTH;
	}
	if (pwrite(scratch, lease, LENGTH, 0) != LENGTH)
		return false;
	EQUAL(pread(scratch, buffer, LENGTH, 0), LENGTH);
	return true;
}

/* Borrows all free frames, copies, and returns them; false if the lease ended before. */
static bool turn(struct part *part, bool into)
{
	struct genp_borrow lease;
	bool done;

	if (borrow(part->fd, LENGTH, GENP_NO_WAIT, 0, &lease)) {
		EQUAL(errno, ETIMEDOUT);
		return false;
	}
	done = copy(lease_at(part, &lease), into);
	if (give_back(part->fd, lease.handle))
		EQUAL(errno, ESTALE);
	return done;
}

TEST(who_takes_at_once_finds_zeroes)
{
	struct genp_info before = info();
	struct part rest, writer, reader;
	int seen = 0;

	scratch = memfd_create("scratch", MFD_CLOEXEC);
	CHECK(scratch >= 0);
	rest = create(before.free - LENGTH, 0);
	writer = create(0, LENGTH);
	reader = create(0, LENGTH);
	begin_hogs();
	for (int i = 0; i < 16; i++) {
		memset(buffer, 0xa5, LENGTH);
		if (!turn(&writer, true) || !turn(&reader, false))
			continue;
		seen++;
		for (long at = 0; at < LENGTH; at++)
			if (buffer[at])
				FAIL("byte %ld is another one's", at);
	}
	end_hogs();
	drop(&reader);
	drop(&writer);
	drop(&rest);
	expect_idle(&before);
	if (!seen)
		SKIP("every lease was over too soon");
}
