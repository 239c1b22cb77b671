// SPDX-License-Identifier: GPL-2.0
/* The state of the pool by ioctl, sysfs and debugfs. Contract line 12. */
#include <dirent.h>
#include <sys/syscall.h>

#include "genp_test.h"

static unsigned long long attribute(const char *name)
{
	char path[128];
	unsigned long long value;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/misc/genp/%s", name);
	file = fopen(path, "r");
	CHECK(file);
	EQUAL(fscanf(file, "%llu", &value), 1);
	fclose(file);
	return value;
}

TEST(info_is_consistent)
{
	struct genp_info i = info();

	EQUAL(i.size, sizeof(i));
	EQUAL(i.abi_version, GENP_ABI_VERSION);
	EQUAL(i.page_size, PAGE);
	EQUAL(i.committed + i.lent + i.overdue + i.free + i.poisoned, i.capacity);
	CHECK(i.clean <= i.capacity);
	CHECK(i.nodes >= 1);
	EQUAL(i.broken_invariants, 0);
	EQUAL(attribute("broken_invariants"), 0);
	CHECK(i.grace_ns <= i.max_lease_ns);
	EQUAL(i.features & ~GENP_FEATURE_RANGE, GENP_FEATURE_LEASES | GENP_FEATURE_EVENTS | GENP_FEATURE_BOUNDS |
	      GENP_FEATURE_RESIZE |
	      GENP_FEATURE_STOCK | GENP_FEATURE_LIST | GENP_FEATURE_RIGHTS | GENP_FEATURE_CHILDREN);
	EQUAL(!!(i.features & GENP_FEATURE_RANGE), i.range > 0);
}

TEST(info_follows_what_happens)
{
	struct genp_info before = info(), after;
	struct part part = create(8 * PAGE, 4 * PAGE);
	struct genp_borrow lease;

	CHECK(!borrow(part.fd, 3 * PAGE, GENP_NO_WAIT, 0, &lease));
	after = info();
	EQUAL(after.committed, before.committed + 8 * PAGE);
	EQUAL(after.lent, before.lent + 3 * PAGE);
	EQUAL(after.free, before.free - 11 * PAGE);
	EQUAL(after.partitions, before.partitions + 1);
	EQUAL(after.leases, before.leases + 1);
	drop(&part);
	expect_idle(&before);
}

TEST(sysfs_agrees_with_info)
{
	struct genp_info i = info();

	EQUAL(attribute("capacity_bytes"), i.capacity);
	EQUAL(attribute("committed_bytes"), i.committed);
	EQUAL(attribute("lent_bytes"), i.lent);
	EQUAL(attribute("free_bytes"), i.free);
	EQUAL(attribute("max_lease_ns"), i.max_lease_ns);
	EQUAL(attribute("grace_ns"), i.grace_ns);
	EQUAL(attribute("wait_order"), i.wait_order);
	EQUAL(attribute("partitions"), i.partitions);
	EQUAL(attribute("max_partitions"), i.max_partitions);
	EQUAL(attribute("leases"), i.leases);
	EQUAL(attribute("max_leases"), i.max_leases);
	EQUAL(attribute("waiters"), i.waiters);
	EQUAL(attribute("max_waiters"), i.max_waiters);
	EQUAL(attribute("recall_bound_ns"), i.recall_bound_ns);
	EQUAL(attribute("wait_bound_ns"), attribute("max_lease_ns") + attribute("recall_bound_ns") +
	      attribute("recall_latency_ns"));
	CHECK(attribute("recall_prio") >= 2);
	CHECK(attribute("recall_base_prio") >= 1);
	CHECK(attribute("recall_base_prio") <= attribute("recall_prio"));
	CHECK(attribute("notify_prio") >= 1);
	attribute("clean_bytes");
	attribute("quarantined_bytes");
	attribute("uid_ceiling_bytes");
}

/* The highest number of a processor there can be, plus 1. */
static unsigned long long processors(void)
{
	unsigned int first, last;
	FILE *file = fopen("/sys/devices/system/cpu/possible", "r");
	int count;

	CHECK(file);
	count = fscanf(file, "%u-%u", &first, &last);
	fclose(file);
	CHECK(count >= 1);
	return (count == 2 ? last : first) + 1ULL;
}

/* R by hand, from what can be read; see Documentation/recall-bound.rst. */
static unsigned long long derived(struct genp_info *i)
{
	const unsigned long long mappings = 16, piece = 512, batch = 32 + 4, locks = 16, pause = 50000;
	unsigned long long leases = i->max_leases, pages = i->capacity / PAGE;
	unsigned long long pieces = leases + pages / (piece / mappings), pauses = leases / 8 + 1;
	unsigned long long latency = attribute("recall_latency_ns"), page = attribute("recall_page_ns");
	unsigned long long contention = (processors() - 1) * attribute("recall_section_ns");
	unsigned long long mapped = mappings * attribute("recall_end_ns");
	unsigned long long end = mapped + locks * contention;
	unsigned long long serves = 2ULL * i->max_waiters + i->max_partitions;

	return 3 * latency + pauses * (pause + latency) + pieces * end + pages * mappings * page +
	       pieces * (batch * attribute("recall_zero_ns") + end + mapped + piece * page) +
	       (serves + pieces * (serves + 1)) * (attribute("recall_serve_ns") + contention);
}

TEST(the_bound_is_derived)
{
	struct genp_info i = info();

	EQUAL(i.recall_bound_ns, derived(&i));
	/* Whatever was measured at load, no cost is less than is stated. */
	CHECK(attribute("recall_calibrated") <= 1);
	CHECK(attribute("recall_latency_ns") >= 100000);
	CHECK(attribute("recall_end_ns") >= GENP_RECALL_END_NS);
	CHECK(attribute("recall_page_ns") >= GENP_RECALL_PAGE_NS);
	CHECK(attribute("recall_zero_ns") >= 1000);
	CHECK(attribute("recall_serve_ns") >= 2000);
	CHECK(attribute("recall_section_ns") >= 2000);
	printf("# calibrated %llu: latency %llu, end %llu, page %llu, zero %llu, serve %llu, section %llu ns\n",
	       attribute("recall_calibrated"), attribute("recall_latency_ns"), attribute("recall_end_ns"),
	       attribute("recall_page_ns"), attribute("recall_zero_ns"), attribute("recall_serve_ns"),
	       attribute("recall_section_ns"));
	printf("# R derived %llu, measured %llu ns\n", i.recall_bound_ns, (unsigned long long)i.recall_worst_ns);
}

/* A lease that runs out changes what was measured, never what is derived. */
TEST(the_bound_does_not_change)
{
	struct part part = create(0, 4 * PAGE);
	unsigned long long bound = info().recall_bound_ns;
	struct genp_borrow lease;

	CHECK(!borrow(part.fd, 4 * PAGE, GENP_NO_WAIT, 200 * MSEC, &lease));
	/* Somebody waits for it, or its end is not counted. */
	CHECK(!borrow(part.fd, PAGE, GENP_WAIT_FOREVER, 200 * MSEC, &lease));
	EQUAL(info().recall_bound_ns, bound);
	CHECK(info().recall_worst_ns > 0);
	drop(&part);
}

TEST(free_frames_become_clean)
{
	struct part part = create(16 * PAGE, 0);

	memset(part.reserve, 1, 16 * PAGE);
	drop(&part);
	EVENTUALLY(info().clean == info().free);
}

TEST(debugfs_shows_partitions)
{
	struct genp_create request = create_request(PAGE, 0);
	char text[8192] = "";
	struct part part;
	FILE *file;

	strcpy(request.name, "seen-in-debugfs");
	part = create_from(request);
	file = fopen("/sys/kernel/debug/genp/partitions", "r");
	if (!file)
		SKIP("no debugfs");
	CHECK(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	CHECK(strstr(text, "seen-in-debugfs"));
	drop(&part);
}

TEST(fdinfo_and_maps_show_the_partition)
{
	struct genp_create request = create_request(2 * PAGE, PAGE);
	char text[8192] = "", path[64], line[64];
	struct part part;
	FILE *file;

	strcpy(request.name, "seen");
	part = create_from(request);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", part.fd);
	file = fopen(path, "r");
	CHECK(file);
	CHECK(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	CHECK(strstr(text, "genp-name:\tseen\n"));
	snprintf(line, sizeof(line), "genp-reserve:\t%lu\n", 2 * PAGE);
	CHECK(strstr(text, line));
	snprintf(line, sizeof(line), "genp-borrow-limit:\t%lu\n", PAGE);
	CHECK(strstr(text, line));
	file = fopen("/proc/self/maps", "r");
	CHECK(file);
	memset(text, 0, sizeof(text));
	CHECK(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	CHECK(strstr(text, "[genp:seen]"));
	drop(&part);
}

TEST(trace_events_exist)
{
	static const char *const events[] = {
		"create", "destroy", "release", "alloc", "free", "wait", "grant", "refuse",
		"recall", "return", "revoke", "unmap", "renew", "resize", "quarantine", "overdue",
		"refill", "drain", "memory_error",
	};
	const char *dir = "/sys/kernel/tracing/events/genp";
	char path[128];
	size_t found = 0;
	struct dirent *entry;
	DIR *all;

	if (access("/sys/kernel/tracing/events", F_OK))
		SKIP("no tracefs");
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/tracing/events/genp/genp_%s/format",
			 events[i]);
		if (access(path, R_OK))
			FAIL("no trace event %s", events[i]);
	}
	/* And no other: a new one belongs into the list. */
	all = opendir(dir);
	CHECK(all);
	while ((entry = readdir(all)))
		found += !strncmp(entry->d_name, "genp_", 5);
	closedir(all);
	EQUAL(found, sizeof(events) / sizeof(*events));
}

TEST(a_grant_is_traced)
{
	struct part part = create(0, PAGE);
	struct genp_borrow lease;
	char text[65536] = "";
	int fd;

	fd = open("/sys/kernel/tracing/events/genp/genp_grant/enable", O_WRONLY);
	if (fd < 0)
		SKIP("no tracefs");
	EQUAL(write(fd, "1", 1), 1);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	EQUAL(write(fd, "0", 1), 1);
	close(fd);
	fd = open("/sys/kernel/tracing/trace", O_RDONLY);
	CHECK(fd >= 0);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	CHECK(strstr(text, "genp_grant: partition="));
	drop(&part);
}

TEST(the_module_stays_while_it_is_used)
{
	struct part part = create(PAGE, 0);

	/* The error of delete_module(2) for a module that is in use. */
	ERRNO(syscall(SYS_delete_module, "genp", O_NONBLOCK), EWOULDBLOCK);
	CHECK(!region(part.fd, 1, 0, &(struct genp_alloc){}));
	drop(&part);
}
