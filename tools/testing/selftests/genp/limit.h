/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When a test has taken too long. A guest on a busy machine gets a part of a processor
 * only, and its clock goes on meanwhile; so what counts is time in which the guest ran. How
 * much of it that was is seen by a short loop: it is fastest when nothing interrupted it,
 * and slower on average by what did.
 */
#ifndef _GENP_LIMIT_H
#define _GENP_LIMIT_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Seconds of a machine that does nothing else. */
#ifndef TEST_SECONDS
#define TEST_SECONDS 120
#endif
/* How often that is looked at. */
#define LOOK_SECONDS 10

/* Shared with the test. */
static bool *test_has_no_limit;

/* For a test that is asked to take as long as it takes. */
static void __attribute__((unused)) without_limit(void)
{
	*test_has_no_limit = true;
}

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Which part of the time the machine has for us: 1 if all of it, less if it is busy. */
static double share_of_machine(void)
{
	double fastest = 0, sum = 0;
	enum { LOOPS = 100 };

	for (int i = 0; i < LOOPS; i++) {
		double begin = seconds_now(), took;

		for (volatile int step = 0; step < 20000; step++)
			;
		took = seconds_now() - begin;
		sum += took;
		if (!i || took < fastest)
			fastest = took;
	}
	return sum > 0 ? fastest * LOOPS / sum : 1;
}

static void look_again(int signal)
{
	(void)signal;
}

/* Before the first test. */
static void limit_begin(void)
{
	/* It has to interrupt waitpid(). */
	struct sigaction action = { .sa_handler = look_again };

	long page = sysconf(_SC_PAGESIZE);
	char *pages;

	sigaction(SIGALRM, &action, NULL);
	/* Between two that nobody can touch, so that no test finds it beside its mappings. */
	pages = mmap(NULL, 3 * page, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || mprotect(pages + page, page, PROT_READ | PROT_WRITE))
		_exit(1);
	test_has_no_limit = (bool *)(pages + page);
}

/* Waits for a test, and ends it by SIGALRM when its time is used up. */
static int wait_with_limit(pid_t pid)
{
	double left = TEST_SECONDS;
	int status;

	*test_has_no_limit = false;
	for (;;) {
		alarm(LOOK_SECONDS);
		if (waitpid(pid, &status, 0) == pid)
			break;
		if (*test_has_no_limit)
			continue;
		left -= LOOK_SECONDS * share_of_machine();
		/* It may have blocked the first of these. */
		if (left <= 0)
			kill(pid, left > -LOOK_SECONDS ? SIGALRM : SIGKILL);
	}
	alarm(0);
	return status;
}

#endif /* _GENP_LIMIT_H */
