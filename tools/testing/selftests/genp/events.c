// SPDX-License-Identifier: GPL-2.0
/* Events, counters and times. Contract line 12. */
#include <linux/userfaultfd.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "genp_test.h"

static struct genp_event next(int fd)
{
	struct genp_event event;

	EQUAL(read(fd, &event, sizeof(event)), sizeof(event));
	return event;
}

TEST(recall_and_revocation_are_announced)
{
	struct part part = create(0, 16 * PAGE);
	struct genp_borrow lease;
	struct genp_event event;
	struct pollfd fds = { .fd = part.fd, .events = POLLIN | POLLPRI };

	EQUAL(poll(&fds, 1, 0), 0);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 300 * MSEC, &lease));
	EQUAL(poll(&fds, 1, -1), 1);
	CHECK(fds.revents & POLLPRI);
	event = next(part.fd);
	EQUAL(event.type, GENP_EVENT_RECALLED);
	EQUAL(event.handle, lease.handle);
	EQUAL(event.value, lease.expires);
	CHECK(event.time >= lease.expires - info().grace_ns);
	event = next(part.fd);
	EQUAL(event.type, GENP_EVENT_REVOKED);
	EQUAL(event.handle, lease.handle);
	EQUAL(event.value, PAGE);
	CHECK(event.time >= lease.expires);
	EQUAL(event.lost, 0);
}

TEST(a_low_budget_is_announced_once)
{
	struct part part = create(0, 16 * PAGE);
	struct genp_borrow lease;
	struct genp_event event;

	CHECK(!fcntl(part.fd, F_SETFL, O_NONBLOCK));
	CHECK(!borrow(part.fd, 14 * PAGE, GENP_NO_WAIT, 0, &lease));
	ERRNO(read(part.fd, &event, sizeof(event)), EAGAIN);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	event = next(part.fd);
	EQUAL(event.type, GENP_EVENT_BUDGET_LOW);
	EQUAL(event.value, PAGE);
}

TEST(reading)
{
	void *nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct genp_event events[4];
	struct part part = create(0, PAGE);

	CHECK(nowhere != MAP_FAILED);
	CHECK(!fcntl(part.fd, F_SETFL, O_NONBLOCK));
	ERRNO(read(part.fd, events, sizeof(*events)), EAGAIN);
	ERRNO(read(part.fd, events, sizeof(*events) - 1), EINVAL);
	ERRNO(write(part.fd, events, sizeof(*events)), EINVAL);
	ERRNO(lseek(part.fd, 0, SEEK_SET), ESPIPE);
	CHECK(!destroy(part.fd));
	ERRNO(read(part.fd, nowhere, sizeof(*events)), EFAULT);
	/* The event that could not be copied is still there. */
	EQUAL(read(part.fd, events, sizeof(events)), sizeof(*events));
	EQUAL(events[0].type, GENP_EVENT_DYING);
	EQUAL(read(part.fd, events, sizeof(events)), 0);
}

TEST(the_end_is_announced)
{
	struct part part = create(0, PAGE);
	struct pollfd fds = { .fd = part.fd, .events = POLLIN };
	pid_t pid = child();

	if (!pid) {
		pause_ms(50);
		_exit(destroy(part.fd));
	}
	EQUAL(next(part.fd).type, GENP_EVENT_DYING);
	EQUAL(poll(&fds, 1, -1), 1);
	CHECK(fds.revents & POLLHUP);
	EQUAL(reap(pid), 0);
}

TEST(lost_events_are_counted)
{
	struct genp_create request = create_request(0, 64 * PAGE);
	struct genp_borrow lease;
	struct part part;
	__u64 ended = 0;
	__u32 lost, got = 0;

	request.max_leases = 64;
	part = create_from(request);
	/* Two events each: recalled, revoked. */
	while (ended < 80) {
		/* EAGAIN: it let so many run out that it must wait, see pace.c. */
		if (borrow(part.fd, PAGE, now() + 60 * SEC, 1 * MSEC, &lease))
			CHECK(errno == ETIMEDOUT || errno == EBUSY || errno == EAGAIN);
		ended = stat_of(part.fd).revocations;
	}
	EVENTUALLY(stat_of(part.fd).leases == 0);
	CHECK(!fcntl(part.fd, F_SETFL, O_NONBLOCK));
	lost = stat_of(part.fd).events_lost;
	CHECK(lost > 0);
	EQUAL(next(part.fd).lost, lost);
	while (read(part.fd, &(struct genp_event){}, sizeof(struct genp_event)) > 0)
		got++;
	EQUAL(got, 63);
}

TEST(an_eventfd_is_signalled)
{
	struct part part = create(0, PAGE);
	int fd = eventfd(0, EFD_CLOEXEC);
	struct genp_eventfd request = {
		.size = sizeof(request), .fd = fd, .mask = 1 << GENP_EVENT_REVOKED,
	};
	struct genp_borrow lease;
	__u64 value = 0;

	CHECK(fd >= 0);
	CHECK(!ioctl(part.fd, GENP_SET_EVENTFD, &request));
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 100 * MSEC, &lease));
	EQUAL(read(fd, &value, sizeof(value)), sizeof(value));
	CHECK(value >= 1);
	CHECK(stat_of(part.fd).revocations == 1);
	request.fd = -1;
	CHECK(!ioctl(part.fd, GENP_SET_EVENTFD, &request));
	CHECK(!destroy(part.fd));
}

TEST(counters_count)
{
	struct part part = create(4 * PAGE, 4 * PAGE);
	struct genp_alloc got;
	struct genp_borrow lease;
	struct genp_stat stat;

	CHECK(!region(part.fd, 64, 0, &got));
	CHECK(!by_handle(part.fd, GENP_FREE, got.handle));
	by_handle(part.fd, GENP_FREE, got.handle);
	region(part.fd, 5 * PAGE, 0, &got);
	region(part.fd, 0, 0, &got);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!give_back(part.fd, lease.handle));
	stat = stat_of(part.fd);
	EQUAL(stat.allocs, 1);
	EQUAL(stat.frees, 1);
	EQUAL(stat.stale_handles, 1);
	EQUAL(stat.alloc_failures, 1);
	EQUAL(stat.misuses, 2);
	EQUAL(stat.borrows, 1);
	EQUAL(stat.returns, 1);
	EQUAL(stat.revocations, 0);
	EQUAL(stat.waits, 0);
	EQUAL(stat.used, 0);
	EQUAL(stat.used_peak, 64);
	EQUAL(stat.lent_peak, PAGE);
	stat.flags = GENP_STAT_RESET_PEAKS;
	CHECK(!ioctl(part.fd, GENP_GET_STAT, &stat));
	EQUAL(stat_of(part.fd).used_peak, 0);
	EQUAL(stat_of(part.fd).lent_peak, 0);
}

/* 'R', 'S' or another one. */
static char state_of(pid_t pid)
{
	char path[32], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	CHECK(file);
	EQUAL(fscanf(file, "%*d %*s %c", &state), 1);
	fclose(file);
	return state;
}

/* Reads into a page that nobody ever provides. */
static void read_for_ever(int fd)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (unsigned long)at, PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int faults = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (faults < 0 || ioctl(faults, UFFDIO_API, &api) || ioctl(faults, UFFDIO_REGISTER, &range))
		_exit(1);
	read(fd, at, sizeof(struct genp_event));
	_exit(2);
}

/* A process that has taken the record of a low budget, and cannot write it. */
static pid_t taker_of_a_record(const struct part *part)
{
	int faults = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct genp_borrow lease;
	pid_t taker;

	if (faults < 0)
		SKIP("this kernel has no userfaultfd: %m");
	close(faults);
	CHECK(!borrow(part->fd, 15 * PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!give_back(part->fd, lease.handle));
	taker = child();
	if (!taker)
		read_for_ever(part->fd);
	EVENTUALLY(state_of(taker) == 'S');
	return taker;
}

TEST(a_record_that_comes_back_wakes_who_waits)
{
	struct part part = create(0, 16 * PAGE);
	pid_t taker = taker_of_a_record(&part);
	pid_t waiter = child();

	if (!waiter)
		_exit(next(part.fd).type == GENP_EVENT_BUDGET_LOW ? 0 : 1);
	EVENTUALLY(state_of(waiter) == 'S');
	kill(taker, SIGKILL);
	reap(taker);
	EQUAL(reap(waiter), 0);
}

TEST(a_record_that_comes_back_is_told_again)
{
	struct part part = create(0, 16 * PAGE);
	int fd = eventfd(0, EFD_CLOEXEC);
	struct genp_eventfd request = {
		.size = sizeof(request), .fd = fd, .mask = 1 << GENP_EVENT_BUDGET_LOW,
	};
	__u64 told;
	pid_t taker;

	CHECK(fd >= 0);
	CHECK(!ioctl(part.fd, GENP_SET_EVENTFD, &request));
	taker = taker_of_a_record(&part);
	/* Whoever was told of it finds nothing now, and waits to be told again. */
	EQUAL(read(fd, &told, sizeof(told)), sizeof(told));
	CHECK(!fcntl(part.fd, F_SETFL, O_NONBLOCK));
	ERRNO(read(part.fd, &(struct genp_event){}, sizeof(struct genp_event)), EAGAIN);
	kill(taker, SIGKILL);
	reap(taker);
	EQUAL(read(fd, &told, sizeof(told)), sizeof(told));
	EQUAL(next(part.fd).type, GENP_EVENT_BUDGET_LOW);
}

TEST(times_are_noted)
{
	struct genp_bounds bounds = { .size = sizeof(bounds) };
	struct genp_histogram histogram = { .size = sizeof(histogram), .op = GENP_OP_ALLOC };
	struct part part = create(4 * PAGE, 4 * PAGE);
	struct genp_alloc got;
	__u64 count = 0;

	for (int i = 0; i < 10; i++)
		CHECK(!region(part.fd, 64, 0, &got));
	CHECK(!ioctl(part.fd, GENP_GET_BOUNDS, &bounds));
	CHECK(bounds.longest_ns[GENP_OP_ALLOC] > 0);
	EQUAL(bounds.longest_ns[GENP_OP_BORROW], 0);
	EQUAL(bounds.recall_bound_ns, info().recall_bound_ns);
	CHECK(bounds.wait_bound_ns > info().max_lease_ns + bounds.recall_bound_ns);
	CHECK(bounds.locked_longest_ns > 0);
	CHECK(!ioctl(part.fd, GENP_GET_HISTOGRAM, &histogram));
	for (int i = 0; i < GENP_HISTOGRAM_BUCKETS; i++)
		count += histogram.count[i];
	EQUAL(count, 10);
	bounds.flags = histogram.flags = GENP_BOUNDS_RESET;
	CHECK(!ioctl(part.fd, GENP_GET_BOUNDS, &bounds));
	CHECK(!ioctl(part.fd, GENP_GET_BOUNDS, &bounds));
	EQUAL(bounds.longest_ns[GENP_OP_ALLOC], 0);
	CHECK(!ioctl(part.fd, GENP_GET_HISTOGRAM, &histogram));
	CHECK(!ioctl(part.fd, GENP_GET_HISTOGRAM, &histogram));
	for (int i = 0; i < GENP_HISTOGRAM_BUCKETS; i++)
		EQUAL(histogram.count[i], 0);
}
