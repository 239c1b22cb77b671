/* SPDX-License-Identifier: GPL-2.0 */
/* How single functions are measured: see callees.c. */
#ifndef _GENP_BENCH_CALLEES_H
#define _GENP_BENCH_CALLEES_H

#include "bench.h"

/**
 * struct callee - a function
 * @name: its name; of the kernel's as in tools/wcet/callees.toml.
 * @ticks: calls it once, with what has to be before and after; returns what it took.
 * @sleeps: is not called with interrupts disabled.
 * @prepare: what has to be done before each sample, and may sleep; or NULL.
 */
struct callee {
	const char *name;
	u64 (*ticks)(struct bench *bench);
	bool sleeps;
	void (*prepare)(struct bench *bench);
};

/* The function NAME_ticks(): what CALL costs, after BEFORE, and with AFTER done then. */
#define CALLEE(name, before, call, after)		\
static noinline u64 name##_ticks(struct bench *bench)	\
{							\
	u64 begin, end;					\
							\
	before;						\
	barrier();					\
	begin = bench_clock();				\
	call;						\
	end = bench_clock();				\
	after;						\
	return end - begin;				\
}

/* A thread that sleeps until it is woken, again and again. */
int callees_sleep(void *unused);
void callees_measure(const struct subject *subject, const struct callee *callees,
		     unsigned int count, unsigned int samples);

extern const struct subject callees_kernel;

/* callees_lock.c */
int callees_of_locks(unsigned int samples);
/* callees_mm.c */
int callees_of_memory(unsigned int samples);

#endif /* _GENP_BENCH_CALLEES_H */
