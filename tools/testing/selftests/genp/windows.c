// SPDX-License-Identifier: GPL-2.0
/*
 * Windows that are moved, cut, mapped over, sealed or mapped too often, and what a window
 * alone keeps. Contract lines 1, 5, 13.
 */
#include <sys/syscall.h>
#include <sys/uio.h>

#include "mappings.h"

#define NR_MSEAL 462

/* Some place where nothing is. */
static char *nowhere(unsigned long length)
{
	char *at = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED && !munmap(at, length));
	return at;
}

#define MOVE (MREMAP_MAYMOVE | MREMAP_FIXED)

TEST(mremap_elsewhere)
{
	struct genp_info before = info();
	char *to;

	begin();
	to = nowhere(RESERVE * PAGE);
	ERRNO(mremap(part.lease, RESERVE * PAGE, RESERVE * PAGE, MOVE, to), EINVAL);
	ERRNO(mremap(part.lease + PAGE, PAGE, PAGE, MOVE, to), EINVAL);
	CHECK(mremap(part.reserve, RESERVE * PAGE, RESERVE * PAGE, MOVE, to) == to);
	part.reserve = to;
	end(&before);
}

TEST(mremap_smaller)
{
	struct genp_info before = info();

	begin();
	ERRNO(mremap(part.lease, RESERVE * PAGE, PAGE, 0), EINVAL);
	CHECK(mremap(part.reserve, RESERVE * PAGE, 3 * PAGE, 0) == part.reserve);
	expect_whole(part.reserve, 3);
	CHECK(is_gone(part.reserve + 3 * PAGE));
	munmap(part.reserve, 3 * PAGE);
	part.reserve = mmap(NULL, RESERVE * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, part.fd,
			    part.windows.reserve_offset);
	CHECK(part.reserve != MAP_FAILED);
	end(&before);
}

static void *over(char *at)
{
	return mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

TEST(unmapping_and_mapping_over_a_part)
{
	struct genp_info before = info();
	struct part again;

	begin();
	ERRNO(munmap(part.lease + PAGE, PAGE), EINVAL);
	ERRNO(over(part.lease + PAGE), EINVAL);
	again = part;
	again.windows.lease_length = 0;
	map(&again);
	CHECK(!munmap(again.reserve + PAGE, PAGE));
	CHECK(over(again.reserve + 3 * PAGE) == again.reserve + 3 * PAGE);
	EQUAL(again.reserve[3 * PAGE], 0);
	/* What is left of the mapping is at its place in the reserve. */
	EQUAL(again.reserve[4 * PAGE], part.reserve[4 * PAGE]);
	CHECK(!madvise(again.reserve + 4 * PAGE, 4 * PAGE, MADV_DONTNEED));
	EQUAL(memcmp(again.reserve + 4 * PAGE, part.reserve + 4 * PAGE, 4 * PAGE), 0);
	munmap(again.reserve, RESERVE * PAGE);
	end(&before);
}

/* A window that can never be unmapped again: the lease in it ends all the same. */
TEST(mseal_of_the_window)
{
	begin();
	if (syscall(NR_MSEAL, part.lease, part.windows.lease_length, 0) < 0 && errno == ENOSYS)
		SKIP("this kernel has no mseal()");
	ERRNO(munmap(part.lease, part.windows.lease_length), EPERM);
	expect_whole(part.lease, LEASE);
	end_lease();
	for (unsigned long page = 0; page < LEASE; page++)
		CHECK(is_gone(part.lease + page * PAGE));
}

/* What faults back is the reserve as it is now. */
TEST(what_was_cut_off_does_not_come_back)
{
	struct genp_info before = info();
	struct genp_resize ask = { .size = sizeof(ask), .reserve = 2 * PAGE };

	begin();
	CHECK(!madvise(part.reserve, RESERVE * PAGE, MADV_DONTNEED));
	CHECK(!ioctl(part.fd, GENP_RESIZE, &ask));
	expect_whole(part.reserve, 2);
	CHECK(is_gone(part.reserve + 2 * PAGE));
	ask.reserve = RESERVE * PAGE;
	CHECK(!ioctl(part.fd, GENP_RESIZE, &ask));
	for (unsigned long i = 2 * PAGE; i < RESERVE * PAGE; i++)
		EQUAL(part.reserve[i], 0);
	fill(part.reserve, RESERVE);
	end(&before);
}

/* The kernel pins what it has to fault in first. */
TEST(direct_io_after_madv_dontneed)
{
	struct genp_info before = info();
	struct iovec iov = { NULL, PAGE };
	char text[PAGE];
	int fd[2];

	begin();
	CHECK(!pipe(fd) && !madvise(part.reserve, RESERVE * PAGE, MADV_DONTNEED));
	iov.iov_base = part.reserve;
	EQUAL(vmsplice(fd[1], &iov, 1, 0), PAGE);
	EQUAL(read(fd[0], text, PAGE), PAGE);
	EQUAL(memcmp(text, part.reserve, PAGE), 0);
	close(fd[0]);
	close(fd[1]);
	end(&before);
}

/* The mapping of a window is enough to keep the partition, and no more than that. */
TEST(a_window_alone_keeps_the_partition)
{
	struct genp_info before = info();

	begin();
	ERRNO(mremap(part.lease, RESERVE * PAGE, RESERVE * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     nowhere(RESERVE * PAGE)), EINVAL);
	close(part.fd);
	munmap(part.reserve, RESERVE * PAGE);
	expect_whole(part.lease, LEASE);
	EQUAL(info().partitions, before.partitions + 1);
	munmap(part.lease, part.windows.lease_length);
	expect_idle(&before);
}

TEST(a_window_that_was_refused_keeps_nothing)
{
	struct genp_info before = info();
	void *at[64];
	int count;

	begin();
	for (count = 0; count < 64; count++) {
		at[count] = mmap(NULL, part.windows.lease_length, PROT_READ, MAP_SHARED, part.fd,
				 part.windows.lease_offset);
		if (at[count] == MAP_FAILED)
			break;
	}
	CHECK(count < 64);
	EQUAL(errno, EMLINK);
	while (count--)
		munmap(at[count], part.windows.lease_length);
	end(&before);
}
