// SPDX-License-Identifier: GPL-2.0
/*
 * Leases end while whoever is in the way is kept from running. Somebody of the lowest
 * real-time priority does all the time what takes a lock on the way of the recall
 * thread; then all processors get busy at a priority between the two, and the lease must
 * end before they are free again. Contract line 4; the table in Documentation/locking.rst.
 *
 * Real-time priorities throughout, because the kernel keeps a share of each processor
 * for what has none.
 */
#include <stdatomic.h>
#include <sys/utsname.h>

#include "hogs.h"

#define ROUNDS 200
#define LOW 2
/* Pages of the reserve that is resized, and how often it is mapped. */
#define RESERVE 1024UL
#define TIMES 8

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

/* Shrinks the reserve where it is mapped TIMES, most of the time. */
static void resize_always(struct part *part)
{
	struct genp_resize ask = { .size = sizeof(ask), .borrow_limit = 128 * PAGE };
	void *at[TIMES];

	for (;;) {
		ask.reserve = RESERVE * PAGE;
		CHECK(!ioctl(part->fd, GENP_RESIZE, &ask));
		for (int i = 0; i < TIMES; i++)
			at[i] = mmap(NULL, RESERVE * PAGE, PROT_READ, MAP_SHARED, part->fd, 0);
		ask.reserve = PAGE;
		CHECK(!ioctl(part->fd, GENP_RESIZE, &ask));
		for (int i = 0; i < TIMES; i++)
			munmap(at[i], RESERVE * PAGE);
	}
}

static void map_always(struct part *part)
{
	for (;;) {
		void *at = window(part);

		if (at != MAP_FAILED)
			munmap(at, part->windows.lease_length);
	}
}

static void borrow_always(struct part *part)
{
	struct genp_borrow lease;

	part->lease = window(part);
	for (;;)
		if (!borrow(part->fd, 48 * PAGE, GENP_NO_WAIT, 0, &lease))
			give_back(part->fd, lease.handle);
}

/* Touches what others have borrowed: a page fault, once for each lease. */
static void touch_always(struct part *part)
{
	part->lease = window(part);
	for (;;)
		for (unsigned long page = 0; page < part->windows.lease_length / PAGE; page++)
			(void)is_gone(part->lease + page * PAGE);
}

/* Looks at its lease as a debugger does. */
static void look_always(struct part *part)
{
	int mem = open("/proc/self/mem", O_RDONLY);
	struct genp_borrow lease;
	char text[16 * PAGE];

	CHECK(mem >= 0);
	part->lease = window(part);
	for (;;)
		if (!borrow(part->fd, 16 * PAGE, GENP_NO_WAIT, 0, &lease)) {
			(void)!pread(mem, text, sizeof(text), (off_t)lease_at(part, &lease));
			give_back(part->fd, lease.handle);
		}
}

static void figures_always(struct part *part)
{
	for (;;)
		(void)stat_of(part->fd);
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
static void nobody_is_in_the_way(act_fn *one, act_fn *other)
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
	for (int round = 0; round < ROUNDS; round++)
		leases_end_under_hogs(&part, &apart);
}

#define BETWEEN(_name, _one, _other)					\
	TEST(_name)							\
	{								\
		nobody_is_in_the_way(_one, _other);			\
	}

BETWEEN(a_resize_and_a_mapper, resize_always, map_always)
BETWEEN(two_mappers, map_always, map_always)
BETWEEN(a_borrower_and_a_mapper, borrow_always, map_always)
BETWEEN(a_toucher_and_a_mapper, touch_always, map_always)
BETWEEN(a_debugger_and_a_borrower, look_always, borrow_always)
BETWEEN(a_reader_of_figures_and_a_borrower, figures_always, borrow_always)
