// SPDX-License-Identifier: GPL-2.0
/* Leases of drivers. Context: thread. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "ktest.h"

/* Pages that t->part may have on lease. */
#define LIMIT 8
#define LONG_AGO 1

static void borrow_refuses_what_is_wrong(struct ktest *t)
{
	static const struct {
		struct genp_request request;
		int error;
	} wrong[] = {
		{ { .nr_pages = 0 }, -EINVAL },
		{ { .nr_pages = 1, .reasons = 1 << 7 }, -EINVAL },
		{ { .nr_pages = 1, .lease_ns = ~0ULL }, -EINVAL },
		{ { .nr_pages = LIMIT + 1 }, -E2BIG },
	};
	struct page *pages[LIMIT + 1];
	struct genp_lease lease;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		if (genp_borrow(t->part, &wrong[i].request, pages, &lease) != wrong[i].error)
			ktest_fail(t, __LINE__, "case %u: not %d", i, wrong[i].error);
}

static void borrowed_pages_are_zeroed(struct ktest *t)
{
	struct genp_request request = { .nr_pages = LIMIT };
	struct page *pages[LIMIT];
	struct genp_lease lease;
	unsigned int i, round;

	for (round = 0; round < 2; round++) {
		EQUAL(t, genp_borrow(t->part, &request, pages, &lease), 0);
		if (*t->why)
			return;
		CHECK(t, lease.expires > ktime_get_ns());
		for (i = 0; i < LIMIT; i++) {
			CHECK(t, !memchr_inv(page_address(pages[i]), 0, PAGE_SIZE));
			memset(page_address(pages[i]), 0xa5, PAGE_SIZE);
		}
		EQUAL(t, genp_return(t->part, lease.handle), 0);
	}
}

static void the_budget_is_kept(struct ktest *t)
{
	struct genp_request request = { .nr_pages = LIMIT };
	struct page *pages[LIMIT];
	struct genp_lease lease, none;

	EQUAL(t, genp_borrow(t->part, &request, pages, &lease), 0);
	request.nr_pages = 1;
	EQUAL(t, genp_borrow(t->part, &request, pages, &none), -EDQUOT);
	request.deadline = LONG_AGO;
	EQUAL(t, genp_borrow(t->part, &request, pages, &none), -ETIMEDOUT);
	request.deadline = ktime_get_ns() + NSEC_PER_MSEC;
	EQUAL(t, genp_borrow(t->part, &request, pages, &none), -ETIMEDOUT);
	EQUAL(t, genp_return(t->part, lease.handle), 0);
}

static void return_refuses_what_is_wrong(struct ktest *t)
{
	struct genp_request request = { .nr_pages = 2 };
	struct page *pages[2];
	struct genp_lease lease;

	EQUAL(t, genp_return(t->part, 0), -EINVAL);
	EQUAL(t, genp_return(t->part, ~0ULL), -EINVAL);
	EQUAL(t, genp_borrow(t->part, &request, pages, &lease), 0);
	if (*t->why)
		return;
	EQUAL(t, genp_return(t->other, lease.handle), -EINVAL);
	/* It goes on after that as if nothing had been tried. */
	get_page(pages[1]);
	EQUAL(t, genp_return(t->part, lease.handle), -EBUSY);
	EQUAL(t, genp_return(t->part, lease.handle), -EBUSY);
	EQUAL(t, genp_renew(t->part, &lease, NSEC_PER_SEC / 10), 0);
	put_page(pages[1]);
	EQUAL(t, genp_return(t->part, lease.handle), 0);
	EQUAL(t, genp_return(t->part, lease.handle), -ESTALE);
}

static void renew_makes_it_longer(struct ktest *t)
{
	struct genp_request request = { .nr_pages = 1, .lease_ns = 500 * NSEC_PER_MSEC };
	struct genp_lease lease, wrong;
	struct page *page;
	u64 expires;

	EQUAL(t, genp_borrow(t->part, &request, &page, &lease), 0);
	expires = lease.expires;
	usleep_range(1000, 2000);
	EQUAL(t, genp_renew(t->part, &lease, 500 * NSEC_PER_MSEC), 0);
	CHECK(t, lease.expires > expires);
	EQUAL(t, genp_renew(t->part, &lease, ~0ULL), -EINVAL);
	EQUAL(t, genp_renew(t->other, &lease, 0), -EINVAL);
	wrong = lease;
	wrong.handle = ~0ULL;
	EQUAL(t, genp_renew(t->part, &wrong, 0), -EINVAL);
	EQUAL(t, genp_return(t->part, lease.handle), 0);
	EQUAL(t, genp_renew(t->part, &lease, 0), -ESTALE);
}

/* A thread that requests one page, and the result. */
struct waiter {
	struct genp_partition *part;
	struct completion done;
	int answer;
};

static int wait_for_page(void *data)
{
	struct waiter *waiter = data;
	struct genp_request request = { .nr_pages = 1, .deadline = GENP_WAIT_FOREVER };
	struct genp_lease lease;
	struct page *page;

	waiter->answer = genp_borrow(waiter->part, &request, &page, &lease);
	if (!waiter->answer)
		waiter->answer = genp_return(waiter->part, lease.handle);
	kthread_complete_and_exit(&waiter->done, 0);
}

/* A returned lease serves a waiter. */
static void waiters_are_served(struct ktest *t)
{
	struct genp_request request = { .nr_pages = LIMIT };
	struct waiter waiter = { .part = t->part };
	struct page *pages[LIMIT];
	struct task_struct *thread;
	struct genp_lease lease;
	unsigned int ms;

	init_completion(&waiter.done);
	EQUAL(t, genp_borrow(t->part, &request, pages, &lease), 0);
	if (*t->why)
		return;
	thread = kthread_run(wait_for_page, &waiter, "genp_ktest");
	ERROR(t, thread, 0);
	for (ms = 0; ms < 30000 && !ktest_stat(t->part).waiters; ms += 5)
		usleep_range(5000, 6000);
	EQUAL(t, ktest_stat(t->part).waiters, 1);
	EQUAL(t, genp_return(t->part, lease.handle), 0);
	if (IS_ERR(thread))
		return;
	wait_for_completion(&waiter.done);
	EQUAL(t, waiter.answer, 0);
}

/* The arguments of a recall callback, and what it does. */
struct recalled {
	struct genp_partition *part;
	struct completion called;
	unsigned int calls;
	u64 handle;
	bool gives_back;
	int answer;
	bool over;
};

static void recall(void *data, u64 handle, u64 expires)
{
	struct recalled *recalled = data;

	recalled->calls++;
	recalled->handle = handle;
	if (recalled->gives_back)
		recalled->answer = genp_return(recalled->part, handle);
	complete(&recalled->called);
	msleep(50);
	WRITE_ONCE(recalled->over, true);
}

/* Borrows for a short term. The result is valid at least until the recall is over. */
static struct recalled *borrow_recalled(struct ktest *t, bool gives_back, struct genp_lease *lease)
{
	static struct recalled recalled;
	struct genp_request request = {
		.nr_pages = 1, .lease_ns = NSEC_PER_MSEC, .recall = recall, .data = &recalled,
	};
	unsigned int tries = 0;
	struct page *page;
	int answer;

	memset(&recalled, 0, sizeof(recalled));
	recalled.part = t->other;
	recalled.gives_back = gives_back;
	init_completion(&recalled.called);
	/* On a slow machine the term can be over before genp_borrow() returns. */
	do {
		answer = genp_borrow(t->other, &request, &page, lease);
	} while (answer == -ETIMEDOUT && ++tries < 100);
	EQUAL(t, answer, 0);
	if (answer)
		return NULL;
	if (!wait_for_completion_timeout(&recalled.called, 60 * HZ)) {
		ktest_fail(t, __LINE__, "the lease is not recalled");
		EQUAL(t, genp_return(t->other, lease->handle), 0);
		return NULL;
	}
	EQUAL(t, recalled.handle, lease->handle);
	return &recalled;
}

static void a_lease_is_recalled_once(struct ktest *t)
{
	struct genp_lease lease;
	struct recalled *recalled = borrow_recalled(t, false, &lease);

	if (!recalled)
		return;
	EQUAL(t, genp_return(t->other, lease.handle), 0);
	/* The callback is over when the lease is. */
	CHECK(t, READ_ONCE(recalled->over));
	msleep(20);
	EQUAL(t, recalled->calls, 1);
}

static void a_callback_returns_the_lease(struct ktest *t)
{
	struct genp_lease lease;
	struct recalled *recalled = borrow_recalled(t, true, &lease);

	if (!recalled)
		return;
	EQUAL(t, recalled->answer, 0);
	EQUAL(t, genp_return(t->other, lease.handle), -ESTALE);
	CHECK(t, READ_ONCE(recalled->over));
}

/* If a term is over before the recall thread sees the lease, it is recalled nevertheless. */
static void an_expired_lease_is_recalled_too(struct ktest *t)
{
	struct recalled recalled = { .part = t->other };
	struct genp_request request = { .nr_pages = 1, .recall = recall, .data = &recalled };
	struct genp_lease lease;
	struct page *page;
	int answer;

	init_completion(&recalled.called);
	EQUAL(t, genp_borrow(t->other, &request, &page, &lease), 0);
	if (*t->why)
		return;
	answer = genp_renew(t->other, &lease, 1);
	/* On a very slow machine it has expired by itself. */
	CHECK(t, !answer || answer == -ESTALE);
	CHECK(t, wait_for_completion_timeout(&recalled.called, 60 * HZ));
	EQUAL(t, genp_return(t->other, lease.handle), 0);
}

/* After destroying its partition, a driver may unload the code of its callback. */
static void destroy_waits_for_a_callback(struct ktest *t)
{
	struct genp_lease lease;
	struct recalled *recalled = borrow_recalled(t, true, &lease);

	if (!recalled)
		return;
	EQUAL(t, genp_partition_destroy(t->other, NULL), 0);
	t->other = NULL;
	CHECK(t, READ_ONCE(recalled->over));
	while (!READ_ONCE(recalled->over))
		msleep(10);
}

static void an_overdue_lease_is_counted(struct ktest *t)
{
	struct genp_request request = { .nr_pages = 1, .lease_ns = NSEC_PER_MSEC };
	struct genp_lease lease;
	struct page *page;
	unsigned int ms;

	EQUAL(t, genp_borrow(t->other, &request, &page, &lease), 0);
	if (*t->why)
		return;
	for (ms = 0; ms < 30000 && !ktest_stat(t->other).overdues; ms += 5)
		usleep_range(5000, 6000);
	EQUAL(t, ktest_stat(t->other).overdues, 1);
	/* It belongs to the driver until it is returned. */
	memset(page_address(page), 0xa5, PAGE_SIZE);
	CHECK(t, !memchr_inv(page_address(page), 0xa5, PAGE_SIZE));
	EQUAL(t, genp_return(t->other, lease.handle), 0);
	EQUAL(t, genp_return(t->other, lease.handle), -ESTALE);
}

const struct kcase lease_cases[] = {
	{ "borrow_refuses_what_is_wrong", borrow_refuses_what_is_wrong },
	{ "borrowed_pages_are_zeroed", borrowed_pages_are_zeroed },
	{ "the_budget_is_kept", the_budget_is_kept },
	{ "return_refuses_what_is_wrong", return_refuses_what_is_wrong },
	{ "renew_makes_it_longer", renew_makes_it_longer },
	{ "waiters_are_served", waiters_are_served },
	{ "a_lease_is_recalled_once", a_lease_is_recalled_once },
	{ "a_callback_returns_the_lease", a_callback_returns_the_lease },
	{ "an_expired_lease_is_recalled_too", an_expired_lease_is_recalled_too },
	{ "destroy_waits_for_a_callback", destroy_waits_for_a_callback },
	{ "an_overdue_lease_is_counted", an_overdue_lease_is_counted },
	{}
};
