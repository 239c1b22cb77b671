// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to a machine: processors go and come, threads are confined to some of them,
 * the clock is set, the machine sleeps. Leases end in time all the same.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "threads.h"

#define CPU1 "/sys/devices/system/cpu/cpu1/online"
#define ROUNDS 4

/* 0, or the errno. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = errno;
	close(fd);
	return err;
}

/* Skips without one that can be taken away. What a failed test took comes back. */
static void needs_cpu1(void)
{
	if (access(CPU1, W_OK))
		SKIP("there is no processor that can be taken away");
	put(CPU1, "1");
}

static const char *const threads[] = { "genp_recall", "genp_notify", "genp_refill", "genp_scrub" };

/* One lease runs out, and its event is told. */
static void a_lease_ends(struct part *part)
{
	struct pollfd told = { .fd = part->fd, .events = POLLIN };
	struct genp_event events[64];
	struct genp_borrow lease;

	/* A slow machine may not have mapped it by then. */
	while (borrow(part->fd, PAGE, GENP_WAIT_FOREVER, 50 * MSEC, &lease))
		EQUAL(errno, ETIMEDOUT);
	EVENTUALLY(is_gone(lease_at(part, &lease)));
	CHECK(now() >= lease.expires);
	EQUAL(poll(&told, 1, 60000), 1);
	CHECK(read(part->fd, events, sizeof(events)) > 0);
}

TEST(processors_go_and_come)
{
	struct part part = create(4 * PAGE, 4 * PAGE);
	struct genp_alloc got;

	needs_cpu1();
	for (int i = 0; i < ROUNDS; i++) {
		struct part inside;

		CHECK(!put(CPU1, "0"));
		a_lease_ends(&part);
		/* Created on one processor, used on two. */
		inside = create(4 * PAGE, 4 * PAGE);
		CHECK(!put(CPU1, "1"));
		a_lease_ends(&part);
		a_lease_ends(&inside);
		CHECK(!region(inside.fd, 100, 0, &got));
		drop(&inside);
	}
}

static void bind_to(pid_t pid, int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	CHECK(!sched_setaffinity(pid, sizeof(cpus), &cpus));
}

static void let_free(void)
{
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	for (size_t i = 0; i < sizeof(threads) / sizeof(*threads); i++)
		CHECK(!sched_setaffinity(thread_named(threads[i]), sizeof(all), &all));
}

/* The kernel takes a bound thread elsewhere when its processor goes. */
TEST(a_bound_thread_loses_its_processor)
{
	struct part part = create(0, 4 * PAGE);

	needs_cpu1();
	for (size_t i = 0; i < sizeof(threads) / sizeof(*threads); i++)
		bind_to(thread_named(threads[i]), 1);
	a_lease_ends(&part);
	CHECK(!put(CPU1, "0"));
	a_lease_ends(&part);
	CHECK(!put(CPU1, "1"));
	let_free();
	a_lease_ends(&part);
}

TEST(threads_can_be_confined_by_a_cpuset)
{
	struct part part = create(0, 4 * PAGE);
	const char *set = "/tmp/cgroup/genp";
	char path[64], number[16];
	cpu_set_t cpus;

	mkdir("/tmp/cgroup", 0755);
	if (mount("none", "/tmp/cgroup", "cgroup2", 0, NULL) && errno != EBUSY)
		SKIP("no cgroups: %m");
	if (put("/tmp/cgroup/cgroup.subtree_control", "+cpuset"))
		SKIP("no cpusets");
	CHECK(!mkdir(set, 0755));
	snprintf(path, sizeof(path), "%s/cpuset.cpus", set);
	CHECK(!put(path, "0"));
	snprintf(path, sizeof(path), "%s/cgroup.procs", set);
	for (size_t i = 0; i < sizeof(threads) / sizeof(*threads); i++) {
		snprintf(number, sizeof(number), "%d", thread_named(threads[i]));
		EQUAL(put(path, number), 0);
		CHECK(!sched_getaffinity(thread_named(threads[i]), sizeof(cpus), &cpus));
		EQUAL(CPU_COUNT(&cpus), 1);
	}
	a_lease_ends(&part);
	for (size_t i = 0; i < sizeof(threads) / sizeof(*threads); i++) {
		snprintf(number, sizeof(number), "%d", thread_named(threads[i]));
		EQUAL(put("/tmp/cgroup/cgroup.procs", number), 0);
	}
	CHECK(!rmdir(set));
	let_free();
	a_lease_ends(&part);
}

static void set_clock(time_t seconds)
{
	struct timespec there = { .tv_sec = seconds };

	CHECK(!clock_settime(CLOCK_REALTIME, &there));
}

/* Terms and deadlines are those of a clock that nobody can set. */
TEST(the_clock_is_set)
{
	struct part part = create(0, 4 * PAGE);
	__u64 term = info().max_lease_ns, begin;
	time_t was = time(NULL);
	struct genp_borrow lease, other;

	for (int day = -1; day <= 1; day += 2) {
		begin = now();
		CHECK(!borrow(part.fd, 4 * PAGE, GENP_WAIT_FOREVER, 0, &lease));
		set_clock(was + day * 24 * 3600);
		CHECK(lease.expires >= begin + term && lease.expires <= now() + term);
		/* A machine that is slow may be late; none is early. */
		if (!give_back(part.fd, lease.handle))
			CHECK(borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &other) == 0);
		else
			CHECK(now() >= lease.expires);
		a_lease_ends(&part);
		set_clock(was);
	}
}

/* Waits for a lease of the partition that the parent has emptied. */
static void wait_for_budget(int fd)
{
	struct genp_borrow lease;

	_exit(borrow(fd, 4 * PAGE, GENP_WAIT_FOREVER, 0, &lease) ? errno : 0);
}

/*
 * All that happens before the machine would stop, and after it went on: processes are
 * frozen, one of them while it waits, and devices are suspended.
 */
TEST(the_machine_sleeps)
{
	struct part part = create(4 * PAGE, 4 * PAGE);
	struct genp_borrow lease;
	pid_t waiter;

	if (put("/sys/power/pm_test", "devices"))
		SKIP("this kernel does not suspend, or not as a test");
	put("/sys/module/suspend/parameters/pm_test_delay", "1");
	memset(part.reserve, 7, 4 * PAGE);
	CHECK(!borrow(part.fd, 4 * PAGE, GENP_NO_WAIT, 0, &lease));
	waiter = child();
	if (!waiter)
		wait_for_budget(part.fd);
	EVENTUALLY(stat_of(part.fd).waiters == 1 || stat_of(part.fd).revocations > 0);
	EQUAL(put("/sys/power/state", "freeze"), 0);
	CHECK(!put("/sys/power/pm_test", "none"));
	EQUAL(reap(waiter), 0);
	EVENTUALLY(stat_of(part.fd).leases == 0);
	for (unsigned long i = 0; i < 4 * PAGE; i++)
		CHECK(part.reserve[i] == 7);
	a_lease_ends(&part);
}
