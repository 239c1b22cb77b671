// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation while the module is loaded fails in turn: it either loads and works,
 * or is refused with ENOMEM and leaves nothing behind. Contract line 9. The run of the
 * debug kernel checks for leaks at its end.
 *
 * There are about 200 allocations and each takes a load and an unload. Without
 * GENP_FAULTS=all in the environment a few are chosen, different ones in each run.
 */
#include <ctype.h>
#include <dirent.h>

#include "module.h"
#include "nth.h"

#define A_FEW 12

static void unload(void)
{
	CHECK(!try_unload());
}

/* Whether a thread of the module exists. */
static bool has_thread(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	CHECK(dir);
	while ((entry = readdir(dir))) {
		char path[64], name[32] = "";
		FILE *file;

		if (!isdigit(entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file))
			found |= !strncmp(name, "genp_recall", 11) ||
				 !strncmp(name, "genp_notify", 11) || !strncmp(name, "genp_scrub", 10);
		fclose(file);
	}
	closedir(dir);
	return found;
}

static void expect_nothing_left(unsigned int n)
{
	if (!access(GENP_DEVICE_PATH, F_OK) || !access("/sys/module/genp", F_OK) ||
	    !access("/sys/class/misc/genp", F_OK) || !access("/sys/kernel/debug/genp", F_OK) ||
	    has_thread())
		FAIL("allocation %u: something was left behind", n);
}

/* The module works even if it was loaded without, for instance, its debugfs files. */
static void expect_work(void)
{
	struct genp_info before = info();
	struct part part = create(4 * PAGE, 4 * PAGE);
	struct genp_borrow lease;

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	*lease_at(&part, &lease) = 1;
	drop(&part);
	expect_idle(&before);
}

/* How many allocations a load makes. */
static unsigned int count(const char *with, int expected)
{
	unsigned int left;
	int err;

	nth_begin(NTH_MOST);
	err = load_with(with) ? errno : 0;
	left = nth_end();
	EQUAL(err, expected);
	return NTH_MOST - left;
}

static void fail_one(unsigned int n, unsigned int *failed, unsigned int *refused)
{
	unsigned int left;
	int err;

	nth_begin(n);
	err = load_with(parameters) ? errno : 0;
	left = nth_end();
	nth_read_log();
	*failed += !left;
	if (!err) {
		expect_work();
		unload();
		return;
	}
	if (err != ENOMEM || left)
		FAIL("allocation %u: %s, %u left, at%s", n, strerrorname_np(err) ?: "?", left,
		     nth_callers);
	++*refused;
	expect_nothing_left(n);
}

/*
 * The allocations up to the first are those of the kernel: they are counted with a load
 * that the module refuses before it allocates anything itself.
 */
static void fail_each(bool all)
{
	unsigned int first = count("pool_mib=0", EINVAL), last = count(parameters, 0);
	unsigned int step = 1, n, failed = 0, refused = 0;

	unload();
	CHECK(first < last);
	n = first + 1;
	if (!all) {
		step = (last - first + A_FEW - 1) / A_FEW;
		n += now() / SEC % step;
	}
	printf("# insmod: allocations %u to %u, every %u\n", n, last, step);
	for (; n <= last; n += step)
		fail_one(n, &failed, &refused);
	printf("# insmod: %u allocations failed at %u places, %u loads refused\n", failed,
	       nth_site_count, refused);
	CHECK(failed);
}

TEST(loading)
{
	bool all = !strcmp(getenv("GENP_FAULTS") ?: "", "all");
	pid_t pid;
	int status;

	read_parameters();
	nth_prepare();
	if (all)
		without_limit();
	/* In a child, so that the module is loaded again whatever the result is. */
	pid = child();
	if (!pid) {
		close(nth_fd);
		close(nth_log);
		nth_prepare();
		unload();
		fail_each(all);
		nth_finish();
		fflush(stdout);
		_exit(0);
	}
	status = reap(pid);
	load_with(parameters);
	nth_finish();
	EQUAL(status, 0);
	expect_work();
}
