// SPDX-License-Identifier: GPL-2.0
/*
 * A program that genpctl create starts has a partition that it can allocate from. Without
 * one from there, the tests make it themselves, as genpctl does.
 */
#include "genp_test.h"
#include <genp.h>

#define RESERVE (1 << 20)

/* In GENP_FD, as genpctl leaves it. */
static int given(void)
{
	struct genp_create request = create_request(RESERVE, 0);
	char number[16];

	CHECK(!try_create(&request));
	CHECK(!fcntl(request.fd, F_SETFD, 0));
	snprintf(number, sizeof(number), "%d", request.fd);
	CHECK(!setenv("GENP_FD", number, 1));
	return request.fd;
}

TEST(a_given_partition_has_a_heap)
{
	int fd = given();
	genp_partition_t *part = genp_inherited();
	char *block;

	CHECK(part);
	block = genp_alloc(part, RESERVE / 2);
	CHECK(block);
	memset(block, 1, RESERVE / 2);
	CHECK(!genp_free(block));
	/* Programs that this one starts do not get it. */
	ERRNO(fcntl(fd, F_GETFD), EBADF);
	CHECK(fcntl(genp_partition_fd(part), F_GETFD) & FD_CLOEXEC);
	CHECK(!genp_inherited());
	EQUAL(errno, EBADF);
	CHECK(!genp_destroy(part));
	EVENTUALLY(info().partitions == 0);
}

TEST(without_one_there_is_none)
{
	char number[16];
	int other = control();

	unsetenv("GENP_FD");
	CHECK(!genp_inherited());
	EQUAL(errno, ENOENT);
	CHECK(!setenv("GENP_FD", "x", 1));
	CHECK(!genp_inherited());
	EQUAL(errno, EBADF);
	snprintf(number, sizeof(number), "%d", other);
	CHECK(!setenv("GENP_FD", number, 1));
	CHECK(!genp_inherited());
	EQUAL(errno, ENOTTY);
	/* What is not a partition's stays open. */
	CHECK(fcntl(other, F_GETFD) >= 0);
}

TEST(who_has_regions_there_keeps_them)
{
	struct genp_alloc alloc;
	int fd = given();

	CHECK(!region(fd, PAGE, 0, &alloc));
	CHECK(!genp_inherited());
	EQUAL(errno, ENOMEM);
	CHECK(!by_handle(fd, GENP_FREE, alloc.handle));
	CHECK(genp_inherited());
}
