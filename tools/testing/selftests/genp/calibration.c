// SPDX-License-Identifier: GPL-2.0
/*
 * R is derived from costs that are measured when the module is loaded: on a busy machine
 * they are what they are on an idle one. Contract line 4. The module is loaded anew here.
 */
#include "hogs.h"
#include "module.h"

#define LOADS 3
#define HOGS_OF_A_PROCESSOR 4

/* A cost or a bound of the module that is loaded. */
static __u64 attribute(const char *name)
{
	unsigned long long value;
	char path[80];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/misc/genp/%s", name);
	file = fopen(path, "r");
	CHECK(file && fscanf(file, "%llu", &value) == 1);
	fclose(file);
	return value;
}

static const char *const figures[] = { "recall_bound_ns", "recall_zero_ns", "recall_page_ns",
				       "recall_end_ns", "recall_latency_ns" };
#define FIGURES (sizeof(figures) / sizeof(*figures))
/*
 * How much larger the first of them may be than on an idle machine. What is measured with
 * preemption off hardly varies; the others do, in a guest whose host is busy.
 */
static const unsigned int factors[] = { 8, 3 };
#define COMPARED (sizeof(factors) / sizeof(*factors))

/* Of some loads the least of each figure, and the most. */
struct seen {
	__u64 least[FIGURES];
	__u64 most[FIGURES];
	int measured;
};

static void load_anew(struct seen *seen)
{
	/* Whoever used it last may be on its way out. */
	EVENTUALLY(!try_unload());
	CHECK(!load_with(parameters));
	seen->measured += attribute("recall_calibrated");
	for (unsigned int i = 0; i < FIGURES; i++) {
		__u64 value = attribute(figures[i]);

		if (!seen->least[i] || value < seen->least[i])
			seen->least[i] = value;
		if (value > seen->most[i])
			seen->most[i] = value;
	}
}

static struct seen some_loads(const char *when)
{
	struct seen seen = { .measured = 0 };

	for (int i = 0; i < LOADS; i++)
		load_anew(&seen);
	for (unsigned int i = 0; i < FIGURES; i++)
		printf("# %s: %s from %llu to %llu\n", when, figures[i], seen.least[i], seen.most[i]);
	printf("# %s: measured by %d loads of %d\n", when, seen.measured, LOADS);
	return seen;
}

static void hog(void)
{
	for (;;)
		;
}

/* Busy for 5 ms out of 5.5 ms, above all that is not of real-time priority. */
static void hog_in_bursts(void)
{
	be_fifo(50);
	for (;;) {
		__u64 end = now() + 5 * MSEC;

		while (now() < end)
			;
		usleep(500);
	}
}

static void compare_with_busy(const char *what, void (*work)(void), int each)
{
	int processors = sysconf(_SC_NPROCESSORS_ONLN), count = 0;
	struct seen idle, busy;
	pid_t pids[HOGS];

	read_parameters();
	if (processors * each > HOGS)
		SKIP("too many processors to keep busy");
	idle = some_loads("idle");
	for (int i = 0; i < processors * each; i++) {
		pids[count] = child();
		if (!pids[count]) {
			stay_on(i % processors);
			work();
		}
		count++;
	}
	busy = some_loads(what);
	while (count--) {
		kill(pids[count], SIGKILL);
		reap(pids[count]);
	}
	/* Without PREEMPT_RT the latency is another one indeed, and part of R. */
	for (unsigned int i = 0; i < COMPARED; i++)
		if (busy.least[i] > factors[i] * idle.most[i])
			FAIL("%s: %llu at least with %s, %llu at most without", figures[i],
			     busy.least[i], what, idle.most[i]);
}

TEST(threads_of_ordinary_priority)
{
	compare_with_busy("ordinary hogs", hog, HOGS_OF_A_PROCESSOR);
}

TEST(threads_of_real_time_priority_below_its_own)
{
	/* What is left to insmod there would not load a module in the time of a test. */
	if (!access("/proc/lockdep", F_OK))
		SKIP("a kernel with lockdep is too slow for it");
	compare_with_busy("hogs of SCHED_FIFO", hog_in_bursts, 1);
}
