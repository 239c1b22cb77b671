// SPDX-License-Identifier: GPL-2.0
/* Partitions: invalid attributes, outstanding pages, lifetime with a device. */
#include "../../../samples/drivers/older_kernels.h"
#include "ktest.h"

#define GOOD								\
	.reserve = 4 * PAGE_SIZE, .borrow_limit = 4 * PAGE_SIZE,	\
	.node = GENP_ANY_NODE, .stock_pages = 4

static void create_refuses_what_is_wrong(struct ktest *t)
{
	static const struct {
		const char *what;
		struct genp_spec spec;
		int error;
	} wrong[] = {
		{ "nothing", { .node = GENP_ANY_NODE }, -EINVAL },
		{ "part of a page", { GOOD, .reserve = 1 }, -EINVAL },
		{ "too much", { GOOD, .reserve = 1ULL << 40 }, -E2BIG },
		{ "part of a page to borrow", { GOOD, .borrow_limit = 1 }, -EINVAL },
		{ "too much to borrow", { GOOD, .borrow_limit = 1ULL << 40 }, -E2BIG },
		{ "a term too long", { GOOD, .lease_default_ns = ~0ULL }, -EINVAL },
		{ "regions too small", { GOOD, .min_alloc_order = 3 }, -EINVAL },
		{ "regions too large", { GOOD, .min_alloc_order = 21 }, -EINVAL },
		{ "no node", { GOOD, .node = -2 }, -EINVAL },
		{ "a node there is not", { GOOD, .node = 4000 }, -EINVAL },
		{ "too many regions", { GOOD, .max_regions = (1 << 20) + 1 }, -EINVAL },
		{ "too many leases", { GOOD, .max_leases = 65 }, -EINVAL },
		{ "executable", { GOOD, .mode = 0100 }, -EINVAL },
		{ "a stock too large", { GOOD, .stock_pages = 1 << 24 }, -E2BIG },
		{ "a limit below the stock", { GOOD, .stock_limit = 3 }, -EINVAL },
		{ "a watermark above it", { GOOD, .stock_low = 5 }, -EINVAL },
		{ "a name too long", { GOOD, .name = "a23456789.123456789.123456789.12" }, -EINVAL },
		{ "a name with a slash", { GOOD, .name = "a/b" }, -EINVAL },
	};
	struct genp_partition *part;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		part = genp_partition_create(&wrong[i].spec);
		if (PTR_ERR_OR_ZERO(part) != wrong[i].error)
			ktest_fail(t, __LINE__, "%s: %d, not %d", wrong[i].what,
				   PTR_ERR_OR_ZERO(part), wrong[i].error);
		if (!IS_ERR(part))
			genp_partition_destroy(part, NULL);
	}
}

/* The largest possible reserve, found by trying. */
static void admission_is_refused(struct ktest *t)
{
	struct genp_spec spec = { .reserve = 1ULL << 40, .node = GENP_ANY_NODE };
	struct genp_partition *part = ERR_PTR(-E2BIG);

	while (spec.reserve > PAGE_SIZE && PTR_ERR_OR_ZERO(part) == -E2BIG) {
		spec.reserve /= 2;
		part = genp_partition_create(&spec);
	}
	/* Not more than the pool, but t->part has some of it: one such partition fits. */
	if (IS_ERR(part)) {
		ERROR(t, part, -ENOSPC);
		return;
	}
	ERROR(t, genp_partition_create(&spec), -ENOSPC);
	EQUAL(t, genp_partition_destroy(part, NULL), 0);
}

static void names_are_found(struct ktest *t)
{
	struct genp_spec spec = { GOOD, .name = "ktest.name" };
	struct genp_partition *part = ktest_create(t, &spec), *found;
	struct genp_outstanding left;
	struct page *page;

	if (!part)
		return;
	ERROR(t, genp_partition_create(&spec), -EEXIST);
	found = genp_partition_find("ktest.name");
	ERROR(t, found, 0);
	CHECK(t, !strcmp(ktest_stat(found).name, "ktest.name"));
	page = genp_alloc_page(found, 0);
	CHECK(t, page);
	EQUAL(t, genp_free_page(part, page), 0);
	EQUAL(t, genp_partition_put(found, &left), 0);
	EQUAL(t, genp_partition_destroy(part, NULL), 0);
	ERROR(t, genp_partition_find("ktest.name"), -ENOENT);
}

static void find_refuses_what_is_wrong(struct ktest *t)
{
	ERROR(t, genp_partition_find(""), -EINVAL);
	ERROR(t, genp_partition_find("nobody"), -ENOENT);
}

/* The last put does not end a partition with outstanding pages. */
static void put_says_what_is_outstanding(struct ktest *t)
{
	struct genp_spec spec = { GOOD, .name = "ktest.put" };
	struct genp_partition *part = ktest_create(t, &spec);
	struct genp_outstanding left = {};
	struct page *page;

	if (!part)
		return;
	page = genp_alloc_page(part, 0);
	CHECK(t, page);
	EQUAL(t, genp_partition_put(part, &left), -EBUSY);
	EQUAL(t, left.pages, 1);
	EQUAL(t, genp_free_page(part, page), 0);
	EQUAL(t, genp_partition_put(part, NULL), 0);
}

static void fds_that_are_none(struct ktest *t)
{
	ERROR(t, genp_partition_from_fd(-1), -EBADF);
	ERROR(t, genp_partition_from_fd(999999), -EBADF);
	/* The descriptor 0 of the process that reads the results is no partition. */
	ERROR(t, genp_partition_from_fd(0), -EINVAL);
}

static void destroy_says_what_is_outstanding(struct ktest *t)
{
	struct genp_request request = { .nr_pages = 1 };
	struct genp_outstanding left = {};
	struct page *pages[2], *borrowed;
	struct genp_region region;
	struct genp_lease lease;

	CHECK(t, (pages[0] = genp_alloc_page(t->other, 0)));
	CHECK(t, (pages[1] = genp_alloc_page(t->other, 0)));
	EQUAL(t, genp_alloc(t->other, 100, 0, &region), 0);
	EQUAL(t, genp_borrow(t->other, &request, &borrowed, &lease), 0);
	EQUAL(t, genp_partition_destroy(t->other, &left), -EBUSY);
	EQUAL(t, left.pages, 2);
	EQUAL(t, left.regions, 1);
	EQUAL(t, left.leases, 1);
	EQUAL(t, genp_return(t->other, lease.handle), 0);
	EQUAL(t, genp_free(t->other, &region), 0);
	EQUAL(t, genp_free_page(t->other, pages[0]), 0);
	EQUAL(t, genp_partition_destroy(t->other, &left), -EBUSY);
	EQUAL(t, left.pages, 1);
	EQUAL(t, left.regions, 0);
	EQUAL(t, left.leases, 0);
	EQUAL(t, genp_free_page(t->other, pages[1]), 0);
	/* A cache is a region to the partition. */
	EQUAL(t, genp_partition_destroy(t->part, &left), -EBUSY);
	EQUAL(t, left.regions, 1);
}

static void a_device_takes_its_partition_along(struct ktest *t)
{
	struct genp_spec spec = { GOOD, .name = "ktest.device" };
	struct faux_device *device = faux_device_create("genp_ktest", NULL, NULL);
	struct genp_partition *part, *found;

	CHECK(t, device);
	if (!device)
		return;
	part = devm_genp_partition_create(&device->dev, &spec);
	ERROR(t, part, 0);
	found = genp_partition_find("ktest.device");
	ERROR(t, found, 0);
	if (!IS_ERR(found))
		EQUAL(t, genp_partition_put(found, NULL), 0);
	ERROR(t, devm_genp_partition_create(&device->dev, &spec), -EEXIST);
	faux_device_destroy(device);
	ERROR(t, genp_partition_find("ktest.device"), -ENOENT);
}

static void statistics_are_filled(struct ktest *t)
{
	struct genp_stat stat = ktest_stat(t->part);

	EQUAL(t, stat.size, sizeof(stat));
	EQUAL(t, stat.reserve, RESERVE);
	EQUAL(t, stat.stock_pages, STOCK);
	EQUAL(t, stat.stock_limit, STOCK);
	EQUAL(t, stat.stock_low, 1);
	EQUAL(t, stat.stock_free, STOCK);
	EQUAL(t, stat.min_alloc_order, 6);
	EQUAL(t, stat.regions, 1);
}

const struct kcase partition_cases[] = {
	{ "create_refuses_what_is_wrong", create_refuses_what_is_wrong },
	{ "admission_is_refused", admission_is_refused },
	{ "names_are_found", names_are_found },
	{ "find_refuses_what_is_wrong", find_refuses_what_is_wrong },
	{ "put_says_what_is_outstanding", put_says_what_is_outstanding },
	{ "fds_that_are_none", fds_that_are_none },
	{ "destroy_says_what_is_outstanding", destroy_says_what_is_outstanding },
	{ "a_device_takes_its_partition_along", a_device_takes_its_partition_along },
	{ "statistics_are_filled", statistics_are_filled },
	{}
};
