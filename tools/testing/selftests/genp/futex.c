// SPDX-License-Identifier: GPL-2.0
/*
 * What processes that share a reserve build in it: mutexes, semaphores, barriers.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>

#include "genp_test.h"

#define ROUNDS 2000

/* What is at the start of the reserve. */
struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t turned;
	pthread_barrier_t barrier;
	sem_t semaphore;
	int turn, count;
};

static long futex(void *word, int operation, unsigned int value, const struct timespec *limit)
{
	return syscall(SYS_futex, word, operation, value, limit, NULL, 0);
}

/* The reserve is not inherited: a child maps it itself, by the file that it inherits. */
static void *map_reserve(const struct part *part)
{
	void *at = mmap(NULL, part->windows.reserve_length, PROT_READ | PROT_WRITE, MAP_SHARED,
			part->fd, part->windows.reserve_offset);

	CHECK(at != MAP_FAILED);
	return at;
}

static void init_mutex(pthread_mutex_t *mutex, int protocol, int robust)
{
	pthread_mutexattr_t attributes;

	CHECK(!pthread_mutexattr_init(&attributes));
	CHECK(!pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
	CHECK(!pthread_mutexattr_setprotocol(&attributes, protocol));
	CHECK(!pthread_mutexattr_setrobust(&attributes, robust));
	CHECK(!pthread_mutex_init(mutex, &attributes));
}

/* Counts under the mutex, with a sleep in between now and then, so that both wait. */
static void count_under(struct shared *shared)
{
	for (int i = 0; i < ROUNDS; i++) {
		int seen;

		EQUAL(pthread_mutex_lock(&shared->mutex), 0);
		seen = shared->count;
		if (i % 64 == 0)
			usleep(100);
		shared->count = seen + 1;
		EQUAL(pthread_mutex_unlock(&shared->mutex), 0);
	}
}

/* What it does to PI futexes of a memfd as well: EPERM, and a waiter that is not woken. */
static void need_pi(int protocol)
{
	if (protocol == PTHREAD_PRIO_INHERIT && on_user_mode_linux())
		SKIP("user mode Linux loses the owner of PI futexes that processes share");
}

static void two_processes_count(int protocol, int robust)
{
	struct part part = create(4 * PAGE, 0);
	struct shared *shared = (void *)part.reserve;
	pid_t pid;

	need_pi(protocol);
	init_mutex(&shared->mutex, protocol, robust);
	pid = child();
	if (!pid) {
		count_under(map_reserve(&part));
		_exit(0);
	}
	count_under(shared);
	EQUAL(reap(pid), 0);
	EQUAL(shared->count, 2 * ROUNDS);
	drop(&part);
}

TEST(a_mutex) { two_processes_count(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED); }
TEST(a_robust_mutex) { two_processes_count(PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST); }
TEST(a_mutex_with_priority_inheritance)
{
	two_processes_count(PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED);
}

/* Who dies with the mutex leaves it to the next one, who is told. */
static void owner_dies(int protocol)
{
	struct part part = create(4 * PAGE, 0);
	struct shared *shared = (void *)part.reserve;
	pid_t pid;

	need_pi(protocol);
	init_mutex(&shared->mutex, protocol, PTHREAD_MUTEX_ROBUST);
	CHECK(!sem_init(&shared->semaphore, 1, 0));
	pid = child();
	if (!pid) {
		struct shared *mine = map_reserve(&part);

		CHECK(!pthread_mutex_lock(&mine->mutex));
		CHECK(!sem_post(&mine->semaphore));
		pause_ms(50);
		kill(getpid(), SIGKILL);
	}
	CHECK(!sem_wait(&shared->semaphore));
	EQUAL(pthread_mutex_lock(&shared->mutex), EOWNERDEAD);
	CHECK(!pthread_mutex_consistent(&shared->mutex));
	CHECK(!pthread_mutex_unlock(&shared->mutex));
	EQUAL(pthread_mutex_lock(&shared->mutex), 0);
	reap(pid);
	drop(&part);
}

TEST(a_dead_owner) { owner_dies(PTHREAD_PRIO_NONE); }
TEST(a_dead_owner_with_priority_inheritance) { owner_dies(PTHREAD_PRIO_INHERIT); }

TEST(a_barrier_and_a_condition)
{
	struct part part = create(4 * PAGE, 0);
	struct shared *shared = (void *)part.reserve;
	pthread_barrierattr_t barrier;
	pthread_condattr_t condition;
	pid_t pid;

	init_mutex(&shared->mutex, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED);
	CHECK(!pthread_condattr_init(&condition));
	CHECK(!pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED));
	CHECK(!pthread_cond_init(&shared->turned, &condition));
	CHECK(!pthread_barrierattr_init(&barrier));
	CHECK(!pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED));
	CHECK(!pthread_barrier_init(&shared->barrier, &barrier, 2));
	pid = child();
	if (!pid)
		shared = map_reserve(&part);
	pthread_barrier_wait(&shared->barrier);
	/* Each its turn. */
	for (int i = 0; i < 200; i++) {
		CHECK(!pthread_mutex_lock(&shared->mutex));
		while (shared->turn % 2 != !pid)
			CHECK(!pthread_cond_wait(&shared->turned, &shared->mutex));
		shared->turn++;
		CHECK(!pthread_cond_broadcast(&shared->turned));
		CHECK(!pthread_mutex_unlock(&shared->mutex));
	}
	pthread_barrier_wait(&shared->barrier);
	if (!pid)
		_exit(0);
	EQUAL(reap(pid), 0);
	EQUAL(shared->turn, 400);
	drop(&part);
}

/* R, S and so on, as in /proc. */
static char state_of(pid_t pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	CHECK(file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
	fclose(file);
	return state;
}

/* A child that waits for the word at @offset in its own mapping, and ends with the errno. */
static pid_t sleeper(const struct part *part, __u64 offset)
{
	pid_t pid = child();

	if (!pid) {
		struct timespec limit = { .tv_sec = 60 };
		char *at = map_reserve(part);

		_exit(futex(at + offset, FUTEX_WAIT, 0, &limit) ? errno : 0);
	}
	return pid;
}

/* A word is that of its page and its partition, and of no other. */
TEST(words_are_told_apart)
{
	struct part mine = create(8 * PAGE, 0), other = create(8 * PAGE, 0);
	pid_t pid = sleeper(&mine, 3 * PAGE + 64);

	EVENTUALLY(state_of(pid) == 'S');
	pause_ms(20);
	for (int page = 0; page < 8; page++) {
		EQUAL(futex(other.reserve + page * PAGE + 64, FUTEX_WAKE, 1, NULL), 0);
		if (page != 3)
			EQUAL(futex(mine.reserve + page * PAGE + 64, FUTEX_WAKE, 1, NULL), 0);
	}
	EQUAL(futex(mine.reserve + 3 * PAGE + 64, FUTEX_WAKE, 1, NULL), 1);
	EQUAL(reap(pid), 0);
	drop(&mine);
	drop(&other);
}

/* ... also after its page was taken out of the page tables, or was added later. */
TEST(a_word_in_a_page_that_was_faulted_in)
{
	struct part part = create(4 * PAGE, 0);
	pid_t pid = sleeper(&part, PAGE);

	EVENTUALLY(state_of(pid) == 'S');
	pause_ms(20);
	CHECK(!madvise(part.reserve + PAGE, PAGE, MADV_DONTNEED));
	EQUAL(futex(part.reserve + PAGE, FUTEX_WAKE, 1, NULL), 1);
	EQUAL(reap(pid), 0);
	drop(&part);
}

/*
 * Frames go from one reserve to the next, by a shrink and by a close, and are then the
 * words of the other; nothing of the first one is woken.
 */
TEST(frames_change_hands)
{
	struct genp_resize smaller = { .size = sizeof(smaller), .reserve = PAGE };

	for (int round = 0; round < 50; round++) {
		struct part first = create(16 * PAGE, 0), second;

		EQUAL(futex(first.reserve + 5 * PAGE, FUTEX_WAKE, 1, NULL), 0);
		if (round % 2)
			CHECK(!ioctl(first.fd, GENP_RESIZE, &smaller));
		else
			drop(&first);
		second = create(16 * PAGE, 0);
		for (int page = 0; page < 16; page++)
			EQUAL(futex(second.reserve + page * PAGE, FUTEX_WAKE, 1, NULL), 0);
		drop(&second);
		if (round % 2)
			drop(&first);
	}
}

/* What is lent can end at any time: there is no waiting for a word in it. */
TEST(leases_have_none)
{
	struct part part = create(0, 4 * PAGE);
	struct timespec limit = { .tv_nsec = 1000000 };
	struct genp_borrow lease;
	__u32 *word;

	CHECK(!borrow(part.fd, PAGE, GENP_NO_WAIT, 0, &lease));
	word = (void *)lease_at(&part, &lease);
	ERRNO(futex(word, FUTEX_WAIT, 0, &limit), EFAULT);
	/* Between threads of one process only the address counts. */
	ERRNO(futex(word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &limit), ETIMEDOUT);
	drop(&part);
}
