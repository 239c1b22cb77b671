// SPDX-License-Identifier: GPL-2.0
/* The reserve as memory. Contract lines 1, 8, 9. */
#include <sys/resource.h>
#include <sys/uio.h>

#include "genp_test.h"

static long faults(void)
{
	struct rusage usage;

	CHECK(!getrusage(RUSAGE_THREAD, &usage));
	return usage.ru_minflt + usage.ru_majflt;
}

TEST(no_page_fault_after_mmap)
{
	struct part part = create(256 * PAGE, 0);
	unsigned long sum = 0;
	long before;

	faults();
	before = faults();
	for (int i = 0; i < 256; i++)
		part.reserve[i * PAGE] = i;
	for (int i = 0; i < 256; i++)
		sum += (unsigned char)part.reserve[i * PAGE];
	EQUAL(faults(), before);
	EQUAL(sum, 255 * 256 / 2);
}

TEST(no_page_fault_under_memory_pressure)
{
	struct part part = create(256 * PAGE, 0);
	pid_t pid = child();
	long before;

	if (!pid) {
		/* Uses up memory, and may be killed for it. */
		for (;;) {
			char *more = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
			struct genp_info pool = info();

			if (more == MAP_FAILED || pool.page_size != PAGE)
				_exit(0);
			/* Not all of it: the OOM killer might choose another process. */
			static long taken;
			if (++taken > 64)
				pause();
		}
	}
	pause_ms(100);
	faults();
	before = faults();
	for (int i = 0; i < 256; i++)
		part.reserve[i * PAGE]++;
	EQUAL(faults(), before);
	kill(pid, SIGKILL);
	reap(pid);
}

TEST(frames_are_zero_for_a_new_owner)
{
	struct genp_info before = info();

	for (int round = 0; round < 4; round++) {
		struct part part = create(before.free, 0);

		for (unsigned long i = 0; i < before.free; i += sizeof(long))
			if (*(long *)(part.reserve + i))
				FAIL("byte %lu of round %d is another's", i, round);
		memset(part.reserve, 0xee, before.free);
		drop(&part);
		EVENTUALLY(info().free == before.free);
	}
}

TEST(only_shared_whole_and_not_executable)
{
	struct part part = create(4 * PAGE, 0);
	__u64 offset = part.windows.reserve_offset;

	ERRNO(mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE, part.fd, offset), EINVAL);
	ERRNO(mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, part.fd, offset), EINVAL);
	ERRNO(mmap(NULL, 5 * PAGE, PROT_READ, MAP_SHARED, part.fd, offset), EINVAL);
	ERRNO(mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, part.fd, offset + PAGE), EINVAL);
	ERRNO(mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, part.fd, 1ULL << 41), EINVAL);
	ERRNO(mmap(NULL, 4 * PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, part.fd, offset), EPERM);
	ERRNO(mprotect(part.reserve, 4 * PAGE, PROT_READ | PROT_EXEC), EACCES);
}

TEST(fork_does_not_inherit)
{
	struct part part = create(PAGE, PAGE);
	pid_t pid = child();
	int status;

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		part.reserve[0] = 1;
		_exit(0);
	}
	status = reap(pid);
	CHECK(WIFSIGNALED(status));
	EQUAL(WTERMSIG(status), SIGSEGV);
	part.reserve[0] = 2;
}

TEST(partial_unmapping_moving_and_protecting)
{
	struct genp_info before = info();
	struct part part = create(8 * PAGE, 0);
	char *moved;

	memset(part.reserve, 3, 8 * PAGE);
	CHECK(!munmap(part.reserve + 2 * PAGE, PAGE));
	CHECK(!mprotect(part.reserve, PAGE, PROT_READ));
	EQUAL(part.reserve[0], 3);
	moved = mremap(part.reserve + 4 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED);
	EQUAL(moved[3 * PAGE], 3);
	CHECK(mremap(moved, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
	close(part.fd);
	EQUAL(moved[0], 3);
	CHECK(!munmap(moved, 4 * PAGE));
	CHECK(!munmap(part.reserve, 2 * PAGE));
	CHECK(!munmap(part.reserve + 3 * PAGE, PAGE));
	expect_idle(&before);
}

TEST(several_mappings_show_the_same_memory)
{
	struct part part = create(2 * PAGE, 0), again = part;

	map(&again);
	CHECK(again.reserve != part.reserve);
	part.reserve[PAGE] = 42;
	EQUAL(again.reserve[PAGE], 42);
}

TEST(system_calls_reach_it)
{
	struct part part = create(4 * PAGE, 0);
	int fd[2];

	CHECK(!pipe(fd));
	memset(part.reserve, 'x', PAGE);
	EQUAL(write(fd[1], part.reserve, PAGE), PAGE);
	EQUAL(read(fd[0], part.reserve + PAGE, PAGE), PAGE);
	EQUAL(memcmp(part.reserve, part.reserve + PAGE, PAGE), 0);
}

TEST(pinned_frames_wait_in_quarantine)
{
	struct genp_info before = info();
	struct part part = create(4 * PAGE, 0);
	struct iovec iov = { part.reserve, 2 * PAGE };
	char text[2 * PAGE];
	int fd[2];

	CHECK(!pipe(fd));
	memset(part.reserve, 'q', 4 * PAGE);
	/* From here on the pipe has references to the pages. */
	EQUAL(vmsplice(fd[1], &iov, 1, 0), 2 * PAGE);
	drop(&part);
	EVENTUALLY(info().quarantined == before.quarantined + 2 * PAGE);
	EVENTUALLY(info().committed == before.committed + 2 * PAGE);
	/* Others allocate all free frames and must not get these. */
	part = create(info().free, 0);
	memset(part.reserve, 'o', part.windows.reserve_length);
	EQUAL(read(fd[0], text, sizeof(text)), 2 * PAGE);
	for (unsigned int i = 0; i < sizeof(text); i++)
		EQUAL(text[i], 'q');
	drop(&part);
	close(fd[0]);
	close(fd[1]);
	EVENTUALLY(info().quarantined == before.quarantined);
	expect_idle(&before);
}
