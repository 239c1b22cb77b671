// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation of every call fails in turn: each time the call returns ENOMEM or
 * succeeds, nothing has changed after an error, and the next attempt succeeds. Contract
 * lines 9, 10 and 11. The run of the debug kernel checks for leaks at its end.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "fail_each.h"

static void prepare(void)
{
	device = control();
	nth_prepare();
}

static void nothing(void)
{
}

static int run_create(void)
{
	struct genp_create copy = request;
	int err = ioctl(device, GENP_CREATE, &copy);

	made = copy.fd;
	return err;
}

static void close_made(void)
{
	CHECK(!close(made));
}

TEST(creation)
{
	prepare();
	request = create_request(PAGES * PAGE, PAGES * PAGE);
	FAIL_EACH(5, "create", run_create, close_made);
	request = create_request(0, PAGES * PAGE);
	FAIL_EACH(4, "create without a reserve", run_create, close_made);
	request = create_request(PAGES * PAGE, PAGES * PAGE);
	strcpy(request.name, "faulty");
	request.max_regions = 4096;
	request.max_leases = 64;
	FAIL_EACH(5, "create with a name and large tables", run_create, close_made);
	nth_finish();
}

static int run_open(void)
{
	struct genp_open open_ask = { .size = sizeof(open_ask), .name = "faulty" };
	int err = ioctl(device, GENP_OPEN, &open_ask);

	made = open_ask.fd;
	return err;
}

static int run_device(void)
{
	made = open(GENP_DEVICE_PATH, O_RDWR);
	return made < 0 ? -1 : 0;
}

TEST(open_by_name_and_the_device)
{
	prepare();
	request = create_request(PAGE, 0);
	strcpy(request.name, "faulty");
	subject = create_from(request);
	FAIL_EACH(0, "open", run_open, close_made);
	FAIL_EACH(2, "open of the device", run_device, close_made);
	nth_finish();
}

static int run_map(__u64 length, __u64 offset)
{
	mapped = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, subject.fd, offset);
	return mapped == MAP_FAILED ? -1 : 0;
}

static int run_map_reserve(void)
{
	return run_map(subject.windows.reserve_length, subject.windows.reserve_offset);
}

static int run_map_window(void)
{
	return run_map(subject.windows.lease_length, subject.windows.lease_offset);
}

static void unmap_reserve(void)
{
	memset(mapped, 1, subject.windows.reserve_length);
	CHECK(!munmap(mapped, subject.windows.reserve_length));
}

/* A window that was mapped while an allocation failed works, or the lease below fails. */
static void unmap_window(void)
{
	struct genp_borrow other;
	char *at;

	CHECK(!borrow(subject.fd, 2 * PAGE, GENP_NO_WAIT, 0, &other));
	at = (char *)mapped + (other.offset - subject.windows.lease_offset);
	memset(at, 1, 2 * PAGE);
	CHECK(!give_back(subject.fd, other.handle));
	CHECK(!munmap(mapped, subject.windows.lease_length));
}

TEST(mappings)
{
	prepare();
	request = create_request(PAGES * PAGE, PAGES * PAGE);
	CHECK(!run_create());
	subject = (struct part){ .fd = made, .windows = stat_of(made).windows };
	FAIL_EACH(2, "mmap of the reserve", run_map_reserve, unmap_reserve);
	FAIL_EACH(2, "mmap of the lease window", run_map_window, unmap_window);
	nth_finish();
}

static int run_unmap(void)
{
	return munmap(mapped, subject.windows.lease_length);
}

static void map_again(void)
{
	CHECK(!run_map_window());
}

TEST(unmapping)
{
	prepare();
	subject = create_multimap(PAGES * PAGE, PAGES * PAGE);
	map_again();
	FAIL_EACH(0, "munmap of a lease window", run_unmap, map_again);
	nth_finish();
}

static int run_alloc(void)
{
	return region(subject.fd, 100, 64, &block);
}

static void free_block(void)
{
	CHECK(!by_handle(subject.fd, GENP_FREE, block.handle));
}

static int run_free(void)
{
	return by_handle(subject.fd, GENP_FREE, block.handle);
}

static void alloc_block(void)
{
	CHECK(!run_alloc());
}

static int run_borrow(void)
{
	return borrow(subject.fd, 20 * PAGE, GENP_NO_WAIT, 0, &lease);
}

static void return_lease(void)
{
	memset(lease_at(&subject, &lease), 1, 20 * PAGE);
	CHECK(!give_back(subject.fd, lease.handle));
}

static int run_return(void)
{
	return give_back(subject.fd, lease.handle);
}

static void borrow_lease(void)
{
	CHECK(!run_borrow());
}

static int run_renew(void)
{
	struct genp_renew renew = { .size = sizeof(renew), .handle = lease.handle };

	return ioctl(subject.fd, GENP_RENEW, &renew);
}

TEST(what_runs_later_needs_none)
{
	prepare();
	subject = create(PAGES * PAGE, PAGES * PAGE);
	NEEDS_NONE("alloc", run_alloc, free_block);
	alloc_block();
	NEEDS_NONE("free", run_free, alloc_block);
	free_block();
	NEEDS_NONE("borrow", run_borrow, return_lease);
	borrow_lease();
	NEEDS_NONE("return", run_return, borrow_lease);
	NEEDS_NONE("renew", run_renew, nothing);
	nth_finish();
}

static int run_touch(void)
{
	char *at = (char *)mapped + (lease.offset - subject.windows.lease_offset);

	/* A window that was mapped after the lease was granted is filled here. */
	memset(at, 1, 20 * PAGE);
	return 0;
}

static void empty_window(void)
{
	CHECK(!munmap(mapped, subject.windows.lease_length));
	CHECK(!run_map_window());
}

TEST(a_first_touch_needs_none)
{
	prepare();
	subject = create_multimap(0, PAGES * PAGE);
	CHECK(!run_map_window());
	borrow_lease();
	empty_window();
	NEEDS_NONE("touch", run_touch, empty_window);
	nth_finish();
}

static int resize_to(__u64 pages)
{
	struct genp_resize resize = {
		.size = sizeof(resize),
		.reserve = pages * PAGE,
		.borrow_limit = PAGE,
	};

	return ioctl(subject.fd, GENP_RESIZE, &resize);
}

static int run_grow(void)
{
	return resize_to(8 * PAGES);
}

static void shrink(void)
{
	CHECK(!resize_to(PAGES));
}

static int run_shrink(void)
{
	return resize_to(PAGES);
}

static void grow(void)
{
	CHECK(!run_grow());
}

TEST(resize)
{
	prepare();
	subject = create(PAGES * PAGE, PAGE);
	FAIL_EACH(0, "resize to more", run_grow, shrink);
	grow();
	NEEDS_NONE("resize to less", run_shrink, grow);
	nth_finish();
}

static int signalled;

static int run_listen(void)
{
	struct genp_eventfd listen = { .size = sizeof(listen), .fd = signalled, .mask = 1 };

	return ioctl(subject.fd, GENP_SET_EVENTFD, &listen);
}

static int run_poll(void)
{
	struct pollfd poll_fd = { .fd = subject.fd, .events = POLLPRI };

	return poll(&poll_fd, 1, 0) == 1 ? 0 : -1;
}

static int run_epoll(void)
{
	struct epoll_event event = { .events = EPOLLPRI };

	return epoll_ctl(made, EPOLL_CTL_ADD, subject.fd, &event);
}

static void leave_epoll(void)
{
	CHECK(!epoll_ctl(made, EPOLL_CTL_DEL, subject.fd, NULL));
}

static struct genp_event event;

static int run_read(void)
{
	return read(subject.fd, &event, sizeof(event)) == sizeof(event) ? 0 : -1;
}

/* Borrows all but the last eighth and returns it, which makes one event. */
static void make_event(void)
{
	struct genp_borrow all;

	CHECK(!borrow(subject.fd, PAGES * PAGE, GENP_NO_WAIT, 0, &all));
	CHECK(!give_back(subject.fd, all.handle));
}

TEST(events)
{
	prepare();
	subject = create(0, PAGES * PAGE);
	signalled = eventfd(0, EFD_NONBLOCK);
	made = epoll_create1(0);
	CHECK(signalled >= 0 && made >= 0);
	NEEDS_NONE("eventfd", run_listen, nothing);
	make_event();
	NEEDS_NONE("poll", run_poll, nothing);
	NEEDS_NONE("read", run_read, make_event);
	FAIL_EACH(1, "epoll", run_epoll, leave_epoll);
	nth_finish();
}

static int run_destroy(void)
{
	return destroy(subject.fd);
}

static void new_subject(void)
{
	drop(&subject);
	subject = create(PAGES * PAGE, PAGES * PAGE);
	borrow_lease();
}

/* Ends the lease of the subject and borrows again, so that the state is the same. */
TEST(destroy_and_close_need_none)
{
	struct call call = { "destroy", run_destroy, new_subject, true, 0 };
	struct genp_info before;
	unsigned int n, left;

	prepare();
	subject = create(PAGES * PAGE, PAGES * PAGE);
	borrow_lease();
	fail_each(&call);
	drop(&subject);
	call.name = "close";
	before = look();
	for (n = 1, left = 0; !left; n++) {
		subject = create(PAGES * PAGE, PAGES * PAGE);
		borrow_lease();
		munmap(subject.reserve, subject.windows.reserve_length);
		munmap(subject.lease, subject.windows.lease_length);
		nth_begin(n);
		CHECK(!close(subject.fd));
		left = nth_end();
		expect_same(&call, n, &before);
	}
	printf("# close: %u allocations failed\n", n - 2);
	nth_finish();
}

TEST(the_end_of_a_process_needs_none)
{
	struct genp_info before = info();
	unsigned int n;

	prepare();
	for (n = 1; n <= 30; n++) {
		pid_t pid = child();

		if (!pid) {
			close(nth_fd);
			close(nth_log);
			nth_prepare();
			subject = create(PAGES * PAGE, PAGES * PAGE);
			borrow_lease();
			alloc_block();
			nth_begin(n);
			_exit(0);
		}
		EQUAL(reap(pid), 0);
		expect_idle(&before);
	}
	nth_read_log();
	printf("# exit: %u ends, allocations failed at %u places\n", n - 1, nth_site_count);
	nth_finish();
}
