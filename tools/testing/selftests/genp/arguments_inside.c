// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments, answers and records that are in the windows that the same call changes: each
 * call ends, with success or EFAULT. Contract lines 1, 5, 13.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "genp_test.h"

#define PAGES 8UL

static void *put(char *at, const void *argument, size_t size)
{
	return memcpy(at, argument, size);
}

TEST(a_resize_cuts_off_its_own_answer)
{
	struct part part = create(PAGES * PAGE, PAGE);
	struct genp_resize ask = { .size = sizeof(ask), .reserve = PAGE, .borrow_limit = PAGE };
	char *last = part.reserve + (PAGES - 1) * PAGE;

	ERRNO(ioctl(part.fd, GENP_RESIZE, put(last, &ask, sizeof(ask))), EFAULT);
	EQUAL(stat_of(part.fd).reserve, PAGE);
	CHECK(is_gone(last));
	/* And grows under an answer that is not there. */
	ask.reserve = PAGES * PAGE;
	CHECK(!ioctl(part.fd, GENP_RESIZE, put(part.reserve, &ask, sizeof(ask))));
	EQUAL(last[0], 0);
	last[0] = 1;
	drop(&part);
}

TEST(an_argument_that_must_be_faulted_in)
{
	struct part part = create(PAGES * PAGE, PAGE);
	struct genp_resize ask = { .size = sizeof(ask), .borrow_limit = PAGE };

	for (int round = 0; round < 100; round++) {
		void *at = put(part.reserve + PAGE - 8, &ask, sizeof(ask));

		ask.reserve = (2 + round % (PAGES - 2)) * PAGE;
		put(at, &ask, sizeof(ask));
		CHECK(!madvise(part.reserve, PAGES * PAGE, MADV_DONTNEED));
		CHECK(!ioctl(part.fd, GENP_RESIZE, at));
	}
	drop(&part);
}

TEST(a_lease_is_returned_by_an_argument_in_it)
{
	struct part part = create(0, PAGES * PAGE);
	struct genp_handle ask = { .size = sizeof(ask) };
	struct genp_renew renew = { .size = sizeof(renew), .lease_ns = 1 };
	struct genp_destroy end = { .size = sizeof(end) };
	struct genp_borrow lease, more = { .size = sizeof(more), .length = PAGE };
	char *at;

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	at = lease_at(&part, &lease);
	/* Another lease, told in the first one. */
	CHECK(!ioctl(part.fd, GENP_BORROW, put(at, &more, sizeof(more))));
	CHECK(!give_back(part.fd, ((struct genp_borrow *)at)->handle));
	ask.handle = lease.handle;
	CHECK(!ioctl(part.fd, GENP_RETURN, put(at, &ask, sizeof(ask))));
	CHECK(is_gone(at));
	ERRNO(ioctl(part.fd, GENP_RETURN, at), EFAULT);
	/* Ends about when it is told so. */
	for (int round = 0; round < 50; round++) {
		int err;

		CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
		renew.handle = lease.handle;
		at = lease_at(&part, &lease);
		err = ioctl(part.fd, GENP_RENEW, put(at, &renew, sizeof(renew)));
		CHECK(!err || errno == EFAULT);
		EVENTUALLY(!stat_of(part.fd).leases);
	}
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!ioctl(part.fd, GENP_DESTROY, put(lease_at(&part, &lease), &end, sizeof(end))));
	CHECK(is_gone(lease_at(&part, &lease)));
}

/* Records are read into the lease of whose end they tell. */
TEST(records_are_read_into_the_lease)
{
	struct part part = create(PAGE, PAGES * PAGE);
	struct genp_borrow lease;
	struct genp_event event;

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 300 * MSEC, &lease));
	EVENTUALLY(is_gone(lease_at(&part, &lease)));
	ERRNO(read(part.fd, lease_at(&part, &lease), sizeof(event)), EFAULT);
	/* One that can be written, one that cannot. */
	ERRNO(read(part.fd, part.lease - sizeof(event), 0), EINVAL);
	EQUAL(read(part.fd, part.reserve + PAGE - sizeof(event), 2 * sizeof(event)), sizeof(event));
	EQUAL(((struct genp_event *)(part.reserve + PAGE - sizeof(event)))->type,
	      GENP_EVENT_RECALLED);
	CHECK(!madvise(part.reserve, PAGE, MADV_DONTNEED));
	EQUAL(read(part.fd, part.reserve, 64 * sizeof(event)), sizeof(event));
	EQUAL(((struct genp_event *)part.reserve)->type, GENP_EVENT_REVOKED);
}

static atomic_bool enough;

static void *resize_always(void *data)
{
	struct part *part = data;
	unsigned int round = 0;

	while (!enough) {
		struct genp_resize ask = { .size = sizeof(ask), .borrow_limit = PAGE };
		char *at = part->reserve + (round % PAGES) * PAGE;

		ask.reserve = (1 + round++ % PAGES) * PAGE;
		/* By system calls, which give an errno where the page is gone. */
		struct iovec from = { &ask, sizeof(ask) }, to = { at, sizeof(ask) };

		if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != sizeof(ask))
			continue;
		if (ioctl(part->fd, GENP_RESIZE, at))
			CHECK(errno == EFAULT || errno == EBUSY || errno == ENOSPC ||
			      errno == EAGAIN || errno == EINVAL);
	}
	return NULL;
}

static void *forget_always(void *data)
{
	struct part *part = data;

	while (!enough) {
		char byte;
		struct iovec to = { &byte, 1 }, from = { part->reserve + 5 * PAGE, 1 };

		madvise(part->reserve, PAGES * PAGE, MADV_DONTNEED);
		process_vm_readv(getpid(), &to, 1, &from, 1, 0);
		madvise(part->reserve, PAGES * PAGE, MADV_POPULATE_WRITE);
		mprotect(part->reserve, 3 * PAGE, PROT_READ);
		mprotect(part->reserve, 3 * PAGE, PROT_READ | PROT_WRITE);
	}
	return NULL;
}

TEST(threads_resize_by_arguments_in_the_reserve)
{
	struct genp_info before = info();
	struct part part = create(PAGES * PAGE, PAGE);
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, i % 2 ? forget_always : resize_always,
				      &part));
	pause_ms(3000);
	enough = true;
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(threads[i], NULL));
	drop(&part);
	expect_idle(&before);
}
