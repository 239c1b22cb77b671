// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors with fewer rights by libgenp: what they allow is mapped, the rest is EACCES, and
 * to open one counts as no misuse.
 */
#include <stdint.h>
#include <sys/stat.h>

#include "genp_test.h"
#include <genp.h>

#define RESERVE (64 * PAGE)

static genp_partition_t *whole;

/* The partition, open a second time with these rights. */
static genp_partition_t *with(__u32 rights)
{
	uint32_t had = ~0U;
	int fd = genp_restrict(whole, rights);
	genp_partition_t *part;

	CHECK(fd >= 0);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	part = genp_from_fd(fd);
	CHECK(part);
	CHECK(!genp_get_rights(part, &had));
	EQUAL(had, rights);
	return part;
}

static void make(void)
{
	struct genp_create request = create_request(RESERVE, 4 * PAGE);

	request.flags = GENP_CREATE_MULTIMAP;
	request.mode = 0604;
	strcpy(request.name, "library");
	whole = genp_create_from(&request);
	CHECK(whole);
}

static __u64 misuses(void)
{
	return stat_of(genp_partition_fd(whole)).misuses;
}

/* The kernel writes there as little as the program may. */
static void expect_read_only(char *at)
{
	int pipes[2];

	CHECK(!pipe(pipes) && write(pipes[1], "x", 1) == 1);
	ERRNO(read(pipes[0], at, 1), EFAULT);
}

TEST(rights_are_those_that_were_given)
{
	uint32_t rights = 0;

	make();
	CHECK(!genp_get_rights(whole, &rights));
	EQUAL(rights, GENP_RIGHTS_ALL);
	for (rights = 0; rights <= GENP_RIGHTS_ALL; rights++) {
		genp_partition_t *part = with(rights);

		for (__u32 more = 1; more <= GENP_RIGHT_MANAGE; more <<= 1)
			if (!(rights & more))
				ERRNO(genp_restrict(part, rights | more), EACCES);
		/* It is not the one who ends it. */
		CHECK(!genp_destroy(part));
	}
	ERRNO(genp_restrict(whole, GENP_RIGHTS_ALL + 1), EINVAL);
	ERRNO(genp_restrict(NULL, 0), EINVAL);
	ERRNO(genp_get_rights(whole, NULL), EINVAL);
	CHECK(!genp_destroy(whole));
}

TEST(to_open_with_any_rights_is_no_misuse)
{
	make();
	for (__u32 rights = 0; rights <= GENP_RIGHTS_ALL; rights++)
		CHECK(!genp_destroy(with(rights)));
	EQUAL(misuses(), 0);
}

TEST(a_reader_reads)
{
	genp_partition_t *part;
	char *block, *seen;
	uint64_t offset;
	size_t length;

	make();
	part = with(0);
	block = genp_alloc(whole, 100);
	CHECK(block && !genp_offset(whole, block, &offset));
	strcpy(block, "seen");
	CHECK(genp_reserve(part, &length) && length == RESERVE);
	seen = genp_at(part, offset, 100);
	CHECK(seen && seen != block && !strcmp(seen, "seen"));
	expect_read_only(seen);
	CHECK(!genp_alloc(part, 16) && errno == ENOMEM);
	CHECK(!genp_borrow(part, PAGE, 0) && errno == EACCES);
	ERRNO(genp_share_heap(part, 0), EACCES);
	ERRNO(genp_set_borrow_limit(part, 0), EACCES);
	ERRNO(genp_set_eventfd(part, -1, 0), EACCES);
	CHECK(!genp_destroy(part));
	CHECK(!strcmp(block, "seen"));
}

TEST(who_may_borrow_borrows)
{
	genp_partition_t *part;
	char *lease;

	make();
	part = with(GENP_RIGHT_WRITE | GENP_RIGHT_BORROW);
	lease = genp_borrow(part, PAGE, 1000);
	CHECK(lease);
	lease[0] = 'b';
	CHECK(!genp_return(lease));
	EQUAL(misuses(), 0);
	/* Without that to write, for whoever fills it otherwise. */
	part = with(GENP_RIGHT_BORROW);
	lease = genp_borrow(part, PAGE, 1000);
	CHECK(lease);
	EQUAL(lease[0], 0);
	expect_read_only(lease);
	CHECK(!genp_return(lease));
}

/* As an ordinary user. */
static void read_it(void)
{
	genp_partition_t *part;
	char *reserve;

	CHECK(!setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000));
	part = genp_open_read_only("library");
	CHECK(part);
	reserve = genp_reserve(part, NULL);
	CHECK(reserve && reserve[RESERVE - 2 * PAGE] == 'l');
	ERRNO(genp_restrict(part, GENP_RIGHT_WRITE), EACCES);
	CHECK(!genp_open("library") && errno == EACCES);
}

TEST(who_may_read_opens_it_for_that)
{
	char *reserve;
	pid_t pid;

	make();
	reserve = genp_reserve(whole, NULL);
	reserve[RESERVE - 2 * PAGE] = 'l';
	CHECK(!chmod(GENP_DEVICE_PATH, 0666));
	pid = child();
	if (!pid) {
		read_it();
		_exit(0);
	}
	EQUAL(reap(pid), 0);
	CHECK(!chmod(GENP_DEVICE_PATH, 0600));
	EQUAL(misuses(), 1);
	CHECK(!genp_open_read_only("none") && errno == ENOENT);
	CHECK(!genp_open_read_only(NULL) && errno == EINVAL);
}

/* As by "genpctl create --restrict". */
static genp_partition_t *given(__u32 rights)
{
	int fd = genp_restrict(whole, rights);
	char number[16];

	CHECK(fd >= 0);
	snprintf(number, sizeof(number), "%d", fd);
	CHECK(!setenv("GENP_FD", number, 1));
	return genp_inherited();
}

TEST(a_program_is_started_with_less)
{
	struct genp_create request = create_request(RESERVE, 4 * PAGE);
	genp_partition_t *part;
	char *block;

	request.flags = GENP_CREATE_MULTIMAP;
	CHECK(!try_create(&request));
	whole = genp_from_fd(request.fd);
	CHECK(whole);
	part = given(GENP_RIGHT_WRITE);
	CHECK(part && !genp_alloc(part, 16) && errno == ENOMEM);
	CHECK(!genp_destroy(part));
	part = given(GENP_RIGHT_WRITE | GENP_RIGHT_ALLOC);
	CHECK(part);
	block = genp_alloc(part, RESERVE / 2);
	CHECK(block);
	memset(block, 1, RESERVE / 2);
	CHECK(!genp_free(block));
	EQUAL(misuses(), 0);
	/* Which it does not end. */
	CHECK(!genp_destroy(part));
	CHECK(!stat_of(genp_partition_fd(whole)).dying);
	EQUAL(misuses(), 0);
}

TEST(a_forked_child_hands_less_on)
{
	pid_t pid;

	make();
	pid = child();
	if (!pid) {
		int fd = genp_restrict(whole, 0);
		struct genp_alloc alloc;

		CHECK(fd >= 0);
		ERRNO(region(fd, 64, 0, &alloc), EACCES);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
}
