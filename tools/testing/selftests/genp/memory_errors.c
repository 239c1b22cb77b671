// SPDX-License-Identifier: GPL-2.0
/*
 * A frame with a memory error leaves circulation, whatever its state was, and whoever has
 * it is told. Contract line 13. The last test loads the module anew, so that the programs
 * after this one have a whole pool.
 */
#include <sys/uio.h>

#include "hogs.h"
#include "module.h"
#include "poison.h"

/* Takes all that is free as a reserve, notes where it is, and frees it. */
static __u64 *all_frames(__u64 *count)
{
	struct genp_info before = info();
	struct part part = create(before.free, 0);
	__u64 *phys = calloc(before.free / PAGE, sizeof(*phys));

	*count = before.free / PAGE;
	CHECK(phys);
	for (__u64 i = 0; i < *count; i++)
		phys[i] = phys_of(part.reserve + i * PAGE);
	drop(&part);
	EVENTUALLY(info().free == before.free);
	return phys;
}

/* All that is free makes a reserve; it is zeroed, sound, and not at this address. */
static void expect_gone(__u64 phys)
{
	struct genp_info before = info();
	struct part part = create(before.free, 0);

	for (__u64 i = 0; i < before.free; i += PAGE) {
		CHECK(!*(long *)(part.reserve + i));
		CHECK(phys_of(part.reserve + i) != phys);
	}
	EQUAL(stat_of(part.fd).memory_errors, 0);
	drop(&part);
	EVENTUALLY(info().free == before.free);
}

TEST(a_clean_frame)
{
	struct genp_create request;
	struct genp_info before;
	__u64 count, *phys;

	need_injection();
	before = info();
	phys = all_frames(&count);
	EVENTUALLY(info().clean == info().free);
	poison(phys[count / 2]);
	expect_lost(&before, 1);
	/* Admission knows. */
	request = create_request(before.free, 0);
	ERRNO(try_create(&request), ENOSPC);
	expect_gone(phys[count / 2]);
}

TEST(many_clean_frames)
{
	struct genp_info before;
	__u64 count, *phys;

	need_injection();
	before = info();
	phys = all_frames(&count);
	EVENTUALLY(info().clean == info().free);
	for (int i = 0; i < 20; i++)
		poison(phys[i * 7]);
	expect_lost(&before, 20);
	expect_gone(phys[0]);
}

#define FEW (64 * PAGE)

/*
 * Frames that the scrubber had no time to zero, in which nobody has looked for errors either:
 * who takes them finds it. They were promised to the last one, so there is one too few.
 */
static bool poison_a_dirty_frame(int round)
{
	struct genp_info before = info(), dirty;
	struct part rest = create(before.free - FEW, 0), part = create(FEW, 0);
	__u64 phys = phys_of(part.reserve + round * PAGE);
	struct genp_create all = create_request(FEW, 0);
	int err;

	begin_hogs();
	drop(&part);
	poison(phys);
	dirty = info();
	err = try_create(&all) ? errno : 0;
	end_hogs();
	part = create(FEW - PAGE, 0);
	for (__u64 i = 0; i < FEW - PAGE; i += PAGE)
		CHECK(phys_of(part.reserve + i) != phys);
	drop(&part);
	drop(&rest);
	expect_lost(&before, 1);
	expect_gone(phys);
	CHECK(err == ENOMEM || err == ENOSPC);
	return err == ENOMEM && !dirty.clean;
}

TEST(a_dirty_frame)
{
	need_injection();
	for (int round = 0; round < 8; round++)
		if (poison_a_dirty_frame(round))
			return;
	SKIP("the scrubber ran in between each time");
}

TEST(a_mapped_page_of_a_reserve)
{
	struct genp_event event;
	struct genp_info before;
	struct part part;
	char *again;
	__u64 phys;

	need_injection();
	before = info();
	part = create(64 * PAGE, 0);
	phys = phys_of(part.reserve + 5 * PAGE);
	memset(part.reserve, 0x5a, 64 * PAGE);
	/* Before 6.13 that keeps a reference to the page for ever, and it is never given back. */
	if (kernel_before(6, 13))
		poison(phys);
	else
		ERRNO(madvise(part.reserve + 5 * PAGE, PAGE, MADV_HWPOISON), EBUSY);
	event = error_event(part.fd);
	EQUAL(event.value, part.windows.reserve_offset + 5 * PAGE);
	EQUAL(event.handle, 0);
	EQUAL(stat_of(part.fd).memory_errors, 1);
	CHECK(is_poisoned(part.reserve + 5 * PAGE + 8));
	CHECK(is_poisoned(part.reserve + 5 * PAGE));
	again = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, part.fd,
		     part.windows.reserve_offset);
	CHECK(again != MAP_FAILED);
	for (int i = 0; i < 64; i++) {
		if (i == 5)
			continue;
		EQUAL(part.reserve[i * PAGE], 0x5a);
		EQUAL(again[i * PAGE], 0x5a);
	}
	CHECK(is_poisoned(again + 5 * PAGE));
	/* It is committed as long as the partition lives. */
	EQUAL(info().committed, before.committed + 64 * PAGE);
	EQUAL(info().poisoned, before.poisoned);
	expect_sum();
	munmap(again, 64 * PAGE);
	drop(&part);
	expect_lost(&before, 1);
	expect_gone(phys);
}

TEST(a_page_of_a_reserve_that_is_not_mapped)
{
	struct genp_info before;
	struct part part;
	__u64 phys;

	need_injection();
	before = info();
	part = create(8 * PAGE, 0);
	phys = phys_of(part.reserve);
	munmap(part.reserve, 8 * PAGE);
	poison(phys);
	EQUAL(error_event(part.fd).value, part.windows.reserve_offset);
	map(&part);
	CHECK(is_poisoned(part.reserve));
	for (int i = 1; i < 8; i++)
		part.reserve[i * PAGE] = 1;
	drop(&part);
	expect_lost(&before, 1);
	expect_gone(phys);
}

TEST(a_page_that_is_cut_off)
{
	struct genp_resize resize = { .size = sizeof(resize), .reserve = 4 * PAGE };
	struct genp_info before;
	struct part part;

	need_injection();
	before = info();
	part = create(8 * PAGE, 0);
	poison(phys_of(part.reserve + 7 * PAGE));
	error_event(part.fd);
	CHECK(!ioctl(part.fd, GENP_RESIZE, &resize));
	EQUAL(info().committed, before.committed + 4 * PAGE);
	EVENTUALLY(info().poisoned == before.poisoned + PAGE);
	expect_sum();
	drop(&part);
	expect_lost(&before, 1);
}

/* One page of a lease of all there is: which one, the event tells. */
static __u64 poison_a_lease(struct part *part, struct genp_borrow *lease, __u64 length,
			    const __u64 *phys)
{
	struct genp_event event;

	CHECK(!borrow(part->fd, length, GENP_NO_WAIT, 900 * MSEC, lease));
	memset(lease_at(part, lease), 0x5a, length);
	poison(phys[3]);
	event = error_event(part->fd);
	EQUAL(event.handle, lease->handle);
	CHECK(event.value >= lease->offset && event.value < lease->offset + length);
	EQUAL(event.value % PAGE, 0);
	return event.value - lease->offset;
}

TEST(a_page_of_a_lease)
{
	struct genp_borrow lease;
	struct genp_info before;
	struct part part;
	__u64 count, *phys, lost;
	char *window, *again;

	need_injection();
	before = info();
	phys = all_frames(&count);
	part = create_multimap(0, before.free);
	lost = poison_a_lease(&part, &lease, before.free, phys);
	CHECK(is_poisoned(lease_at(&part, &lease) + lost));
	/* A window that is mapped now gets the others by a touch. */
	window = mmap(NULL, part.windows.lease_length, PROT_READ | PROT_WRITE, MAP_SHARED,
		      part.fd, part.windows.lease_offset);
	CHECK(window != MAP_FAILED);
	again = window + lease.offset - part.windows.lease_offset;
	CHECK(is_poisoned(again + lost));
	for (__u64 i = 0; i < before.free; i += PAGE) {
		if (i == lost)
			continue;
		EQUAL(lease_at(&part, &lease)[i], 0x5a);
		EQUAL(again[i], 0x5a);
	}
	CHECK(is_poisoned(again + lost));
	EQUAL(info().lent, before.lent + before.free);
	expect_sum();
	CHECK(!give_back(part.fd, lease.handle));
	EQUAL(info().poisoned, before.poisoned + PAGE);
	expect_lost(&before, 1);
	ERRNO(borrow(part.fd, before.free, GENP_NO_WAIT, 0, &lease), EAGAIN);
	CHECK(!borrow(part.fd, before.free - PAGE, GENP_NO_WAIT, 0, &lease));
	for (__u64 i = 0; i < before.free - PAGE; i += PAGE)
		lease_at(&part, &lease)[i] = 1;
	EQUAL(stat_of(part.fd).memory_errors, 1);
	CHECK(!munmap(window, part.windows.lease_length));
	drop(&part);
	EVENTUALLY(!info().lent);
	expect_gone(phys[3]);
}

TEST(a_page_of_a_lease_that_is_revoked)
{
	struct genp_borrow lease;
	struct genp_info before;
	struct part part;
	__u64 count, *phys;

	need_injection();
	before = info();
	phys = all_frames(&count);
	part = create(0, before.free);
	poison_a_lease(&part, &lease, before.free, phys);
	EVENTUALLY(stat_of(part.fd).revocations == 1);
	expect_lost(&before, 1);
	drop(&part);
	expect_gone(phys[3]);
}

/* Who waits for more than is left is not kept waiting. */
TEST(a_waiter_for_all_of_it)
{
	struct genp_borrow lease;
	struct genp_info before;
	struct part holder, part;
	__u64 phys;
	pid_t pid;

	need_injection();
	before = info();
	holder = create(0, PAGE);
	part = create(PAGE, 0);
	phys = phys_of(part.reserve);
	drop(&part);
	EVENTUALLY(info().free == before.free);
	CHECK(!borrow(holder.fd, PAGE, GENP_NO_WAIT, 900 * MSEC, &lease));
	pid = child();
	if (!pid) {
		struct part all = create(0, before.free);

		ERRNO(borrow(all.fd, before.free, GENP_WAIT_FOREVER, 0, &lease), EAGAIN);
		_exit(0);
	}
	EVENTUALLY(info().waiters == 1);
	poison(phys);
	EQUAL(reap(pid), 0);
}

/* A frame that is still referred to when its partition is closed. */
TEST(a_quarantined_frame)
{
	struct genp_info before;
	struct iovec page;
	struct part part;
	char buffer[PAGE];
	int fd[2];
	__u64 phys;

	need_injection();
	before = info();
	part = create(PAGE, 0);
	phys = phys_of(part.reserve);
	page = (struct iovec){ part.reserve, PAGE };
	CHECK(!pipe(fd));
	CHECK(vmsplice(fd[1], &page, 1, 0) == (ssize_t)PAGE);
	drop(&part);
	EVENTUALLY(info().quarantined == PAGE);
	poison(phys);
	EQUAL(info().committed, before.committed + PAGE);
	CHECK(read(fd[0], buffer, PAGE) == (ssize_t)PAGE || errno == EHWPOISON);
	close(fd[0]);
	close(fd[1]);
	EVENTUALLY(info().quarantined == 0);
	expect_lost(&before, 1);
	expect_gone(phys);
}

TEST(the_module_unloads_with_them)
{
	need_injection();
	read_parameters();
	CHECK(info().poisoned > 0);
	CHECK(!try_unload());
	CHECK(!load_with(parameters));
	EQUAL(info().poisoned, 0);
	EQUAL(info().free, info().capacity);
}
