// SPDX-License-Identifier: GPL-2.0
/*
 * No data is disclosed: neither data of another partition in a page that was just
 * allocated, nor bytes of the kernel in an answer. Contract line 8.
 */
#include <stddef.h>

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
 * On a slow machine a lease may end at any time, and touching it would kill the test. So
 * the kernel copies, and returns EFAULT then.
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

/* Returns the lease, unless it has ended. */
static void end_lease(struct part *part)
{
	if (give_back(part->fd, held.handle))
		EQUAL(errno, ESTALE);
}

/*
 * Allocates all free frames, first as a reserve and then by leases, one after the other,
 * and checks them. Frames that are given back are used again last, so these are other
 * frames each time.
 */
static void expect_clean(const char *how)
{
	static char buffer[64 * PAGE_MOST];
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

/* A reserve of nearly all free frames and a lease, both filled with secrets. */
static struct part with_secrets(void)
{
	static char secrets[64 * PAGE_MOST];
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
	/* The mapped reserve still has its contents. */
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
	/* Nor does it get its old contents when it grows again. */
	resize.reserve = part.windows.reserve_length;
	CHECK(!ioctl(part.fd, GENP_RESIZE, &resize));
	part.reserve = mmap(NULL, resize.reserve, PROT_READ, MAP_SHARED, part.fd, 0);
	CHECK(part.reserve != MAP_FAILED);
	EQUAL((unsigned char)part.reserve[0], SECRET);
	expect_zeroes(part.reserve + PAGE, resize.reserve - PAGE, "after growing again");
}

/* The structure of an ioctl, which begins with what the caller gives. */
struct answer {
	const char *name;
	unsigned long cmd;
	size_t size;
	/* Bytes that the caller gives, which may be written back unchanged. */
	size_t given;
};

#define ANSWER(cmd, type, first_out) { #cmd, cmd, sizeof(struct type), offsetof(struct type, first_out) }

#define GUARD 64

/* Calls with a poison in all that is to be written, and behind it. */
static bool call_poisoned(int fd, const struct answer *answer, int poison, unsigned char *buffer)
{
	__u32 size = answer->size;

	memset(buffer + answer->given, poison, answer->size - answer->given + GUARD);
	memcpy(buffer, &size, sizeof(size));
	if (ioctl(fd, answer->cmd, buffer)) {
		/* A lease may end at any time. */
		if (errno != ESTALE && errno != ETIMEDOUT)
			FAIL("%s: %m", answer->name);
		return false;
	}
	for (size_t i = 0; i < GUARD; i++)
		if (buffer[answer->size + i] != poison)
			FAIL("%s: wrote byte %zu behind the structure", answer->name, i);
	return true;
}

/* A byte that is the poison both times was not written. */
static bool expect_answered(int fd, const struct answer *answer, const void *given)
{
	unsigned char first[1024 + GUARD] = "", second[1024 + GUARD] = "";

	CHECK(answer->size + GUARD <= sizeof(first));
	memcpy(first, given, answer->given);
	memcpy(second, given, answer->given);
	if (!call_poisoned(fd, answer, 0xaa, first) || !call_poisoned(fd, answer, 0x55, second))
		return false;
	for (size_t i = answer->given; i < answer->size; i++)
		if (first[i] == 0xaa && second[i] == 0x55)
			FAIL("%s: byte %zu is not answered", answer->name, i);
	return true;
}

TEST(every_byte_of_an_answer_is_answered)
{
	static const struct answer of_device[] = {
		ANSWER(GENP_GET_INFO, genp_info, abi_version),
		ANSWER(GENP_LIST, genp_list, id),
	};
	static const struct answer reports[] = {
		ANSWER(GENP_GET_STAT, genp_stat, name),
		ANSWER(GENP_GET_BOUNDS, genp_bounds, worst_reserve),
		ANSWER(GENP_GET_HISTOGRAM, genp_histogram, count),
	};
	static const struct answer alloc = ANSWER(GENP_ALLOC, genp_alloc, offset);
	static const struct answer borrowed = ANSWER(GENP_BORROW, genp_borrow, offset);
	static const struct answer renewed = ANSWER(GENP_RENEW, genp_renew, expires);
	static const struct answer resized = ANSWER(GENP_RESIZE, genp_resize, windows);
	struct genp_borrow request = { .length = PAGE };
	struct genp_renew renew = {};
	struct part part = create(PAGE, 8 * PAGE);

	for (int i = 0; i < 2; i++)
		CHECK(expect_answered(control(), &of_device[i], (char[64]){}));
	for (int i = 0; i < 3; i++)
		CHECK(expect_answered(part.fd, &reports[i], (char[64]){}));
	CHECK(expect_answered(part.fd, &alloc, &(struct genp_alloc){ .length = 64 }));
	CHECK(expect_answered(part.fd, &resized,
			      &(struct genp_resize){ .reserve = PAGE, .borrow_limit = 8 * PAGE }));
	while (!expect_answered(part.fd, &borrowed, &request))
		;
	do {
		while (borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &request))
			EQUAL(errno, ETIMEDOUT);
		renew.handle = request.handle;
	} while (!expect_answered(part.fd, &renewed, &renew));
}

TEST(a_name_is_told_without_what_followed_it)
{
	struct genp_create request = create_request(PAGE, 0);
	struct genp_stat stat;

	memset(request.name, 'x', sizeof(request.name));
	strcpy(request.name, "short");
	CHECK(!try_create(&request));
	stat = stat_of(request.fd);
	for (size_t i = strlen("short"); i < sizeof(stat.name); i++)
		EQUAL(stat.name[i], 0);
}
