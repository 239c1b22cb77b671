// SPDX-License-Identifier: GPL-2.0
/* Waiting: reasons, deadlines and the order of service. Contract lines 4 and 10. */
#include <pthread.h>

#include "genp_test.h"

/* A partition that has all free frames but `left` on lease, for the longest term. */
static struct part hoard(__u64 left, struct genp_borrow *lease)
{
	__u64 most = info().free - left;
	struct part part = create(0, most);

	CHECK(!borrow(part.fd, most, GENP_NO_WAIT, 0, lease));
	return part;
}

/* A process that borrows; its exit status is 0 or the errno. */
static pid_t borrower(__u64 length, __u64 deadline, int priority)
{
	pid_t pid = child();

	if (!pid) {
		struct sched_param param = { .sched_priority = priority };
		struct part part = create(0, length);
		struct genp_borrow lease;

		if (priority)
			CHECK(!sched_setscheduler(0, SCHED_FIFO, &param));
		if (borrow(part.fd, length, deadline, 0, &lease))
			_exit(errno);
		lease_at(&part, &lease)[length - 1] = 1;
		_exit(0);
	}
	return pid;
}

static int outcome(pid_t pid)
{
	int status = reap(pid);

	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(a_waiter_gets_what_is_returned)
{
	struct genp_borrow lease;
	struct part part = hoard(0, &lease);
	pid_t pid = borrower(4 * PAGE, GENP_WAIT_FOREVER, 0);

	EVENTUALLY(info().waiters == 1);
	CHECK(!give_back(part.fd, lease.handle));
	EQUAL(outcome(pid), 0);
	EQUAL(info().waiters, 0);
}

TEST(a_waiter_gets_what_is_revoked)
{
	struct genp_info before = info();
	struct genp_borrow lease;
	struct part part = hoard(0, &lease);
	pid_t pid = borrower(4 * PAGE, GENP_WAIT_FOREVER, 0);

	/* Nobody returns anything; the end of the hoard's term must end the wait. */
	EQUAL(outcome(pid), 0);
	CHECK(now() >= lease.expires && info().recall_worst_ns > 0);
	EQUAL(stat_of(part.fd).revocations, 1);
	drop(&part);
	expect_idle(&before);
}

TEST(deadlines)
{
	struct genp_borrow lease, other;
	struct part part = hoard(0, &lease), waiter = create(0, PAGE);
	struct genp_renew renew = { .size = sizeof(renew), .handle = lease.handle };
	__u64 deadline;

	ERRNO(borrow(waiter.fd, PAGE, GENP_NO_WAIT, 0, &other), EAGAIN);
	ERRNO(borrow(waiter.fd, PAGE, 1, 0, &other), ETIMEDOUT);
	ERRNO(borrow(waiter.fd, PAGE, now() - 1, 0, &other), ETIMEDOUT);
	CHECK(!ioctl(part.fd, GENP_RENEW, &renew));
	deadline = now() + 1000;
	ERRNO(borrow(waiter.fd, PAGE, deadline, 0, &other), ETIMEDOUT);
	CHECK(now() >= deadline);
	CHECK(!ioctl(part.fd, GENP_RENEW, &renew));
	deadline = now() + 100 * MSEC;
	if (borrow(waiter.fd, PAGE, deadline, 0, &other)) {
		EQUAL(errno, ETIMEDOUT);
		CHECK(now() >= deadline);
		EQUAL(stat_of(waiter.fd).timeouts, 4);
	} else {
		/* On a slow machine the hoard's own term may have ended first. */
		CHECK(now() >= renew.expires);
	}
	EQUAL(info().waiters, 0);
	if (stat_of(part.fd).revocations == 0)
		give_back(part.fd, lease.handle);
	CHECK(!borrow(waiter.fd, PAGE, now() + 60 * SEC, 0, &other));
}

TEST(only_what_was_named_is_waited_for)
{
	struct genp_borrow lease, mine;
	struct part part = hoard(4 * PAGE, &lease), waiter = create(0, 4 * PAGE);
	struct genp_borrow request = {
		.size = sizeof(request), .length = 4 * PAGE, .deadline = GENP_WAIT_FOREVER,
	};

	CHECK(!borrow(waiter.fd, PAGE, GENP_NO_WAIT, 0, &mine));
	request.reasons = GENP_WAIT_POOL;
	ERRNO(ioctl(waiter.fd, GENP_BORROW, &request), EDQUOT);
	CHECK(!give_back(waiter.fd, mine.handle));
	drop(&waiter);
	waiter = create(0, 8 * PAGE);
	request.length = 8 * PAGE;
	request.reasons = GENP_WAIT_BUDGET;
	if (ioctl(waiter.fd, GENP_BORROW, &request))
		EQUAL(errno, EAGAIN);
	else
		CHECK(now() >= lease.expires);
	drop(&part);
}

TEST(who_waits_for_its_budget_holds_up_nobody)
{
	struct part part = create(0, 4 * PAGE), other = create(0, PAGE);
	struct genp_borrow lease, second;
	pid_t pid;

	CHECK(!borrow(part.fd, 4 * PAGE, GENP_NO_WAIT, 0, &lease));
	pid = child();
	if (!pid)
		_exit(borrow(part.fd, 2 * PAGE, GENP_WAIT_FOREVER, 0, &second) ? errno : 0);
	EVENTUALLY(info().waiters == 1 || stat_of(part.fd).revocations);
	CHECK(!borrow(other.fd, PAGE, GENP_NO_WAIT, 0, &second));
	if (give_back(part.fd, lease.handle))
		EQUAL(errno, ESTALE);
	EQUAL(outcome(pid), 0);
	EQUAL(stat_of(part.fd).waits, 1);
}

TEST(nobody_waits_for_what_no_lease_has)
{
	__u64 all = info().free;
	struct part holder = create(all / 2, 0), part = create(0, all);
	struct genp_borrow lease;

	ERRNO(borrow(part.fd, all, GENP_WAIT_FOREVER, 0, &lease), E2BIG);
	ERRNO(borrow(part.fd, all, GENP_NO_WAIT, 0, &lease), EAGAIN);
	drop(&holder);
	CHECK(!borrow(part.fd, all, GENP_WAIT_FOREVER, 0, &lease));
}

TEST(a_reserve_never_starves_a_waiter)
{
	__u64 all = info().free;
	struct genp_create more = create_request(PAGE, 0);
	struct genp_borrow held;
	struct part holder = hoard(4 * PAGE, &held);
	pid_t pid = borrower(all, GENP_WAIT_FOREVER, 0);

	EVENTUALLY(info().waiters == 1);
	/* Four pages are free, but the waiter needs all of the pool. */
	ERRNO(try_create(&more), ENOSPC);
	CHECK(!give_back(holder.fd, held.handle));
	EQUAL(outcome(pid), 0);
	EVENTUALLY(!try_create(&more));
}

TEST(the_head_is_not_overtaken)
{
	struct genp_borrow lease, small;
	struct part part = hoard(4 * PAGE, &lease), other = create(0, PAGE);
	pid_t pid = borrower(8 * PAGE, GENP_WAIT_FOREVER, 0);

	EVENTUALLY(info().waiters == 1);
	/* Four pages are free, but there is a waiter for eight. */
	if (borrow(other.fd, PAGE, GENP_NO_WAIT, 0, &small))
		EQUAL(errno, EAGAIN);
	else
		CHECK(now() >= lease.expires);
	if (give_back(part.fd, lease.handle))
		EQUAL(errno, ESTALE);
	EQUAL(outcome(pid), 0);
}

TEST(a_lease_is_not_renewed_while_somebody_waits)
{
	struct genp_borrow lease;
	struct part part = hoard(0, &lease);
	struct genp_renew renew = { .size = sizeof(renew), .handle = lease.handle };
	pid_t pid = borrower(PAGE, GENP_WAIT_FOREVER, 0);

	EVENTUALLY(info().waiters == 1 || now() > lease.expires);
	CHECK(ioctl(part.fd, GENP_RENEW, &renew) == -1);
	CHECK(errno == EAGAIN || (errno == ESTALE && now() >= lease.expires));
	EQUAL(outcome(pid), 0);
}

static int order_fd[2];

/* Waits for all that can be lent, and writes its name when it has it. */
static pid_t contender(char name, __u64 length, int priority)
{
	__u32 waiters = info().waiters;
	pid_t pid = child();

	if (!pid) {
		struct sched_param param = { .sched_priority = priority };
		struct part part = create(0, length);
		struct genp_borrow lease;

		if (priority)
			CHECK(!sched_setscheduler(0, SCHED_FIFO, &param));
		CHECK(!borrow(part.fd, length, GENP_WAIT_FOREVER, 0, &lease));
		EQUAL(write(order_fd[1], &name, 1), 1);
		_exit(0);
	}
	EVENTUALLY(info().waiters == waiters + 1);
	return pid;
}

/* Lets three processes wait; returns the order in which they were served. */
static void contest(char served[4])
{
	struct genp_info before = info();
	struct part keeper = create(before.free - 32 * PAGE, 0), part = create(0, 32 * PAGE);
	struct genp_borrow lease;
	pid_t pids[3];

	CHECK(!pipe(order_fd));
	CHECK(!borrow(part.fd, 32 * PAGE, GENP_NO_WAIT, 0, &lease));
	pids[0] = contender('a', 32 * PAGE, 0);
	pids[1] = contender('b', 32 * PAGE, 10);
	pids[2] = contender('c', 32 * PAGE, 20);
	if (stat_of(part.fd).revocations)
		SKIP("the machine was too slow to line up three waiters within a term");
	CHECK(!give_back(part.fd, lease.handle) || errno == ESTALE);
	for (int i = 0; i < 3; i++)
		EQUAL(outcome(pids[i]), 0);
	EQUAL(read(order_fd[0], served, 3), 3);
	served[3] = 0;
	drop(&keeper);
}

TEST(waiters_are_served_in_order)
{
	char served[4];

	contest(served);
	if (strcmp(served, info().wait_order == GENP_ORDER_PRIO ? "cba" : "abc"))
		FAIL("served in the order %s", served);
}

TEST(waiters_are_limited)
{
	struct genp_borrow lease, more;
	struct part part = hoard(0, &lease), other = create(0, PAGE);
	__u32 max = info().max_waiters;
	pid_t pids[256];

	if (max > 16)
		SKIP("max_waiters is %u", max);
	for (__u32 i = 0; i < max; i++)
		pids[i] = borrower(PAGE, GENP_WAIT_FOREVER, 0);
	EVENTUALLY(info().waiters == max || stat_of(part.fd).revocations);
	if (stat_of(part.fd).revocations)
		SKIP("the machine was too slow to line them up within a term");
	if (borrow(other.fd, PAGE, GENP_WAIT_FOREVER, 0, &more))
		EQUAL(errno, EBUSY);
	else
		CHECK(now() >= lease.expires);
	if (give_back(part.fd, lease.handle))
		EQUAL(errno, ESTALE);
	for (__u32 i = 0; i < max; i++)
		EQUAL(outcome(pids[i]), 0);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Borrows all of a partition's budget, and renews the lease as long as it runs. */
static pid_t occupy(struct part *part)
{
	struct genp_renew renew = { .size = sizeof(renew) };
	struct genp_borrow lease;
	pid_t pid;

	CHECK(!borrow(part->fd, PAGE, GENP_NO_WAIT, 0, &lease));
	renew.handle = lease.handle;
	pid = child();
	if (!pid) {
		while (!ioctl(part->fd, GENP_RENEW, &renew))
			pause_ms(20);
		_exit(1);
	}
	return pid;
}

static void release(pid_t pid)
{
	kill(pid, SIGKILL);
	reap(pid);
}

static void signalled(int flags, __u64 wait_ns, int *err, __u64 *deadline)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
	struct part part = create(0, PAGE);
	struct genp_borrow lease;
	pid_t pid, self = getpid(), keeper = occupy(&part);

	CHECK(!sigaction(SIGUSR1, &action, NULL));
	pid = child();
	if (!pid) {
		EVENTUALLY(info().waiters == 1);
		pause_ms(20);
		kill(self, SIGUSR1);
		_exit(0);
	}
	*deadline = now() + wait_ns;
	*err = borrow(part.fd, PAGE, *deadline, 0, &lease) ? errno : 0;
	EQUAL(info().waiters, 0);
	EQUAL(stat_of(part.fd).interruptions, 1);
	reap(pid);
	release(keeper);
}

TEST(a_signal_ends_the_wait)
{
	__u64 deadline;
	int err;

	signalled(0, 100 * SEC, &err, &deadline);
	EQUAL(err, EINTR);
}

TEST(a_restart_keeps_the_deadline)
{
	__u64 deadline;
	int err;

	/* Long enough that the signal comes before it, even on a slow machine. */
	signalled(SA_RESTART, 5 * SEC, &err, &deadline);
	EQUAL(err, ETIMEDOUT);
	CHECK(now() >= deadline);
}

TEST(a_killed_waiter_leaves_no_trace)
{
	struct genp_info before = info();
	struct part part = create(0, PAGE);
	pid_t keeper = occupy(&part), pid = child();
	struct genp_borrow lease;

	if (!pid) {
		borrow(part.fd, PAGE, GENP_WAIT_FOREVER, 0, &lease);
		_exit(1);
	}
	EVENTUALLY(info().waiters == 1);
	release(pid);
	EVENTUALLY(info().waiters == 0);
	release(keeper);
	drop(&part);
	expect_idle(&before);
}

struct thread {
	struct part *part;
	int err;
};

static void *wait_in_thread(void *data)
{
	struct thread *thread = data;
	struct genp_borrow lease;

	thread->err = borrow(thread->part->fd, PAGE, GENP_WAIT_FOREVER, 0, &lease) ? errno : 0;
	return NULL;
}

TEST(a_destroyed_partition_ends_the_wait)
{
	struct part part = create(0, PAGE);
	struct thread thread = { .part = &part };
	pid_t keeper = occupy(&part);
	struct genp_borrow lease;
	pthread_t id;

	CHECK(!pthread_create(&id, NULL, wait_in_thread, &thread));
	EVENTUALLY(info().waiters == 1);
	CHECK(!destroy(part.fd));
	CHECK(!pthread_join(id, NULL));
	EQUAL(thread.err, EIDRM);
	ERRNO(borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease), EIDRM);
	release(keeper);
}
