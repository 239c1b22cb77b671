/* SPDX-License-Identifier: GPL-2.0 */
/*
 * genp_bench: what GenP and the kernel's own allocators cost, measured side by side in
 * one run. Nothing is printed or allocated while something is measured.
 *
 * A subject is one allocator in one role. It is set up, filled to a level, one pair of
 * take and give is measured many times, and it is emptied again.
 */
#ifndef _GENP_BENCH_H
#define _GENP_BENCH_H

#include <linux/err.h>
#include <linux/genp.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/mempool.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

struct dentry;
struct gen_pool;
struct kmem_cache;
struct objpool_head;
struct seq_file;

#define MEGA (1ULL << 20)

/* The most samples of a figure. */
#define SAMPLES_MAX 10000

/**
 * struct bench - one subject while it is measured
 * @subject: what is measured.
 * @size: bytes of a block.
 * @pool: bytes of the pool, or of the kernel's memory for subjects without a pool.
 * @capacity: blocks in it.
 * @taken: the blocks that are taken for the fill level; room for all of them.
 * @nr_taken: their number.
 * @refused: requests that failed since measuring began.
 * @part: the partition of GenP's subjects; other subjects use the fields below.
 */
struct bench {
	const struct subject *subject;
	size_t size;
	u64 pool;
	unsigned long capacity;
	void **taken;
	unsigned long nr_taken;
	unsigned long refused;
	struct genp_partition *part;
	struct genp_cache *cache;
	struct genp_elements *elements;
	struct kmem_cache *slab;
	struct gen_pool *gen_pool;
	mempool_t *mempool;
	struct objpool_head *objpool;
};

/**
 * struct subject - an allocator in one role
 * @role: the case of the figures: page, object, element, region.
 * @name: its name.
 * @note: text for readers, or NULL.
 * @atomic: may be called with interrupts disabled also on PREEMPT_RT. Others are measured
 *	with interrupts enabled there, and samples with an interrupt are dropped.
 * @uncleared: clears blocks if the kernel was booted with init_on_alloc, and only then;
 *	otherwise it has another name in the figures.
 * @bounded: has a pool of its own; others take from the whole memory of the machine.
 * @set_up: sets it up; sets &bench.capacity if that is not @pool / @size.
 * @tear_down: the reverse; all blocks were given back.
 * @take: takes a block; NULL if refused.
 * @give: gives a block back.
 * @take_many: takes blocks as @take would, but faster; may be NULL.
 * @pair: take and give once; returns the ticks both took together.
 */
struct subject {
	const char *role;
	const char *name;
	const char *note;
	bool atomic;
	bool uncleared;
	bool bounded;
	int (*set_up)(struct bench *bench);
	void (*tear_down)(struct bench *bench);
	void *(*take)(struct bench *bench);
	void (*give)(struct bench *bench, void *block);
	unsigned long (*take_many)(struct bench *bench, void **blocks, unsigned long count);
	u64 (*pair)(struct bench *bench);
};

/* Ticks: instructions on a machine that counts them, parts of a nanosecond otherwise. */
static __always_inline u64 bench_clock(void)
{
#ifdef __x86_64__
	u32 low, high;

	/* Orders the read with all other instructions, without clobbering more registers. */
	asm volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
#elif defined(CONFIG_ARM64)
	u64 ticks;

	/* Likewise. Where the emulator counts instructions its counter runs at 1 GHz. */
	asm volatile("isb; mrs %0, cntvct_el0; isb" : "=r"(ticks) : : "memory");
	return ticks;
#else
	return ktime_get_ns();
#endif
}

/*
 * The pair of a subject whose take and give are inline functions NAME_take() and
 * NAME_give(): called directly, as a driver would.
 */
#define DEFINE_PAIR(name)							\
static noinline u64 name##_pair(struct bench *bench)				\
{										\
	u64 begin = bench_clock(), end;						\
	void *block = name##_take(bench);					\
										\
	if (block)								\
		name##_give(bench, block);					\
	end = bench_clock();							\
	bench->refused += !block;						\
	return end - begin;							\
}

/* A subject without a pool: it takes from the memory of the machine. */
int no_set_up(struct bench *bench);
void no_tear_down(struct bench *bench);

#define DEFINE_POOLLESS(id, fn, ...)						\
	DEFINE_PAIR(fn)								\
	const struct subject id = {						\
		.set_up = no_set_up, .tear_down = no_tear_down,			\
		.take = fn##_take, .give = fn##_give, .pair = fn##_pair,	\
		__VA_ARGS__							\
	}

/* params.c */
extern char *bench_machine;
extern unsigned int bench_samples, bench_peer_mib;
bool bench_interrupted(void);

/* clock.c */
struct clock {
	bool counts_instructions;
	u64 empty;
	u64 ticks_per_ms;
};

extern struct clock bench_rate;
int clock_calibrate(bool must_count);
u64 clock_unit(u64 ticks);

/* measure.c */
struct figure {
	const char *role;
	const char *state;
	int fill;
	int pages;
	u64 *samples;
	unsigned int n;
	unsigned int dropped;
};

/**
 * struct probe - how a sample is taken
 * @prepare: called before a sample, may sleep; or NULL.
 * @pair: takes the sample and returns its ticks; U64_MAX ends the measurement.
 * @quiet: whether interrupts are disabled.
 */
struct probe {
	void (*prepare)(struct bench *bench);
	u64 (*pair)(struct bench *bench);
	bool quiet;
};

int measure_init(void);
void measure_exit(void);
struct figure measure(struct bench *bench, const struct probe *probe, unsigned int n);
struct probe subject_probe(const struct subject *subject);

/* fill.c */
int bench_with(const struct subject *subject, u64 pool, size_t size,
	       int (*work)(struct bench *bench));
int bench_fill(struct bench *bench, unsigned int percent, bool fragmented);
void bench_drain(struct bench *bench);
u32 bench_random(void);
void bench_random_restart(void);

/* exchange.c */
void exchange_fill(struct bench *bench);
void exchange_measure(struct bench *bench);

/* report.c */
int report_init(void);
void report_exit(void);
void report_clear(void);
void report_show(struct seq_file *out);
void report_skip(const struct bench *bench, const char *why);
void report(const struct bench *bench, const struct figure *figure);

/* locked.c */
void locked_init(struct dentry *dir);
void locked_exit(void);

/* subject/ */
extern const struct subject genp_page, genp_object, genp_element, genp_region;
extern const struct subject page_plain, page_zeroed, page_nolock;
extern const struct subject slab_kmalloc, slab_nolock, slab_cache;
extern const struct subject gen_pool_page_first, gen_pool_page_best, gen_pool_region_first,
	gen_pool_region_best;
extern const struct subject pool_mempool, pool_preallocated, pool_objpool;

/* The plans; each returns 0 or an errno and releases everything. */
int plan_quick(void);
int plan_each(const char *role, u64 pool, size_t size, int (*measure_one)(struct bench *bench));
int plan_levels(const char *role, u64 pool, size_t size);
int plan_sweep(const char *role, u64 pool, size_t size);
int plan_churn(const char *role, u64 pool, size_t size);
int plan_lend(unsigned int samples, unsigned int max_pages);
int plan_callees(unsigned int samples);
int plan_hard(u64 pool);
int plan_contend(const char *role, u64 pool, size_t size);

#endif /* _GENP_BENCH_H */
