// SPDX-License-Identifier: GPL-2.0
/* Admission, names, rights, and the lifetime of a partition. Contract lines 1, 2, 9. */
#include <grp.h>
#include <sys/socket.h>

#include "genp_test.h"

static struct genp_create named(const char *name, __u32 mode)
{
	struct genp_create request = create_request(2 * PAGE, PAGE);

	strcpy(request.name, name);
	request.mode = mode;
	return request;
}

static int open_named(int fd, const char *name)
{
	struct genp_open request = { .size = sizeof(request) };

	strcpy(request.name, name);
	return ioctl(fd, GENP_OPEN, &request) ? -1 : request.fd;
}

TEST(reserves_never_exceed_the_capacity)
{
	struct genp_info before = info();
	struct genp_create all = create_request(before.free, 0), more = create_request(PAGE, 0);
	struct genp_create lends = create_request(0, PAGE);
	struct part part = create_from(all), borrower;
	struct genp_borrow lease;

	ERRNO(try_create(&more), ENOSPC);
	borrower = create_from(lends);
	ERRNO(borrow(borrower.fd, PAGE, GENP_NO_WAIT, 0, &lease), EAGAIN);
	/* Every page of it can be written. */
	memset(part.reserve, 0x5a, before.free);
	drop(&part);
	drop(&borrower);
	expect_idle(&before);
}

TEST(lent_frames_cannot_be_committed)
{
	struct genp_info before = info();
	struct part borrower = create(0, PAGE);
	struct genp_create all = create_request(before.free, 0);
	struct genp_borrow lease;

	CHECK(!borrow(borrower.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	ERRNO(try_create(&all), ENOSPC);
	CHECK(!give_back(borrower.fd, lease.handle));
	CHECK(!try_create(&all));
}

TEST(partitions_are_limited)
{
	struct genp_info before = info();
	__u32 count = before.max_partitions - before.partitions;
	struct genp_create request = create_request(PAGE, 0);
	int fds[256];

	for (__u32 i = 0; i < count; i++) {
		request = create_request(PAGE, 0);
		CHECK(!try_create(&request));
		fds[i] = request.fd;
	}
	request = create_request(PAGE, 0);
	ERRNO(try_create(&request), ENOSPC);
	for (__u32 i = 0; i < count; i++)
		close(fds[i]);
	expect_idle(&before);
}

TEST(a_refused_create_leaves_nothing)
{
	struct genp_info before = info();
	struct genp_create first = named("taken", 0), second = named("taken", 0);

	CHECK(!try_create(&first));
	ERRNO(try_create(&second), EEXIST);
	close(first.fd);
	EVENTUALLY(info().partitions == before.partitions);
	expect_idle(&before);
}

TEST(a_name_is_free_again_after_the_end)
{
	struct genp_create request = named("again", 0);
	int fd = control();

	CHECK(!try_create(&request));
	close(request.fd);
	ERRNO(open_named(fd, "again"), ENOENT);
	request = named("again", 0);
	CHECK(!try_create(&request));
	CHECK(!destroy(request.fd));
	ERRNO(open_named(fd, "again"), ENOENT);
	request = named("again", 0);
	CHECK(!try_create(&request));
}

TEST(an_opened_partition_is_the_same_one)
{
	struct genp_create request = named("shared", 0);
	struct part part, again;
	struct genp_open open_ask = { .size = sizeof(open_ask), .name = "shared" };
	struct genp_alloc alloc;
	int fd = control();

	request.flags = GENP_CREATE_MULTIMAP;
	part = create_from(request);
	CHECK(!ioctl(fd, GENP_OPEN, &open_ask));
	again.fd = open_ask.fd;
	again.windows = open_ask.windows;
	map(&again);
	CHECK(again.fd != part.fd);
	strcpy(part.reserve, "hello");
	EQUAL(strcmp(again.reserve, "hello"), 0);
	CHECK(!region(again.fd, 64, 0, &alloc));
	EQUAL(stat_of(part.fd).regions, 1);
	EQUAL(fcntl(again.fd, F_GETFD), FD_CLOEXEC);
	EQUAL(fcntl(part.fd, F_GETFD), FD_CLOEXEC);
}

static int as_user(uid_t uid, gid_t gid, int fd, const char *name)
{
	pid_t pid = child();
	int status;

	if (!pid) {
		if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
			_exit(99);
		_exit(open_named(fd, name) >= 0 ? 0 : errno);
	}
	status = reap(pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(rights_are_those_of_the_mode)
{
	struct genp_create mine = named("mine", 0), ours = named("ours", 0660);
	struct genp_create theirs = named("theirs", 0606), all = named("all", 0666);
	int fd = control();

	CHECK(!try_create(&mine) && !try_create(&ours) && !try_create(&theirs) &&
	      !try_create(&all));
	EQUAL(as_user(1000, 1000, fd, "mine"), EACCES);
	EQUAL(as_user(1000, 1000, fd, "ours"), EACCES);
	EQUAL(as_user(1000, 0, fd, "ours"), 0);
	EQUAL(as_user(1000, 1000, fd, "theirs"), 0);
	EQUAL(as_user(1000, 0, fd, "theirs"), EACCES);
	EQUAL(as_user(1000, 1000, fd, "all"), 0);
	EQUAL(as_user(0, 0, fd, "mine"), 0);
}

static void send_fd(int socket, int fd)
{
	char control_data[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control_data, .msg_controllen = sizeof(control_data),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
	EQUAL(sendmsg(socket, &message, 0), 1);
}

static int receive_fd(int socket)
{
	char control_data[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control_data, .msg_controllen = sizeof(control_data),
	};
	int fd;

	EQUAL(recvmsg(socket, &message, 0), 1);
	CHECK(CMSG_FIRSTHDR(&message));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	return fd;
}

TEST(a_passed_partition_outlives_its_creator)
{
	struct genp_info before = info();
	struct part part;
	int sockets[2];
	pid_t pid;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = child();
	if (!pid) {
		part = create(4 * PAGE, 4 * PAGE);
		strcpy(part.reserve, "left behind");
		send_fd(sockets[1], part.fd);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
	part.fd = receive_fd(sockets[0]);
	/* GENP_GET_STAT gives the windows. */
	part.windows = stat_of(part.fd).windows;
	map(&part);
	EQUAL(strcmp(part.reserve, "left behind"), 0);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &(struct genp_borrow){}));
	EQUAL(info().partitions, before.partitions + 1);
	drop(&part);
	expect_idle(&before);
}

TEST(one_partition_does_not_feel_another)
{
	struct part greedy = create(4 * PAGE, 0), modest = create(4 * PAGE, 0);
	struct genp_alloc alloc;
	int count = 0;

	while (!region(greedy.fd, 64, 0, &alloc))
		count++;
	EQUAL(errno, ENOMEM);
	CHECK(count > 0);
	CHECK(!region(modest.fd, 4 * PAGE, 0, &alloc));
	/* A handle of one partition is not valid in the other. */
	CHECK(by_handle(greedy.fd, GENP_FREE, alloc.handle) ||
	      stat_of(greedy.fd).regions == (unsigned int)count - 1);
	EQUAL(stat_of(modest.fd).regions, 1);
	CHECK(!by_handle(modest.fd, GENP_FREE, alloc.handle));
}

TEST(a_mapping_keeps_the_partition)
{
	struct genp_info before = info();
	struct part part = create(4 * PAGE, 0);

	close(part.fd);
	EQUAL(info().partitions, before.partitions + 1);
	memset(part.reserve, 7, 4 * PAGE);
	CHECK(!munmap(part.reserve, 4 * PAGE));
	expect_idle(&before);
}
