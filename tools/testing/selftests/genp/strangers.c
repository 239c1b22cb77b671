// SPDX-License-Identifier: GPL-2.0
/*
 * One owner of frames has everything that copies from and to memory run on its windows
 * while leases end and its reserve shrinks and grows; another one, who gets the same
 * frames, neither finds nor shows a byte. Contract lines 1, 5.
 */
#include <pthread.h>
#include <setjmp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "genp_test.h"

#define PAGES 24UL
#define MINE 'a'
#define THEIRS 'b'
#define SECONDS 12

/* What is shared between the processes. */
struct shared {
	struct part part;
	pid_t pid;
	volatile int enough;
	volatile unsigned long copied, owned, lapsed;
};

static struct shared *shared;

static bool has(const char *at, unsigned long length, char byte)
{
	return memchr(at, byte, length);
}

/* A page that was copied out of the first owner's windows. */
static void expect_mine(const char *page, long got, const char *how)
{
	if (got > 0)
		shared->copied++;
	if (got > 0 && has(page, got, THEIRS))
		FAIL("%s shows another owner's byte", how);
}

static char *target(unsigned int turn, bool lease)
{
	if (lease)
		return shared->part.lease + turn % (2 * PAGES) * PAGE;
	return shared->part.reserve + turn % PAGES * PAGE;
}

static void copy_by_mem(bool lease)
{
	char path[64], page[PAGE];
	int mem;

	snprintf(path, sizeof(path), "/proc/%d/mem", shared->pid);
	mem = open(path, O_RDWR | O_CLOEXEC);
	CHECK(mem >= 0);
	for (unsigned int turn = 0; !shared->enough; turn++) {
		char *at = target(turn, lease);

		if (turn % 3) {
			expect_mine(page, pread(mem, page, PAGE, (off_t)at), "/proc/PID/mem");
			continue;
		}
		memset(page, MINE, PAGE);
		(void)!pwrite(mem, page, PAGE, (off_t)at);
	}
}

static void copy_by_process_vm(bool lease)
{
	char page[PAGE];
	struct iovec here = { page, PAGE };

	for (unsigned int turn = 0; !shared->enough; turn++) {
		struct iovec there = { target(turn, lease), PAGE };

		if (turn % 3) {
			expect_mine(page, process_vm_readv(shared->pid, &here, 1, &there, 1, 0),
				    "process_vm_readv()");
			continue;
		}
		memset(page, MINE, PAGE);
		(void)!process_vm_writev(shared->pid, &here, 1, &there, 1, 0);
	}
}

struct thread {
	bool lease;
	int kind;
};

/* Pages in a pipe, in a socket behind it, and back. */
static void splice_pages(const struct thread *thread)
{
	char page[PAGE];
	int fd[2], sockets[2];

	CHECK(!pipe(fd) && !socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	for (unsigned int turn = 0; !shared->enough; turn++) {
		struct iovec from = { target(turn, thread->lease), PAGE };
		long got = vmsplice(fd[1], &from, 1, turn % 2 ? SPLICE_F_GIFT : 0);

		if (got <= 0)
			continue;
		if (turn % 8 == 0)
			pause_ms(1);
		if (turn % 3) {
			expect_mine(page, read(fd[0], page, PAGE), "a pipe");
			continue;
		}
		got = splice(fd[0], NULL, sockets[1], NULL, PAGE, SPLICE_F_MOVE);
		CHECK(got == (ssize_t)PAGE);
		expect_mine(page, read(sockets[0], page, PAGE), "a socket");
	}
	close(fd[0]);
	close(fd[1]);
	close(sockets[0]);
	close(sockets[1]);
}

static void copy_by_pipe(const struct thread *thread)
{
	char page[PAGE];
	int fd[2];

	CHECK(!pipe2(fd, O_NONBLOCK));
	for (unsigned int turn = 0; !shared->enough; turn++) {
		char *at = target(turn, thread->lease);

		if (turn % 2) {
			if (write(fd[1], at, PAGE) > 0)
				expect_mine(page, read(fd[0], page, PAGE), "write()");
			continue;
		}
		memset(page, MINE, PAGE);
		CHECK(write(fd[1], page, PAGE) == (ssize_t)PAGE);
		(void)!read(fd[0], at, PAGE);
		while (read(fd[0], page, PAGE) > 0)
			;
	}
}

static __thread sigjmp_buf off;

static void on_lapse(int sig)
{
	(void)sig;
	siglongjmp(off, 1);
}

static void touch(const struct thread *thread)
{
	volatile unsigned int turn = 0;

	while (!shared->enough) {
		volatile char *at = target(turn++, thread->lease);

		if (sigsetjmp(off, 1)) {
			shared->lapsed++;
			continue;
		}
		for (unsigned long i = 0; i < PAGE; i += 64) {
			if (at[i] == THEIRS)
				FAIL("an access shows another owner's byte");
			at[i] = MINE;
		}
	}
}

/* Every call that changes all of a mapping, again and again. */
static void change_mapping(const struct thread *thread)
{
	char *at = target(0, thread->lease), *to;
	unsigned long length = thread->lease ? shared->part.windows.lease_length : PAGES * PAGE;

	to = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(to != MAP_FAILED);
	for (unsigned int turn = 0; !shared->enough; turn++) {
		mprotect(at, length, turn % 2 ? PROT_NONE : PROT_READ);
		mprotect(at, length, PROT_READ | PROT_WRITE);
		if (thread->lease) {
			ERRNO(mremap(at, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to), EINVAL);
			CHECK(mmap(to, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				   -1, 0) == to);
			if (turn % 8 == 0)
				CHECK(mmap(at, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
					   shared->part.fd, shared->part.windows.lease_offset) == at);
		} else {
			mlock2(at, length, MLOCK_ONFAULT);
			munlock(at, length);
			madvise(at, length, turn % 2 ? MADV_PAGEOUT : MADV_COLD);
		}
	}
}

static void *work(void *data)
{
	const struct thread *thread = data;

	if (thread->kind == 0)
		splice_pages(thread);
	else if (thread->kind == 1)
		copy_by_pipe(thread);
	else if (thread->kind == 2)
		touch(thread);
	else
		change_mapping(thread);
	return NULL;
}

/* The first owner's windows change all the time. */
static void change(unsigned int turn, bool lease)
{
	struct part *part = &shared->part;
	struct genp_resize ask = { .size = sizeof(ask), .borrow_limit = PAGES * PAGE };
	struct genp_borrow given;

	if (lease) {
		/* Returned, mostly; others end by themselves. */
		if (!borrow(part->fd, PAGES * PAGE, now() + MSEC, (2 + turn % 4) * MSEC, &given) &&
		    turn % 8)
			give_back(part->fd, given.handle);
		return;
	}
	ask.reserve = (turn % 2 ? 1 : PAGES) * PAGE;
	ioctl(part->fd, GENP_RESIZE, &ask);
	if (turn % 4 == 0)
		madvise(part->reserve, PAGES * PAGE, MADV_DONTNEED);
}

static void first_owner(bool lease)
{
	struct sigaction action = { .sa_handler = on_lapse, .sa_flags = SA_NODEFER };
	struct genp_create ask = create_request(lease ? PAGE : PAGES * PAGE, PAGES * PAGE);
	struct thread kinds[4] = { { lease, 0 }, { lease, 1 }, { lease, 2 }, { lease, 3 } };
	pthread_t threads[4];

	ask.max_leases = 2;
	shared->part = create_from(ask);
	CHECK(!sigaction(SIGBUS, &action, NULL));
	/* Between one mapping and the next there is none. */
	CHECK(!sigaction(SIGSEGV, &action, NULL));
	prctl(PR_SET_DUMPABLE, 1);
	shared->pid = getpid();
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, work, &kinds[i]));
	for (unsigned int turn = 0; !shared->enough; turn++)
		change(turn, lease);
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(threads[i], NULL));
}

/* Has what the first one has not, and looks at it. */
static void second_owner(bool lease)
{
	for (unsigned int turn = 0; !shared->enough; turn++) {
		__u64 length = info().free;
		struct part part;
		struct genp_create ask = create_request(turn % 2 ? length : 0, PAGES * PAGE);
		struct genp_borrow given;
		char *at;

		if (!length || try_create(&ask))
			continue;
		part.fd = ask.fd;
		part.windows = ask.windows;
		map(&part);
		at = part.reserve;
		if (!at) {
			length = PAGES * PAGE;
			if (borrow(part.fd, length, GENP_NO_WAIT, SEC, &given)) {
				drop(&part);
				continue;
			}
			at = lease_at(&part, &given);
		}
		if (has(at, length, MINE))
			FAIL("a new owner finds another one's bytes");
		memset(at, THEIRS, length);
		usleep(turn % 5 * 300);
		for (unsigned long i = 0; i < length; i++)
			if (at[i] != THEIRS)
				FAIL("byte %lu of an owner became %d", i, at[i]);
		shared->owned++;
		drop(&part);
	}
	(void)lease;
}

static void strangers(bool lease)
{
	struct genp_info before = info();
	struct part hoard;
	pid_t pids[4];

	NEEDS_PROMPT_UNMAPPING();
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	hoard = create(before.free - 3 * PAGES * PAGE, 0);
	for (int i = 0; i < 4; i++) {
		pids[i] = child();
		if (pids[i])
			continue;
		if (!i)
			first_owner(lease);
		EVENTUALLY(shared->pid);
		if (i == 1)
			second_owner(lease);
		if (i == 2)
			copy_by_mem(lease);
		if (i == 3)
			copy_by_process_vm(lease);
		_exit(0);
	}
	pause_ms(SECONDS * 1000);
	shared->enough = 1;
	for (int i = 0; i < 4; i++)
		EQUAL(reap(pids[i]), 0);
	printf("# %lu pages copied, %lu owners, %lu signals\n", shared->copied, shared->owned,
	       shared->lapsed);
	CHECK(shared->copied && shared->owned);
	drop(&hoard);
	expect_idle(&before);
}

TEST(leases_end_under_all_that_copies) { strangers(true); }
TEST(reserves_shrink_under_all_that_copies) { strangers(false); }
