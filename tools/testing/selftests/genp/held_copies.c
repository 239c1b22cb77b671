// SPDX-License-Identifier: GPL-2.0
/*
 * Calls whose argument or answer is held up in the middle of its copy, by a userfaultfd as
 * by a slow file: nobody else waits for them, and the answer that then cannot be written
 * undoes the call and nothing else. Contract lines 1, 5, 13.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "genp_test.h"

/* One page, on which a copy is held up. */
struct held {
	int uffd;
	char *page;
};

/* A call that is held up, in a thread of its own. */
struct call {
	int fd;
	unsigned long cmd;
	void *argument;
	atomic_bool done;
	int err;
	pthread_t thread;
};

static struct held hold(const void *argument, size_t size, __u64 mode)
{
	struct held held = { .uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK) };
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_writeprotect protect = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	struct uffdio_register area = { .mode = mode };

	if (held.uffd < 0)
		SKIP("no userfaultfd here");
	held.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(held.page != MAP_FAILED);
	if (mode == UFFDIO_REGISTER_MODE_WP)
		memcpy(held.page, argument, size);
	CHECK(!ioctl(held.uffd, UFFDIO_API, &api));
	area.range = (struct uffdio_range){ (unsigned long)held.page, PAGE };
	CHECK(!ioctl(held.uffd, UFFDIO_REGISTER, &area));
	protect.range = area.range;
	if (mode == UFFDIO_REGISTER_MODE_WP)
		CHECK(!ioctl(held.uffd, UFFDIO_WRITEPROTECT, &protect));
	return held;
}

static void *make_call(void *data)
{
	struct call *call = data;
	long answer;

	if (call->cmd)
		answer = ioctl(call->fd, call->cmd, call->argument);
	else
		answer = read(call->fd, call->argument, sizeof(struct genp_event));
	call->err = answer < 0 ? errno : 0;
	call->done = true;
	return NULL;
}

/* Begins the call and waits until it is held up; false if it was not. */
static bool begin_call(struct call *call, const struct held *held)
{
	struct uffd_msg message;

	call->argument = held->page;
	CHECK(!pthread_create(&call->thread, NULL, make_call, call));
	while (!call->done) {
		if (read(held->uffd, &message, sizeof(message)) == sizeof(message))
			return true;
		pause_ms(1);
	}
	return false;
}

/* Takes the page away under the copy. */
static void fail_copy(struct call *call, const struct held *held)
{
	struct uffdio_range range = { (unsigned long)held->page, PAGE };

	CHECK(!munmap(held->page, PAGE));
	CHECK(!ioctl(held->uffd, UFFDIO_WAKE, &range));
	CHECK(!pthread_join(call->thread, NULL));
	EQUAL(call->err, EFAULT);
	close(held->uffd);
}

/* All that others do, with the partition and beside it. */
static void others_go_on(struct part *part, struct part *other)
{
	struct genp_resize resize = { .size = sizeof(resize), .reserve = 4 * PAGE,
				      .borrow_limit = 4 * PAGE };
	struct genp_event event;
	struct genp_alloc alloc;
	struct genp_borrow lease;
	char line[64];
	FILE *file;

	CHECK(stat_of(part->fd).reserve);
	CHECK(!region(part->fd, 64, 0, &alloc));
	CHECK(!by_handle(part->fd, GENP_FREE, alloc.handle));
	CHECK(!borrow(part->fd, PAGE, GENP_NO_WAIT, 20 * MSEC, &lease) || errno == ETIMEDOUT ||
	      errno == EDQUOT);
	CHECK(!borrow(other->fd, PAGE, GENP_NO_WAIT, 20 * MSEC, &lease) || errno == ETIMEDOUT ||
	      errno == EDQUOT);
	EVENTUALLY(!stat_of(part->fd).leases && !stat_of(other->fd).leases);
	CHECK(!madvise(part->reserve, PAGE, MADV_DONTNEED));
	part->reserve[0] = 1;
	CHECK(!ioctl(part->fd, GENP_RESIZE, &resize));
	CHECK(read(part->fd, &event, sizeof(event)) > 0 || errno == EAGAIN);
	file = fopen("/sys/kernel/debug/genp/partitions", "r");
	while (file && fgets(line, sizeof(line), file))
		;
	if (file)
		fclose(file);
}

static union {
	__u32 size;
	struct genp_alloc alloc;
	struct genp_handle handle;
	struct genp_borrow borrow;
	struct genp_renew renew;
	struct genp_resize resize;
	struct genp_stat stat;
	struct genp_bounds bounds;
	struct genp_histogram histogram;
	struct genp_destroy destroy;
	char bytes[512];
} any;

static const struct {
	unsigned long cmd;
	__u32 size;
} commands[] = {
	{ GENP_ALLOC, sizeof(struct genp_alloc) },
	{ GENP_FREE, sizeof(struct genp_handle) },
	{ GENP_BORROW, sizeof(struct genp_borrow) },
	{ GENP_RETURN, sizeof(struct genp_handle) },
	{ GENP_RENEW, sizeof(struct genp_renew) },
	{ GENP_RESIZE, sizeof(struct genp_resize) },
	{ GENP_GET_STAT, sizeof(struct genp_stat) },
	{ GENP_GET_BOUNDS, sizeof(struct genp_bounds) },
	{ GENP_GET_HISTOGRAM, sizeof(struct genp_histogram) },
	{ GENP_RESTRICT, sizeof(struct genp_restrict) },
	{ GENP_DESTROY, sizeof(struct genp_destroy) },
	{ 0, 0 },
};

static void fill_argument(const struct part *part, unsigned long cmd, __u32 size)
{
	struct genp_borrow lease;

	memset(&any, 0, sizeof(any));
	any.size = size;
	if (cmd == GENP_ALLOC)
		any.alloc.length = 64;
	if (cmd == GENP_BORROW) {
		any.borrow.length = PAGE;
		any.borrow.lease_ns = 500 * MSEC;
	}
	if (cmd == GENP_RESIZE) {
		any.resize.reserve = 4 * PAGE;
		any.resize.borrow_limit = 3 * PAGE;
	}
	if (cmd == GENP_RENEW) {
		CHECK(!borrow(part->fd, PAGE, GENP_NO_WAIT, 0, &lease));
		any.renew.handle = lease.handle;
		any.renew.lease_ns = 500 * MSEC;
	}
	/* Something to read. */
	if (!cmd)
		CHECK(!borrow(part->fd, 4 * PAGE, GENP_NO_WAIT, 10 * MSEC, &lease) ||
		      errno == ETIMEDOUT);
}

static void hold_each(__u64 mode)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct part part = create(4 * PAGE, 4 * PAGE), other = create(PAGE, PAGE);
		struct call call = { .fd = part.fd, .cmd = commands[i].cmd };
		struct genp_borrow idle;
		struct held held;

		CHECK(!fcntl(part.fd, F_SETFL, O_NONBLOCK));
		(void)!borrow(part.fd, PAGE, GENP_NO_WAIT, 1 * MSEC, &idle);
		EVENTUALLY(!stat_of(part.fd).leases);
		fill_argument(&part, call.cmd, commands[i].size);
		held = hold(&any, sizeof(any), mode);
		if (begin_call(&call, &held)) {
			printf("# command %#lx is held up\n", call.cmd & 0xff);
			fflush(stdout);
			if (mode == UFFDIO_REGISTER_MODE_MISSING || call.cmd != GENP_DESTROY)
				others_go_on(&part, &other);
			fail_copy(&call, &held);
		} else {
			CHECK(!pthread_join(call.thread, NULL));
		}
		EVENTUALLY(!stat_of(part.fd).leases);
		EQUAL(stat_of(part.fd).regions, 0);
		drop(&part);
		drop(&other);
		EVENTUALLY(!info().partitions);
	}
}

TEST(an_argument_is_held_up) { hold_each(UFFDIO_REGISTER_MODE_MISSING); }
TEST(an_answer_is_held_up) { hold_each(UFFDIO_REGISTER_MODE_WP); }

/* The descriptor that would have been the answer belongs to nobody before it is written. */
static void create_or_open(bool open_it)
{
	struct genp_create ask = create_request(PAGE, PAGE);
	struct genp_open again = { .size = sizeof(again), .name = "held" };
	int fd = control(), before = dup(fd), expected;
	struct part named;
	struct call call = { .fd = fd, .cmd = open_it ? GENP_OPEN : GENP_CREATE };
	struct held held;

	strcpy(ask.name, open_it ? "held" : "other");
	if (open_it) {
		CHECK(!try_create(&ask));
		named.fd = ask.fd;
	}
	held = open_it ? hold(&again, sizeof(again), UFFDIO_REGISTER_MODE_WP) :
			 hold(&ask, sizeof(ask), UFFDIO_REGISTER_MODE_WP);
	CHECK(begin_call(&call, &held));
	/* Somebody guesses the number. */
	for (expected = before; expected < before + 12; expected++) {
		errno = 0;
		if (fcntl(expected, F_GETFD) < 0 && dup2(fd, expected) < 0)
			printf("# descriptor %d is being made: %s\n", expected,
			       strerrorname_np(errno));
	}
	fail_copy(&call, &held);
	for (expected = before; expected < before + 12; expected++)
		if (fcntl(expected, F_GETFD) < 0)
			printf("# descriptor %d is free\n", expected);
	if (open_it)
		close(named.fd);
	EVENTUALLY(!info().partitions);
}

TEST(a_partition_whose_descriptor_is_not_told) { create_or_open(false); }
TEST(a_name_whose_descriptor_is_not_told) { create_or_open(true); }
