// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors with some of the rights to a partition: each call needs its right, rights can
 * only be dropped, and who may not write does not, by any way that the kernel has. Contract
 * lines 2 and 10.
 */
#include <stdint.h>
#include <sys/uio.h>

#include "genp_test.h"

static int restricted(int fd, __u32 rights)
{
	struct genp_restrict request = { .size = sizeof(request), .rights = rights };

	return ioctl(fd, GENP_RESTRICT, &request) ? -1 : request.fd;
}

/* EACCES if the call lacks a right, 0 otherwise, whatever else it says. */
static int refusal(int err)
{
	return err && errno == EACCES ? EACCES : 0;
}

static int try_alloc(int fd)
{
	struct genp_alloc alloc;

	return refusal(region(fd, 64, 0, &alloc));
}

static int try_free(int fd)
{
	return refusal(by_handle(fd, GENP_FREE, 1));
}

static int try_borrow(int fd)
{
	struct genp_borrow lease;

	return refusal(borrow(fd, PAGE, GENP_NO_WAIT, MSEC, &lease));
}

static int try_return(int fd)
{
	return refusal(give_back(fd, 1));
}

static int try_renew(int fd)
{
	struct genp_renew request = { .size = sizeof(request), .handle = 1 };

	return refusal(ioctl(fd, GENP_RENEW, &request));
}

static int try_window(int fd)
{
	struct genp_windows windows = stat_of(fd).windows;
	void *at = mmap(NULL, windows.lease_length, PROT_READ, MAP_SHARED, fd,
			windows.lease_offset);
	int err = refusal(at == MAP_FAILED);

	if (at != MAP_FAILED)
		munmap(at, windows.lease_length);
	return err;
}

static int try_read(int fd)
{
	struct genp_event event;

	CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK));
	return refusal(read(fd, &event, sizeof(event)) < 0);
}

static int try_eventfd(int fd)
{
	struct genp_eventfd request = { .size = sizeof(request), .fd = -1 };

	return refusal(ioctl(fd, GENP_SET_EVENTFD, &request));
}

static int try_resize(int fd)
{
	struct genp_resize request = { .size = sizeof(request), .reserve = PAGE,
				       .borrow_limit = PAGE };

	return refusal(ioctl(fd, GENP_RESIZE, &request));
}

static int try_heap(int fd)
{
	struct genp_heap request = { .size = sizeof(request), .offset = GENP_NO_OFFSET };

	return refusal(ioctl(fd, GENP_SET_HEAP, &request));
}

static int try_reset_peaks(int fd)
{
	struct genp_stat request = { .size = sizeof(request), .flags = GENP_STAT_RESET_PEAKS };

	return refusal(ioctl(fd, GENP_GET_STAT, &request));
}

static int try_reset_bounds(int fd)
{
	struct genp_bounds request = { .size = sizeof(request), .flags = GENP_BOUNDS_RESET };

	return refusal(ioctl(fd, GENP_GET_BOUNDS, &request));
}

static int try_reset_histogram(int fd)
{
	struct genp_histogram request = { .size = sizeof(request), .flags = GENP_BOUNDS_RESET };

	return refusal(ioctl(fd, GENP_GET_HISTOGRAM, &request));
}

static int try_to_write(int fd)
{
	struct genp_windows windows = stat_of(fd).windows;
	void *at = mmap(NULL, windows.reserve_length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			windows.reserve_offset);
	int err = refusal(at == MAP_FAILED);

	if (at != MAP_FAILED)
		munmap(at, windows.reserve_length);
	return err;
}

static int try_destroy(int fd)
{
	return refusal(destroy(fd));
}

/* In this order: the last one ends the partition. */
static const struct {
	const char *name;
	int (*call)(int fd);
	__u32 right;
} calls[] = {
	{ "alloc", try_alloc, GENP_RIGHT_ALLOC },
	{ "free", try_free, GENP_RIGHT_ALLOC },
	{ "borrow", try_borrow, GENP_RIGHT_BORROW },
	{ "return", try_return, GENP_RIGHT_BORROW },
	{ "renew", try_renew, GENP_RIGHT_BORROW },
	{ "lease window", try_window, GENP_RIGHT_BORROW },
	{ "read", try_read, GENP_RIGHT_EVENTS },
	{ "eventfd", try_eventfd, GENP_RIGHT_EVENTS },
	{ "heap", try_heap, GENP_RIGHT_MANAGE },
	{ "peaks", try_reset_peaks, GENP_RIGHT_MANAGE },
	{ "bounds", try_reset_bounds, GENP_RIGHT_MANAGE },
	{ "histogram", try_reset_histogram, GENP_RIGHT_MANAGE },
	{ "resize", try_resize, GENP_RIGHT_MANAGE },
	{ "write", try_to_write, GENP_RIGHT_WRITE },
	{ "destroy", try_destroy, GENP_RIGHT_MANAGE },
};

TEST(each_call_needs_its_right_and_no_other)
{
	for (__u32 rights = 0; rights <= GENP_RIGHTS_ALL; rights++) {
		struct genp_create request = create_request(PAGE, PAGE);
		int fd;

		CHECK(!try_create(&request));
		fd = restricted(request.fd, rights);
		CHECK(fd >= 0);
		for (unsigned int at = 0; at < sizeof(calls) / sizeof(calls[0]); at++) {
			int err = calls[at].call(fd);

			if (err != (rights & calls[at].right ? 0 : EACCES))
				FAIL("%s with the rights %#x: %s", calls[at].name, rights,
				     strerror(err));
		}
		close(fd);
		close(request.fd);
	}
}

TEST(malformed_requests_are_refused)
{
	struct part part = create(PAGE, 0);
	struct genp_restrict flags = { .size = sizeof(flags), .flags = 1 };
	struct genp_restrict small = { .size = 7 };
	struct {
		struct genp_restrict known;
		__u64 tail;
	} longer = { { .size = sizeof(longer) }, 1 };

	ERRNO(ioctl(part.fd, GENP_RESTRICT, &flags), EINVAL);
	ERRNO(ioctl(part.fd, GENP_RESTRICT, &small), EINVAL);
	ERRNO(ioctl(part.fd, GENP_RESTRICT, &longer), E2BIG);
	ERRNO(ioctl(part.fd, GENP_RESTRICT, NULL), EFAULT);
	drop(&part);
}

TEST(rights_can_only_be_dropped)
{
	struct part part = create(PAGE, 0);

	ERRNO(restricted(part.fd, GENP_RIGHTS_ALL + 1), EINVAL);
	ERRNO(restricted(part.fd, 1U << 31), EINVAL);
	for (__u32 rights = 0; rights <= GENP_RIGHTS_ALL; rights++) {
		int fd = restricted(part.fd, rights);

		CHECK(fd >= 0);
		for (__u32 wanted = 0; wanted <= GENP_RIGHTS_ALL; wanted++) {
			int other;

			if (wanted & ~rights) {
				ERRNO(restricted(fd, wanted), EACCES);
				continue;
			}
			other = restricted(fd, wanted);
			CHECK(other >= 0);
			if (wanted != GENP_RIGHTS_ALL)
				ERRNO(restricted(other, GENP_RIGHTS_ALL), EACCES);
			close(other);
		}
		close(fd);
	}
	drop(&part);
}

/* A mapping of the reserve for reading. */
static char *view(int fd)
{
	struct genp_windows windows = stat_of(fd).windows;
	char *at = mmap(NULL, windows.reserve_length, PROT_READ, MAP_SHARED, fd,
			windows.reserve_offset);

	CHECK(at != MAP_FAILED);
	return at;
}

TEST(a_reader_sees_what_is_written)
{
	struct part part = create(4 * PAGE, 0);
	int fd = restricted(part.fd, 0);
	char *seen = view(fd);

	for (int page = 0; page < 4; page++) {
		part.reserve[page * PAGE] = 'a' + page;
		EQUAL(seen[page * PAGE], 'a' + page);
	}
	/* After it was dropped from the page table as well. */
	CHECK(!madvise(seen, 4 * PAGE, MADV_DONTNEED) || errno == EINVAL);
	EQUAL(seen[3 * PAGE], 'd');
	munmap(seen, 4 * PAGE);
	close(fd);
	drop(&part);
}

/* Each way of writing that the kernel has to a mapping which is for reading. */
TEST(a_reader_writes_in_no_way)
{
	struct part part = create(PAGE, 0);
	int fd = restricted(part.fd, GENP_RIGHTS_ALL & ~GENP_RIGHT_WRITE), pipes[2], memory;
	char *seen = view(fd), path[64], byte = 'x';
	struct iovec from = { &byte, 1 }, to = { seen, 1 };

	part.reserve[0] = 'o';
	ERRNO(mprotect(seen, PAGE, PROT_READ | PROT_WRITE), EACCES);
	ERRNO(mprotect(seen, PAGE, PROT_WRITE), EACCES);
	CHECK(mprotect(seen, PAGE, PROT_READ | PROT_EXEC));
	ERRNO((long)mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd,
			 part.windows.reserve_offset), EACCES);
	CHECK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
		   part.windows.reserve_offset) == MAP_FAILED);
	memory = open("/proc/self/mem", O_RDWR);
	CHECK(memory >= 0);
	CHECK(pwrite(memory, &byte, 1, (off_t)(uintptr_t)seen) != 1);
	CHECK(process_vm_writev(getpid(), &from, 1, &to, 1, 0) != 1);
	CHECK(!pipe(pipes) && write(pipes[1], &byte, 1) == 1);
	ERRNO(read(pipes[0], seen, 1), EFAULT);
	/* Not by opening it anew either. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(open(path, O_RDWR) < 0);
	CHECK(!fcntl(fd, F_SETFL, O_RDWR) && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	EQUAL(part.reserve[0], 'o');
	EQUAL(seen[0], 'o');
	drop(&part);
}

TEST(it_keeps_the_partition)
{
	struct genp_info before = info();
	struct part part = create(PAGE, 0);
	int fd = restricted(part.fd, GENP_RIGHT_ALLOC), other;
	char *seen;

	part.reserve[0] = 'k';
	drop(&part);
	seen = view(fd);
	EQUAL(seen[0], 'k');
	EQUAL(try_alloc(fd), 0);
	other = restricted(fd, 0);
	close(fd);
	EQUAL(stat_of(other).reserve, PAGE);
	close(other);
	/* The mapping keeps it as well. */
	EQUAL(seen[0], 'k');
	munmap(seen, PAGE);
	expect_idle(&before);
}

TEST(another_process_is_given_less)
{
	struct part part = create(PAGE, PAGE);
	int fd = restricted(part.fd, GENP_RIGHT_ALLOC);
	pid_t pid = child();

	if (!pid) {
		close(part.fd);
		EQUAL(try_alloc(fd), 0);
		EQUAL(try_borrow(fd), EACCES);
		EQUAL(try_destroy(fd), EACCES);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
	EQUAL(stat_of(part.fd).regions, 1);
	drop(&part);
}

TEST(a_destroyed_partition_gives_none)
{
	struct part part = create(PAGE, 0);
	int fd = restricted(part.fd, GENP_RIGHT_MANAGE);

	CHECK(!destroy(fd));
	ERRNO(restricted(part.fd, 0), EIDRM);
	ERRNO(restricted(fd, 0), EIDRM);
	CHECK(stat_of(fd).dying);
	close(fd);
	drop(&part);
}

TEST(what_is_refused_is_counted)
{
	struct part part = create(PAGE, PAGE);
	int fd = restricted(part.fd, 0);
	__u64 misuses = stat_of(part.fd).misuses;

	EQUAL(try_alloc(fd), EACCES);
	EQUAL(try_window(fd), EACCES);
	EQUAL(try_read(fd), EACCES);
	ERRNO(restricted(fd, GENP_RIGHT_ALLOC), EACCES);
	EQUAL(stat_of(part.fd).misuses, misuses + 4);
	close(fd);
	drop(&part);
}

TEST(fdinfo_shows_the_rights)
{
	struct part part = create(PAGE, PAGE);
	int fd = restricted(part.fd, GENP_RIGHT_ALLOC | GENP_RIGHT_EVENTS);
	char path[64], line[128];
	bool named = false, told = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		named |= !strncmp(line, "genp-name:", 10);
		told |= !strcmp(line, "genp-rights:\t0xa\n");
	}
	CHECK(named && told);
	drop(&part);
}

TEST(as_many_as_descriptors)
{
	struct genp_info before = info();
	struct part part = create(PAGE, 0);
	int fd = part.fd, count = 0;

	/* Each is made by the one before. */
	while (fd >= 0) {
		fd = restricted(fd, GENP_RIGHTS_ALL);
		count += fd >= 0;
	}
	CHECK(errno == EMFILE || errno == ENOMEM || errno == ENFILE);
	CHECK(count > 100);
	closefrom(3);
	munmap(part.reserve, PAGE);
	expect_idle(&before);
}
