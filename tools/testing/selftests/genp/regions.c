// SPDX-License-Identifier: GPL-2.0
/* Regions of a reserve. Contract lines 3 and 10. */
#include "genp_test.h"

#define MANY 4096

TEST(regions_are_disjoint_and_aligned)
{
	static struct genp_alloc got[MANY];
	static unsigned char used[64 * PAGE_MOST / 64];
	struct part part = create(64 * PAGE, 0);
	unsigned int seed = 1, count = 0;

	for (; count < 700; count++) {
		__u64 length = 1 + rand_r(&seed) % 500, align = 1ULL << rand_r(&seed) % 11;

		if (region(part.fd, length, align, &got[count])) {
			EQUAL(errno, ENOMEM);
			break;
		}
		EQUAL(got[count].offset % align, 0);
		CHECK(got[count].offset + length <= 64 * PAGE);
		for (__u64 unit = got[count].offset / 64;
		     unit <= (got[count].offset + length - 1) / 64; unit++) {
			CHECK(!used[unit]);
			used[unit] = 1;
		}
	}
	CHECK(count > 300);
	for (unsigned int i = 0; i < count; i++)
		CHECK(!by_handle(part.fd, GENP_FREE, got[i].handle));
	EQUAL(stat_of(part.fd).used, 0);
	CHECK(!region(part.fd, 64 * PAGE, 0, &got[0]));
}

TEST(what_was_freed_can_be_had_again)
{
	struct part part = create(16 * PAGE, 0);
	struct genp_alloc other, got;

	CHECK(!region(part.fd, 1000, 0, &other));
	for (__u64 length = 1; length < 15 * PAGE; length = length * 3 / 2 + 1) {
		CHECK(!region(part.fd, length, 0, &got));
		CHECK(!by_handle(part.fd, GENP_FREE, got.handle));
		CHECK(!region(part.fd, length, 0, &got));
		CHECK(!by_handle(part.fd, GENP_FREE, got.handle));
	}
}

TEST(double_and_foreign_frees_are_errors)
{
	struct part part = create(4 * PAGE, PAGE);
	struct genp_alloc first, second;
	struct genp_borrow lease;

	CHECK(!region(part.fd, 64, 0, &first));
	CHECK(!by_handle(part.fd, GENP_FREE, first.handle));
	ERRNO(by_handle(part.fd, GENP_FREE, first.handle), ESTALE);
	CHECK(!region(part.fd, 64, 0, &second));
	CHECK(second.handle != first.handle);
	ERRNO(by_handle(part.fd, GENP_FREE, first.handle), ESTALE);
	ERRNO(by_handle(part.fd, GENP_FREE, second.handle + 500), EINVAL);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	ERRNO(by_handle(part.fd, GENP_FREE, lease.handle), EINVAL);
	ERRNO(by_handle(part.fd, GENP_RETURN, second.handle), EINVAL);
	EQUAL(stat_of(part.fd).regions, 1);
	EQUAL(stat_of(part.fd).stale_handles, 2);
}

TEST(the_number_of_regions_is_limited)
{
	struct genp_create request = create_request(4 * PAGE, 0);
	struct genp_alloc got;
	struct part part;

	request.max_regions = 3;
	part = create_from(request);
	for (int i = 0; i < 3; i++)
		CHECK(!region(part.fd, 64, 0, &got));
	ERRNO(region(part.fd, 64, 0, &got), ENOMEM);
	CHECK(!by_handle(part.fd, GENP_FREE, got.handle) || errno);
	EQUAL(stat_of(part.fd).max_regions, 3);
}

TEST(the_unit_is_the_one_asked_for)
{
	struct genp_create request = create_request(4 * PAGE, 0);
	struct genp_alloc got;
	struct part part;

	request.min_alloc_order = __builtin_ctzl(PAGE);
	part = create_from(request);
	CHECK(!region(part.fd, 1, 0, &got));
	EQUAL(stat_of(part.fd).used, PAGE);
	EQUAL(stat_of(part.fd).min_alloc_order, request.min_alloc_order);
	CHECK(!region(part.fd, 1, 0, &got));
	EQUAL(got.offset % PAGE, 0);
}

TEST(users_cannot_reach_the_metadata)
{
	struct part part = create(16 * PAGE, 0);
	struct genp_alloc got[32];

	for (int i = 0; i < 32; i++)
		CHECK(!region(part.fd, 100 + i, 0, &got[i]));
	/* The allocator works whatever a program writes to its memory. */
	memset(part.reserve, 0xff, 16 * PAGE);
	for (int i = 0; i < 32; i++)
		CHECK(!by_handle(part.fd, GENP_FREE, got[i].handle));
	memset(part.reserve, 0x00, 16 * PAGE);
	CHECK(!region(part.fd, 16 * PAGE, 0, &got[0]));
}

TEST(the_worst_reserve_is_enough)
{
	struct genp_bounds bounds = {
		.size = sizeof(bounds), .live_bytes = 16 * 1024, .largest_request = 512,
	};
	static struct genp_alloc got[MANY];
	struct part asked = create(PAGE, 0), part;
	unsigned int seed = 7, live = 0;
	__u64 bytes = 0;
	static __u64 sizes[MANY];

	CHECK(!ioctl(asked.fd, GENP_GET_BOUNDS, &bounds));
	CHECK(bounds.worst_reserve >= 16 * 1024);
	part = create(bounds.worst_reserve, 0);
	for (int i = 0; i < 20000; i++) {
		__u64 size = 64 * (1 + rand_r(&seed) % 8);

		if (bytes + size <= 16 * 1024) {
			CHECK(!region(part.fd, size, 0, &got[live]));
			sizes[live++] = size;
			bytes += size;
		} else {
			unsigned int victim = rand_r(&seed) % live;

			CHECK(!by_handle(part.fd, GENP_FREE, got[victim].handle));
			bytes -= sizes[victim];
			got[victim] = got[--live];
			sizes[victim] = sizes[live];
		}
	}
}

TEST(largest_free_can_be_allocated)
{
	struct genp_bounds bounds = { .size = sizeof(bounds) };
	struct part part = create(16 * PAGE, 0);
	struct genp_alloc got, hole;

	CHECK(!region(part.fd, 5000, 0, &hole));
	CHECK(!region(part.fd, 3000, 0, &got));
	CHECK(!by_handle(part.fd, GENP_FREE, hole.handle));
	CHECK(!ioctl(part.fd, GENP_GET_BOUNDS, &bounds));
	CHECK(bounds.largest_free > 0);
	CHECK(!region(part.fd, bounds.largest_free, 0, &got));
}
