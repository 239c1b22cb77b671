/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests share: the ioctls as functions, and checks of the pool. */
#ifndef _GENP_TEST_H
#define _GENP_TEST_H

#include <fcntl.h>
#include <linux/types.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "harness.h"

/* Bytes of a page of the kernel that runs: not the same on all of them. */
#define PAGE ((unsigned long)sysconf(_SC_PAGESIZE))
/* ... and at most, for what has to be constant. */
#define PAGE_MOST (64UL << 10)
#define MSEC 1000000ULL
#define SEC 1000000000ULL

#define UNUSED __attribute__((unused))

struct part {
	int fd;
	struct genp_windows windows;
	char *reserve;
	char *lease;
};

static inline __u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SEC + ts.tv_nsec;
}

static inline void pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

static inline int control(void)
{
	int fd = open(GENP_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static UNUSED struct genp_info info_by(int fd)
{
	struct genp_info info = { .size = sizeof(info) };

	CHECK(!ioctl(fd, GENP_GET_INFO, &info));
	return info;
}

static UNUSED struct genp_info info(void)
{
	int fd = control();
	struct genp_info info = info_by(fd);

	close(fd);
	return info;
}

/* A valid argument of GENP_CREATE. */
static UNUSED struct genp_create create_request(__u64 reserve, __u64 limit)
{
	return (struct genp_create){
		.size = sizeof(struct genp_create),
		.reserve = reserve,
		.borrow_limit = limit,
		.node = GENP_ANY_NODE,
	};
}

static UNUSED int try_create(struct genp_create *request)
{
	int fd = control(), err, saved;

	err = ioctl(fd, GENP_CREATE, request);
	saved = errno;
	close(fd);
	errno = saved;
	return err;
}

static UNUSED void map(struct part *part)
{
	struct genp_windows *w = &part->windows;

	part->reserve = part->lease = NULL;
	if (w->reserve_length) {
		part->reserve = mmap(NULL, w->reserve_length, PROT_READ | PROT_WRITE, MAP_SHARED,
				     part->fd, w->reserve_offset);
		CHECK(part->reserve != MAP_FAILED);
	}
	if (w->lease_length) {
		part->lease = mmap(NULL, w->lease_length, PROT_READ | PROT_WRITE, MAP_SHARED,
				   part->fd, w->lease_offset);
		CHECK(part->lease != MAP_FAILED);
	}
}

static UNUSED struct part create_from(struct genp_create request)
{
	struct part part;

	CHECK(!try_create(&request));
	part.fd = request.fd;
	part.windows = request.windows;
	map(&part);
	return part;
}

/* A partition, mapped, whose lease window can be mapped several times here. */
static UNUSED struct part create_multimap(__u64 reserve, __u64 limit)
{
	struct genp_create request = create_request(reserve, limit);

	request.flags = GENP_CREATE_MULTIMAP;
	return create_from(request);
}

/* A partition, mapped. */
static UNUSED struct part create(__u64 reserve, __u64 limit)
{
	return create_from(create_request(reserve, limit));
}

static UNUSED void drop(struct part *part)
{
	if (part->reserve)
		munmap(part->reserve, part->windows.reserve_length);
	if (part->lease)
		munmap(part->lease, part->windows.lease_length);
	close(part->fd);
}

static UNUSED int region(int fd, __u64 length, __u64 align, struct genp_alloc *out)
{
	*out = (struct genp_alloc){ .size = sizeof(*out), .length = length, .align = align };
	return ioctl(fd, GENP_ALLOC, out);
}

static UNUSED int by_handle(int fd, unsigned long cmd, __u64 handle)
{
	struct genp_handle request = { .size = sizeof(request), .handle = handle };

	return ioctl(fd, cmd, &request);
}

static UNUSED int borrow(int fd, __u64 length, __u64 deadline, __u64 lease_ns,
			 struct genp_borrow *out)
{
	*out = (struct genp_borrow){
		.size = sizeof(*out),
		.length = length,
		.deadline = deadline,
		.lease_ns = lease_ns,
	};
	return ioctl(fd, GENP_BORROW, out);
}

/* A lease has a term. What takes longer than that, on a slow machine, shows nothing. */
static UNUSED void expect_in_time(const struct genp_borrow *lease)
{
	if (now() >= lease->expires)
		SKIP("the lease ran out meanwhile");
}

static UNUSED int give_back(int fd, __u64 handle)
{
	return by_handle(fd, GENP_RETURN, handle);
}

static UNUSED int destroy(int fd)
{
	struct genp_destroy request = { .size = sizeof(request) };

	return ioctl(fd, GENP_DESTROY, &request);
}

static UNUSED struct genp_stat stat_of(int fd)
{
	struct genp_stat stat = { .size = sizeof(stat) };

	CHECK(!ioctl(fd, GENP_GET_STAT, &stat));
	return stat;
}

/* The next partition in the list; false behind the last one. */
static UNUSED bool list_next(int fd, struct genp_list *listed)
{
	listed->size = sizeof(*listed);
	if (!ioctl(fd, GENP_LIST, listed))
		return true;
	EQUAL(errno, ENOENT);
	return false;
}

static UNUSED char *lease_at(struct part *part, struct genp_borrow *lease)
{
	return part->lease + (lease->offset - part->windows.lease_offset);
}

/* Whether a byte is not mapped: the kernel reads it, so a failure does not kill us. */
static UNUSED bool is_gone(const volatile char *at)
{
	int fd[2], err;

	CHECK(!pipe(fd));
	err = write(fd[1], (const void *)at, 1) == 1 ? 0 : errno;
	close(fd[0]);
	close(fd[1]);
	return err == EFAULT;
}

/* Ends the test successfully if touching the byte gives SIGBUS at exactly that byte. */
static volatile char *bus_expected;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	_exit(info->si_addr == (void *)bus_expected && info->si_code == BUS_ADRERR ? 0 : 1);
}

static UNUSED void end_in_bus_error(volatile char *at)
{
	struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };

	CHECK(!sigaction(SIGBUS, &action, NULL));
	bus_expected = at;
	(void)*at;
	FAIL("no SIGBUS");
}

/* Waits until the condition holds. The limit only ends a broken run. */
#define EVENTUALLY(_cond)						\
	do {								\
		__u64 _limit = now() + 60 * SEC;			\
		while (!(_cond)) {					\
			if (now() > _limit)				\
				FAIL("never came true: %s", #_cond);	\
			pause_ms(2);					\
		}							\
	} while (0)

/* A child that dies with its parent. */
static UNUSED pid_t child(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static UNUSED int reap(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

/* The pool must be as it was when nobody used it. */
static UNUSED void expect_idle(const struct genp_info *before)
{
	EVENTUALLY(info().committed == before->committed);
	EVENTUALLY(info().lent == before->lent);
	EQUAL(info().free, before->free);
	EQUAL(info().partitions, before->partitions);
	EQUAL(info().leases, before->leases);
	EQUAL(info().waiters, before->waiters);
}

/* Waits until what the test before left behind is gone. */
static void before_each(void)
{
	__u64 limit = now() + 30 * SEC;

	while ((info().partitions || info().committed || info().lent) && now() < limit)
		pause_ms(2);
}

static UNUSED bool on_user_mode_linux(void)
{
	char line[64] = "";
	FILE *file = fopen("/proc/cpuinfo", "r");

	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, "User Mode Linux"))
			break;
	if (file)
		fclose(file);
	return strstr(line, "User Mode Linux");
}

/*
 * User mode Linux with two processors unmaps pages of a running process late; what
 * depends on that cannot be tested there.
 */
#define NEEDS_PROMPT_UNMAPPING()					\
	do {								\
		if (on_user_mode_linux())				\
			SKIP("user mode Linux unmaps late");		\
	} while (0)

#endif /* _GENP_TEST_H */
