// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever happens at once, what is committed, lent, overdue, free and poisoned is the
 * capacity whenever somebody looks. Contract lines 1, 9.
 */
#include "genp_test.h"

static volatile int *enough;
static __u32 seed;

static __u32 some(__u32 most)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % most;
}

static int open_any(int fd)
{
	struct genp_open ask = { .size = sizeof(ask) };

	snprintf(ask.name, sizeof(ask.name), "n%u", some(6));
	return ioctl(fd, GENP_OPEN, &ask) ? -1 : ask.fd;
}

static int make_any(int fd)
{
	struct genp_create ask = create_request(some(200) * PAGE, some(400) * PAGE);

	snprintf(ask.name, sizeof(ask.name), "n%u", some(6));
	ask.stock_pages = some(2) * some(100);
	ask.stock_limit = ask.stock_pages + some(2) * some(200);
	if (!ask.stock_pages)
		ask.stock_limit = 0;
	ask.max_leases = 1 + some(20);
	return ioctl(fd, GENP_CREATE, &ask) ? -1 : ask.fd;
}

static void use(int fd, int pipes[2])
{
	struct genp_stat stat = stat_of(fd);
	struct genp_resize ask = { .size = sizeof(ask), .reserve = some(300) * PAGE,
				   .borrow_limit = some(2) ? some(100) * PAGE : stat.borrow_limit };
	struct genp_borrow lease;
	char *at;

	switch (some(7)) {
	case 0:
		ioctl(fd, GENP_RESIZE, &ask);
		break;
	case 1:
		destroy(fd);
		break;
	case 2:
		at = mmap(NULL, stat.windows.reserve_length, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			  stat.windows.reserve_offset);
		if (at == MAP_FAILED)
			break;
		struct iovec iov = { at, PAGE * (1 + some(8)) };

		(void)!vmsplice(pipes[1], &iov, 1, SPLICE_F_NONBLOCK);
		munmap(at, stat.windows.reserve_length);
		break;
	default:
		if (!borrow(fd, (1 + some(300)) * PAGE, some(2) ? now() + some(20) * MSEC : 0,
			    some(30) * MSEC, &lease) && some(3)) {
			if (some(2))
				usleep(some(3000));
			give_back(fd, lease.handle);
		}
	}
}

static void act(int number)
{
	int fd = control(), pipes[2], mine = -1;
	char text[4096];

	seed = number * 7919 + getpid();
	CHECK(!pipe2(pipes, O_NONBLOCK));
	while (!*enough) {
		if (mine < 0)
			mine = some(2) ? make_any(fd) : open_any(fd);
		if (mine >= 0)
			use(mine, pipes);
		if (!some(20)) {
			close(mine);
			mine = -1;
		}
		while (!some(3) && read(pipes[0], text, sizeof(text)) > 0)
			;
	}
}

TEST(they_are_the_capacity_always)
{
	struct genp_info before = info();
	unsigned long looks = 0;
	int fd = control();
	pid_t pids[5];

	enough = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(enough != MAP_FAILED);
	for (int i = 0; i < 5; i++) {
		pids[i] = child();
		if (!pids[i]) {
			act(i);
			_exit(0);
		}
	}
	for (__u64 until = now() + 12 * SEC; now() < until; looks++) {
		struct genp_info i = info_by(fd);

		EQUAL(i.committed + i.lent + i.overdue + i.free + i.poisoned, i.capacity);
		CHECK(i.quarantined <= i.committed);
		CHECK(i.clean <= i.capacity);
		EQUAL(i.broken_invariants, 0);
		if (looks % 16 == 0)
			usleep(500);
	}
	/* One dies in the middle. */
	kill(pids[0], SIGKILL);
	*enough = 1;
	reap(pids[0]);
	for (int i = 1; i < 5; i++)
		EQUAL(reap(pids[i]), 0);
	printf("# %lu looks\n", looks);
	close(fd);
	expect_idle(&before);
	EQUAL(info().broken_invariants, 0);
}
