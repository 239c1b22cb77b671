// SPDX-License-Identifier: GPL-2.0
/* A heap of libgenp that processes share: who dies at whatever moment takes nothing along. */
#include "genp.h"
#include "genp_test.h"

#define NAME "shared"
#define RESERVE (1UL << 20)
#define SLOTS 48
#define WORKERS 4
#define KEPT 8
#define KILLS 300

/* User mode Linux loses the owner of PI futexes that processes share. */
static unsigned int flags(void)
{
	return on_user_mode_linux() ? GENP_SHARED_NO_PI : 0;
}

static struct genp_create request(void)
{
	struct genp_create ask = create_request(RESERVE, 0);

	strcpy(ask.name, NAME);
	return ask;
}

static genp_partition_t *create_shared(void)
{
	struct genp_create ask = request();
	genp_partition_t *part = genp_create_shared(&ask, flags());

	CHECK(part);
	return part;
}

static genp_partition_t *share(void)
{
	genp_partition_t *part = genp_open(NAME);

	CHECK(part);
	CHECK(!genp_share_heap(part, flags()));
	return part;
}

static struct genp_shared_stat shared_stat(genp_partition_t *part)
{
	struct genp_shared_stat stat = { .size = sizeof(stat) };

	CHECK(!genp_get_shared_stat(part, &stat));
	return stat;
}

/* All of it is free, and in one piece, and nobody else is there. */
static void expect_whole(genp_partition_t *part, __u64 largest)
{
	struct genp_shared_stat stat = shared_stat(part);

	EQUAL(stat.used, 0);
	EQUAL(stat.blocks, 0);
	EQUAL(stat.largest, largest);
	EQUAL(stat.members, 1);
}

TEST(a_block_goes_from_one_process_to_another)
{
	struct genp_info before = info();
	genp_partition_t *part = create_shared();
	__u64 largest = shared_stat(part).largest;
	struct genp_stat told = { .size = sizeof(told) };
	char *block;
	pid_t pid = child();

	if (!pid) {
		genp_partition_t *mine = share();

		block = genp_alloc(mine, 5000);
		CHECK(block);
		strcpy(block, "from a child");
		CHECK(!genp_put(block, genp_root(mine)));
		ERRNO(genp_put(block, genp_root(mine)), EBUSY);
		_exit(0);
	}
	EQUAL(reap(pid), 0);
	EQUAL(genp_free_dead(part), 0);
	EQUAL(shared_stat(part).unowned_blocks, 1);
	/* The kernel knows how much is in use. */
	CHECK(!genp_get_stat(part, &told));
	CHECK(told.heap_used >= 5000 && told.heap_used < 6000);
	block = genp_take(part, genp_root(part));
	CHECK(block && !strcmp(block, "from a child"));
	EQUAL(shared_stat(part).own_blocks, 1);
	errno = 0;
	CHECK(!genp_take(part, genp_root(part)) && errno == EAGAIN);
	CHECK(!genp_free(block));
	ERRNO(genp_free(block), EINVAL);
	expect_whole(part, largest);
	CHECK(!genp_destroy(part));
	expect_idle(&before);
}

TEST(blocks_of_an_ended_process_are_freed_and_no_others)
{
	genp_partition_t *part = create_shared();
	__u64 largest = shared_stat(part).largest;
	void *mine = genp_alloc(part, 100);
	pid_t pid = child();

	if (!pid) {
		genp_partition_t *other = share();

		for (int i = 0; i < 10; i++)
			CHECK(genp_alloc(other, 1000));
		CHECK(!genp_disown(genp_alloc(other, 300)));
		_exit(0);
	}
	EQUAL(reap(pid), 0);
	EQUAL(genp_free_dead(part), 10);
	EQUAL(shared_stat(part).blocks, 2);
	EQUAL(shared_stat(part).unowned_blocks, 1);
	CHECK(!genp_free(mine));
	CHECK(shared_stat(part).used >= 300);
	CHECK(shared_stat(part).largest < largest);
	CHECK(!genp_destroy(part));
}

/* As "genpctl create" makes them; who comes first makes the heap. */
TEST(a_partition_of_somebody_else_gets_a_heap)
{
	struct genp_create ask = request();
	genp_partition_t *part;
	pid_t pids[WORKERS];
	int fd;

	CHECK(!try_create(&ask));
	fd = ask.fd;
	for (int i = 0; i < WORKERS; i++) {
		pids[i] = child();
		if (!pids[i]) {
			genp_partition_t *mine = genp_open(NAME);
			int answer;

			CHECK(mine);
			while ((answer = genp_share_heap(mine, flags())) && errno == EAGAIN)
				pause_ms(1);
			EQUAL(answer, 0);
			ERRNO(genp_share_heap(mine, flags()), EBUSY);
			for (int j = 0; j < 200; j++)
				CHECK(!genp_free(genp_alloc(mine, 100 + j)));
			CHECK(!genp_destroy(mine));
			_exit(0);
		}
	}
	for (int i = 0; i < WORKERS; i++)
		EQUAL(reap(pids[i]), 0);
	part = share();
	expect_whole(part, shared_stat(part).largest);
	CHECK(!genp_destroy(part));
	CHECK(!destroy(fd));
	close(fd);
}

TEST(a_reserve_in_use_gets_no_heap)
{
	struct genp_create ask = request();
	struct genp_alloc out;
	genp_partition_t *part, *own;
	int fd;

	CHECK(!try_create(&ask));
	fd = ask.fd;
	part = genp_open(NAME);
	CHECK(part);
	CHECK(!region(fd, PAGE, 0, &out));
	ERRNO(genp_share_heap(part, flags()), EAGAIN);
	ERRNO(genp_share_heap(part, 2), EINVAL);
	ERRNO(genp_free_dead(part), EINVAL);
	CHECK(!genp_destroy(part));
	CHECK(!destroy(fd));
	close(fd);
	own = genp_create(RESERVE, 0);
	CHECK(own);
	ERRNO(genp_share_heap(own, flags()), EBUSY);
	CHECK(!genp_destroy(own));
}

static unsigned int random_below(unsigned int *state, unsigned int below)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % below;
}

/* Its size, and bytes that no other block has. */
static void fill(genp_partition_t *part, char *block, size_t size)
{
	uint64_t offset;

	CHECK(!genp_offset(part, block, &offset));
	memset(block, offset / 16 * 37, size);
	memcpy(block, &size, sizeof(size));
}

static void expect_filled(genp_partition_t *part, const char *block)
{
	uint64_t offset;
	size_t size;

	CHECK(!genp_offset(part, block, &offset));
	memcpy(&size, block, sizeof(size));
	CHECK(size >= 8 && size <= 4096);
	for (size_t i = sizeof(size); i < size; i++)
		EQUAL((unsigned char)block[i], (unsigned char)(offset / 16 * 37));
}

static char *make_block(genp_partition_t *part, unsigned int *state)
{
	size_t size = 8 + random_below(state, 4000);
	char *block = genp_aligned_alloc(part, 16U << random_below(state, 5), size);

	if (block)
		fill(part, block, size);
	else
		EQUAL(errno, ENOMEM);
	return block;
}

/* Takes blocks out of slots and puts others in, and has some of its own, until it is killed. */
static void work(unsigned int seed)
{
	genp_partition_t *part = share();
	char *kept[KEPT] = { 0 };
	uint64_t *slots = genp_at(part, *genp_root(part), SLOTS * sizeof(*slots));

	CHECK(slots);
	for (;;) {
		uint64_t *slot = &slots[random_below(&seed, SLOTS)];
		char **own = &kept[random_below(&seed, KEPT)];
		char *block = genp_take(part, slot);

		if (block) {
			expect_filled(part, block);
			CHECK(!genp_free(block));
		} else {
			block = make_block(part, &seed);
			if (block && genp_put(block, slot)) {
				EQUAL(errno, EBUSY);
				CHECK(!genp_free(block));
			}
		}
		if (*own) {
			expect_filled(part, *own);
			CHECK(!genp_free(*own));
		}
		*own = make_block(part, &seed);
	}
}

static pid_t start_worker(unsigned int seed)
{
	pid_t pid = child();

	if (!pid)
		work(seed);
	return pid;
}

static void kill_worker(pid_t pid)
{
	int status;

	CHECK(!kill(pid, SIGKILL));
	EQUAL(waitpid(pid, &status, 0), pid);
	/* Not by what it found. */
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(who_is_killed_at_any_moment_takes_nothing_along)
{
	genp_partition_t *part = create_shared();
	__u64 largest = shared_stat(part).largest;
	uint64_t *slots = genp_calloc(part, SLOTS, sizeof(*slots));
	pid_t pids[WORKERS];
	unsigned int state = 1;

	CHECK(slots && !genp_put(slots, genp_root(part)));
	for (unsigned int i = 0; i < WORKERS; i++)
		pids[i] = start_worker(i + 1);
	for (unsigned int i = 0; i < KILLS; i++) {
		unsigned int victim = random_below(&state, WORKERS);

		usleep(random_below(&state, 6000));
		kill_worker(pids[victim]);
		CHECK(genp_free_dead(part) >= 0);
		pids[victim] = start_worker(100 + i);
	}
	for (int i = 0; i < WORKERS; i++)
		kill_worker(pids[i]);
	CHECK(genp_free_dead(part) >= 0);
	printf("# %d killed, %llu of them in a call\n", KILLS + WORKERS,
	       (unsigned long long)shared_stat(part).repairs);
	/* Nothing is left but what is in a slot. */
	for (int i = 0; i < SLOTS; i++) {
		char *block = genp_take(part, &slots[i]);

		if (block) {
			expect_filled(part, block);
			CHECK(!genp_free(block));
		}
	}
	CHECK(genp_take(part, genp_root(part)) == slots && !genp_free(slots));
	expect_whole(part, largest);
	CHECK(!genp_destroy(part));
}

TEST(a_child_has_no_part_in_the_heap_of_its_parent)
{
	genp_partition_t *part = create_shared();
	void *block = genp_alloc(part, 100);
	pid_t pid = child();

	if (!pid) {
		ERRNO(genp_free(block), ECHILD);
		ERRNO(genp_own(block), ECHILD);
		ERRNO(genp_free_dead(part), ECHILD);
		CHECK(!genp_alloc(part, 1) && errno == ECHILD);
		_exit(genp_destroy(part));
	}
	EQUAL(reap(pid), 0);
	EQUAL(shared_stat(part).members, 1);
	CHECK(!genp_free(block));
	CHECK(!genp_destroy(part));
}
