// SPDX-License-Identifier: GPL-2.0
/* A heap of libgenp whose reserve becomes larger and smaller while it is used. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "genp.h"
#include "genp_test.h"
#include "traced.h"

#define MIB (1UL << 20)
#define MOST (8 * MIB)
#define THREADS 3
#define BLOCKS 64
/* Calls of the kernel that making a heap and resizing it takes, at most. */
#define MOST_CALLS 400

static genp_partition_t *part;

static genp_partition_t *made(const char *name)
{
	struct genp_create ask = create_request(MIB, 16 * PAGE);

	strcpy(ask.name, name);
	return genp_create_resizable(&ask, MOST);
}

static void expect_reserve(size_t bytes)
{
	size_t length;

	CHECK(genp_reserve(part, &length));
	EQUAL(length, bytes);
	EQUAL(stat_of(genp_partition_fd(part)).reserve, bytes);
}

/* What the kernel is told is what the heap says, wherever that is told; it shows no more than
 * the reserve.
 */
static void expect_told(void)
{
	struct genp_heap_stat heap = { .size = sizeof(heap) };
	struct genp_stat stat = stat_of(genp_partition_fd(part));

	CHECK(!genp_get_heap_stat(part, 0, &heap));
	EQUAL(stat.heap_used, heap.taken);
	EQUAL(stat.heap_peak, heap.taken_peak < stat.reserve ? heap.taken_peak : stat.reserve);
}

TEST(a_heap_has_what_its_reserve_has)
{
	struct genp_info before = info();
	char *block;

	part = made("");
	CHECK(part && (block = genp_alloc(part, 900000)));
	strcpy(block, "stays");
	expect_told();
	for (size_t bytes = 2 * MIB; bytes <= MOST; bytes *= 2) {
		CHECK(!genp_resize(part, bytes));
		expect_reserve(bytes);
		expect_told();
	}
	EQUAL(info().committed, before.committed + MOST);
	CHECK(!strcmp(block, "stays") && !genp_free(block));
	CHECK((block = genp_alloc(part, 7 * MIB)));
	memset(block, 1, 7 * MIB);
	expect_told();
	ERRNO(genp_resize(part, MIB), EBUSY);
	CHECK(!genp_free(block) && !genp_resize(part, MIB));
	expect_reserve(MIB);
	expect_told();
	EQUAL(info().committed, before.committed + MIB);
	CHECK(!genp_destroy(part));
	expect_idle(&before);
}

TEST(what_the_pool_refuses_changes_nothing)
{
	struct genp_info before = info();
	struct genp_create ask = create_request(before.capacity - before.committed - 2 * MIB, 0);
	char *block;

	part = made("");
	CHECK(part && (block = genp_alloc(part, 1000)));
	strcpy(block, "stays");
	CHECK(!try_create(&ask));
	CHECK(genp_resize(part, 4 * MIB) == -1 && (errno == ENOSPC || errno == ENOMEM));
	expect_reserve(MIB);
	CHECK(!strcmp(block, "stays"));
	close(ask.fd);
	while (genp_resize(part, 4 * MIB))
		CHECK(errno == ENOSPC || errno == EAGAIN || errno == ENOMEM);
	expect_reserve(4 * MIB);
	CHECK(!strcmp(block, "stays") && !genp_destroy(part));
}

TEST(regions_of_others_are_in_the_way)
{
	struct genp_resize more = { .size = sizeof(more), .reserve = 2 * MIB };
	struct genp_alloc theirs;
	int fd;

	part = made("");
	CHECK(part);
	fd = genp_partition_fd(part);
	more.borrow_limit = stat_of(fd).borrow_limit;
	CHECK(!ioctl(fd, GENP_RESIZE, &more));
	CHECK(!region(fd, MIB, 0, &theirs));
	ERRNO(genp_resize(part, 2 * MIB), EBUSY);
	CHECK(genp_alloc(part, 100000));
	CHECK(!by_handle(fd, GENP_FREE, theirs.handle));
	CHECK(!genp_resize(part, 2 * MIB));
	expect_reserve(2 * MIB);
	CHECK(!genp_set_borrow_limit(part, PAGE));
	expect_reserve(2 * MIB);
	CHECK(!genp_destroy(part));
}

/*
 * What becomes of the heap while threads use it. From GROWS on all of the program is there, so that
 * it takes no page fault of its own.
 */
static enum { STAYS, GROWS, CHANGES, ENDS } _Atomic phase;
/* How often it became smaller. */
static atomic_int shrunk;

static long faults(void)
{
	struct rusage usage;

	CHECK(!getrusage(RUSAGE_THREAD, &usage));
	return usage.ru_minflt + usage.ru_majflt;
}

/*
 * Allocates and frees; what it has is as it wrote it. It takes no page fault when the heap grows,
 * and when it shrinks one at most: if it was just looking at a block that is taken away.
 */
static void *load(void *arg)
{
	struct {
		unsigned char *at;
		size_t size;
	} held[BLOCKS] = { 0 };
	unsigned int seed = (uintptr_t)arg;
	long first = -1, second = -1;

	CHECK(!genp_thread_attach());
	while (phase != ENDS) {
		int i = rand_r(&seed) % BLOCKS;

		if (phase == GROWS && first < 0)
			first = faults();
		if (phase == CHANGES && second < 0)
			second = faults();
		if (held[i].at) {
			EQUAL(held[i].at[0], i);
			EQUAL(held[i].at[held[i].size - 1], i);
			CHECK(!genp_free(held[i].at));
			held[i].at = NULL;
			continue;
		}
		held[i].size = 1 + rand_r(&seed) % (i % 8 ? 500 : 20000);
		held[i].at = genp_alloc(part, held[i].size);
		if (held[i].at)
			held[i].at[0] = held[i].at[held[i].size - 1] = i;
	}
	if (!on_user_mode_linux()) {
		if (first >= 0 && second >= 0)
			EQUAL(second, first);
		CHECK(second < 0 || faults() - second <= shrunk);
	}
	for (int i = 0; i < BLOCKS; i++)
		CHECK(!genp_free(held[i].at));
	return NULL;
}

TEST(threads_go_on_while_it_is_resized)
{
	int rounds = 150, grown = 0;
	pthread_t threads[THREADS];
	unsigned int seed = 1;

	part = made("");
	CHECK(part);
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, load, (void *)(i + 1)));
	CHECK(!mlockall(MCL_CURRENT));
	phase = GROWS;
	for (size_t bytes = 2 * MIB; bytes <= MOST; bytes += MIB) {
		pause_ms(10);
		CHECK(!genp_resize(part, bytes));
	}
	pause_ms(10);
	phase = CHANGES;
	for (int i = 0; i < rounds; i++) {
		size_t length, bytes = (1 + rand_r(&seed) % 8) * MIB;

		CHECK(genp_reserve(part, &length));
		if (!genp_resize(part, bytes)) {
			grown += bytes > length;
			shrunk += bytes < length;
			continue;
		}
		/* A page that is cut off may be in quarantine for a moment. */
		if (bytes > length)
			CHECK(errno == EAGAIN || errno == ENOSPC);
		else
			CHECK(errno == EBUSY || errno == EINVAL);
	}
	phase = ENDS;
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	printf("# %d times larger, %d times smaller\n", grown, atomic_load(&shrunk));
	CHECK(grown && shrunk);
	CHECK(!genp_resize(part, MIB) && !genp_destroy(part));
}

/* Makes a heap larger and smaller, and is stopped at each call of the kernel. */
static pid_t traced(void)
{
	pid_t pid = child();

	if (!pid) {
		part = made("mortal");
		CHECK(part && genp_alloc(part, 900000));
		be_traced();
		CHECK(!genp_resize(part, 2 * MIB) && !genp_resize(part, 4 * MIB));
		CHECK(!genp_resize(part, MIB));
		_exit(0);
	}
	return pid;
}

TEST(who_dies_in_the_middle_leaves_nothing)
{
	struct genp_info before = info();
	int number;

	for (number = 0; number < MOST_CALLS && die_at_call(traced(), number); number++)
		expect_idle(&before);
	printf("# died at each of %d calls and returns\n", number);
	CHECK(number > 20 && number < MOST_CALLS);
	/* Its name as well. */
	part = made("mortal");
	CHECK(part && !genp_destroy(part));
}
