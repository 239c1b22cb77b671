// SPDX-License-Identifier: GPL-2.0
/*
 * No address of the kernel is disclosed, in any file, in the log or in an answer. Contract
 * line 8.
 */
#include <ctype.h>
#include <dirent.h>
#include <sys/klog.h>

#include "genp_test.h"

/* Finds a number in a text that looks like a kernel address. */
static const char *find_address(const char *text)
{
	for (const char *at = text; (at = strcasestr(at, "ffff")); at++) {
		size_t digits = 0;

		while (isxdigit(at[digits]))
			digits++;
		if (digits == 16 && strncasecmp(at, "ffffffffffffffff", 16) &&
		    (at == text || !isxdigit(at[-1])))
			return at;
	}
	return NULL;
}

static void expect_no_address_in(const char *where, const char *text)
{
	const char *at = find_address(text);

	if (at)
		FAIL("%s: %.60s", where, at);
}

/* Checks all of a file. */
static void look_through(const char *path)
{
	static char text[1 << 18];
	size_t used = 0;
	ssize_t got;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return;
	while (used < sizeof(text) - 1 && (got = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += got;
	close(fd);
	text[used] = 0;
	expect_no_address_in(path, text);
}

/* Checks all files below a directory; returns their number. */
static int look_below(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir))) {
		char below[512];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR) {
			count += look_below(below);
		} else if (entry->d_type == DT_REG) {
			look_through(below);
			count++;
		}
	}
	if (dir)
		closedir(dir);
	return count;
}

static void trace(const char *on)
{
	int fd = open("/sys/kernel/tracing/events/genp/enable", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, on, 1) != 1)
		FAIL("no tracing: %m");
	if (fd >= 0)
		close(fd);
}

/* A partition with some of everything, so that there is something to show. */
static struct part busy(void)
{
	struct genp_create request = create_request(4 * PAGE, 4 * PAGE);
	struct genp_borrow short_one, lease;
	struct genp_alloc alloc;
	struct part part;

	strcpy(request.name, "looked-at");
	part = create_from(request);
	CHECK(!region(part.fd, 100, 0, &alloc));
	while (borrow(part.fd, PAGE, GENP_NO_WAIT, 20 * MSEC, &short_one))
		EQUAL(errno, ETIMEDOUT);
	EVENTUALLY(stat_of(part.fd).lent == 0);
	while (borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease))
		EQUAL(errno, ETIMEDOUT);
	ERRNO(by_handle(part.fd, GENP_FREE, 1), EINVAL);
	return part;
}

TEST(no_address_in_any_text)
{
	char path[64];
	struct part part;

	CHECK(find_address("x=ffff888012345678"));
	CHECK(!find_address("x=0 ffffffffffffffff ffff8880"));
	trace("1");
	part = busy();
	trace("0");
	CHECK(look_below("/sys/class/misc/genp/") >= 19);
	look_below("/sys/kernel/debug/genp");
	look_below("/sys/kernel/tracing/events/genp");
	look_through("/sys/kernel/tracing/trace");
	look_below("/sys/module/genp/parameters");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", part.fd);
	look_through(path);
	look_through("/proc/self/maps");
}

TEST(no_address_in_the_log)
{
	static char log[1 << 18];
	int length;
	char *line;

	close(busy().fd);
	length = klogctl(3, log, sizeof(log) - 1);
	CHECK(length >= 0);
	log[length] = 0;
	for (line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "genp"))
			expect_no_address_in("log", line);
}

/* On x86 all of the kernel is above this; no handle is. */
#define FIRST_ADDRESS 0xffff800000000000ULL

static void expect_numbers(const char *name, const void *answer, size_t size)
{
	__u64 word;

	for (size_t i = 0; i + 8 <= size; i += 4) {
		memcpy(&word, (const char *)answer + i, 8);
		if (word >= FIRST_ADDRESS && word + 1 > FIRST_ADDRESS)
			FAIL("%s: %llx at byte %zu", name, word, i);
	}
}

TEST(no_address_in_an_answer)
{
	struct part part = busy();
	struct genp_stat stat = stat_of(part.fd);
	struct genp_info pool = info();
	struct genp_bounds bounds = { .size = sizeof(bounds) };
	struct genp_histogram histogram = { .size = sizeof(histogram) };
	struct genp_event event;

	if (on_user_mode_linux())
		SKIP("user mode Linux has its addresses elsewhere");
	/* These are all ones, which would look like an address with the field beside it. */
	EQUAL(stat.node, GENP_ANY_NODE);
	EQUAL(stat.heap_used, GENP_NOT_TOLD);
	EQUAL(stat.heap_peak, GENP_NOT_TOLD);
	EQUAL(stat.parent, GENP_NO_PARENT);
	stat.node = stat.parent = 0;
	stat.heap_used = stat.heap_peak = 0;
	expect_numbers("stat", &stat, sizeof(stat));
	expect_numbers("info", &pool, sizeof(pool));
	CHECK(!ioctl(part.fd, GENP_GET_BOUNDS, &bounds));
	expect_numbers("bounds", &bounds, sizeof(bounds));
	CHECK(!ioctl(part.fd, GENP_GET_HISTOGRAM, &histogram));
	expect_numbers("histogram", &histogram, sizeof(histogram));
	EQUAL(read(part.fd, &event, sizeof(event)), sizeof(event));
	event.handle = 0;
	expect_numbers("event", &event, sizeof(event));
}
