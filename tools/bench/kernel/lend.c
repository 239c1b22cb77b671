// SPDX-License-Identifier: GPL-2.0
/*
 * Borrowing from the pool and giving back. The scrubber zeroes what was given back while
 * we sleep before a sample or, for dirty frames, not at all: then the borrower zeroes them.
 * For that this runs at a real-time priority, above those of GenP's threads.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bench.h"

/* The most leases of a partition. */
#define MAX_LEASES 64
/* Much longer than it takes to zero a frame anywhere. */
#define SCRUB_US_PER_PAGE 20
/* More pages than this are measured less often, but at least this number of times. */
#define MANY_PAGES 64
#define FEW_SAMPLES 50U
/* The largest pool: 64 GiB. */
#define MOST_PAGES (1UL << 24)

static struct {
	struct page **pages;
	unsigned int count;
	struct genp_lease held[MAX_LEASES];
} lending;

static const struct subject lender = { .name = "genp", .role = "borrow" };

static int borrow(struct bench *bench, struct genp_lease *lease)
{
	const struct genp_request request = {
		.nr_pages = lending.count,
		.deadline = GENP_NO_WAIT,
	};

	return genp_borrow(bench->part, &request, lending.pages, lease);
}

/* Sleeps until the scrubber has zeroed everything. */
static void scrubbed(struct bench *bench)
{
	fsleep(1000 + SCRUB_US_PER_PAGE * lending.count);
}

static noinline u64 lend_pair(struct bench *bench)
{
	struct genp_lease lease;
	u64 begin, end;
	int error;

	begin = bench_clock();
	error = borrow(bench, &lease);
	if (!error)
		error = genp_return(bench->part, lease.handle);
	end = bench_clock();
	bench->refused += !!error;
	return end - begin;
}

static void measure_lending(struct bench *bench, unsigned int count, bool clean, unsigned int n)
{
	const struct probe probe = { .prepare = clean ? scrubbed : NULL, .pair = lend_pair };
	struct figure figure;

	lending.count = count;
	bench->size = PAGE_SIZE * count;
	/* Scrubbing between samples takes much longer than a sample. */
	figure = measure(bench, &probe, max(FEW_SAMPLES, n / DIV_ROUND_UP(count, MANY_PAGES)));
	figure.pages = count;
	figure.fill = -1;
	figure.state = clean ? "clean" : "dirty";
	report(bench, &figure);
}

/*
 * Makes everything that can be lent dirty, which it stays as long as we do not sleep:
 * all of it is borrowed, in ever smaller pieces, and returned.
 */
static int soil(struct bench *bench)
{
	unsigned int held = 0;
	int error = 0;

	lending.count = bench->capacity;
	while (held < MAX_LEASES && lending.count) {
		if (borrow(bench, &lending.held[held]))
			lending.count /= 2;
		else
			held++;
	}
	while (held)
		error = genp_return(bench->part, lending.held[--held].handle) ?: error;
	return error;
}

static int measure_all(struct bench *bench, unsigned int samples, unsigned int max_pages)
{
	unsigned int count;
	int error;

	/* Frames of earlier runs are scrubbed first. */
	lending.count = bench->capacity;
	scrubbed(bench);
	for (count = 1; count <= max_pages && !bench_interrupted(); count *= 4)
		measure_lending(bench, count, true, samples);
	error = soil(bench);
	for (count = 1; !error && count <= max_pages && !bench_interrupted(); count *= 4)
		measure_lending(bench, count, false, samples);
	return error;
}

/* A partition that may borrow all that can be lent, within a factor of two. */
static int create(struct bench *bench)
{
	struct genp_spec spec = { .node = GENP_ANY_NODE, .max_leases = MAX_LEASES };

	for (bench->capacity = MOST_PAGES; bench->capacity; bench->capacity /= 2) {
		spec.borrow_limit = bench->capacity * PAGE_SIZE;
		bench->part = genp_partition_create(&spec);
		if (PTR_ERR_OR_ZERO(bench->part) != -E2BIG)
			break;
	}
	return PTR_ERR_OR_ZERO(bench->part);
}

/**
 * plan_lend() - borrow and return pages, 1, 4, 16 and so on
 * @samples: samples of each figure
 * @max_pages: the most pages at a time; the pool must be able to lend them
 *
 * Context: thread.
 */
int plan_lend(unsigned int samples, unsigned int max_pages)
{
	struct bench bench = { .subject = &lender };
	int error;

	error = create(&bench);
	if (error)
		return error;
	lending.pages = kvcalloc(bench.capacity, sizeof(*lending.pages), GFP_KERNEL);
	error = lending.pages ? measure_all(&bench, samples, max_pages) : -ENOMEM;
	kvfree(lending.pages);
	return genp_partition_destroy(bench.part, NULL) ?: error;
}
