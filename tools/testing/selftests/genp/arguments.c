// SPDX-License-Identifier: GPL-2.0
/* Every field of every argument with wrong values: each has its errno. Contract line 10. */
#include <stddef.h>

#include "genp_test.h"

#define MAX_ARGUMENT 1024

/* A valid argument, and the wrong value for one of its fields. */
struct spoil {
	const char *what;
	size_t offset;
	size_t width;
	__u64 value;
	int errno_expected;
};

#define SPOIL(type, field, value, err) \
	{ #type "." #field " = " #value, offsetof(struct type, field), \
	  sizeof(((struct type *)0)->field), value, err }

static void spoil_each(int fd, unsigned long cmd, const void *good, size_t size,
		       const struct spoil *spoils, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char request[MAX_ARGUMENT];
		int err;

		CHECK(size <= sizeof(request));
		memcpy(request, good, size);
		memcpy(request + spoils[i].offset, &spoils[i].value,
		       spoils[i].width < 8 ? spoils[i].width : 8);
		errno = 0;
		err = ioctl(fd, cmd, request);
		if (err != -1 || errno != spoils[i].errno_expected)
			FAIL("%s: %d, %s instead of %s", spoils[i].what, err,
			     strerrorname_np(errno) ?: "0",
			     strerrorname_np(spoils[i].errno_expected));
	}
}

#define SPOIL_EACH(fd, cmd, good, spoils) \
	spoil_each(fd, cmd, &(good), sizeof(good), spoils, sizeof(spoils) / sizeof(*(spoils)))

/* The rules for sizes, which are the same for all. */
static void check_sizes(int fd, unsigned long cmd, const void *good, size_t size)
{
	char request[2 * PAGE_MOST] = "";
	__u32 claimed;

	ERRNO(ioctl(fd, cmd, NULL), EFAULT);
	ERRNO(ioctl(fd, cmd, -1UL), EFAULT);
	for (claimed = 0; claimed < 8; claimed++) {
		memcpy(request, good, size);
		memcpy(request, &claimed, 4);
		ERRNO(ioctl(fd, cmd, request), EINVAL);
	}
	claimed = size + 8;
	memcpy(request, good, size);
	memcpy(request, &claimed, 4);
	request[size + 7] = 1;
	ERRNO(ioctl(fd, cmd, request), E2BIG);
	claimed = PAGE + 1;
	memcpy(request, &claimed, 4);
	request[size + 7] = 0;
	ERRNO(ioctl(fd, cmd, request), E2BIG);
}

#define CHECK_SIZES(fd, cmd, good) check_sizes(fd, cmd, &(good), sizeof(good))

TEST(info_fields)
{
	struct genp_info good = { .size = sizeof(good) };
	const struct spoil spoils[] = { SPOIL(genp_info, flags, 1, EINVAL) };
	int fd = control();

	CHECK_SIZES(fd, GENP_GET_INFO, good);
	SPOIL_EACH(fd, GENP_GET_INFO, good, spoils);
}

TEST(create_fields)
{
	struct genp_create good = create_request(4 * PAGE, 4 * PAGE);
	const struct spoil spoils[] = {
		SPOIL(genp_create, flags, 2, EINVAL),
		SPOIL(genp_create, name, 0x2f61, EINVAL), /* "a/" */
		SPOIL(genp_create, name, 0x2061, EINVAL), /* "a " */
		SPOIL(genp_create, name, 0xff, EINVAL),
		SPOIL(genp_create, reserve, 1, EINVAL),
		SPOIL(genp_create, reserve, PAGE + 1, EINVAL),
		SPOIL(genp_create, reserve, ~0ULL, EINVAL),
		SPOIL(genp_create, reserve, 1ULL << 40, E2BIG),
		SPOIL(genp_create, reserve, 1ULL << 63, E2BIG),
		SPOIL(genp_create, borrow_limit, 1, EINVAL),
		SPOIL(genp_create, borrow_limit, 1ULL << 40, E2BIG),
		SPOIL(genp_create, borrow_limit, 1ULL << 63, E2BIG),
		SPOIL(genp_create, min_alloc_order, 3, EINVAL),
		SPOIL(genp_create, min_alloc_order, 21, EINVAL),
		SPOIL(genp_create, min_alloc_order, ~0U, EINVAL),
		SPOIL(genp_create, node, (__u32)-2, EINVAL),
		SPOIL(genp_create, node, 4000, EINVAL),
		SPOIL(genp_create, stock_pages, 1U << 24, E2BIG),
		SPOIL(genp_create, stock_limit, 1, EINVAL),
		SPOIL(genp_create, stock_low, 1, EINVAL),
		SPOIL(genp_create, max_regions, (1 << 20) + 1, EINVAL),
		SPOIL(genp_create, max_leases, 65, EINVAL),
		SPOIL(genp_create, mode, 0100, EINVAL),
		SPOIL(genp_create, mode, 01000, EINVAL),
		SPOIL(genp_create, lease_default_ns, ~0ULL, EINVAL),
		SPOIL(genp_create, source, 2, EINVAL),
		SPOIL(genp_create, quota, 1, EINVAL),
		SPOIL(genp_create, quota, 1ULL << 40, E2BIG),
		SPOIL(genp_create, max_children, ~0U, E2BIG),
		SPOIL(genp_create, padding, 1, EINVAL),
	};
	struct genp_info before = info();
	struct genp_create nothing = create_request(0, 0), unnamed = good;
	int fd = control();

	CHECK_SIZES(fd, GENP_CREATE, good);
	SPOIL_EACH(fd, GENP_CREATE, good, spoils);
	ERRNO(ioctl(fd, GENP_CREATE, &nothing), EINVAL);
	memset(unnamed.name, 'a', sizeof(unnamed.name));
	ERRNO(ioctl(fd, GENP_CREATE, &unnamed), EINVAL);
	expect_idle(&before);
}

TEST(open_fields)
{
	struct genp_open good = { .size = sizeof(good), .name = "nobody" };
	const struct spoil spoils[] = {
		SPOIL(genp_open, flags, 2, EINVAL),
		SPOIL(genp_open, flags, GENP_OPEN_READ_ONLY, ENOENT),
		SPOIL(genp_open, name, 0, EINVAL),
		SPOIL(genp_open, name, 0x2f61, EINVAL),
		SPOIL(genp_open, reserved, 1, EINVAL),
		SPOIL(genp_open, size, sizeof(good), ENOENT),
	};
	int fd = control();

	CHECK_SIZES(fd, GENP_OPEN, good);
	SPOIL_EACH(fd, GENP_OPEN, good, spoils);
}

TEST(list_fields)
{
	struct genp_list good = { .size = sizeof(good) };
	static const struct spoil spoils[] = {
		SPOIL(genp_list, flags, 1, EINVAL),
		SPOIL(genp_list, cursor, 256, ENOENT),
		SPOIL(genp_list, cursor, ~0U, ENOENT),
	};
	struct part part = create(PAGE, 0);
	int fd = control();

	CHECK_SIZES(fd, GENP_LIST, good);
	SPOIL_EACH(fd, GENP_LIST, good, spoils);
	drop(&part);
}

TEST(alloc_fields)
{
	struct genp_alloc good = { .size = sizeof(good), .length = 64 };
	const struct spoil spoils[] = {
		SPOIL(genp_alloc, flags, 1, EINVAL),
		SPOIL(genp_alloc, length, 0, EINVAL),
		SPOIL(genp_alloc, length, 4 * PAGE + 1, E2BIG),
		SPOIL(genp_alloc, length, ~0ULL, E2BIG),
		SPOIL(genp_alloc, length, 1ULL << 63, E2BIG),
		SPOIL(genp_alloc, align, 3, EINVAL),
		SPOIL(genp_alloc, align, ~0ULL, EINVAL),
		SPOIL(genp_alloc, align, 1ULL << 31, EINVAL),
	};
	struct part part = create(4 * PAGE, 0);

	CHECK_SIZES(part.fd, GENP_ALLOC, good);
	SPOIL_EACH(part.fd, GENP_ALLOC, good, spoils);
	EQUAL(stat_of(part.fd).regions, 0);
}

TEST(handle_fields)
{
	static const unsigned long cmds[] = { GENP_FREE, GENP_RETURN };
	struct genp_handle good = { .size = sizeof(good), .handle = 0 };
	const struct spoil spoils[] = {
		SPOIL(genp_handle, flags, 1, EINVAL),
		SPOIL(genp_handle, handle, 0, EINVAL),
		SPOIL(genp_handle, handle, 1, EINVAL),
		SPOIL(genp_handle, handle, ~0ULL, EINVAL),
		SPOIL(genp_handle, handle, 1ULL << 63, EINVAL),
		SPOIL(genp_handle, handle, (1ULL << 63) + 1, EINVAL),
	};
	struct part part = create(4 * PAGE, PAGE);

	for (int i = 0; i < 2; i++) {
		CHECK_SIZES(part.fd, cmds[i], good);
		SPOIL_EACH(part.fd, cmds[i], good, spoils);
	}
}

TEST(borrow_fields)
{
	struct genp_borrow good = { .size = sizeof(good), .length = PAGE };
	const struct spoil spoils[] = {
		SPOIL(genp_borrow, flags, 1, EINVAL),
		SPOIL(genp_borrow, length, 0, EINVAL),
		SPOIL(genp_borrow, length, 4 * PAGE + 1, E2BIG),
		SPOIL(genp_borrow, length, ~0ULL, E2BIG),
		SPOIL(genp_borrow, length, 1ULL << 44, E2BIG),
		SPOIL(genp_borrow, lease_ns, ~0ULL, EINVAL),
		SPOIL(genp_borrow, reasons, 4, EINVAL),
		SPOIL(genp_borrow, reserved, 1, EINVAL),
	};
	struct part part = create(0, 4 * PAGE);

	CHECK_SIZES(part.fd, GENP_BORROW, good);
	SPOIL_EACH(part.fd, GENP_BORROW, good, spoils);
	EQUAL(stat_of(part.fd).leases, 0);
}

TEST(renew_fields)
{
	struct part part = create(0, 4 * PAGE);
	struct genp_borrow lease;
	struct genp_renew good = { .size = sizeof(good) };
	const struct spoil spoils[] = {
		SPOIL(genp_renew, flags, 1, EINVAL),
		SPOIL(genp_renew, handle, 0, EINVAL),
		SPOIL(genp_renew, handle, 7, EINVAL),
		SPOIL(genp_renew, lease_ns, ~0ULL, EINVAL),
	};

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	good.handle = lease.handle;
	CHECK_SIZES(part.fd, GENP_RENEW, good);
	SPOIL_EACH(part.fd, GENP_RENEW, good, spoils);
}

TEST(resize_fields)
{
	struct genp_resize good = { .size = sizeof(good), .reserve = PAGE, .borrow_limit = PAGE };
	const struct spoil spoils[] = {
		SPOIL(genp_resize, flags, 2, EINVAL),
		SPOIL(genp_resize, reserve, 1, EINVAL),
		SPOIL(genp_resize, reserve, 1ULL << 40, E2BIG),
		SPOIL(genp_resize, reserve, 1ULL << 63, E2BIG),
		SPOIL(genp_resize, borrow_limit, 1, EINVAL),
		SPOIL(genp_resize, borrow_limit, 2 * PAGE, E2BIG),
		SPOIL(genp_resize, borrow_limit, 1ULL << 63, E2BIG),
	};
	struct part part = create(PAGE, PAGE);
	struct genp_resize nothing = { .size = sizeof(nothing) };

	CHECK_SIZES(part.fd, GENP_RESIZE, good);
	SPOIL_EACH(part.fd, GENP_RESIZE, good, spoils);
	ERRNO(ioctl(part.fd, GENP_RESIZE, &nothing), EINVAL);
	EQUAL(stat_of(part.fd).reserve, PAGE);
}

TEST(report_fields)
{
	struct genp_stat stat = { .size = sizeof(stat) };
	struct genp_bounds bounds = { .size = sizeof(bounds) };
	struct genp_histogram histogram = { .size = sizeof(histogram) };
	static const struct spoil stats[] = { SPOIL(genp_stat, flags, 2, EINVAL) };
	static const struct spoil boundses[] = {
		SPOIL(genp_bounds, flags, 2, EINVAL),
		SPOIL(genp_bounds, live_bytes, ~0ULL, E2BIG),
		SPOIL(genp_bounds, live_bytes, 1ULL << 40, E2BIG),
	};
	static const struct spoil histograms[] = {
		SPOIL(genp_histogram, flags, 2, EINVAL),
		SPOIL(genp_histogram, op, GENP_OP_COUNT, EINVAL),
		SPOIL(genp_histogram, op, ~0U, EINVAL),
		SPOIL(genp_histogram, reserved, 1, EINVAL),
	};
	struct part part = create(PAGE, PAGE);

	CHECK_SIZES(part.fd, GENP_GET_STAT, stat);
	SPOIL_EACH(part.fd, GENP_GET_STAT, stat, stats);
	CHECK_SIZES(part.fd, GENP_GET_BOUNDS, bounds);
	bounds.largest_request = 1ULL << 63;
	SPOIL_EACH(part.fd, GENP_GET_BOUNDS, bounds, boundses);
	CHECK_SIZES(part.fd, GENP_GET_HISTOGRAM, histogram);
	SPOIL_EACH(part.fd, GENP_GET_HISTOGRAM, histogram, histograms);
}

TEST(eventfd_fields)
{
	struct genp_eventfd good = { .size = sizeof(good), .fd = -1 };
	const struct spoil spoils[] = {
		SPOIL(genp_eventfd, flags, 1, EINVAL),
		SPOIL(genp_eventfd, fd, 0, EINVAL),
		SPOIL(genp_eventfd, mask, 0x80000000, EINVAL),
	};
	struct part part = create(PAGE, PAGE);
	struct genp_eventfd bad = { .size = sizeof(bad), .fd = 1000, .mask = 1 };
	struct genp_eventfd file = { .size = sizeof(file), .fd = part.fd, .mask = 1 };

	CHECK_SIZES(part.fd, GENP_SET_EVENTFD, good);
	SPOIL_EACH(part.fd, GENP_SET_EVENTFD, good, spoils);
	ERRNO(ioctl(part.fd, GENP_SET_EVENTFD, &bad), EBADF);
	ERRNO(ioctl(part.fd, GENP_SET_EVENTFD, &file), EINVAL);
}

TEST(heap_fields)
{
	struct genp_heap good = { .size = sizeof(good), .offset = GENP_NO_OFFSET };
	const struct spoil spoils[] = {
		SPOIL(genp_heap, flags, 1, EINVAL),
		SPOIL(genp_heap, offset, 8, EINVAL),
		SPOIL(genp_heap, offset, PAGE, EINVAL),
		SPOIL(genp_heap, offset, ~0ULL - 15, EINVAL),
		SPOIL(genp_heap, offset, 1ULL << 63, EINVAL),
	};
	struct part part = create(PAGE, PAGE);

	CHECK_SIZES(part.fd, GENP_SET_HEAP, good);
	SPOIL_EACH(part.fd, GENP_SET_HEAP, good, spoils);
	EQUAL(stat_of(part.fd).heap_used, GENP_NOT_TOLD);
}

TEST(destroy_fields)
{
	struct genp_destroy good = { .size = sizeof(good) };
	const struct spoil spoils[] = { SPOIL(genp_destroy, flags, 1, EINVAL) };
	struct part part = create(PAGE, PAGE);

	CHECK_SIZES(part.fd, GENP_DESTROY, good);
	SPOIL_EACH(part.fd, GENP_DESTROY, good, spoils);
	EQUAL(stat_of(part.fd).dying, 0);
}

TEST(unknown_commands)
{
	struct part part = create(PAGE, 0);
	int fd = control();
	char request[512] = { 8 };

	ERRNO(ioctl(fd, _IO(GENP_IOC_MAGIC, 0x3f), request), ENOTTY);
	ERRNO(ioctl(fd, GENP_ALLOC, request), ENOTTY);
	ERRNO(ioctl(part.fd, GENP_CREATE, request), ENOTTY);
	ERRNO(ioctl(part.fd, GENP_LIST, request), ENOTTY);
	ERRNO(ioctl(part.fd, _IO(GENP_IOC_MAGIC, 0x3f), request), ENOTTY);
	ERRNO(ioctl(part.fd, _IOWR('G', 0x10, struct genp_alloc), request), ENOTTY);
}

TEST(structures_may_be_shorter_and_longer)
{
	struct { struct genp_alloc request; char tail[64]; } longer = {
		.request = { .size = sizeof(longer), .length = 100 },
	};
	struct part part = create(PAGE, 0);
	struct genp_stat stat;

	CHECK(!ioctl(part.fd, GENP_ALLOC, &longer));
	CHECK(longer.request.handle);
	/* No more is written than the size that the caller gave. */
	memset(&stat, 0xaa, sizeof(stat));
	stat.size = offsetof(struct genp_stat, used);
	stat.flags = 0;
	CHECK(!ioctl(part.fd, GENP_GET_STAT, &stat));
	EQUAL(stat.reserve, PAGE);
	EQUAL(stat.size, offsetof(struct genp_stat, used));
	EQUAL(stat.used, 0xaaaaaaaaaaaaaaaaULL);
}

TEST(an_answer_that_cannot_be_written_leaves_nothing)
{
	struct genp_info before = info();
	struct part part = create(4 * PAGE, 4 * PAGE);
	struct genp_alloc *alloc;
	struct genp_borrow *lease;
	struct genp_create *request;
	void *page;

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	alloc = page;
	*alloc = (struct genp_alloc){ .size = sizeof(*alloc), .length = 64 };
	CHECK(!mprotect(page, PAGE, PROT_READ));
	ERRNO(ioctl(part.fd, GENP_ALLOC, page), EFAULT);
	EQUAL(stat_of(part.fd).regions, 0);
	CHECK(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	lease = page;
	*lease = (struct genp_borrow){ .size = sizeof(*lease), .length = PAGE };
	CHECK(!mprotect(page, PAGE, PROT_READ));
	ERRNO(ioctl(part.fd, GENP_BORROW, page), EFAULT);
	EQUAL(stat_of(part.fd).leases, 0);
	EQUAL(stat_of(part.fd).lent, 0);
	drop(&part);
	CHECK(!mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	request = page;
	*request = create_request(PAGE, PAGE);
	CHECK(!mprotect(page, PAGE, PROT_READ));
	ERRNO(ioctl(control(), GENP_CREATE, page), EFAULT);
	expect_idle(&before);
}
