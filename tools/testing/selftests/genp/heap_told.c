// SPDX-License-Identifier: GPL-2.0
/*
 * A heap in a reserve says how full it is, without a call. It is shown as it was said, and
 * nothing depends on it: who lies there deceives only who reads it.
 */
#include "genp_test.h"

static int set_heap(int fd, __u64 offset)
{
	struct genp_heap request = { .size = sizeof(request), .offset = offset };

	return ioctl(fd, GENP_SET_HEAP, &request);
}

static void tell(struct part *part, __u64 offset, __u64 used, __u64 peak)
{
	struct genp_heap_figures *figures = (void *)(part->reserve + offset);

	*figures = (struct genp_heap_figures){ .used = used, .peak = peak };
}

static struct genp_list listed(void)
{
	struct genp_list listed = {};

	CHECK(list_next(control(), &listed));
	return listed;
}

static void expect_told(struct part *part, __u64 used, __u64 peak)
{
	EQUAL(stat_of(part->fd).heap_used, used);
	EQUAL(stat_of(part->fd).heap_peak, peak);
	EQUAL(listed().heap_used, used);
	EQUAL(listed().heap_peak, peak);
}

TEST(nothing_is_told_at_first)
{
	struct part part = create(PAGE, 0);

	expect_told(&part, GENP_NOT_TOLD, GENP_NOT_TOLD);
}

TEST(what_is_written_is_shown)
{
	struct part part = create(4 * PAGE, 0);
	const __u64 places[] = { 0, 16, PAGE - 16, PAGE, 4 * PAGE - 16 };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		CHECK(!set_heap(part.fd, places[i]));
		tell(&part, places[i], 100 + i, 200 + i);
		expect_told(&part, 100 + i, 200 + i);
	}
	tell(&part, 4 * PAGE - 16, 0, 0);
	expect_told(&part, 0, 0);
	CHECK(!set_heap(part.fd, GENP_NO_OFFSET));
	expect_told(&part, GENP_NOT_TOLD, GENP_NOT_TOLD);
}

TEST(more_than_the_reserve_is_not_shown)
{
	struct part part = create(4 * PAGE, 0);
	struct genp_stat before = stat_of(part.fd), after;
	struct genp_alloc alloc;

	CHECK(!set_heap(part.fd, 0));
	tell(&part, 0, ~0ULL, 1ULL << 40);
	expect_told(&part, 4 * PAGE, 4 * PAGE);
	/* Nor does it change anything else. */
	after = stat_of(part.fd);
	EQUAL(after.used, before.used);
	EQUAL(after.misuses, before.misuses);
	CHECK(!region(part.fd, 4 * PAGE, 0, &alloc));
}

TEST(what_was_cut_off_is_not_shown)
{
	struct genp_resize resize = { .size = sizeof(resize), .reserve = PAGE };
	struct part part = create(4 * PAGE, 0);

	CHECK(!set_heap(part.fd, 2 * PAGE));
	tell(&part, 2 * PAGE, 1, 2);
	expect_told(&part, 1, 2);
	CHECK(!ioctl(part.fd, GENP_RESIZE, &resize));
	expect_told(&part, GENP_NOT_TOLD, GENP_NOT_TOLD);
	/* What comes in its place is zeroed. */
	resize.reserve = 4 * PAGE;
	CHECK(!ioctl(part.fd, GENP_RESIZE, &resize));
	expect_told(&part, 0, 0);
}

TEST(who_has_no_reserve_has_no_heap)
{
	struct part part = create(0, PAGE);

	ERRNO(set_heap(part.fd, 0), EINVAL);
}

TEST(a_destroyed_partition_has_no_new_heap)
{
	struct part part = create(PAGE, 0);

	CHECK(!set_heap(part.fd, 0));
	tell(&part, 0, 3, 4);
	CHECK(!destroy(part.fd));
	ERRNO(set_heap(part.fd, 16), EIDRM);
	expect_told(&part, 3, 4);
}

/* The owner changes all of it while it is read. */
TEST(it_is_read_while_it_is_written_and_moved)
{
	struct part part = create(4 * PAGE, 0);
	pid_t pid = child();
	int status = 0;

	if (!pid) {
		struct genp_list seen = {};
		int fd = control();

		for (int round = 0; round < 20000; round++) {
			seen.cursor = 0;
			CHECK(list_next(fd, &seen));
			CHECK(seen.heap_used == GENP_NOT_TOLD || seen.heap_used <= seen.reserve);
			CHECK(seen.heap_peak == GENP_NOT_TOLD || seen.heap_peak <= seen.reserve);
		}
		_exit(0);
	}
	for (__u64 at = 0; !waitpid(pid, &status, WNOHANG); at += 16) {
		__u64 offset = at % (4 * PAGE);

		tell(&part, offset, at * 0x9e3779b97f4a7c15ULL, ~at);
		CHECK(!set_heap(part.fd, offset));
	}
	EQUAL(status, 0);
	drop(&part);
}
