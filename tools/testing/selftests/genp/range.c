// SPDX-License-Identifier: GPL-2.0
/* Reserves in the physical range given at load. Contract lines 1, 2, 8, 9, 10. */
#include <sys/resource.h>
#include <sys/uio.h>

#include "poison.h"

static struct genp_info with_range(void)
{
	struct genp_info i = info();

	if (!(i.features & GENP_FEATURE_RANGE))
		SKIP("the module was loaded without a range");
	return i;
}

static struct genp_create wish_there(__u64 reserve, __u64 limit)
{
	struct genp_create request = create_request(reserve, limit);

	request.source = GENP_SOURCE_RANGE;
	return request;
}

static struct part create_there(__u64 reserve)
{
	return create_from(wish_there(reserve, 0));
}

/* Checks that the pool and the range are as before. */
static void expect_all_back(const struct genp_info *before)
{
	EVENTUALLY(info().range_free == before->range_free);
	expect_idle(before);
}

TEST(a_reserve_of_nothing_is_nowhere)
{
	struct genp_create request;

	with_range();
	request = wish_there(0, PAGE);
	ERRNO(try_create(&request), EINVAL);
	request = wish_there(PAGE + 1, 0);
	ERRNO(try_create(&request), EINVAL);
}

TEST(the_range_is_counted_apart)
{
	struct genp_info before = with_range(), after;
	struct part part = create_there(64 * PAGE);
	struct genp_stat stat = stat_of(part.fd);

	after = info();
	EQUAL(after.range, before.range);
	EQUAL(after.range_free, before.range_free - 64 * PAGE);
	EQUAL(after.committed, before.committed);
	EQUAL(after.free, before.free);
	EQUAL(after.partitions, before.partitions + 1);
	EQUAL(stat.reserve, 64 * PAGE);
	drop(&part);
	expect_all_back(&before);
}

TEST(it_is_memory_without_a_page_fault)
{
	struct genp_info before = with_range();
	struct part part = create_there(before.range_free);
	unsigned long pages = before.range_free / PAGE;
	struct rusage first, last;

	CHECK(!getrusage(RUSAGE_THREAD, &first));
	CHECK(!getrusage(RUSAGE_THREAD, &first));
	for (unsigned long i = 0; i < pages; i++)
		*(unsigned long *)(part.reserve + i * PAGE) = ~i;
	for (unsigned long i = 0; i < pages; i++)
		if (*(unsigned long *)(part.reserve + i * PAGE) != ~i)
			FAIL("page %lu does not keep what was written", i);
	CHECK(!getrusage(RUSAGE_THREAD, &last));
	EQUAL(last.ru_minflt + last.ru_majflt, first.ru_minflt + first.ru_majflt);
}

TEST(zero_for_a_new_owner)
{
	struct genp_info before = with_range();

	for (int round = 0; round < 3; round++) {
		struct part part = create_there(before.range_free);

		for (unsigned long i = 0; i < before.range_free; i += sizeof(long))
			if (*(long *)(part.reserve + i))
				FAIL("byte %lu of round %d is another's", i, round);
		memset(part.reserve, 0xee, before.range_free);
		drop(&part);
		EVENTUALLY(info().range_free == before.range_free);
	}
}

TEST(partitions_do_not_overlap)
{
	struct part part[8];

	with_range();
	for (int i = 0; i < 8; i++) {
		part[i] = create_there((i + 1) * PAGE);
		memset(part[i].reserve, i + 1, (i + 1) * PAGE);
	}
	for (int i = 0; i < 8; i += 2)
		drop(&part[i]);
	for (int i = 0; i < 8; i += 2) {
		part[i] = create_there((8 - i) * PAGE);
		memset(part[i].reserve, 0x40 + i, (8 - i) * PAGE);
	}
	for (int i = 1; i < 8; i += 2)
		for (unsigned long at = 0; at < (i + 1) * PAGE; at++)
			EQUAL(part[i].reserve[at], i + 1);
}

TEST(exhaustion)
{
	struct genp_info before = with_range();
	struct genp_create more = wish_there(PAGE, 0), pooled = create_request(PAGE, 0);
	struct genp_create large = wish_there(before.range + PAGE, 0);
	struct part part;

	ERRNO(try_create(&large), E2BIG);
	part = create_there(before.range_free);
	EQUAL(info().range_free, 0);
	ERRNO(try_create(&more), ENOSPC);
	/* A reserve in the pool is not affected. */
	CHECK(!try_create(&pooled));
	close(pooled.fd);
	drop(&part);
	expect_all_back(&before);
	CHECK(!try_create(&more));
}

TEST(the_range_is_claimed)
{
	unsigned long long start, end;
	char line[128], name[64];
	FILE *file = fopen("/proc/iomem", "r");
	bool found = false;

	with_range();
	CHECK(file);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, " %llx-%llx : %63s", &start, &end, name) == 3 &&
			!strcmp(name, "genp");
	fclose(file);
	CHECK(found);
	EQUAL(end - start + 1, info().range);
}

TEST(only_shared_whole_and_not_executable)
{
	struct part part;
	__u64 offset;

	with_range();
	part = create_there(4 * PAGE);
	offset = part.windows.reserve_offset;
	ERRNO(mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE, part.fd, offset), EINVAL);
	ERRNO(mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, part.fd, offset), EINVAL);
	ERRNO(mmap(NULL, 5 * PAGE, PROT_READ, MAP_SHARED, part.fd, offset), EINVAL);
	ERRNO(mmap(NULL, 4 * PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, part.fd, offset), EPERM);
	ERRNO(mprotect(part.reserve, 4 * PAGE, PROT_READ | PROT_EXEC), EACCES);
	ERRNO(mremap(part.reserve, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE), EFAULT);
	ERRNO(madvise(part.reserve, 4 * PAGE, MADV_DONTNEED), EINVAL);
}

TEST(fork_does_not_inherit)
{
	struct part part;
	pid_t pid;
	int status;

	with_range();
	part = create_there(PAGE);
	pid = child();
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

TEST(system_calls_reach_it_but_nobody_pins_it)
{
	struct part part;
	struct iovec iov;
	int fd[2];

	with_range();
	part = create_there(2 * PAGE);
	CHECK(!pipe(fd));
	memset(part.reserve, 'x', PAGE);
	EQUAL(write(fd[1], part.reserve, PAGE), PAGE);
	EQUAL(read(fd[0], part.reserve + PAGE, PAGE), PAGE);
	EQUAL(memcmp(part.reserve, part.reserve + PAGE, PAGE), 0);
	iov = (struct iovec){ part.reserve, PAGE };
	ERRNO(vmsplice(fd[1], &iov, 1, 0), EFAULT);
}

TEST(it_cannot_be_resized)
{
	struct genp_resize request = { .size = sizeof(request) };
	struct genp_create wanted;
	struct part part;

	with_range();
	wanted = wish_there(8 * PAGE, 4 * PAGE);
	part = create_from(wanted);
	request.borrow_limit = 4 * PAGE;
	for (request.reserve = 0; request.reserve < 17 * PAGE; request.reserve += 4 * PAGE) {
		if (request.reserve != 8 * PAGE)
			ERRNO(ioctl(part.fd, GENP_RESIZE, &request), EOPNOTSUPP);
	}
	request.reserve = 8 * PAGE;
	request.borrow_limit = 2 * PAGE;
	CHECK(!ioctl(part.fd, GENP_RESIZE, &request));
	EQUAL(stat_of(part.fd).borrow_limit, 2 * PAGE);
	part.reserve[8 * PAGE - 1] = 1;
}

TEST(regions_and_leases_as_ever)
{
	struct genp_info before = with_range();
	struct part part = create_from(wish_there(16 * PAGE, 4 * PAGE));
	struct genp_borrow lease;
	struct genp_alloc a, b;

	CHECK(!region(part.fd, 100, 0, &a));
	CHECK(!region(part.fd, 8 * PAGE, PAGE, &b));
	EQUAL(b.offset % PAGE, 0);
	memset(part.reserve + b.offset, 1, 8 * PAGE);
	ERRNO(region(part.fd, 17 * PAGE, 0, &a), E2BIG);
	CHECK(!by_handle(part.fd, GENP_FREE, b.handle));
	ERRNO(by_handle(part.fd, GENP_FREE, b.handle), ESTALE);
	CHECK(!borrow(part.fd, 3 * PAGE, GENP_NO_WAIT, 0, &lease));
	EQUAL(info().lent, before.lent + 3 * PAGE);
	memset(lease_at(&part, &lease), 2, 3 * PAGE);
	CHECK(!give_back(part.fd, lease.handle));
	drop(&part);
	expect_all_back(&before);
}

TEST(a_mapping_keeps_it)
{
	struct genp_info before = with_range();
	struct part part = create_there(4 * PAGE);

	part.reserve[0] = 7;
	CHECK(!destroy(part.fd));
	close(part.fd);
	EQUAL(part.reserve[0], 7);
	CHECK(!munmap(part.reserve + PAGE, PAGE));
	EQUAL(info().range_free, before.range_free - 4 * PAGE);
	CHECK(!munmap(part.reserve, 4 * PAGE));
	expect_all_back(&before);
}

TEST(killed_owners_leave_nothing)
{
	struct genp_info before = with_range();

	for (int round = 0; round < 10; round++) {
		int ready[2];
		char byte;
		pid_t pid;

		CHECK(!pipe(ready));
		pid = child();
		if (!pid) {
			struct part part = create_there(before.range_free);

			memset(part.reserve, round, before.range_free);
			CHECK(write(ready[1], "", 1) == 1);
			pause();
		}
		close(ready[1]);
		EQUAL(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		kill(pid, SIGKILL);
		reap(pid);
		EVENTUALLY(info().range_free == before.range_free);
	}
	expect_all_back(&before);
}

TEST(by_name_it_is_the_same_memory)
{
	struct genp_create request;
	struct genp_open again = { .size = sizeof(again), .name = "land" };
	struct part part, other;
	int fd = control();

	with_range();
	request = wish_there(2 * PAGE, 0);
	strcpy(request.name, "land");
	part = create_from(request);
	CHECK(!ioctl(fd, GENP_OPEN, &again));
	other = (struct part){ .fd = again.fd, .windows = again.windows };
	map(&other);
	part.reserve[PAGE] = 42;
	EQUAL(other.reserve[PAGE], 42);
}

TEST(the_ceiling_counts_it)
{
	unsigned long long most = 0;
	struct genp_create all, more = create_request(PAGE, 0), there;
	FILE *file = fopen("/sys/class/misc/genp/uid_ceiling_bytes", "r");
	int fd = control();

	with_range();
	CHECK(file);
	EQUAL(fscanf(file, "%llu", &most), 1);
	fclose(file);
	if (!most || most > info().range_free)
		SKIP("no ceiling below the range");
	all = wish_there(most, 0);
	there = wish_there(PAGE, 0);
	CHECK(!setresuid(1000, 1000, 1000));
	CHECK(!ioctl(fd, GENP_CREATE, &all));
	ERRNO(ioctl(fd, GENP_CREATE, &more), ENOSPC);
	ERRNO(ioctl(fd, GENP_CREATE, &there), ENOSPC);
	close(all.fd);
	CHECK(!ioctl(fd, GENP_CREATE, &more));
	CHECK(!ioctl(fd, GENP_CREATE, &there));
}

static __u64 range_start(void)
{
	unsigned long long start, end;
	char line[128], name[32];
	FILE *file = fopen("/proc/iomem", "r");

	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %llx-%llx : %31s", &start, &end, name) == 3 &&
		    !strcmp(name, "genp")) {
			fclose(file);
			return start;
		}
	}
	FAIL("GenP has no range");
}

/* Whoever has it is told; nobody gets it any more. The memory is not of the pool. */
TEST(a_page_with_a_memory_error)
{
	struct genp_info before = with_range();
	struct genp_create all;
	struct part part;
	char *again;

	need_injection();
	part = create_there(before.range_free);
	memset(part.reserve, 0x5a, before.range_free);
	poison(range_start() + 5 * PAGE);
	EQUAL(error_event(part.fd).value, part.windows.reserve_offset + 5 * PAGE);
	again = mmap(NULL, before.range_free, PROT_READ | PROT_WRITE, MAP_SHARED, part.fd,
		     part.windows.reserve_offset);
	CHECK(again != MAP_FAILED);
	CHECK(is_poisoned(part.reserve + 5 * PAGE));
	CHECK(is_poisoned(again + 5 * PAGE));
	for (__u64 i = 0; i < before.range_free; i += PAGE)
		CHECK(i == 5 * PAGE || (part.reserve[i] == 0x5a && again[i] == 0x5a));
	EQUAL(stat_of(part.fd).memory_errors, 1);
	munmap(again, before.range_free);
	drop(&part);
	expect_all_back(&before);
	all = wish_there(before.range_free, 0);
	ERRNO(try_create(&all), ENOSPC);
	/* What is left on either side of it. */
	for (int round = 0; round < 2; round++) {
		__u64 length = round ? 5 * PAGE : before.range_free - 6 * PAGE;

		part = create_there(length);
		for (__u64 i = 0; i < length; i += PAGE)
			CHECK(!part.reserve[i]);
		EQUAL(stat_of(part.fd).memory_errors, 0);
		drop(&part);
		expect_all_back(&before);
	}
}
