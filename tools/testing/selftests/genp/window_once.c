// SPDX-License-Identifier: GPL-2.0
/*
 * One lease window in an address space: mapped over itself, refused after it was admitted,
 * by threads at once, in children that share memory, beside exec. Contract lines 1, 5, 13.
 */
#include <linux/sched.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "genp_test.h"

#define PAGES 8UL

static void *map_window(const struct part *part, void *at, int flags)
{
	return mmap(at, part->windows.lease_length, PROT_READ | PROT_WRITE, MAP_SHARED | flags,
		    part->fd, part->windows.lease_offset);
}

/* How many windows there are: what the limit of 16 leaves. */
static int room(const struct part *part)
{
	void *maps[17];
	int count = 0;

	while (count < 17 && (maps[count] = map_window(part, NULL, 0)) != MAP_FAILED)
		count++;
	for (int i = 0; i < count; i++)
		munmap(maps[i], part->windows.lease_length);
	return count;
}

TEST(mapped_over_itself)
{
	struct part part = create(0, PAGES * PAGE);
	struct genp_borrow lease;

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	lease_at(&part, &lease)[0] = 7;
	for (int i = 0; i < 40; i++) {
		void *at = map_window(&part, part.lease, MAP_FIXED);

		if (at == MAP_FAILED) {
			EQUAL(errno, EMLINK);
			printf("# refused, and %s\n", is_gone(lease_at(&part, &lease)) ?
			       "the window is gone" : "the window is there");
			break;
		}
	}
	ERRNO(map_window(&part, NULL, 0), EMLINK);
	EQUAL(lease_at(&part, &lease)[0], 7);
	CHECK(!give_back(part.fd, lease.handle));
	CHECK(is_gone(lease_at(&part, &lease)));
	munmap(part.lease, part.windows.lease_length);
	part.lease = map_window(&part, NULL, 0);
	CHECK(part.lease != MAP_FAILED);
}

TEST(mapped_over_another_ones)
{
	struct part part = create_multimap(0, PAGES * PAGE), other = create_multimap(0, PAGES * PAGE);
	char *at = part.lease;

	for (int i = 0; i < 40; i++) {
		const struct part *next = i % 2 ? &part : &other;

		CHECK(map_window(next, at, MAP_FIXED) == at);
		/* Refused, by the kernel or by GenP, on the way there. */
		CHECK(mmap(at, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, next->fd,
			   next->windows.lease_offset + PAGE) == MAP_FAILED);
		CHECK(mmap(at, next->windows.lease_length, PROT_READ | PROT_EXEC,
			   MAP_SHARED | MAP_FIXED, next->fd, next->windows.lease_offset) ==
		      MAP_FAILED);
	}
	munmap(at, part.windows.lease_length);
	/* The other one has its first one still. */
	EQUAL(room(&part), 16);
	EQUAL(room(&other), 15);
}

/* The kernel refuses for its own reasons. */
TEST(what_the_kernel_refuses_is_not_counted)
{
	struct part part = create_multimap(0, PAGES * PAGE);
	struct rlimit low = { 1 << 20, RLIM_INFINITY };

	for (int i = 0; i < 40; i++) {
		CHECK(!setrlimit(RLIMIT_AS, &low));
		CHECK(map_window(&part, NULL, 0) == MAP_FAILED);
		low.rlim_cur = RLIM_INFINITY;
		CHECK(!setrlimit(RLIMIT_AS, &low));
		low.rlim_cur = 1 << 20;
		CHECK(map_window(&part, part.lease, MAP_FIXED_NOREPLACE) == MAP_FAILED);
		CHECK(map_window(&part, (void *)1, MAP_FIXED) == MAP_FAILED);
		CHECK(map_window(&part, NULL, MAP_HUGETLB) == MAP_FAILED);
	}
	EQUAL(room(&part), 15);
	munmap(part.lease, part.windows.lease_length);
}

#define MOVE (MREMAP_MAYMOVE | MREMAP_FIXED)

/* No mremap() gives an address space another window, nor takes it the one it has. */
static void mremap_in_vain(const struct part *part)
{
	unsigned long length = part->windows.lease_length;
	void *to = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(to != MAP_FAILED);
	ERRNO(mremap(part->lease, length, length, MOVE, to), EINVAL);
	ERRNO(mremap(part->lease, length, length, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), EINVAL);
	ERRNO(mremap(part->lease, length, 2 * length, MREMAP_MAYMOVE), EFAULT);
	/* A second one of the same pages; the errno is the kernel's. */
	CHECK(mremap(part->lease, 0, length, MREMAP_MAYMOVE) == MAP_FAILED);
	CHECK(mremap(part->lease, 0, length, MOVE, to) == MAP_FAILED);
	munmap(to, length);
}

/* fork() leaves the window out: the child has none, and may map one as anybody. */
static void fork_in_vain(const struct part *part, int more)
{
	pid_t pid;

	/* Nor can it be asked to. */
	ERRNO(madvise(part->lease, part->windows.lease_length, MADV_DOFORK), EINVAL);
	pid = child();
	if (!pid) {
		(void)*(volatile char *)part->lease;
		_exit(0);
	}
	EQUAL(WTERMSIG(reap(pid)), SIGSEGV);
	pid = child();
	if (!pid) {
		for (int i = 0; i < more; i++)
			CHECK(map_window(part, NULL, 0) != MAP_FAILED);
		if (more == 1)
			ERRNO(map_window(part, NULL, 0), EMLINK);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
}

/* mmap() twice is EMLINK; no other call gives a second window either. */
TEST(no_call_gives_an_address_space_a_second_window)
{
	struct part part = create(0, PAGES * PAGE);

	ERRNO(map_window(&part, NULL, 0), EMLINK);
	mremap_in_vain(&part);
	fork_in_vain(&part, 1);
	ERRNO(map_window(&part, NULL, 0), EMLINK);
	/* That of the child is its own affair, but the counter is the partition's. */
	EQUAL(stat_of(part.fd).mapping_refusals, 3);
}

/* Who asked for several gets them by mmap(), and by nothing else. */
TEST(a_multimap_partition_gives_several_and_no_emlink)
{
	struct part part = create_multimap(0, PAGES * PAGE);

	CHECK(map_window(&part, NULL, 0) != MAP_FAILED);
	mremap_in_vain(&part);
	fork_in_vain(&part, 3);
	/* 16 in all address spaces, and EBUSY then. */
	for (int i = 2; i < 16; i++)
		CHECK(map_window(&part, NULL, 0) != MAP_FAILED);
	ERRNO(map_window(&part, NULL, 0), EBUSY);
	EQUAL(stat_of(part.fd).mapping_refusals, 1);
}

static atomic_int mapped, most;
static struct part once;

static void *map_always(void *data)
{
	for (int i = 0; i < 3000; i++) {
		void *at = map_window(&once, NULL, 0);
		int count;

		if (at == MAP_FAILED) {
			CHECK(errno == EMLINK);
			continue;
		}
		count = atomic_fetch_add(&mapped, 1) + 1;
		if (count > most)
			most = count;
		atomic_fetch_sub(&mapped, 1);
		munmap(at, once.windows.lease_length);
	}
	return data;
}

TEST(threads_map_it_at_once)
{
	pthread_t threads[4];

	once = create(0, PAGES * PAGE);
	munmap(once.lease, once.windows.lease_length);
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, map_always, NULL));
	for (int i = 0; i < 300; i++) {
		struct genp_borrow lease;

		if (!borrow(once.fd, PAGES * PAGE, GENP_NO_WAIT, 0, &lease)) {
			usleep(200);
			give_back(once.fd, lease.handle);
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_join(threads[i], NULL));
	EQUAL(most, 1);
	CHECK(map_window(&once, NULL, 0) != MAP_FAILED);
}

static char stack[65536];

static int in_the_same_memory(void *data)
{
	(void)data;
	return map_window(&once, NULL, 0) == MAP_FAILED ? errno : 0;
}

TEST(children_in_the_same_memory_have_it_already)
{
	int status;
	pid_t pid;

	once = create(0, PAGES * PAGE);
	pid = clone(in_the_same_memory, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
	CHECK(pid > 0);
	status = reap(pid);
	EQUAL(WEXITSTATUS(status), EMLINK);
	pid = vfork();
	if (!pid)
		_exit(map_window(&once, NULL, 0) == MAP_FAILED ? errno : 0);
	status = reap(pid);
	EQUAL(WEXITSTATUS(status), EMLINK);
	/* And one that leaves it for a program has none: it is mapped anew after the end. */
	pid = vfork();
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	EQUAL(reap(pid), 0);
	pid = child();
	if (!pid) {
		CHECK(map_window(&once, NULL, 0) != MAP_FAILED);
		ERRNO(map_window(&once, NULL, 0), EMLINK);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
}

/* A child in the same memory that keeps the window after its parent closed the file. */
static int keeps(void *data)
{
	struct genp_borrow *lease = data;

	close(once.fd);
	CHECK(is_gone(lease_at(&once, lease)) == false);
	return 0;
}

TEST(a_child_without_the_files_harms_nothing)
{
	struct genp_borrow lease;
	int status;
	pid_t pid;

	once = create(0, PAGES * PAGE);
	CHECK(!borrow(once.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	lease_at(&once, &lease)[0] = 3;
	pid = clone(keeps, stack + sizeof(stack), CLONE_VM | SIGCHLD, &lease);
	status = reap(pid);
	EQUAL(status, 0);
	EQUAL(lease_at(&once, &lease)[0], 3);
	CHECK(!give_back(once.fd, lease.handle));
}
