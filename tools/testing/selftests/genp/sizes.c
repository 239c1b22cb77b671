// SPDX-License-Identifier: GPL-2.0
/*
 * Boundary values of every number in every argument: never a success with another size
 * than requested, never an undocumented errno. Contract line 10. The errno of each wrong
 * field is in arguments.c.
 */
#include <stddef.h>

#include "genp_test.h"

static __u64 edges[34];

__attribute__((constructor)) static void find_edges(void)
{
	const __u64 all[] = {
		0, 1, 2, 63, 64, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 4 * PAGE, 4 * PAGE + 1,
		0x7fffffff, 0x80000000, 0x80000001, 0xfffff000, 0xffffffff,
		1ULL << 32, (1ULL << 32) + 1, (1ULL << 32) + PAGE, (1ULL << 32) + 4 * PAGE,
		/* Numbers of pages with 31, 32 or 33 bits, and one more. */
		1ULL << 42, 1ULL << 43, 1ULL << 44, (1ULL << 44) + PAGE, (1ULL << 44) + 4 * PAGE,
		1ULL << 52, ~0ULL >> 1, 1ULL << 63, (1ULL << 63) + PAGE, ~0ULL - 2 * PAGE + 1,
		~0ULL - PAGE + 1, ~0ULL - 63, ~0ULL - 1, ~0ULL,
	};

	_Static_assert(sizeof(all) == sizeof(edges), "each has a place");
	memcpy(edges, all, sizeof(all));
}

#define EDGES (sizeof(edges) / sizeof(*edges))

/* The outcome of a call: 0, or an errno. */
#define OUTCOME(_call) ((_call) ? errno : 0)

static void expect(const char *what, __u64 value, int outcome, int expected)
{
	if (outcome != expected)
		FAIL("%s = %#llx: %s instead of %s", what, value,
		     strerrorname_np(outcome) ?: "?", strerrorname_np(expected) ?: "?");
}

/* The errno for an invalid length in whole pages, or 0. */
static int length_errno(__u64 bytes, __u64 most)
{
	if (bytes % PAGE)
		return EINVAL;
	return bytes > most ? E2BIG : 0;
}

static void expect_made(const struct genp_create *asked, const struct genp_create *got)
{
	struct genp_stat stat = stat_of(got->fd);

	EQUAL(stat.reserve, asked->reserve);
	EQUAL(stat.borrow_limit, asked->borrow_limit);
	EQUAL(got->windows.reserve_length, asked->reserve);
	EQUAL(got->windows.lease_length, asked->borrow_limit * stat.max_leases);
	EQUAL(memcmp(&stat.windows, &got->windows, sizeof(stat.windows)), 0);
	close(got->fd);
}

TEST(create_lengths)
{
	struct genp_info before = info();

	for (size_t i = 0; i < EDGES; i++) {
		struct genp_create request = create_request(edges[i], PAGE), got = request;
		int expected = length_errno(edges[i], before.capacity);

		expect("create.reserve", edges[i], OUTCOME(try_create(&got)), expected);
		if (!expected)
			expect_made(&request, &got);
		request = create_request(PAGE, edges[i]);
		got = request;
		expected = length_errno(edges[i], before.capacity);
		expect("create.borrow_limit", edges[i], OUTCOME(try_create(&got)), expected);
		if (!expected)
			expect_made(&request, &got);
	}
	expect_idle(&before);
}

/* A field of 32 bits of GENP_CREATE, and a function that returns whether it is valid. */
static void try_number(const char *what, size_t offset, bool (*sound)(__u32))
{
	struct genp_info before = info();

	for (size_t i = 0; i < EDGES; i++) {
		struct genp_create request = create_request(2 * PAGE, PAGE), got;
		__u32 value = edges[i];

		memcpy((char *)&request + offset, &value, sizeof(value));
		got = request;
		expect(what, value, OUTCOME(try_create(&got)), sound(value) ? 0 : EINVAL);
		if (sound(value))
			expect_made(&request, &got);
	}
	expect_idle(&before);
}

static bool sound_order(__u32 value)
{
	return !value || (value >= 4 && value <= 20);
}

static bool sound_regions(__u32 value)
{
	return value <= 1 << 20;
}

static bool sound_leases(__u32 value)
{
	return value <= 64;
}

static bool sound_mode(__u32 value)
{
	return !(value & ~0666);
}

static bool sound_flags(__u32 value)
{
	return !(value & ~GENP_CREATE_MULTIMAP);
}

TEST(create_numbers)
{
	try_number("create.min_alloc_order", offsetof(struct genp_create, min_alloc_order),
		   sound_order);
	try_number("create.max_regions", offsetof(struct genp_create, max_regions),
		   sound_regions);
	try_number("create.max_leases", offsetof(struct genp_create, max_leases), sound_leases);
	try_number("create.mode", offsetof(struct genp_create, mode), sound_mode);
	try_number("create.flags", offsetof(struct genp_create, flags), sound_flags);
}

/* The stock is committed together with the reserve: all or nothing. */
TEST(create_stock)
{
	struct genp_info before = info();

	for (size_t i = 0; i < EDGES; i++)
		for (int which = 0; which < 3; which++) {
			struct genp_create request = create_request(PAGE, 0);
			__u32 value = edges[i], committed;
			int outcome;

			request.stock_pages = which == 0 ? value : 2;
			request.stock_limit = which == 1 ? value : 0;
			request.stock_low = which == 2 ? value : 0;
			outcome = OUTCOME(try_create(&request));
			if (outcome && outcome != EINVAL && outcome != E2BIG && outcome != ENOSPC)
				FAIL("stock %d = %#x: %s", which, value, strerrorname_np(outcome));
			if (outcome)
				continue;
			committed = 1 + request.stock_pages;
			EQUAL(info().committed - before.committed, committed * PAGE);
			close(request.fd);
			EVENTUALLY(info().committed == before.committed);
		}
	expect_idle(&before);
}

TEST(region_lengths_and_alignments)
{
	const __u64 reserve = 4 * PAGE;
	struct part part = create(reserve, 0);

	for (size_t i = 0; i < EDGES; i++)
		for (size_t j = 0; j < EDGES; j++) {
			__u64 length = edges[i], align = edges[j];
			bool power = !(align & (align - 1)) && align <= 1 << 30;
			struct genp_alloc alloc;
			int outcome = OUTCOME(region(part.fd, length, align, &alloc));

			if (!length || !power)
				expect("alloc", length, outcome, EINVAL);
			else if (length > reserve)
				expect("alloc.length", length, outcome, E2BIG);
			else if (outcome)
				/* The search includes room to align it, which may be too much. */
				CHECK(align > 64 && (outcome == ENOMEM || outcome == E2BIG));
			if (outcome)
				continue;
			CHECK(alloc.offset + length >= length && alloc.offset + length <= reserve);
			CHECK(!align || alloc.offset % align == 0);
			CHECK(stat_of(part.fd).used >= length);
			CHECK(!by_handle(part.fd, GENP_FREE, alloc.handle));
		}
	EQUAL(stat_of(part.fd).used, 0);
}

TEST(lease_lengths_terms_and_deadlines)
{
	struct part part = create(0, 4 * PAGE);
	struct genp_borrow lease;

	for (size_t i = 0; i < EDGES; i++) {
		__u64 value = edges[i];
		int outcome = OUTCOME(borrow(part.fd, value, GENP_NO_WAIT, 0, &lease));

		if (!value || value > 4 * PAGE) {
			expect("borrow.length", value, outcome, value ? E2BIG : EINVAL);
		} else if (outcome != ETIMEDOUT) {
			expect("borrow.length", value, outcome, 0);
			CHECK(lease.offset >= part.windows.lease_offset);
			CHECK(lease.offset + value <=
			      part.windows.lease_offset + part.windows.lease_length);
			if (!give_back(part.fd, lease.handle))
				EQUAL(stat_of(part.fd).lent_peak <= 4 * PAGE, 1);
		}
		/* A term may end before the call returns. */
		outcome = OUTCOME(borrow(part.fd, PAGE, GENP_NO_WAIT, value, &lease));
		if (value > info().max_lease_ns)
			expect("borrow.lease_ns", value, outcome, EINVAL);
		else
			CHECK(!outcome || outcome == ETIMEDOUT);
		EVENTUALLY(outcome || !give_back(part.fd, lease.handle) || errno == ESTALE);
		/* There is enough memory, so the deadline does not matter. */
		outcome = OUTCOME(borrow(part.fd, PAGE, value, 0, &lease));
		CHECK(!outcome || outcome == ETIMEDOUT);
		EVENTUALLY(outcome || !give_back(part.fd, lease.handle) || errno == ESTALE);
		EVENTUALLY(!stat_of(part.fd).lent);
	}
}

TEST(renewal_terms)
{
	struct part part = create(0, PAGE);

	for (size_t i = 0; i < EDGES; i++) {
		struct genp_renew renew = { .size = sizeof(renew), .lease_ns = edges[i] };
		struct genp_borrow lease;
		int outcome;

		while (borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease))
			CHECK(errno == ETIMEDOUT || errno == EDQUOT);
		renew.handle = lease.handle;
		outcome = OUTCOME(ioctl(part.fd, GENP_RENEW, &renew));
		if (edges[i] > info().max_lease_ns)
			expect("renew.lease_ns", edges[i], outcome, EINVAL);
		else
			CHECK(!outcome || outcome == ESTALE);
		CHECK(!give_back(part.fd, lease.handle) || errno == ESTALE);
	}
}

TEST(resize_lengths)
{
	struct genp_info before = info();
	struct part part = create(2 * PAGE, 2 * PAGE);

	for (size_t i = 0; i < EDGES; i++)
		for (int which = 0; which < 2; which++) {
			struct genp_resize resize = {
				.size = sizeof(resize),
				.reserve = which ? PAGE : edges[i],
				.borrow_limit = which ? edges[i] : PAGE,
			};
			int expected = length_errno(edges[i], which ? 2 * PAGE : before.capacity);

			expect(which ? "resize.borrow_limit" : "resize.reserve", edges[i],
			       OUTCOME(ioctl(part.fd, GENP_RESIZE, &resize)), expected);
			if (expected)
				continue;
			EQUAL(stat_of(part.fd).reserve, which ? PAGE : edges[i]);
			EQUAL(stat_of(part.fd).borrow_limit, which ? edges[i] : PAGE);
			EQUAL(info().committed - before.committed, which ? PAGE : edges[i]);
		}
	drop(&part);
	expect_idle(&before);
}

TEST(bounds_never_wrap)
{
	struct part part = create(PAGE, 0);

	for (size_t i = 0; i < EDGES; i++)
		for (size_t j = 0; j < EDGES; j++) {
			struct genp_bounds request = {
				.size = sizeof(request),
				.live_bytes = edges[i],
				.largest_request = edges[j],
			};
			int outcome = OUTCOME(ioctl(part.fd, GENP_GET_BOUNDS, &request));

			if (outcome)
				expect("bounds", edges[i], outcome, E2BIG);
			else
				CHECK(request.worst_reserve >= edges[i]);
		}
}

TEST(handles_that_are_none)
{
	static const unsigned long cmds[] = { GENP_FREE, GENP_RETURN };
	struct part part = create(PAGE, PAGE);

	for (size_t i = 0; i < EDGES; i++) {
		struct genp_renew renew = { .size = sizeof(renew), .handle = edges[i] };

		for (int j = 0; j < 2; j++)
			expect("handle", edges[i], OUTCOME(by_handle(part.fd, cmds[j], edges[i])),
			       EINVAL);
		expect("renew.handle", edges[i], OUTCOME(ioctl(part.fd, GENP_RENEW, &renew)),
		       EINVAL);
	}
}

/* Of all mappings only those of the two whole windows succeed. */
TEST(mapping_lengths_and_offsets)
{
	struct part part = create_multimap(4 * PAGE, PAGE);
	const struct genp_windows *w = &part.windows;

	for (size_t i = 0; i < EDGES; i++)
		for (size_t j = 0; j < EDGES; j++) {
			/* A program of 32 bits has the lower half of it. */
			size_t length = edges[i];
			__u64 offset = edges[j], pages;
			void *at;

			pages = ((__u64)length + PAGE - 1) / PAGE;
			at = mmap(NULL, length, PROT_READ, MAP_SHARED, part.fd, offset);
			if (at == MAP_FAILED)
				continue;
			if (!(offset == w->reserve_offset && pages * PAGE == w->reserve_length) &&
			    !(offset == w->lease_offset && pages * PAGE == w->lease_length))
				FAIL("mapped %#zx bytes at %#llx", length, offset);
			munmap(at, length);
		}
}

TEST(read_lengths)
{
	struct part part = create(0, 8 * PAGE);
	static char buffer[64 * 1024];
	int delivered = 0;

	CHECK(!fcntl(part.fd, F_SETFL, O_NONBLOCK));
	for (size_t i = 0; i < EDGES; i++) {
		struct genp_borrow lease;
		ssize_t got;

		/* Borrowing into the last eighth is one event, unless the lease ends too soon. */
		while (borrow(part.fd, 8 * PAGE, GENP_NO_WAIT, 0, &lease))
			CHECK(errno == ETIMEDOUT || errno == EDQUOT);
		got = read(part.fd, buffer, edges[i]);
		if (got > 0)
			CHECK((__u64)got <= edges[i] && !(got % sizeof(struct genp_event)));
		else if (edges[i] && edges[i] < sizeof(struct genp_event))
			CHECK(got == -1 && errno == EINVAL);
		else if (got)
			CHECK(errno == EAGAIN || errno == EINVAL || errno == EFAULT);
		delivered += got > 0;
		CHECK(!give_back(part.fd, lease.handle) || errno == ESTALE);
		EVENTUALLY(!stat_of(part.fd).lent);
	}
	CHECK(delivered);
}
