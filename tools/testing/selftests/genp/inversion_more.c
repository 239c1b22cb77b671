// SPDX-License-Identifier: GPL-2.0
/* Those in the way who wait, close, die, renew, listen and protect: see inversion.h. */
#include <sys/eventfd.h>

#include "inversion.h"

#define ROUNDS 60

/* Waits for its own budget, and is refused it. */
static void wait_always(struct part *part)
{
	struct genp_borrow lease;

	part->lease = window(part);
	for (;;) {
		borrow(part->fd, 100 * PAGE, now() + MSEC / 4, MSEC, &lease);
		borrow(part->fd, 100 * PAGE, GENP_NO_WAIT, MSEC, &lease);
	}
}

/* Waits for the pool, and gives up. */
static void wait_for_pool_always(struct part *part)
{
	struct genp_borrow lease;

	for (;;) {
		__u64 want = info().free + PAGE;

		borrow(part->fd, want, now() + MSEC / 8, 0, &lease);
	}
}

static void close_always(struct part *part)
{
	(void)part;
	for (int i = 0;; i++) {
		struct genp_create request = create_request(PAGE, 64 * PAGE);
		struct genp_borrow lease;
		struct part own;

		if (try_create(&request))
			continue;
		own = (struct part){ .fd = request.fd,
				     .windows = request.windows };
		own.lease = window(&own);
		borrow(own.fd, 64 * PAGE, GENP_NO_WAIT, 2 * MSEC, &lease);
		if (i % 2)
			destroy(own.fd);
		munmap(own.lease, own.windows.lease_length);
		close(own.fd);
	}
}

static void die_always(struct part *part)
{
	for (;;) {
		pid_t pid = fork();

		if (!pid) {
			struct genp_borrow lease;

			part->lease = window(part);
			borrow(part->fd, 64 * PAGE, GENP_NO_WAIT, 2 * MSEC,
			       &lease);
			kill(getpid(), SIGKILL);
		}
		if (pid > 0)
			reap(pid);
	}
}

static void renew_always(struct part *part)
{
	struct genp_borrow lease;

	for (;;) {
		if (borrow(part->fd, 16 * PAGE, GENP_NO_WAIT, 2 * MSEC, &lease))
			continue;
		for (int i = 0; i < 8; i++) {
			struct genp_renew ask = { .size = sizeof(ask),
						  .handle = lease.handle,
						  .lease_ns =
							  (2 + i % 3) * MSEC };

			ioctl(part->fd, GENP_RENEW, &ask);
		}
		give_back(part->fd, lease.handle);
	}
}

static void listen_always(struct part *part)
{
	struct genp_eventfd ask = { .size = sizeof(ask), .mask = 0x3f };
	struct genp_event events[64];

	fcntl(part->fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		struct pollfd fds = { .fd = part->fd, .events = POLLIN };

		ask.fd = eventfd(0, 0);
		ioctl(part->fd, GENP_SET_EVENTFD, &ask);
		close(ask.fd);
		(void)!read(part->fd, events, sizeof(events));
		poll(&fds, 1, 0);
		ask.fd = -1;
		ioctl(part->fd, GENP_SET_EVENTFD, &ask);
	}
}

static void protect_always(struct part *part)
{
	part->lease = window(part);
	for (int i = 0;; i++)
		mprotect(part->lease, part->windows.lease_length,
			 i % 2 ? PROT_READ : PROT_NONE);
}

BETWEEN(two_waiters, wait_always, wait_always)
BETWEEN(a_waiter_for_the_pool_and_a_waiter, wait_for_pool_always, wait_always)
BETWEEN(a_closer_and_a_waiter, close_always, wait_always)
BETWEEN(two_closers, close_always, close_always)
BETWEEN(the_dying_and_a_mapper, die_always, map_always)
BETWEEN(a_renewer_and_a_waiter, renew_always, wait_for_pool_always)
BETWEEN(a_listener_and_a_waiter, listen_always, wait_always)
BETWEEN(a_protector_and_a_waiter, protect_always, wait_always)
