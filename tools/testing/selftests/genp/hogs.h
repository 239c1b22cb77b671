/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Keeps all processors busy, so that nothing of ordinary priority runs.
 */
#ifndef _GENP_HOGS_H
#define _GENP_HOGS_H

#include <sched.h>

#include "genp_test.h"

#define HOGS 64

static pid_t hogs[HOGS];
static int hog_count;

static void be_fifo(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	CHECK(!sched_setscheduler(0, SCHED_FIFO, &param));
}

/* Binds the caller to a processor. */
static void stay_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* Starts hogs of a priority below 60, which the caller gets. */
static void begin_hogs_of(int priority)
{
	hog_count = sysconf(_SC_NPROCESSORS_ONLN);
	if (hog_count > HOGS)
		SKIP("too many processors to keep busy");
	be_fifo(60);
	for (int cpu = 0; cpu < hog_count; cpu++) {
		hogs[cpu] = child();
		if (!hogs[cpu]) {
			stay_on(cpu);
			be_fifo(priority);
			alarm(20);
			for (;;)
				;
		}
	}
}

/* ... of priority 50. */
static UNUSED void begin_hogs(void)
{
	begin_hogs_of(50);
}

static UNUSED void end_hogs(void)
{
	for (int cpu = 0; cpu < hog_count; cpu++) {
		kill(hogs[cpu], SIGKILL);
		reap(hogs[cpu]);
	}
}

#endif /* _GENP_HOGS_H */
