/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Leases end while whoever is in the way is kept from running. Somebody of the lowest
 * real-time priority does all the time what takes a lock on the way of the recall
 * thread; then all processors get busy at a priority between the two, and the lease must
 * end before they are free again. Contract line 4; the table in Documentation/locking.rst.
 *
 * Real-time priorities throughout, because the kernel keeps a share of each processor
 * for what has none.
 */
#ifndef _GENP_INVERSION_H
#define _GENP_INVERSION_H

#include <stdatomic.h>
#include <sys/utsname.h>

#include "hogs.h"

#define LOW 2
/* Pages of the reserve. */
#define RESERVE 1024UL

static void needs_preempt_rt(void)
{
	struct utsname kernel;

	CHECK(!uname(&kernel));
	if (!strstr(kernel.version, "PREEMPT_RT"))
		SKIP("only PREEMPT_RT lends priority to holders of the kernel's own locks");
}

static void pause_us(long us)
{
	struct timespec ts = { 0, us * 1000 };

	nanosleep(&ts, NULL);
}

static void *window(const struct part *part)
{
	return mmap(NULL, part->windows.lease_length, PROT_READ | PROT_WRITE, MAP_SHARED, part->fd,
		    part->windows.lease_offset);
}

static void map_always(struct part *part)
{
	for (;;) {
		void *at = window(part);

		if (at != MAP_FAILED)
			munmap(at, part->windows.lease_length);
	}
}

typedef void act_fn(struct part *part);

static pid_t begin_act(act_fn *act, const struct part *part, int cpu)
{
	struct part own = *part;
	pid_t pid = child();

	if (!pid) {
		stay_on(cpu);
		be_fifo(LOW);
		act(&own);
	}
	return pid;
}

static void lend(const struct part *part, __u64 term)
{
	struct genp_borrow lease;
	__u64 limit = now() + 20 * SEC;

	while (borrow(part->fd, 8 * PAGE, GENP_NO_WAIT, term, &lease)) {
		if (now() > limit)
			SKIP("nothing is free to borrow");
		pause_ms(1);
	}
}

/* Hogs of priority 50 that wait here until they are wanted. */
static atomic_bool *wanted;

static void begin_waiting_hogs(void)
{
	wanted = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(wanted != MAP_FAILED);
	for (int cpu = 0; cpu < 2; cpu++) {
		if (child())
			continue;
		stay_on(cpu);
		be_fifo(50);
		for (;;) {
			while (*wanted)
				;
			pause_us(200);
		}
	}
}

/*
 * A lease runs out while the hogs run, and after it one of a partition that nobody else
 * is at, whose end is waited for above the hogs. They stay until that one has ended: if
 * it needs them to go first, that is never, and the limit is only there to end the round.
 * Nothing asks the first partition meanwhile: whoever waits for its locks would lend his
 * priority.
 */
static void leases_end_under_hogs(const struct part *part, const struct part *other)
{
	struct genp_borrow next;
	int err;

	lend(part, 4 * MSEC);
	lend(other, 5 * MSEC);
	*wanted = true;
	err = borrow(other->fd, 8 * PAGE, now() + 5 * SEC, 0, &next);
	*wanted = false;
	if (err)
		FAIL("leases end only when the processors are free: %s", strerror(errno));
	CHECK(!give_back(other->fd, next.handle));
	/* So that those in the way get on, and are somewhere else next time. */
	pause_us(1000 + now() % 4000);
}

/* Two of them, which meet at the locks. */
static void nobody_is_in_the_way(act_fn *one, act_fn *other, int rounds)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct genp_create request;
	struct part part, apart;

	needs_preempt_rt();
	if (cpus < 2)
		SKIP("this takes two processors");
	/* Now: GENP_CREATE may need what does not run later. */
	apart = create(0, 8 * PAGE);
	be_fifo(60);
	request = create_request(RESERVE * PAGE, 128 * PAGE);
	request.max_leases = 4;
	CHECK(!try_create(&request));
	part = (struct part){ .fd = request.fd, .windows = request.windows };
	begin_waiting_hogs();
	begin_act(one, &part, 0);
	begin_act(other, &part, 1);
	pause_ms(20);
	for (int round = 0; round < rounds; round++)
		leases_end_under_hogs(&part, &apart);
}

/* ROUNDS of them, which the program defines. */
#define BETWEEN(_name, _one, _other)					\
	TEST(_name)							\
	{								\
		nobody_is_in_the_way(_one, _other, ROUNDS);			\
	}

#endif /* _GENP_INVERSION_H */
