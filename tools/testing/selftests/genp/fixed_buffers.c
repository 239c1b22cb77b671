// SPDX-License-Identifier: GPL-2.0
/*
 * A frame that is pinned is written to after its partition is gone, by io_uring's fixed
 * buffers as by a device: it has no new owner meanwhile, and comes to the next one zeroed.
 * Contract lines 1, 5, 9.
 */
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "module.h"

#define PAGES 8UL

struct ring {
	int fd;
	char *queue;
	struct io_uring_sqe *entries;
	struct io_uring_params params;
};

static struct ring make_ring(void)
{
	struct ring ring = {};

	ring.fd = syscall(SYS_io_uring_setup, 4, &ring.params);
	if (ring.fd < 0)
		SKIP("no io_uring here");
	ring.queue = mmap(NULL, ring.params.sq_off.array + 16 * sizeof(__u32) + 4096,
			  PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	ring.entries = mmap(NULL, ring.params.sq_entries * sizeof(*ring.entries),
			    PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	CHECK(ring.queue != MAP_FAILED && (void *)ring.entries != MAP_FAILED);
	return ring;
}

/* Its mappings would keep it. */
static void end_ring(struct ring *ring)
{
	munmap(ring->queue, ring->params.sq_off.array + 16 * sizeof(__u32) + 4096);
	munmap(ring->entries, ring->params.sq_entries * sizeof(*ring->entries));
	close(ring->fd);
}

static int register_buffer(struct ring *ring, void *at, unsigned long length)
{
	struct iovec buffer = { at, length };

	return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &buffer, 1);
}

/* Moves bytes between the fixed buffer and a file. */
static int move(struct ring *ring, int opcode, int fd, void *at, unsigned long length)
{
	__u32 *tail = (void *)(ring->queue + ring->params.sq_off.tail);
	__u32 *head = (void *)(ring->queue + ring->params.cq_off.head);
	__u32 mask = *(__u32 *)(ring->queue + ring->params.sq_off.ring_mask);
	struct io_uring_cqe *completions = (void *)(ring->queue + ring->params.cq_off.cqes);
	__u32 *array = (void *)(ring->queue + ring->params.sq_off.array);
	int result;

	ring->entries[*tail & mask] = (struct io_uring_sqe){
		.opcode = opcode,
		.fd = fd,
		.addr = (unsigned long)at,
		.len = length,
	};
	array[*tail & mask] = *tail & mask;
	atomic_thread_fence(memory_order_seq_cst);
	(*tail)++;
	atomic_thread_fence(memory_order_seq_cst);
	EQUAL(syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), 1);
	mask = *(__u32 *)(ring->queue + ring->params.cq_off.ring_mask);
	result = completions[*head & mask].res;
	(*head)++;
	return result;
}

/* Writes a byte to all of the pinned frames. */
static void write_pinned(struct ring *ring, void *at, unsigned long length, char byte)
{
	char text[PAGES * PAGE];
	int fd[2];

	CHECK(!pipe(fd));
	memset(text, byte, length);
	EQUAL(write(fd[1], text, length), length);
	EQUAL(move(ring, IORING_OP_READ_FIXED, fd[0], at, length), length);
	close(fd[0]);
	close(fd[1]);
}

static void expect_pinned(struct ring *ring, void *at, unsigned long length, char byte)
{
	char text[PAGES * PAGE];
	int fd[2];

	CHECK(!pipe(fd));
	EQUAL(move(ring, IORING_OP_WRITE_FIXED, fd[1], at, length), length);
	EQUAL(read(fd[0], text, length), length);
	for (unsigned long i = 0; i < length; i++)
		EQUAL(text[i], byte);
	close(fd[0]);
	close(fd[1]);
}

static void expect_zero_everywhere(void)
{
	struct part all = create(info().free, 0);

	for (unsigned long i = 0; i < all.windows.reserve_length; i++)
		if (all.reserve[i])
			FAIL("byte %lu is %d", i, all.reserve[i]);
	drop(&all);
}

TEST(who_writes_to_quarantine_leaves_nothing)
{
	struct genp_info before = info();

	for (int way = 0; way < 3; way++) {
		struct part part = create(PAGES * PAGE, 0);
		struct genp_resize less = { .size = sizeof(less), .reserve = PAGE };
		struct ring ring = make_ring();
		char *at = part.reserve + PAGE;
		unsigned long length = (PAGES - 1) * PAGE;

		CHECK(!register_buffer(&ring, at, length));
		if (way == 1)
			CHECK(!ioctl(part.fd, GENP_RESIZE, &less));
		else
			drop(&part);
		EVENTUALLY(info().quarantined == before.quarantined + length);
		/* Zeroed or not when they came there: written now. */
		pause_ms(200);
		write_pinned(&ring, at, length, 'q');
		struct part all = create(info().free, 0);

		memset(all.reserve, 'o', all.windows.reserve_length);
		expect_pinned(&ring, at, length, 'q');
		drop(&all);
		/* ... until they are let go, by the end of the ring or without it. */
		if (way == 2)
			CHECK(!syscall(SYS_io_uring_register, ring.fd, IORING_UNREGISTER_BUFFERS,
				       NULL, 0));
		end_ring(&ring);
		EVENTUALLY(info().quarantined == before.quarantined);
		expect_zero_everywhere();
		if (way == 1)
			drop(&part);
		expect_idle(&before);
	}
}

/* The reserve grows again to where pinned frames were cut off. */
TEST(what_was_cut_off_and_grows_again_is_another_frame)
{
	struct genp_info before = info();
	struct part part = create(PAGES * PAGE, 0);
	struct genp_resize less = { .size = sizeof(less), .reserve = PAGE };
	struct genp_resize more = { .size = sizeof(more), .reserve = PAGES * PAGE };
	struct ring ring = make_ring();
	char *at = part.reserve + PAGE;
	unsigned long length = (PAGES - 1) * PAGE;

	CHECK(!register_buffer(&ring, at, length));
	CHECK(!ioctl(part.fd, GENP_RESIZE, &less));
	CHECK(!ioctl(part.fd, GENP_RESIZE, &more));
	for (unsigned long i = 0; i < length; i++)
		EQUAL(at[i], 0);
	write_pinned(&ring, at, length, 'q');
	for (unsigned long i = 0; i < length; i++)
		EQUAL(at[i], 0);
	memset(at, 'n', length);
	expect_pinned(&ring, at, length, 'q');
	end_ring(&ring);
	EVENTUALLY(info().quarantined == before.quarantined);
	for (unsigned long i = 0; i < length; i++)
		EQUAL(at[i], 'n');
	drop(&part);
	expect_zero_everywhere();
	expect_idle(&before);
}

/* The module goes while frames are pinned and in pipes, which then are the kernel's. */
TEST(the_module_goes_before_the_pins)
{
	struct part part;
	struct ring ring = make_ring();
	char text[2 * PAGE], *at;
	struct iovec iov;
	int fd[2];

	read_parameters();
	part = create(PAGES * PAGE, 0);
	at = part.reserve;
	iov = (struct iovec){ at, 2 * PAGE };
	memset(at, 'p', PAGES * PAGE);
	EQUAL(syscall(SYS_futex, at + 4 * PAGE, 1, 1, NULL, NULL, 0), 0);
	CHECK(!register_buffer(&ring, at, PAGES * PAGE));
	CHECK(!pipe(fd));
	EQUAL(vmsplice(fd[1], &iov, 1, SPLICE_F_GIFT), 2 * PAGE);
	drop(&part);
	EVENTUALLY(!try_unload());
	write_pinned(&ring, at + 2 * PAGE, 4 * PAGE, 'u');
	expect_pinned(&ring, at + 2 * PAGE, 4 * PAGE, 'u');
	EQUAL(read(fd[0], text, PAGE), PAGE);
	EQUAL(text[0], 'p');
	CHECK(!load_with(parameters));
	expect_zero_everywhere();
	expect_pinned(&ring, at + 2 * PAGE, 4 * PAGE, 'u');
	end_ring(&ring);
	EQUAL(read(fd[0], text, PAGE), PAGE);
	EQUAL(text[PAGE - 1], 'p');
	close(fd[0]);
	close(fd[1]);
	pause_ms(200);
	expect_zero_everywhere();
}
