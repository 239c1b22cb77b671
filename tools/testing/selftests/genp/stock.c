// SPDX-License-Identifier: GPL-2.0
/* The atomic stock of a partition, as user space sees it. Drivers take from it. */
#include "genp_test.h"

static struct genp_create wish_stock(__u32 pages, __u32 limit, __u32 low)
{
	struct genp_create request = create_request(4 * PAGE, 0);

	request.stock_pages = pages;
	request.stock_limit = limit;
	request.stock_low = low;
	return request;
}

TEST(a_stock_is_committed_and_comes_back)
{
	struct genp_info before = info(), with;
	struct part part = create_from(wish_stock(100, 0, 0));
	struct genp_stat stat = stat_of(part.fd);

	with = info();
	EQUAL(with.committed, before.committed + 104 * PAGE);
	EQUAL(with.committed + with.lent + with.free, with.capacity);
	EQUAL(stat.reserve, 4 * PAGE);
	EQUAL(stat.stock_pages, 100);
	EQUAL(stat.stock_limit, 100);
	EQUAL(stat.stock_low, 25);
	EQUAL(stat.stock_owned, 100);
	EQUAL(stat.stock_free, 100);
	EQUAL(stat.stock_out, 0);
	EQUAL(stat.stock_takes + stat.stock_gives + stat.stock_misses, 0);
	drop(&part);
	expect_idle(&before);
}

TEST(a_stock_alone_is_a_partition)
{
	struct genp_create request = create_request(0, 0);
	struct part part;

	request.stock_pages = 3;
	request.stock_limit = 10;
	request.stock_low = 2;
	part = create_from(request);
	EQUAL(stat_of(part.fd).stock_owned, 3);
	EQUAL(stat_of(part.fd).stock_limit, 10);
	EQUAL(stat_of(part.fd).stock_low, 2);
	drop(&part);
}

TEST(watermarks_do_not_contradict_each_other)
{
	static const __u32 wrong[][3] = {
		{ 10, 9, 0 }, { 10, 20, 11 }, { 0, 5, 0 }, { 0, 0, 1 }, { 1, 0, 2 },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct genp_create request = wish_stock(wrong[i][0], wrong[i][1], wrong[i][2]);

		ERRNO(try_create(&request), EINVAL);
	}
}

TEST(admission_counts_the_stock)
{
	__u32 capacity = info().capacity / PAGE, free = info().free / PAGE;
	struct genp_create request = wish_stock(free, 0, 0);

	/* The reserve of four pages is committed as well. */
	ERRNO(try_create(&request), ENOSPC);
	request = wish_stock(capacity + 1, 0, 0);
	ERRNO(try_create(&request), E2BIG);
	request = wish_stock(1, capacity + 1, 0);
	ERRNO(try_create(&request), E2BIG);
	request = wish_stock(1, capacity, 0);
	CHECK(!try_create(&request));
	close(request.fd);
}
