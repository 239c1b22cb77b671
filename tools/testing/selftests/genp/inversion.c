// SPDX-License-Identifier: GPL-2.0
/* Those in the way who resize, map, borrow, touch, look and ask: see inversion.h. */
#include "inversion.h"

#define ROUNDS 200
/* How often the reserve that is resized is mapped. */
#define TIMES 8

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

BETWEEN(a_resize_and_a_mapper, resize_always, map_always)
BETWEEN(two_mappers, map_always, map_always)
BETWEEN(a_borrower_and_a_mapper, borrow_always, map_always)
BETWEEN(a_toucher_and_a_mapper, touch_always, map_always)
BETWEEN(a_debugger_and_a_borrower, look_always, borrow_always)
BETWEEN(a_reader_of_figures_and_a_borrower, figures_always, borrow_always)
