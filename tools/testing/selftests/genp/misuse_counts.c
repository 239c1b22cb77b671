// SPDX-License-Identifier: GPL-2.0
/* Each misuse is counted once, in the counter that Documentation/abi-stat.rst says. */
#include <sys/stat.h>

#include "genp_test.h"

static struct part part;
static __u64 misuses, stale, refusals;

static void look(void)
{
	struct genp_stat stat = stat_of(part.fd);

	misuses = stat.misuses;
	stale = stat.stale_handles;
	refusals = stat.mapping_refusals;
}

static void expect_counted(const char *what, __u64 more, __u64 more_stale, __u64 more_refusals)
{
	struct genp_stat stat = stat_of(part.fd);

	if (stat.misuses - misuses != more || stat.stale_handles - stale != more_stale ||
	    stat.mapping_refusals - refusals != more_refusals)
		FAIL("%s: %lld misuses, %lld stale, %lld refusals", what,
		     (long long)(stat.misuses - misuses), (long long)(stat.stale_handles - stale),
		     (long long)(stat.mapping_refusals - refusals));
	look();
}

TEST(misuses_by_ioctl)
{
	static const unsigned long commands[] = { GENP_ALLOC, GENP_FREE, GENP_BORROW, GENP_RETURN,
		GENP_RENEW, GENP_RESIZE, GENP_GET_STAT, GENP_GET_BOUNDS, GENP_GET_HISTOGRAM,
		GENP_SET_EVENTFD, GENP_DESTROY };
	char *edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	__u32 small = 7, large = PAGE + 1, cut = 64;

	part = create(PAGE, PAGE);
	CHECK(!munmap(edge + PAGE, PAGE));
	look();
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		printf("# %lx\n", commands[i] & 0xff);
		ERRNO(ioctl(part.fd, commands[i], NULL), EFAULT);
		expect_counted("NULL", 1, 0, 0);
		ERRNO(ioctl(part.fd, commands[i], (void *)0xffff888000000000UL), EFAULT);
		expect_counted("a kernel address", 1, 0, 0);
		ERRNO(ioctl(part.fd, commands[i], (void *)-4UL), EFAULT);
		expect_counted("the last address", 1, 0, 0);
		ERRNO(ioctl(part.fd, commands[i], &small), EINVAL);
		expect_counted("too small", 1, 0, 0);
		ERRNO(ioctl(part.fd, commands[i], &large), E2BIG);
		expect_counted("too large", 1, 0, 0);
		memcpy(edge + PAGE - 8, &cut, 4);
		ERRNO(ioctl(part.fd, commands[i], edge + PAGE - 8), EFAULT);
		expect_counted("cut off", 1, 0, 0);
	}
	ERRNO(ioctl(part.fd, _IO(GENP_IOC_MAGIC, 0xff), NULL), ENOTTY);
	expect_counted("an unknown command", 1, 0, 0);
	ERRNO(ioctl(part.fd, GENP_GET_INFO, NULL), ENOTTY);
	expect_counted("the device's command", 1, 0, 0);
	ERRNO(ioctl(part.fd, 0x5401, edge), ENOTTY);
	expect_counted("another type", 0, 0, 0);
}

TEST(misuses_by_handle)
{
	struct genp_borrow lease;
	struct genp_alloc alloc;

	part = create(PAGE, PAGE);
	CHECK(!region(part.fd, 64, 0, &alloc));
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	look();
	ERRNO(by_handle(part.fd, GENP_FREE, ~0ULL), EINVAL);
	expect_counted("no region", 1, 0, 0);
	ERRNO(give_back(part.fd, ~0ULL), EINVAL);
	expect_counted("no lease", 1, 0, 0);
	CHECK(!by_handle(part.fd, GENP_FREE, alloc.handle));
	CHECK(!give_back(part.fd, lease.handle));
	ERRNO(by_handle(part.fd, GENP_FREE, alloc.handle), ESTALE);
	expect_counted("a freed region", 0, 1, 0);
	ERRNO(give_back(part.fd, lease.handle), ESTALE);
	expect_counted("a returned lease", 0, 1, 0);
}

static void *map_at(__u64 length, int prot, int flags, __u64 offset)
{
	return mmap(NULL, length, prot, flags, part.fd, offset);
}

TEST(misuses_by_other_calls)
{
	const int rw = PROT_READ | PROT_WRITE;
	__u64 lease;
	char record[64], *nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	part = create(PAGE, PAGE);
	lease = part.windows.lease_offset;
	look();
	CHECK(map_at(2 * PAGE, rw, MAP_SHARED, 0) == MAP_FAILED);
	expect_counted("mmap() of another length", 1, 0, 0);
	CHECK(map_at(PAGE, rw, MAP_SHARED, 1UL << 41) == MAP_FAILED);
	expect_counted("mmap() of another offset", 1, 0, 0);
	CHECK(map_at(PAGE, rw, MAP_PRIVATE, 0) == MAP_FAILED);
	expect_counted("a private mapping", 1, 0, 0);
	/* The kernel itself refuses this, before it asks GenP. */
	CHECK(map_at(PAGE, rw | PROT_EXEC, MAP_SHARED, 0) == MAP_FAILED);
	EQUAL(errno, EPERM);
	expect_counted("an executable one", 0, 0, 0);
	CHECK(map_at(part.windows.lease_length, rw, MAP_SHARED, lease) == MAP_FAILED);
	EQUAL(errno, EMLINK);
	expect_counted("a second window", 0, 0, 1);
	ERRNO(read(part.fd, record, 31), EINVAL);
	expect_counted("a small buffer", 1, 0, 0);
	CHECK(!destroy(part.fd));
	ERRNO(read(part.fd, nowhere, 32), EFAULT);
	expect_counted("no buffer", 1, 0, 0);
	ERRNO(lseek(part.fd, 0, SEEK_SET), ESPIPE);
	ERRNO(write(part.fd, record, 32), EINVAL);
	expect_counted("write() and lseek()", 0, 0, 0);
}

/* What a file offers besides, to whoever has it. */
TEST(other_calls_on_the_file)
{
	struct genp_info before = info();
	char path[64], text[64];
	int pipes[2], fd;

	part = create(PAGE, PAGE);
	CHECK(!pipe(pipes));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", part.fd);
	fd = open(path, O_RDWR);
	printf("# open by /proc: %s\n", fd < 0 ? strerrorname_np(errno) : "0");
	CHECK(fd < 0);
	printf("# fchmod: %s\n", fchmodat(part.fd, "", 0666, 0x1000) ? strerrorname_np(errno) : "0");
	printf("# fchown: %s\n", fchown(part.fd, 1, 1) ? strerrorname_np(errno) : "0");
	CHECK(ftruncate(part.fd, 0) < 0);
	CHECK(fallocate(part.fd, 0, 0, PAGE) < 0);
	CHECK(splice(part.fd, NULL, pipes[1], NULL, PAGE, SPLICE_F_NONBLOCK) < 0);
	CHECK(write(pipes[1], text, 64) == 64);
	CHECK(splice(pipes[0], NULL, part.fd, NULL, 64, SPLICE_F_NONBLOCK) < 0);
	CHECK(fcntl(part.fd, F_SETFL, O_DIRECT | O_NONBLOCK | O_ASYNC | O_APPEND) < 0 ||
	      fcntl(part.fd, F_SETFL, 0) == 0);
	(void)!posix_fadvise(part.fd, 0, PAGE, POSIX_FADV_DONTNEED);
	(void)!syncfs(part.fd);
	(void)!fsync(part.fd);
	drop(&part);
	expect_idle(&before);
}
