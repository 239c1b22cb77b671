// SPDX-License-Identifier: GPL-2.0
/* Pages of the stock, in a thread and in hardirq. */
#include "ktest.h"

static void a_stock_has_its_pages(struct ktest *t)
{
	struct page *pages[STOCK];
	unsigned int i, k;

	for (i = 0; i < STOCK; i++) {
		pages[i] = genp_alloc_page(t->part, 0);
		CHECK(t, pages[i]);
		for (k = 0; k < i; k++)
			CHECK(t, pages[k] != pages[i]);
	}
	CHECK(t, !genp_alloc_page(t->part, 0));
	/* Nobody's stock is another one's. */
	for (i = 0; i < STOCK; i++)
		EQUAL(t, genp_free_page(t->other, pages[i]), -EINVAL);
	for (i = 0; i < STOCK; i++)
		EQUAL(t, genp_free_page(t->part, pages[i]), 0);
}

static void free_page_refuses_what_is_wrong(struct ktest *t)
{
	struct page *page = genp_alloc_page(t->part, 0);

	CHECK(t, page);
	if (!page)
		return;
	EQUAL(t, genp_free_page(t->other, page), -EINVAL);
	/* The next one belongs to somebody else, or is free. */
	CHECK(t, genp_free_page(t->part, page + 1) < 0);
	EQUAL(t, genp_free_page(t->part, ZERO_PAGE(0)), -EINVAL);
	EQUAL(t, genp_free_page(t->part, page), 0);
	EQUAL(t, genp_free_page(t->part, page), -ESTALE);
}

static void pages_keep_or_lose_what_is_in_them(struct ktest *t)
{
	struct page *pages[STOCK];
	unsigned int i;

	for (i = 0; i < STOCK; i++) {
		pages[i] = genp_alloc_page(t->part, 0);
		CHECK(t, pages[i]);
		if (!pages[i])
			return;
		CHECK(t, !memchr_inv(page_address(pages[i]), 0, PAGE_SIZE));
		memset(page_address(pages[i]), 0xa5, PAGE_SIZE);
	}
	for (i = 0; i < STOCK; i++)
		EQUAL(t, genp_free_page(t->part, pages[i]), 0);
	for (i = 0; i < STOCK; i++) {
		pages[i] = genp_alloc_page(t->part, i ? GENP_ZERO : 0);
		CHECK(t, pages[i]);
		if (pages[i])
			CHECK(t, !memchr_inv(page_address(pages[i]), i ? 0 : 0xa5, PAGE_SIZE));
	}
	for (i = 0; i < STOCK; i++)
		EQUAL(t, genp_free_page(t->part, pages[i]), 0);
}

/* With the emergency stock that the module was loaded with, which may be empty. */
static void the_emergency_stock_comes_after(struct ktest *t)
{
	struct page *own[STOCK], *page;
	unsigned int i;

	for (i = 0; i < STOCK; i++) {
		own[i] = genp_alloc_page(t->part, GENP_EMERGENCY);
		CHECK(t, own[i]);
	}
	page = genp_alloc_page(t->part, GENP_EMERGENCY);
	if (page) {
		CHECK(t, !memchr_inv(page_address(page), 0, PAGE_SIZE));
		memset(page_address(page), 0xa5, PAGE_SIZE);
		EQUAL(t, genp_free_page(t->other, page), -EINVAL);
		EQUAL(t, genp_free_page(t->part, page), 0);
		EQUAL(t, genp_free_page(t->part, page), -ESTALE);
	}
	for (i = 0; i < STOCK; i++)
		EQUAL(t, genp_free_page(t->part, own[i]), 0);
}

static void whether_a_stock_suffices(struct ktest *t)
{
	static const struct {
		struct genp_burst burst;
		int answer;
	} cases[] = {
		{ { .pages = 4, .period_ns = 1000, .hold_ns = 999 }, GENP_SUFFICES_ALWAYS },
		{ { .pages = 2, .period_ns = 1000, .hold_ns = 1000 }, GENP_SUFFICES_ALWAYS },
		{ { .pages = 4, .period_ns = 1000, .hold_ns = 1000 }, GENP_SUFFICES_NOT },
		{ { .pages = 5, .period_ns = 1000 }, GENP_SUFFICES_NOT },
		{ { .pages = ~0U, .period_ns = 1, .hold_ns = ~0ULL }, GENP_SUFFICES_NOT },
		{ { .period_ns = 1000 }, -EINVAL },
		{ { .pages = 1 }, -EINVAL },
		{ { .pages = 1, .period_ns = 1, .reserved = 1 }, -EINVAL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (genp_stock_suffices(t->part, &cases[i].burst) != cases[i].answer)
			ktest_fail(t, __LINE__, "case %u: not %d", i, cases[i].answer);
}

/* Context: thread. */
static void a_stock_that_can_grow_may_suffice(struct ktest *t)
{
	struct genp_spec spec = {
		.node = GENP_ANY_NODE, .stock_pages = 8, .stock_limit = 32, .stock_low = 8,
	};
	struct genp_burst burst = { .pages = 4, .period_ns = 1000, .hold_ns = 5000 };
	struct genp_partition *part = ktest_create(t, &spec);

	if (!part)
		return;
	EQUAL(t, genp_stock_suffices(part, &burst), GENP_SUFFICES_SLACK);
	burst.refill_ns = 1000;
	EQUAL(t, genp_stock_suffices(part, &burst), GENP_SUFFICES_NOT);
	EQUAL(t, genp_partition_destroy(part, NULL), 0);
}

/* Context: thread. */
static void what_happens_is_counted(struct ktest *t)
{
	struct page *page = genp_alloc_page(t->part, 0);
	struct genp_stat stat = ktest_stat(t->part);

	EQUAL(t, stat.stock_out, 1);
	EQUAL(t, stat.stock_free, STOCK - 1);
	EQUAL(t, stat.stock_takes, 1);
	EQUAL(t, stat.stock_gives, 0);
	EQUAL(t, genp_free_page(t->part, page), 0);
	EQUAL(t, genp_free_page(t->part, page), -ESTALE);
	EQUAL(t, genp_free_page(t->other, page), -EINVAL);
	EQUAL(t, ktest_stat(t->part).stock_out, 0);
	EQUAL(t, ktest_stat(t->part).stock_gives, 1);
	EQUAL(t, ktest_stat(t->part).stale_handles, stat.stale_handles + 1);
	EQUAL(t, ktest_stat(t->other).misuses, 1);
}

const struct kcase page_cases[] = {
	{ "a_stock_has_its_pages", a_stock_has_its_pages, true },
	{ "free_page_refuses_what_is_wrong", free_page_refuses_what_is_wrong, true },
	{ "pages_keep_or_lose_what_is_in_them", pages_keep_or_lose_what_is_in_them, true },
	{ "the_emergency_stock_comes_after", the_emergency_stock_comes_after, true },
	{ "whether_a_stock_suffices", whether_a_stock_suffices, true },
	{ "a_stock_that_can_grow_may_suffice", a_stock_that_can_grow_may_suffice },
	{ "what_happens_is_counted", what_happens_is_counted },
	{}
};
