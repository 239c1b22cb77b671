// SPDX-License-Identifier: GPL-2.0
/*
 * Who was given a descriptor with few rights, and wants more: rights by detours of the
 * kernel, bytes by the calls that write to memory, what the owner needs for himself, and
 * references that race. Contract lines 2, 9 and 10.
 */
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "genp_test.h"

static int restricted(int fd, __u32 rights)
{
	struct genp_restrict request = { .size = sizeof(request), .rights = rights };

	return ioctl(fd, GENP_RESTRICT, &request) ? -1 : request.fd;
}

static void *map_window(int fd, int protection, __u64 length, __u64 offset)
{
	return mmap(NULL, length, protection, MAP_SHARED, fd, offset);
}

static char *view(int fd, int protection)
{
	struct genp_windows windows = stat_of(fd).windows;
	char *at = map_window(fd, protection, windows.reserve_length, windows.reserve_offset);

	CHECK(at != MAP_FAILED);
	return at;
}

/* A partition whose reserve is as long as its lease window, not mapped. */
static int create_even(struct genp_windows *windows)
{
	struct genp_create request = create_request(PAGE, PAGE);

	CHECK(!try_create(&request));
	close(request.fd);
	request = create_request(request.windows.lease_length, PAGE);
	CHECK(!try_create(&request));
	*windows = request.windows;
	EQUAL(windows->lease_length, windows->reserve_length);
	return request.fd;
}

/*
 * remap_file_pages() maps what a mapping holds once more, elsewhere in the file: with the
 * rights of the descriptor that it was made by.
 */
TEST(remapped_pages_are_of_no_other_window)
{
	for (__u32 rights = 0; rights <= GENP_RIGHTS_ALL; rights++) {
		struct genp_windows windows;
		int fd = create_even(&windows), given = restricted(fd, rights);
		bool writes = rights & GENP_RIGHT_WRITE, borrows = rights & GENP_RIGHT_BORROW;
		char *at = view(given, PROT_READ | (writes ? PROT_WRITE : 0));
		int err = remap_file_pages(at, windows.lease_length, 0,
					   windows.lease_offset / PAGE, 0);

		if (!err && !(writes && borrows))
			FAIL("with the rights %#x", rights);
		close(given);
		munmap(at, windows.lease_length);
		/* The owner's place is still his. */
		CHECK(map_window(fd, PROT_READ, windows.lease_length, windows.lease_offset) !=
		      MAP_FAILED);
		close(fd);
	}
}

/* Nor does it make a mapping for reading one that can be written to. */
TEST(remapped_pages_are_not_writable)
{
	struct part part = create(PAGE, 0);
	char *seen = view(restricted(part.fd, 0), PROT_READ);

	remap_file_pages(seen, PAGE, 0, part.windows.reserve_offset / PAGE, 0);
	ERRNO(mprotect(seen, PAGE, PROT_READ | PROT_WRITE), EACCES);
}

/* As a descriptor with all rights it is named, and in core dumps. */
TEST(its_mappings_have_the_name_of_the_partition)
{
	struct genp_create request = create_request(PAGE, 0);
	char line[256], wanted[32];
	bool named = false;
	FILE *maps;
	char *at;

	strcpy(request.name, "attacked");
	CHECK(!try_create(&request));
	at = view(restricted(request.fd, GENP_RIGHT_WRITE), PROT_READ | PROT_WRITE);
	maps = fopen("/proc/self/maps", "r");
	CHECK(maps);
	snprintf(wanted, sizeof(wanted), "%lx-", (unsigned long)at);
	while (fgets(line, sizeof(line), maps))
		named |= !strncmp(line, wanted, strlen(wanted)) && strstr(line, "[genp:attacked]");
	CHECK(named);
}

/* Stated in tuning.rst: what a wake-up is charged. */
#define WAKE_NS 2000
#define MOST 64

static int epoll_with(int fd)
{
	struct epoll_event edge = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	CHECK(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &edge));
	return epoll;
}

/*
 * Who has not the right to events may look whether there are any; but he takes none of the
 * places of those who are woken first, and nobody is charged for him.
 */
TEST(who_only_looks_costs_the_owner_nothing)
{
	struct part part = create(0, 8 * PAGE);
	struct genp_bounds bounds = { .size = sizeof(bounds) };
	int given = restricted(part.fd, 0);
	__u64 events;

	for (int i = 0; i < MOST; i++)
		epoll_with(given);
	CHECK(!ioctl(part.fd, GENP_GET_BOUNDS, &bounds));
	events = bounds.recall_burst_ns / (2 * (GENP_RECALL_END_NS + WAKE_NS));
	/* Each takes all of the budget, which is an event. */
	for (__u64 i = 0; i < events; i++) {
		struct pollfd ask = { .fd = part.fd, .events = POLLIN };
		struct genp_event event;
		struct genp_borrow lease;

		if (borrow(part.fd, 8 * PAGE, GENP_NO_WAIT, 0, &lease)) {
			if (errno == EAGAIN)
				FAIL("refused after %llu of %llu events", i, events);
			continue;
		}
		EQUAL(poll(&ask, 1, 60000), 1);
		EQUAL(read(part.fd, &event, sizeof(event)), sizeof(event));
		CHECK(!give_back(part.fd, lease.handle) || errno == ESTALE);
	}
	EQUAL(stat_of(part.fd).pace_refusals, 0);
}

/* ... and is told all the same. */
TEST(who_only_looks_is_told)
{
	struct part part = create(0, 8 * PAGE);
	int given = restricted(part.fd, 0), epoll = epoll_with(given);
	struct epoll_event event;
	struct genp_borrow lease;

	EQUAL(epoll_wait(epoll, &event, 1, 0), 0);
	CHECK(!borrow(part.fd, 8 * PAGE, GENP_NO_WAIT, 0, &lease));
	EQUAL(epoll_wait(epoll, &event, 1, 60000), 1);
	CHECK(event.events & EPOLLIN);
	CHECK(!destroy(part.fd));
	EVENTUALLY(epoll_wait(epoll, &event, 1, 0) == 1 && event.events & EPOLLHUP);
}

static long futex(void *word, int op, unsigned int value)
{
	struct timespec at_once = { 0, 1 };

	return syscall(SYS_futex, word, op, value, &at_once, NULL, ~0U);
}

/* A thread leaves words behind that the kernel would write to when it ends. */
static void *end_with_words(void *data)
{
	static struct robust_list_head head;
	char *seen = data;

	head.list.next = (void *)seen;
	head.futex_offset = 64;
	head.list_op_pending = (void *)(seen + 128);
	syscall(SYS_set_robust_list, &head, sizeof(head));
	syscall(SYS_set_tid_address, seen + 64);
	return NULL;
}

TEST(the_kernel_writes_no_futex_for_a_reader)
{
	struct part part = create(PAGE, 0);
	char *seen = view(restricted(part.fd, GENP_RIGHTS_ALL & ~GENP_RIGHT_WRITE), PROT_READ);
	pid_t pid;

	CHECK(futex(seen, FUTEX_LOCK_PI, 0) < 0);
	CHECK(futex(seen, FUTEX_TRYLOCK_PI, 0) < 0);
	CHECK(futex(seen, FUTEX_UNLOCK_PI, 0) < 0);
	EQUAL(*(int *)part.reserve, 0);
	pid = child();
	if (!pid) {
		char *own = view(restricted(part.fd, 0), PROT_READ);

		end_with_words(own);
		_exit(0);
	}
	/* It is the owner of the lock, so that its end would be written there. */
	*(int *)(part.reserve + 64) = pid;
	EQUAL(reap(pid), 0);
	EQUAL(*(int *)(part.reserve + 64), pid);
	EQUAL(*(int *)(part.reserve + 128), 0);
}

/* Stated in abi-rights.rst, so that nobody relies on the contrary. */
TEST(a_reader_may_wait_on_a_futex)
{
	struct part part = create(PAGE, 0);
	pid_t pid = child();

	if (!pid) {
		char *seen = view(restricted(part.fd, 0), PROT_READ);

		_exit(syscall(SYS_futex, seen, FUTEX_WAIT, 0, NULL, NULL, 0) != 0);
	}
	EVENTUALLY(futex(part.reserve, FUTEX_WAKE, 1) == 1);
	EQUAL(reap(pid), 0);
}

/* The ways of writing that have no test in rights.c. */
TEST(no_advice_and_no_buffer_writes)
{
	struct part part = create(2 * PAGE, 0);
	int given = restricted(part.fd, GENP_RIGHTS_ALL & ~GENP_RIGHT_WRITE), fds[2], ring;
	char *seen = view(given, PROT_READ), *twin;
	struct io_uring_params params = {};
	struct iovec buffer = { seen, PAGE };

	part.reserve[0] = 'o';
	CHECK(madvise(seen, PAGE, MADV_POPULATE_WRITE));
	CHECK(madvise(seen, PAGE, MADV_REMOVE));
	madvise(seen, 2 * PAGE, MADV_DONTNEED);
	madvise(seen, 2 * PAGE, MADV_FREE);
	/* A copy of a mapping, and a part that is moved. */
	twin = mremap(seen, 0, PAGE, MREMAP_MAYMOVE);
	if (twin != MAP_FAILED)
		ERRNO(mprotect(twin, PAGE, PROT_READ | PROT_WRITE), EACCES);
	twin = map_window(given, PROT_NONE, 2 * PAGE, part.windows.reserve_offset);
	if (twin != MAP_FAILED)
		ERRNO(mprotect(twin, PAGE, PROT_WRITE), EACCES);
	/* Pages that a pipe holds are not written to by who writes to the pipe next. */
	CHECK(!pipe(fds));
	if (vmsplice(fds[1], &(struct iovec){ seen, 1 }, 1, SPLICE_F_GIFT) == 1)
		EQUAL(write(fds[1], "xxxx", 4), 4);
	ring = syscall(SYS_io_uring_setup, 4, &params);
	if (ring >= 0)
		CHECK(syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1));
	EQUAL(part.reserve[0], 'o');
	EQUAL(part.reserve[1], 0);
}

TEST(what_is_cut_off_is_cut_off_for_a_reader_too)
{
	struct part part = create(4 * PAGE, 0);
	struct genp_resize less = { .size = sizeof(less), .reserve = PAGE };
	int given = restricted(part.fd, 0), writer = restricted(part.fd, GENP_RIGHT_WRITE);
	char *seen = view(given, PROT_READ), *own = view(writer, PROT_READ | PROT_WRITE);
	struct part next;

	CHECK(!is_gone(seen + 3 * PAGE) && !is_gone(own + 3 * PAGE));
	CHECK(!ioctl(part.fd, GENP_RESIZE, &less));
	next = create(info().free, 0);
	memset(next.reserve, 's', next.windows.reserve_length);
	for (int page = 1; page < 4; page++) {
		CHECK(madvise(seen + page * PAGE, PAGE, MADV_POPULATE_READ));
		CHECK(is_gone(seen + page * PAGE) && is_gone(own + page * PAGE));
	}
	EQUAL(seen[0], 0);
}

/* What all threads race with: a number that is closed and made anew all the time. */
static int racing = -1, shared_fd = -1;
static atomic_bool over;

static void *race(void *data)
{
	unsigned int seed = (uintptr_t)data;

	while (!over) {
		struct genp_stat stat = { .size = sizeof(stat) };
		struct pollfd ask = { .fd = racing, .events = POLLIN };
		struct genp_event event;
		void *at;

		switch (rand_r(&seed) % 6) {
		case 0:
			close(restricted(racing, rand_r(&seed) & GENP_RIGHTS_ALL));
			break;
		case 1:
			at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, racing, 0);
			if (at != MAP_FAILED)
				munmap(at, PAGE);
			break;
		case 2:
			poll(&ask, 1, 0);
			break;
		case 3:
			(void)!read(racing, &event, sizeof(event));
			break;
		case 4:
			ioctl(racing, GENP_GET_STAT, &stat);
			break;
		case 5:
			close(dup(racing));
			break;
		}
	}
	return NULL;
}

#define RACERS 6

/* Without another reference than theirs, and destroyed in the middle. */
TEST(the_last_reference_races_with_all_calls)
{
	struct genp_info before = info();
	pthread_t threads[RACERS];

	racing = open("/dev/null", O_RDONLY);
	for (uintptr_t i = 0; i < RACERS; i++)
		CHECK(!pthread_create(&threads[i], NULL, race, (void *)(i + 1)));
	for (int i = 0; i < 300; i++) {
		struct genp_create request = create_request(PAGE, PAGE);

		CHECK(!try_create(&request));
		shared_fd = restricted(request.fd, GENP_RIGHTS_ALL);
		CHECK(shared_fd >= 0);
		CHECK(!fcntl(shared_fd, F_SETFL, O_NONBLOCK));
		close(request.fd);
		EQUAL(dup2(shared_fd, racing), racing);
		if (i % 2)
			CHECK(!destroy(shared_fd));
		close(shared_fd);
	}
	over = true;
	for (int i = 0; i < RACERS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	close(racing);
	expect_idle(&before);
}

static void send_fds(int socket, int *fds, size_t count)
{
	char data[CMSG_SPACE(3 * sizeof(int))] = "", byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = data, .msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	EQUAL(sendmsg(socket, &message, 0), 1);
}

/* In flight in a socket that is in flight in itself, and the last reference. */
TEST(in_flight_it_keeps_nothing_for_ever)
{
	struct genp_info before = info();
	struct genp_create request = create_request(PAGE, PAGE);
	int sockets[2], fds[3];

	CHECK(!try_create(&request));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	fds[0] = restricted(request.fd, 0);
	fds[1] = sockets[0];
	fds[2] = sockets[1];
	epoll_with(fds[0]);
	send_fds(sockets[0], fds, 3);
	send_fds(sockets[1], fds, 3);
	close(request.fd);
	closefrom(3);
	/* The kernel collects such cycles when a socket of this kind is closed. */
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	closefrom(3);
	expect_idle(&before);
}
