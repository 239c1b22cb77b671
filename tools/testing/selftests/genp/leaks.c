// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody finds what is not his: not the bytes of another partition in a fresh
 * page, not bytes of the kernel in an answer, no address of the kernel's
 * anywhere. Contract line 8.
 */
#include <ctype.h>
#include <dirent.h>
#include <stddef.h>
#include <sys/klog.h>

#include "genp_test.h"

#define SECRET 0xa5
#define CHUNK (64 * (long)PAGE)

static void expect_zeroes(const char *at, __u64 length, const char *how)
{
	for (__u64 i = 0; i < length; i += 8)
		if (*(const __u64 *)(at + i))
			FAIL("%s: found %llx at byte %llu", how, *(const __u64 *)(at + i), i);
}

static struct genp_borrow held;

/*
 * A lease may be over at any time, on a machine that is slow enough, and touching
 * it is the end of the test then. The kernel copies for us and says EFAULT.
 */
static int scratch(void)
{
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("scratch", MFD_CLOEXEC);
		CHECK(fd >= 0);
	}
	return fd;
}

/* Borrows, and copies between the lease and a buffer; false if it is over. */
static bool with_lease(struct part *part, char *buffer, bool into_lease)
{
	char *at;
	bool done;

	if (borrow(part->fd, CHUNK, GENP_NO_WAIT, 0, &held)) {
		EQUAL(errno, ETIMEDOUT);
		return false;
	}
	at = lease_at(part, &held);
	if (into_lease) {
		EQUAL(pwrite(scratch(), buffer, CHUNK, 0), CHUNK);
		done = pread(scratch(), at, CHUNK, 0) == CHUNK;
	} else {
		done = pwrite(scratch(), at, CHUNK, 0) == CHUNK;
		EQUAL(pread(scratch(), buffer, CHUNK, 0), done ? CHUNK : lseek(scratch(), 0, SEEK_END));
	}
	return done;
}

/* The lease goes back, unless it was over before. */
static void end_lease(struct part *part)
{
	if (give_back(part->fd, held.handle))
		EQUAL(errno, ESTALE);
}

/*
 * Gets all there is, as a reserve and then as leases, one after the other, and
 * looks through it. What is given back goes behind all the rest, so they are other
 * frames each time.
 */
static void expect_clean(const char *how)
{
	static char buffer[CHUNK];
	struct genp_info before = info();
	struct part part = create(before.free, 0);

	expect_zeroes(part.reserve, before.free, how);
	drop(&part);
	EVENTUALLY(info().free == before.free);
	part = create(0, CHUNK);
	for (__u64 seen = 0; seen < before.free; seen += CHUNK) {
		if (with_lease(&part, buffer, false))
			expect_zeroes(buffer, CHUNK, how);
		end_lease(&part);
	}
	drop(&part);
	expect_idle(&before);
}

/* A reserve of nearly all there is and a lease, both full of secrets. */
static struct part with_secrets(void)
{
	static char secrets[CHUNK];
	struct part part = create(info().free - CHUNK, CHUNK);

	memset(part.reserve, SECRET, part.windows.reserve_length);
	memset(secrets, SECRET, CHUNK);
	while (!with_lease(&part, secrets, true))
		end_lease(&part);
	return part;
}

TEST(closed_memory_comes_zeroed)
{
	struct part part = with_secrets();

	drop(&part);
	expect_clean("after close");
}

TEST(memory_of_the_dead_comes_zeroed)
{
	struct genp_info before = info();

	for (int killed = 0; killed < 2; killed++) {
		pid_t pid = child();
		int status;

		if (!pid) {
			with_secrets();
			if (killed)
				raise(SIGKILL);
			_exit(0);
		}
		status = reap(pid);
		EQUAL(killed ? WTERMSIG(status) : WEXITSTATUS(status), killed ? SIGKILL : 0);
		expect_idle(&before);
		expect_clean(killed ? "after SIGKILL" : "after exit");
	}
}

TEST(returned_memory_comes_zeroed)
{
	struct part part = with_secrets();

	end_lease(&part);
	expect_clean("after a return");
}

TEST(revoked_memory_comes_zeroed)
{
	struct part part = with_secrets();

	EVENTUALLY(stat_of(part.fd).lent == 0);
	expect_clean("after a revocation");
}

TEST(destroyed_memory_comes_zeroed)
{
	struct part part = with_secrets();

	CHECK(!destroy(part.fd));
	expect_clean("after a destroy");
	/* What is mapped of the reserve still is its own. */
	EQUAL((unsigned char)part.reserve[0], SECRET);
	drop(&part);
	expect_clean("after a destroy and a close");
}

TEST(shrunk_memory_comes_zeroed)
{
	struct part part = with_secrets();
	struct genp_resize resize = { .size = sizeof(resize), .reserve = PAGE };

	end_lease(&part);
	CHECK(!ioctl(part.fd, GENP_RESIZE, &resize));
	expect_clean("after a resize");
	/* What it gets back when it grows again is not what it had either. */
	resize.reserve = part.windows.reserve_length;
	CHECK(!ioctl(part.fd, GENP_RESIZE, &resize));
	part.reserve = mmap(NULL, resize.reserve, PROT_READ, MAP_SHARED, part.fd, 0);
	CHECK(part.reserve != MAP_FAILED);
	EQUAL((unsigned char)part.reserve[0], SECRET);
	expect_zeroes(part.reserve + PAGE, resize.reserve - PAGE, "after growing again");
}

/* An answer structure of an ioctl; the first bytes of it are asked with. */
struct answer {
	const char *name;
	unsigned long cmd;
	size_t size;
	/* Bytes the caller gives, which the answer may repeat. */
	size_t given;
};

#define ANSWER(cmd, type, first_out) { #cmd, cmd, sizeof(struct type), offsetof(struct type, first_out) }

#define GUARD 64

/* Asks with one poison in all that is answered, and behind it. */
static bool ask_poisoned(int fd, const struct answer *answer, int poison, unsigned char *buffer)
{
	__u32 size = answer->size;

	memset(buffer + answer->given, poison, answer->size - answer->given + GUARD);
	memcpy(buffer, &size, sizeof(size));
	if (ioctl(fd, answer->cmd, buffer)) {
		/* A lease may be over at any time. */
		if (errno != ESTALE && errno != ETIMEDOUT)
			FAIL("%s: %m", answer->name);
		return false;
	}
	for (size_t i = 0; i < GUARD; i++)
		if (buffer[answer->size + i] != poison)
			FAIL("%s: wrote byte %zu behind the structure", answer->name, i);
	return true;
}

/* A byte that is the poison each time was not answered at all. */
static bool expect_answered(int fd, const struct answer *answer, const void *given)
{
	unsigned char first[512 + GUARD] = "", second[512 + GUARD] = "";

	memcpy(first, given, answer->given);
	memcpy(second, given, answer->given);
	if (!ask_poisoned(fd, answer, 0xaa, first) || !ask_poisoned(fd, answer, 0x55, second))
		return false;
	for (size_t i = answer->given; i < answer->size; i++)
		if (first[i] == 0xaa && second[i] == 0x55)
			FAIL("%s: byte %zu is not answered", answer->name, i);
	return true;
}

TEST(every_byte_of_an_answer_is_answered)
{
	static const struct answer of_device[] = { ANSWER(GENP_GET_INFO, genp_info, abi_version) };
	static const struct answer reports[] = {
		ANSWER(GENP_GET_STAT, genp_stat, name),
		ANSWER(GENP_GET_BOUNDS, genp_bounds, worst_reserve),
		ANSWER(GENP_GET_HISTOGRAM, genp_histogram, count),
	};
	static const struct answer alloc = ANSWER(GENP_ALLOC, genp_alloc, offset);
	static const struct answer borrowed = ANSWER(GENP_BORROW, genp_borrow, offset);
	static const struct answer renewed = ANSWER(GENP_RENEW, genp_renew, expires);
	static const struct answer resized = ANSWER(GENP_RESIZE, genp_resize, windows);
	struct genp_borrow ask = { .length = PAGE };
	struct genp_renew renew = {};
	struct part part = create(PAGE, 8 * PAGE);

	CHECK(expect_answered(control(), of_device, (char[64]){}));
	for (int i = 0; i < 3; i++)
		CHECK(expect_answered(part.fd, &reports[i], (char[64]){}));
	CHECK(expect_answered(part.fd, &alloc, &(struct genp_alloc){ .length = 64 }));
	CHECK(expect_answered(part.fd, &resized,
			      &(struct genp_resize){ .reserve = PAGE, .borrow_limit = 8 * PAGE }));
	while (!expect_answered(part.fd, &borrowed, &ask))
		;
	do {
		while (borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &ask))
			EQUAL(errno, ETIMEDOUT);
		renew.handle = ask.handle;
	} while (!expect_answered(part.fd, &renewed, &renew));
}

TEST(a_name_is_told_without_what_followed_it)
{
	struct genp_create ask = wish(PAGE, 0);
	struct genp_stat stat;

	memset(ask.name, 'x', sizeof(ask.name));
	strcpy(ask.name, "short");
	CHECK(!try_create(&ask));
	stat = stat_of(ask.fd);
	for (size_t i = strlen("short"); i < sizeof(stat.name); i++)
		EQUAL(stat.name[i], 0);
}

/* Whether a text has a number that looks like an address of the kernel's. */
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

/* Reads a whole file; what is there before is found by the caller. */
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

/* All files below a directory, and how many they were. */
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

/* Some of everything, so that there is something to be told. */
static struct part busy(void)
{
	struct genp_create ask = wish(4 * PAGE, 4 * PAGE);
	struct genp_borrow short_one;
	struct genp_alloc alloc;
	struct part part;

	strcpy(ask.name, "looked-at");
	part = create_from(ask);
	CHECK(!region(part.fd, 100, 0, &alloc));
	while (borrow(part.fd, PAGE, GENP_NO_WAIT, 20 * MSEC, &short_one))
		EQUAL(errno, ETIMEDOUT);
	EVENTUALLY(stat_of(part.fd).lent == 0);
	while (borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &held))
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

/* On x86 all of the kernel is above this; handles are counted, not found there. */
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
	/* The node is -1, between two fields that are small. */
	EQUAL(stat.node, GENP_ANY_NODE);
	stat.node = 0;
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
