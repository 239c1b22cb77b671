/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Makes the n-th allocation of this thread from now on fail, whatever it is for,
 * by /proc/thread-self/fail-nth, and finds out where in the kernel it was. Needs a
 * kernel with fault injection: the debug kernel.
 *
 * The debug kernel's own bookkeeping allocates too, and not the same number each time, so
 * the same n is not always the same place. The kernel's log has the place: the call trace
 * of the failure. Allocations with __GFP_NOWARN are not logged; these are the bookkeeping,
 * and allocations that have a fallback.
 */
#ifndef _GENP_NTH_H
#define _GENP_NTH_H

#include <sys/klog.h>

#include "genp_test.h"

/* More than the allocations of any operation. */
#define NTH_MOST 100000U

#define NTH_SITES 512

static int nth_fd = -1, nth_log = -1;

/* Places where an allocation was made to fail, as numbers made of their callers. */
static __u64 nth_sites[NTH_SITES];
static unsigned int nth_site_count;
/* The callers at the last one, the innermost first. */
static char nth_callers[1024];

static bool nth_say(const char *kind, const char *file, const char *value)
{
	char path[128];
	bool said;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kind, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	said = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	if (fd >= 0)
		close(fd);
	return said;
}

/* Lets allocations that may wait fail too, and quietly. */
static UNUSED void nth_prepare(void)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc" };

	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0 || access("/sys/kernel/debug/failslab/ignore-gfp-wait", W_OK))
		SKIP("this kernel cannot make allocations fail");
	for (int i = 0; i < 2; i++) {
		CHECK(nth_say(kinds[i], "ignore-gfp-wait", "N"));
		CHECK(nth_say(kinds[i], "verbose", "2"));
	}
	CHECK(nth_say("fail_page_alloc", "min-order", "0"));
	CHECK(nth_say("fail_page_alloc", "ignore-gfp-highmem", "N"));
	nth_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CHECK(nth_log >= 0 && lseek(nth_log, 0, SEEK_END) >= 0);
	/* Notices and call traces go only to the log, where they are read. */
	CHECK(!klogctl(8, NULL, 4));
	/* So that no page fault of the test allocates memory in between. */
	CHECK(!mlockall(MCL_CURRENT));
}

static UNUSED void nth_begin(unsigned int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth_fd, text, length, 0) != length)
		_exit(2);
}

/* Ends it; returns the number of allocations left before the one that would fail. */
static UNUSED unsigned int nth_end(void)
{
	char text[16] = "";
	int saved = errno;

	if (pread(nth_fd, text, sizeof(text) - 1, 0) <= 0 || pwrite(nth_fd, "0", 1, 0) != 1)
		_exit(2);
	errno = saved;
	return strtoul(text, NULL, 10);
}

static void nth_add_site(__u64 site)
{
	for (unsigned int i = 0; i < nth_site_count; i++)
		if (nth_sites[i] == site)
			return;
	CHECK(nth_site_count < NTH_SITES);
	nth_sites[nth_site_count++] = site;
}

/*
 * Reads the new lines of the kernel's log: records where allocations failed and prints
 * all other lines. Returns whether a place was in the module, and not in the kernel's code
 * around it.
 */
static UNUSED bool nth_read_log(void)
{
	bool in_trace = false, ours = false;
	char record[1024];
	size_t used = 0;
	__u64 site = 0;
	ssize_t length;

	while ((length = read(nth_log, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		char *text, *end;

		if (length <= 0)
			continue;
		record[length] = 0;
		text = strchr(record, ';');
		CHECK(text);
		end = strchr(++text, '\n');
		if (end)
			*end = 0;
		if (strstr(text, "FAULT_INJECTION: ")) {
			in_trace = true;
			site = 5381;
			used = 0;
		} else if (!in_trace) {
			printf("# kernel: %s\n", text);
		} else if (strstr(text, "</TASK>")) {
			in_trace = false;
			nth_add_site(site);
		} else if (strstr(text, "+0x") && !strstr(text, " ? ") && !strstr(text, "RIP:")) {
			ours = ours || strstr(text, "[genp]");
			used += snprintf(nth_callers + used, sizeof(nth_callers) - used, "%.*s",
					 (int)strcspn(text, "+"), text);
			if (used >= sizeof(nth_callers))
				used = sizeof(nth_callers) - 1;
			for (; *text; text++)
				site = site * 33 + (unsigned char)*text;
		}
	}
	return ours;
}

/* Restores the console's log level. */
static UNUSED void nth_finish(void)
{
	nth_read_log();
	CHECK(nth_say("failslab", "verbose", "0"));
	CHECK(nth_say("fail_page_alloc", "verbose", "0"));
	CHECK(!klogctl(8, NULL, 7));
	/* Nobody must take these traces for errors later. */
	CHECK(!klogctl(5, NULL, 0));
}

#endif /* _GENP_NTH_H */
