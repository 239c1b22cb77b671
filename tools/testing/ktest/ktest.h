/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of include/linux/genp.h: every function, every error it names. A test runs in a
 * thread, or in a thread and once more in hardirq.
 */
#ifndef _GENP_KTEST_H
#define _GENP_KTEST_H

#include <linux/err.h>
#include <linux/genp.h>
#include <linux/kernel.h>
#include <linux/mm.h>

/**
 * struct ktest - a test while it runs
 * @why: the first failure, or empty.
 * @part: RESERVE bytes, STOCK pages and BLOCKS, created for each test.
 * @other: another partition like it.
 * @cache: OBJECTS objects of OBJECT_SIZE in @part.
 * @elements: an element pool on it with a minimum of MINIMUM.
 */
struct ktest {
	char why[160];
	struct genp_partition *part;
	struct genp_partition *other;
	struct genp_cache *cache;
	struct genp_elements *elements;
};

#define RESERVE (16 * PAGE_SIZE)
#define STOCK 4
/* By order. */
#define BLOCKS { [1] = 4, [4] = 2 }
#define OBJECTS 8
#define OBJECT_SIZE 40
#define MINIMUM 3

struct kcase {
	const char *name;
	void (*run)(struct ktest *t);
	bool in_hardirq_too;
};

extern const struct kcase partition_cases[], region_cases[], page_cases[], block_cases[],
	lease_cases[], object_cases[], genalloc_cases[], memory_error_cases[];

struct genp_partition *ktest_create(struct ktest *t, const struct genp_spec *spec);
struct genp_stat ktest_stat(struct genp_partition *part);

__printf(3, 4)
void ktest_fail(struct ktest *t, int line, const char *format, ...);

#define CHECK(t, condition)							\
	do {									\
		if (!(condition))						\
			ktest_fail(t, __LINE__, "%s", #condition);		\
	} while (0)

#define EQUAL(t, is, should)							\
	do {									\
		s64 _is = (s64)(is), _should = (s64)(should);			\
										\
		if (_is != _should)						\
			ktest_fail(t, __LINE__, "%s is %lld, not %lld", #is, _is, _should); \
	} while (0)

/* A pointer that is an error. */
#define ERROR(t, pointer, error) EQUAL(t, PTR_ERR_OR_ZERO(pointer), error)

#endif /* _GENP_KTEST_H */
