// SPDX-License-Identifier: GPL-2.0
/*
 * A revocation: a greedy process borrows all that can be lent and does not return
 * it. Its lease is revoked at the deadline: it gets SIGBUS, and the waiting process
 * gets its memory, within the bound that is printed.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sample.h"

#define TERM_MS 200

/* What the two processes exchange, in shared memory. */
struct board {
	uint64_t expires;
	uint64_t killed_access;
	int late_return;
};

static struct board *board;
static sigjmp_buf out;

static void on_sigbus(int signal)
{
	(void)signal;
	siglongjmp(out, 1);
}

/* Touches its memory again and again, and never gives it back. */
static void greedy(int ready)
{
	size_t size = pool().free, page;
	genp_partition_t *part = genp_create(0, size);
	volatile char *memory;

	if (!part)
		die(NULL, "the greedy process: creating a partition");
	memory = genp_borrow_until(part, size, GENP_NO_WAIT, TERM_MS * MSEC, 0, &board->expires);
	if (!memory)
		die(NULL, "the greedy process: borrowing all of %zu KiB", size / KIB);
	signal(SIGBUS, on_sigbus);
	if (write(ready, "", 1) != 1)
		die(NULL, "the greedy process: saying that it is ready");
	if (!sigsetjmp(out, 1)) {
		for (page = 0;; page = (page + page_size()) % size) {
			memory[page] = 1;
			pause_ms(1);
		}
	}
	board->killed_access = now();
	board->late_return = genp_return((void *)memory) ? errno : 0;
	exit(0);
}

struct moment {
	uint64_t when;
	const char *what;
};

static int earlier(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	return (x->when > y->when) - (x->when < y->when);
}

/* What happened, in that order, in ms from the grant to the greedy process. */
static void tell(uint64_t asked, uint64_t granted)
{
	uint64_t start = board->expires - TERM_MS * MSEC;
	struct moment moments[] = {
		{ start, "the greedy process has all that can be lent, for 200 ms" },
		{ asked, "the patient one (SCHED_FIFO 50) asks for 1 MiB, and waits" },
		{ board->expires, "the deadline; nothing was returned" },
		{ granted, "the patient one has its memory" },
		{ board->killed_access,
		  "the greedy one touches its memory: SIGBUS; returning it: ESTALE" },
	};
	size_t i, count = sizeof(moments) / sizeof(moments[0]);

	qsort(moments, count, sizeof(moments[0]), earlier);
	for (i = 0; i < count; i++)
		printf("  %9.3f ms  %s\n", ((double)moments[i].when - start) / 1e6, moments[i].what);
}

/* The bound on the wait, and the three times that it is the sum of. */
static void tell_bound(uint64_t wait, const struct genp_bounds *bounds)
{
	double term = pool().max_lease_ns / 1e6;

	printf("  The patient one waited %.3f ms. Nobody who is first in the queue waits longer than\n"
	       "  %.3f ms: %.0f for the longest lease that the pool allows, %.3f for R, the\n"
	       "  longest recall there can be, and %.3f until the waiter runs. The longest recall\n"
	       "  so far took %.3f ms.\n",
	       wait / 1e6, bounds->wait_bound_ns / 1e6, term, bounds->recall_bound_ns / 1e6,
	       (bounds->wait_bound_ns - bounds->recall_bound_ns) / 1e6 - term,
	       bounds->recall_worst_ns / 1e6);
}

static void prepare(pid_t *other)
{
	int ready[2];
	char byte;

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED || pipe(ready))
		die(NULL, "preparing a second process");
	fflush(stdout);
	*other = fork();
	if (*other == 0)
		greedy(ready[1]);
	close(ready[1]);
	if (*other < 0 || read(ready[0], &byte, 1) != 1)
		die(NULL, "the greedy process did not begin");
}

static int judge(uint64_t granted, uint64_t wait, uint64_t bound)
{
	int bad = 0;

	if (granted < board->expires || wait > bound || board->killed_access < board->expires) {
		fprintf(stderr, "FAILED: not in the expected order, or not within the bound\n");
		bad = 1;
	}
	if (board->late_return != ESTALE) {
		fprintf(stderr, "FAILED: returning a revoked lease gave %d, not ESTALE\n",
			board->late_return);
		bad = 1;
	}
	return bad;
}

int main(void)
{
	struct genp_bounds bounds = { 0 };
	uint64_t asked, granted;
	genp_partition_t *part;
	char *memory;
	int status;
	pid_t other;

	printf("GenP: a revocation\n");
	show_kernel();
	prepare(&other);
	be_real_time(50);
	part = genp_create(0, 1 * MIB);
	asked = now();
	memory = part ? genp_borrow(part, 1 * MIB, 10 * 1000) : NULL;
	granted = now();
	if (!memory)
		die(NULL, "the patient process: borrowing 1 MiB");
	if (waitpid(other, &status, 0) != other || status) {
		fprintf(stderr, "FAILED: the greedy process ended in another way (status %#x)\n", status);
		return 1;
	}
	if (genp_get_bounds(part, &bounds))
		die(NULL, "reading the bounds");
	tell(asked, granted);
	tell_bound(granted - asked, &bounds);
	if (!works(memory, 1 * MIB, 3) || genp_return(memory) || genp_destroy(part))
		die(NULL, "the patient process: using and returning 1 MiB");
	return judge(granted, granted - asked, bounds.wait_bound_ns);
}
