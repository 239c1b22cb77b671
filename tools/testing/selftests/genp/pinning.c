// SPDX-License-Identifier: GPL-2.0
/*
 * No process keeps the module or memory beyond its own end: whatever it did with a
 * partition, once it is dead the partition is gone and the module can be unloaded.
 * Contract line 9.
 */
#include <linux/io_uring.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "module.h"

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

/* In flight in a socket that nobody reads. */
static void in_a_socket(struct part *part)
{
	int sockets[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	send_fd(sockets[0], part->fd);
	close(part->fd);
}

/* In flight in sockets that are in flight in each other: only garbage collection ends it. */
static void in_a_socket_in_itself(struct part *part)
{
	int sockets[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	send_fd(sockets[0], part->fd);
	send_fd(sockets[0], sockets[0]);
	send_fd(sockets[0], sockets[1]);
	send_fd(sockets[1], sockets[0]);
	send_fd(sockets[1], part->fd);
	close(part->fd);
	close(sockets[0]);
	close(sockets[1]);
}

static void as_mappings_alone(struct part *part)
{
	close(part->fd);
}

static void in_an_epoll_set(struct part *part)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLPRI | EPOLLET };
	int inner = epoll_create1(0), outer = epoll_create1(0);

	CHECK(inner >= 0 && outer >= 0);
	CHECK(!epoll_ctl(inner, EPOLL_CTL_ADD, part->fd, &event));
	CHECK(!epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event));
	close(part->fd);
}

static void with_an_eventfd(struct part *part)
{
	struct genp_eventfd listen = { .size = sizeof(listen), .mask = 1, .fd = eventfd(0, 0) };

	CHECK(listen.fd >= 0);
	CHECK(!ioctl(part->fd, GENP_SET_EVENTFD, &listen));
}

/* Registered with a ring, and the ring in flight as well. */
static void in_a_ring(struct part *part)
{
	struct io_uring_params params = {};
	int ring = syscall(SYS_io_uring_setup, 4, &params), fds[2] = { part->fd, -1 };

	if (ring < 0)
		/* Not every kernel has them. */
		return;
	CHECK(!syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, fds, 2));
	close(part->fd);
}

/* With a poll in it that never completes. */
static void in_a_waiting_ring(struct part *part)
{
	struct io_uring_params params = {};
	int ring = syscall(SYS_io_uring_setup, 4, &params);
	struct io_uring_sqe *entries;
	char *queue;

	if (ring < 0)
		return;
	queue = mmap(NULL, params.sq_off.array + params.sq_entries * sizeof(__u32),
		     PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	entries = mmap(NULL, params.sq_entries * sizeof(*entries), PROT_READ | PROT_WRITE,
		       MAP_SHARED, ring, IORING_OFF_SQES);
	CHECK(queue != MAP_FAILED && (void *)entries != MAP_FAILED);
	entries[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_POLL_ADD,
		.fd = part->fd,
		.poll_events = POLLHUP,
	};
	*(__u32 *)(queue + params.sq_off.array) = 0;
	*(__u32 *)(queue + params.sq_off.tail) = 1;
	EQUAL(syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0), 1);
	close(part->fd);
}

static void wait_for(int ready, size_t count)
{
	char byte;

	while (count--)
		EQUAL(read(ready, &byte, 1), 1);
}

/*
 * With children that have it too, one of them reading, one of them waiting. They signal
 * that they run: only then is it certain that they die with their parent.
 */
static void in_children(struct part *part)
{
	int ready[2];

	CHECK(!pipe(ready));
	if (!child()) {
		struct genp_event event;

		EQUAL(write(ready[1], "", 1), 1);
		(void)!read(part->fd, &event, sizeof(event));
		pause();
	}
	if (!child()) {
		struct genp_borrow more;

		EQUAL(write(ready[1], "", 1), 1);
		borrow(part->fd, 4 * PAGE, GENP_WAIT_FOREVER, 0, &more);
		pause();
	}
	wait_for(ready[0], 2);
}

static const struct {
	const char *name;
	void (*keep)(struct part *part);
} ways[] = {
	{ "in flight", in_a_socket },
	{ "in flight in a circle", in_a_socket_in_itself },
	{ "mappings alone", as_mappings_alone },
	{ "epoll", in_an_epoll_set },
	{ "eventfd", with_an_eventfd },
	{ "io_uring, registered", in_a_ring },
	{ "io_uring, waiting", in_a_waiting_ring },
	{ "children", in_children },
};

#define WAYS (sizeof(ways) / sizeof(*ways))

/* A process that keeps a partition in some way until it is killed. */
static pid_t start(size_t way, int ready)
{
	pid_t pid = child();

	if (!pid) {
		struct part part = create(4 * PAGE, 4 * PAGE);
		struct genp_borrow lease;

		memset(part.reserve, 1, 4 * PAGE);
		borrow(part.fd, 4 * PAGE, GENP_NO_WAIT, 0, &lease);
		ways[way].keep(&part);
		EQUAL(write(ready, "", 1), 1);
		for (;;)
			pause();
	}
	return pid;
}

/* The kernel collects such cycles when a socket of this kind is closed. */
static void close_a_socket(void)
{
	int sockets[2];

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	close(sockets[0]);
	close(sockets[1]);
}

TEST(the_dead_keep_nothing)
{
	struct genp_info before = info();

	for (size_t way = 0; way < WAYS; way++) {
		int ready[2];
		pid_t pid;

		CHECK(!pipe(ready));
		pid = start(way, ready[1]);
		close(ready[1]);
		wait_for(ready[0], 1);
		printf("# %s: %u partitions\n", ways[way].name, info().partitions);
		fflush(stdout);
		CHECK(!kill(pid, SIGKILL));
		reap(pid);
		close_a_socket();
		expect_idle(&before);
		close(ready[0]);
	}
}

TEST(the_module_goes_when_all_are_dead)
{
	pid_t pids[WAYS];
	int ready[2];

	read_parameters();
	CHECK(!pipe(ready));
	for (size_t way = 0; way < WAYS; way++)
		pids[way] = start(way, ready[1]);
	close(ready[1]);
	wait_for(ready[0], WAYS);
	/* The module cannot be unloaded while it is in use. */
	CHECK(try_unload() && (errno == EBUSY || errno == EAGAIN || errno == EWOULDBLOCK));
	for (size_t way = 0; way < WAYS; way++)
		CHECK(!kill(pids[way], SIGKILL));
	for (size_t way = 0; way < WAYS; way++)
		reap(pids[way]);
	close_a_socket();
	EVENTUALLY(!try_unload());
	CHECK(access(GENP_DEVICE_PATH, F_OK));
	CHECK(!load_with(parameters));
	EQUAL(info().partitions, 0);
}
