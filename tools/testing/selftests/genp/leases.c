// SPDX-License-Identifier: GPL-2.0
/* Leases: from the grant to the end. Contract lines 3, 5, 8. */
#include <sys/uio.h>

#include "genp_test.h"

TEST(borrowed_memory_can_be_used)
{
	struct genp_info before = info();
	struct part part = create(0, 64 * PAGE);
	struct genp_borrow lease;
	char *at;

	CHECK(!borrow(part.fd, 64 * PAGE, GENP_NO_WAIT, 0, &lease));
	at = lease_at(&part, &lease);
	for (unsigned long i = 0; i < 64 * PAGE; i++)
		EQUAL(at[i], 0);
	memset(at, 0x77, 64 * PAGE);
	CHECK(lease.expires > now());
	EQUAL(stat_of(part.fd).lent, 64 * PAGE);
	CHECK(!give_back(part.fd, lease.handle));
	CHECK(is_gone(at));
	EQUAL(stat_of(part.fd).lent, 0);
	drop(&part);
	expect_idle(&before);
}

/*
 * A little at a time, because a lease has to last until all of it was checked. Frames that
 * come back are used again last, so this visits every frame three times.
 */
TEST(borrowed_memory_is_zero_for_each_borrower)
{
	const unsigned long length = 64 * PAGE;
	struct part part = create(0, length);
	__u64 most = info().free;
	struct genp_borrow lease;

	for (__u64 done = 0; done < 3 * most; done += length) {
		char *at;

		CHECK(!borrow(part.fd, length, GENP_NO_WAIT, 0, &lease));
		at = lease_at(&part, &lease);
		for (unsigned long i = 0; i < length; i += sizeof(long))
			if (*(long *)(at + i))
				FAIL("byte %lu is another's, after %llu", i, done);
		memset(at, 0xcc, length);
		if (give_back(part.fd, lease.handle))
			EQUAL(errno, ESTALE);
	}
}

TEST(a_length_is_rounded_up_to_pages)
{
	struct part part = create(0, 4 * PAGE);
	struct genp_borrow lease;

	CHECK(!borrow(part.fd, 1, GENP_NO_WAIT, 0, &lease));
	EQUAL(stat_of(part.fd).lent, PAGE);
	CHECK(!borrow(part.fd, PAGE + 1, GENP_NO_WAIT, 0, &lease));
	EQUAL(stat_of(part.fd).lent, 3 * PAGE);
}

TEST(the_budget_is_a_ceiling)
{
	struct part part = create(PAGE, 4 * PAGE);
	struct genp_borrow lease, more;

	CHECK(!borrow(part.fd, 3 * PAGE, GENP_NO_WAIT, 0, &lease));
	ERRNO(borrow(part.fd, 2 * PAGE, GENP_NO_WAIT, 0, &more), EDQUOT);
	ERRNO(borrow(part.fd, 5 * PAGE, GENP_NO_WAIT, 0, &more), E2BIG);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &more));
	EQUAL(stat_of(part.fd).budget_refusals, 1);
	EQUAL(stat_of(part.fd).lent_peak, 4 * PAGE);
}

TEST(an_empty_pool_lends_nothing)
{
	__u64 most = info().free;
	struct part hoarder = create(most - PAGE, 0), part = create(0, 4 * PAGE);
	struct genp_borrow lease;

	ERRNO(borrow(part.fd, 2 * PAGE, GENP_NO_WAIT, 0, &lease), EAGAIN);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	EQUAL(stat_of(part.fd).pool_refusals, 1);
	drop(&hoarder);
}

TEST(leases_of_a_partition_are_limited)
{
	struct genp_create request = create_request(0, 8 * PAGE);
	struct genp_borrow lease;
	struct part part;

	request.max_leases = 2;
	part = create_from(request);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	ERRNO(borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease), EBUSY);
	EQUAL(stat_of(part.fd).table_refusals, 1);
	EQUAL(stat_of(part.fd).max_leases, 2);
}

TEST(unlent_pages_are_sigbus)
{
	struct part part = create(0, 4 * PAGE);

	CHECK(is_gone(part.lease));
	end_in_bus_error(part.lease + 5);
}

TEST(the_rest_of_a_slice_is_a_guard)
{
	struct part part = create(0, 4 * PAGE);
	struct genp_borrow lease;
	char *at;

	CHECK(!borrow(part.fd, 2 * PAGE, GENP_NO_WAIT, 0, &lease));
	at = lease_at(&part, &lease);
	at[2 * PAGE - 1] = 1;
	end_in_bus_error(at + 2 * PAGE);
}

TEST(a_returned_lease_is_sigbus)
{
	struct part part = create(0, 4 * PAGE);
	struct genp_borrow lease;
	char *at;

	NEEDS_PROMPT_UNMAPPING();
	CHECK(!borrow(part.fd, 2 * PAGE, GENP_NO_WAIT, 0, &lease));
	at = lease_at(&part, &lease);
	at[0] = 1;
	CHECK(!give_back(part.fd, lease.handle));
	end_in_bus_error(at);
}

TEST(double_and_foreign_returns_are_errors)
{
	struct part part = create(PAGE, 4 * PAGE), other = create(PAGE, 4 * PAGE);
	struct genp_borrow lease, again;

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	ERRNO(give_back(other.fd, lease.handle), EINVAL);
	CHECK(!give_back(part.fd, lease.handle));
	ERRNO(give_back(part.fd, lease.handle), ESTALE);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &again));
	CHECK(again.handle != lease.handle);
	ERRNO(give_back(part.fd, lease.handle), ESTALE);
	EQUAL(stat_of(part.fd).lent, PAGE);
	EQUAL(stat_of(part.fd).stale_handles, 2);
}

TEST(a_lease_ends_at_its_deadline)
{
	struct genp_info before = info();
	struct part part = create(0, 16 * PAGE);
	struct genp_borrow lease;
	char *at;

	CHECK(!borrow(part.fd, 16 * PAGE, GENP_NO_WAIT, 200 * MSEC, &lease));
	at = lease_at(&part, &lease);
	EVENTUALLY(stat_of(part.fd).revocations == 1);
	CHECK(now() >= lease.expires);
	CHECK(is_gone(at));
	EQUAL(stat_of(part.fd).recalls, info().grace_ns ? 1 : 0);
	EQUAL(stat_of(part.fd).lent, 0);
	EQUAL(info().free, before.free);
	ERRNO(give_back(part.fd, lease.handle), ESTALE);
}

TEST(a_revoked_lease_is_sigbus)
{
	struct part part = create(0, 2 * PAGE);
	struct genp_borrow lease;
	volatile char *at;

	NEEDS_PROMPT_UNMAPPING();
	CHECK(!borrow(part.fd, 2 * PAGE, GENP_NO_WAIT, 50 * MSEC, &lease));
	at = lease_at(&part, &lease);
	EVENTUALLY(stat_of(part.fd).revocations == 1);
	end_in_bus_error(at + PAGE);
}

TEST(a_busy_borrower_loses_its_lease_all_the_same)
{
	struct part part = create(0, PAGE);
	struct genp_borrow lease;
	volatile char *at;

	NEEDS_PROMPT_UNMAPPING();
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 100 * MSEC, &lease));
	at = lease_at(&part, &lease);
	bus_expected = at;
	CHECK(!sigaction(SIGBUS, &(struct sigaction){ .sa_sigaction = on_bus,
						      .sa_flags = SA_SIGINFO }, NULL));
	/* Writes without end; the alarm of the test ends it if nothing else does. */
	for (;;)
		(*at)++;
}

TEST(the_default_term_is_the_partitions)
{
	struct genp_create request = create_request(0, PAGE);
	struct genp_borrow lease;
	struct part part;
	__u64 before;

	request.lease_default_ns = 300 * MSEC;
	part = create_from(request);
	before = now();
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(lease.expires >= before + 300 * MSEC);
	CHECK(lease.expires <= now() + 300 * MSEC);
}

TEST(a_lease_can_be_renewed)
{
	struct part part = create(0, PAGE);
	struct genp_borrow lease;
	struct genp_renew request = { .size = sizeof(request) };
	__u64 term = info().max_lease_ns;

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, term / 2, &lease));
	request.handle = lease.handle;
	request.lease_ns = term;
	CHECK(!ioctl(part.fd, GENP_RENEW, &request));
	CHECK(request.expires > lease.expires);
	lease_at(&part, &lease)[0] = 1;
	EVENTUALLY(now() > lease.expires + 10 * MSEC);
	/* It is valid after its first deadline, unless the second one has passed too. */
	CHECK(stat_of(part.fd).revocations == 0 || now() >= request.expires);
	EQUAL(stat_of(part.fd).renewals, 1);
	EVENTUALLY(stat_of(part.fd).revocations == 1);
	CHECK(now() >= request.expires);
	ERRNO(ioctl(part.fd, GENP_RENEW, &request), ESTALE);
}

TEST(lent_pages_cannot_be_pinned)
{
	struct part part = create(0, PAGE);
	struct genp_borrow lease;
	struct iovec iov;
	int fd[2];

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	CHECK(!pipe(fd));
	iov.iov_base = lease_at(&part, &lease);
	iov.iov_len = PAGE;
	ERRNO(vmsplice(fd[1], &iov, 1, 0), EFAULT);
}

TEST(the_window_stays_whole)
{
	struct part part = create(0, 4 * PAGE);
	__u64 length = part.windows.lease_length, offset = part.windows.lease_offset;
	struct genp_borrow lease;

	EQUAL(length, 16 * 4 * PAGE);
	ERRNO(munmap(part.lease, PAGE), EINVAL);
	ERRNO(munmap(part.lease + PAGE, PAGE), EINVAL);
	ERRNO(mprotect(part.lease, PAGE, PROT_READ), EINVAL);
	CHECK(mremap(part.lease, length, length, MREMAP_MAYMOVE | MREMAP_FIXED,
		     (char *)0x200000000000) == MAP_FAILED);
	CHECK(mremap(part.lease, length, 2 * length, MREMAP_MAYMOVE) == MAP_FAILED);
	ERRNO(mmap(NULL, length, PROT_READ, MAP_PRIVATE, part.fd, offset), EINVAL);
	ERRNO(mmap(NULL, length - PAGE, PROT_READ, MAP_SHARED, part.fd, offset), EINVAL);
	ERRNO(mmap(NULL, length, PROT_EXEC, MAP_SHARED, part.fd, offset), EPERM);
	ERRNO(mprotect(part.lease, length, PROT_READ | PROT_EXEC), EACCES);
	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	lease_at(&part, &lease)[0] = 1;
}

TEST(mappings_of_the_window_are_limited)
{
	struct part part = create_multimap(0, PAGE), more[15];

	for (int i = 0; i < 15; i++) {
		more[i] = part;
		map(&more[i]);
	}
	ERRNO(mmap(NULL, part.windows.lease_length, PROT_READ, MAP_SHARED, part.fd,
		   part.windows.lease_offset), EBUSY);
	EQUAL(stat_of(part.fd).mapping_refusals, 1);
	CHECK(!munmap(more[3].lease, part.windows.lease_length));
	map(&more[3]);
}

/* Each mapping is work for whoever ends a lease, so a second one has to be asked for. */
TEST(an_address_space_has_one_window_unless_asked_for)
{
	struct part part = create(0, PAGE), theirs = part;
	pid_t pid;

	ERRNO(mmap(NULL, part.windows.lease_length, PROT_READ, MAP_SHARED, part.fd,
		   part.windows.lease_offset), EMLINK);
	EQUAL(stat_of(part.fd).mapping_refusals, 1);
	/* Another one may have it too. */
	pid = child();
	if (!pid) {
		map(&theirs);
		ERRNO(mmap(NULL, part.windows.lease_length, PROT_READ, MAP_SHARED, part.fd,
			   part.windows.lease_offset), EMLINK);
		_exit(7);
	}
	EQUAL(WEXITSTATUS(reap(pid)), 7);
	CHECK(!munmap(part.lease, part.windows.lease_length));
	map(&part);
	EQUAL(stat_of(part.fd).mapping_refusals, 2);
}

TEST(all_mappings_show_the_lease_and_lose_it)
{
	struct part part = create_multimap(0, 2 * PAGE), again = part, late = part;
	struct genp_borrow lease;

	map(&again);
	CHECK(!borrow(part.fd, 2 * PAGE, GENP_NO_WAIT, 0, &lease));
	lease_at(&part, &lease)[PAGE] = 9;
	EQUAL(lease_at(&again, &lease)[PAGE], 9);
	map(&late);
	EQUAL(lease_at(&late, &lease)[PAGE], 9);
	CHECK(!give_back(part.fd, lease.handle));
	CHECK(is_gone(lease_at(&part, &lease)));
	CHECK(is_gone(lease_at(&again, &lease)));
	CHECK(is_gone(lease_at(&late, &lease)));
}

TEST(another_process_sees_the_lease)
{
	struct part part = create(0, 2 * PAGE), theirs;
	struct genp_borrow lease;
	int status;
	pid_t pid;

	CHECK(!borrow(part.fd, 2 * PAGE, GENP_NO_WAIT, 0, &lease));
	lease_at(&part, &lease)[5] = 33;
	pid = child();
	if (!pid) {
		theirs = part;
		map(&theirs);
		_exit(lease_at(&theirs, &lease)[5]);
	}
	status = reap(pid);
	CHECK(WIFEXITED(status));
	EQUAL(WEXITSTATUS(status), 33);
}

TEST(a_lease_without_a_mapping_is_mapped_later)
{
	struct genp_create request = create_request(0, PAGE);
	struct genp_borrow lease;
	struct part part;

	CHECK(!try_create(&request));
	CHECK(!borrow(request.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	part.fd = request.fd;
	part.windows = request.windows;
	map(&part);
	lease_at(&part, &lease)[0] = 1;
	EQUAL(lease_at(&part, &lease)[0], 1);
}
