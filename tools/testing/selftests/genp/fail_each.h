/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes each allocation of a call fail in turn, and checks that the pool is unchanged
 * after each. Used by faults.c.
 */
#ifndef _GENP_FAIL_EACH_H
#define _GENP_FAIL_EACH_H

#include "nth.h"

#define PAGES 48
#define QUIET_ROUNDS 3
#define MOST_ROUNDS 15

/* The state on which the calls work. */
static int device;
static struct part subject;
static int made;
static void *mapped;
static struct genp_create request;
static struct genp_borrow lease;
static struct genp_alloc block;

/* A call, how to prepare for it, and how to undo it. */
struct call {
	const char *name;
	int (*run)(void);
	void (*undo)(void);
	/* It allocates nothing, so it must not fail. */
	bool needs_none;
	/*
	 * The least number of places that the kernel's log names. It does not name those of
	 * allocations with __GFP_NOWARN, as GenP's own are.
	 */
	unsigned int least;
};

static bool same(const struct genp_info *a, const struct genp_info *b)
{
	return a->committed == b->committed && a->lent == b->lent && a->free == b->free &&
	       a->quarantined == b->quarantined && a->partitions == b->partitions &&
	       a->leases == b->leases && a->waiters == b->waiters;
}

static struct genp_info look(void)
{
	struct genp_info info = { .size = sizeof(info) };

	CHECK(!ioctl(device, GENP_GET_INFO, &info));
	return info;
}

static void expect_same(const struct call *call, unsigned int n, const struct genp_info *before)
{
	struct genp_info after = look();

	if (!same(before, &after))
		FAIL("%s, allocation %u: committed %llu -> %llu, lent %llu -> %llu, free %llu -> %llu, quarantined %llu -> %llu, partitions %u -> %u, leases %u -> %u",
		     call->name, n, before->committed, after.committed, before->lent, after.lent,
		     before->free, after.free, before->quarantined, after.quarantined,
		     before->partitions, after.partitions, before->leases, after.leases);
}

static void expect_refusal(const struct call *call, unsigned int n, unsigned int left)
{
	if (errno != ENOMEM || call->needs_none || left)
		FAIL("%s, allocation %u: %s, %u left", call->name, n,
		     strerrorname_np(errno) ?: "?", left);
}

/* Lets each allocation of a call fail once. */
static void fail_once_each(const struct call *call, unsigned int *failed, unsigned int *refused)
{
	unsigned int n, left;

	for (n = 1, left = 0; !left; n++) {
		struct genp_info before = look();
		int err;

		CHECK(n < NTH_MOST);
		errno = 0;
		nth_begin(n);
		err = call->run();
		left = nth_end();
		*failed += !left;
		if (err) {
			expect_refusal(call, n, left);
			++*refused;
			expect_same(call, n, &before);
			if (call->run())
				FAIL("%s, allocation %u: fails again: %m", call->name, n);
		}
		call->undo();
		expect_same(call, n, &before);
	}
}

/*
 * Repeats that for one call until several rounds in a row found no new place, or a round
 * found no allocation. The least number of places is known for each call.
 */
static void fail_each(const struct call *call)
{
	unsigned int rounds = 0, failed = 0, refused = 0, quiet = 0;

	nth_site_count = 0;
	while ((quiet < QUIET_ROUNDS || nth_site_count < call->least) && rounds < MOST_ROUNDS) {
		unsigned int known = nth_site_count, before = failed;

		fail_once_each(call, &failed, &refused);
		nth_read_log();
		rounds++;
		quiet = nth_site_count > known ? 0 : quiet + 1;
		if (failed == before)
			break;
	}
	printf("# %s: %u allocations failed in %u rounds, at %u places, %u calls refused\n",
	       call->name, failed, rounds, nth_site_count, refused);
	CHECK(nth_site_count >= call->least);
}

#define FAIL_EACH(_least, _name, _run, _undo) \
	fail_each(&(struct call){ _name, _run, _undo, false, _least })
#define NEEDS_NONE(_name, _run, _undo) \
	fail_each(&(struct call){ _name, _run, _undo, true, 0 })

#endif /* _GENP_FAIL_EACH_H */
