// SPDX-License-Identifier: GPL-2.0
/*
 * Calls on both windows at once, which lie side by side in memory: what is refused for one
 * leaves the other as it was. Contract lines 1, 5, 13.
 */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "mappings.h"

/* The window has as many pages as the reserve, and is behind it. */
static char *side_by_side(bool window_first)
{
	struct genp_create ask = create_request(RESERVE * PAGE, RESERVE * PAGE);
	unsigned long length = RESERVE * PAGE;
	char *at;

	ask.max_leases = 1;
	CHECK(!try_create(&ask));
	part.fd = ask.fd;
	part.windows = ask.windows;
	at = mmap(NULL, 4 * length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(at != MAP_FAILED);
	at += length;
	part.reserve = at + (window_first ? length : 0);
	part.lease = at + (window_first ? 0 : length);
	CHECK(mmap(part.reserve, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, part.fd,
		   part.windows.reserve_offset) == part.reserve);
	CHECK(mmap(part.lease, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, part.fd,
		   part.windows.lease_offset) == part.lease);
	CHECK(!borrow(part.fd, LEASE * PAGE, GENP_NO_WAIT, 0, &lease));
	signal(SIGBUS, on_early_bus);
	fill(part.reserve, RESERVE);
	fill(part.lease, LEASE);
	return at;
}

/* From the third page of the first one to the third of the second one. */
static void across_a_part(bool window_first)
{
	struct genp_info before = info();
	char *at = side_by_side(window_first) + 2 * PAGE;
	unsigned long length = RESERVE * PAGE;

	ERRNO(munmap(at, length), EINVAL);
	CHECK(mmap(at, length, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      MAP_FAILED);
	printf("# MAP_FIXED: %s\n", strerrorname_np(errno));
	ERRNO(mprotect(at, length, PROT_READ), EINVAL);
	CHECK(!mprotect(part.reserve, length, PROT_READ | PROT_WRITE));
	ERRNO(madvise(at, length, MADV_DONTNEED), EINVAL);
	ERRNO(madvise(at, length, MADV_PAGEOUT), EINVAL);
	/* Nothing is to be done. */
	CHECK(mremap(at, length, length, MREMAP_MAYMOVE) == at);
	end(&before);
}

TEST(across_the_end_of_the_reserve) { across_a_part(false); }
TEST(across_the_end_of_the_window) { across_a_part(true); }

/* All of both is moved: the kernel moves one after the other. */
static void both_moved(bool window_first)
{
	struct genp_info before = info();
	unsigned long length = RESERVE * PAGE;
	char *at = side_by_side(window_first), *to, *moved;

	to = mmap(NULL, 2 * length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(to != MAP_FAILED);
	moved = mremap(at, 2 * length, 2 * length, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	CHECK(moved == MAP_FAILED);
	printf("# mremap: %s; the reserve is %s, and %s there\n", strerrorname_np(errno),
	       is_gone(part.reserve) ? "gone" : "where it was",
	       is_gone(to + (part.reserve - at)) ? "not" : "it is");
	if (is_gone(part.reserve))
		part.reserve = to + (part.reserve - at);
	end(&before);
}

TEST(both_moved_the_reserve_first) { both_moved(false); }
TEST(both_moved_the_window_first) { both_moved(true); }

/* What works on each works on both. */
TEST(both_protected_locked_and_unmapped)
{
	struct genp_info before = info();
	unsigned long length = 2 * RESERVE * PAGE;
	char *at = side_by_side(false);
	struct iovec iov = { at, length };
	int fd[2];

	CHECK(!mprotect(at, length, PROT_NONE));
	CHECK(!mprotect(at, length, PROT_READ | PROT_WRITE));
	CHECK(!mlock(at, length) && !munlock(at, length));
	CHECK(!pipe(fd));
	/* Only what can be pinned. */
	EQUAL(vmsplice(fd[1], &iov, 1, SPLICE_F_NONBLOCK), RESERVE * PAGE);
	close(fd[0]);
	close(fd[1]);
	expect_whole(part.reserve, RESERVE);
	expect_whole(part.lease, LEASE);
	CHECK(!munmap(at - PAGE, length + 2 * PAGE));
	close(part.fd);
	expect_idle(&before);
}

/* A word across both, or at the end of one. */
TEST(words_at_the_border)
{
	struct timespec limit = { .tv_nsec = 1000000 };
	char *at = side_by_side(false) + RESERVE * PAGE;

	memset(at - 8, 0, 12);
	ERRNO(syscall(SYS_futex, at - 4, FUTEX_WAIT, 0, &limit, NULL, 0), ETIMEDOUT);
	ERRNO(syscall(SYS_futex, at - 2, FUTEX_WAIT, 0, &limit, NULL, 0), EINVAL);
	ERRNO(syscall(SYS_futex, at, FUTEX_WAIT, 0, &limit, NULL, 0), EFAULT);
	ERRNO(syscall(SYS_futex, at - 4, FUTEX_CMP_REQUEUE, 1, 1UL, at, 0), EFAULT);
}
