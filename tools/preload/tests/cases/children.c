// SPDX-License-Identifier: MIT OR Apache-2.0
/* Forked children. */
#include "case.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>

#define BLOCKS 2000

static unsigned char *blocks[BLOCKS];

static size_t size_of(int i)
{
	return 1 + i * 37 % 3000 + (i % 100 ? 0 : 50000);
}

static void fill(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = i % 9 ? malloc(size_of(i)) : memalign(256, size_of(i));
		memset(blocks[i], i, size_of(i));
	}
	for (int i = 0; i < BLOCKS; i += 3) {
		free(blocks[i]);
		blocks[i] = NULL;
	}
}

static int look(void)
{
	for (int i = 0; i < BLOCKS; i++)
		for (size_t at = 0; blocks[i] && at < size_of(i); at++)
			CHECK(blocks[i][at] == (unsigned char)i);
	return 0;
}

static int change(void)
{
	int line = look();

	if (line)
		return line;
	for (int i = 0; i < BLOCKS; i++) {
		if (i % 2) {
			free(blocks[i]);
			blocks[i] = NULL;
		}
		if (blocks[i])
			CHECK((blocks[i] = realloc(blocks[i], size_of(i) + 1000)));
		else
			CHECK((blocks[i] = calloc(1, 2000)));
	}
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	return 0;
}

static int with_children(void)
{
	int line = look();

	return line ? line : in_child(change) ? __LINE__ : look();
}

CASE(a_child_has_what_its_parent_had)
{
	int line;

	fill();
	CHECK(!in_child(change));
	line = look();
	return line ? line : change();
}

CASE(grandchildren_do_as_well)
{
	fill();
	CHECK(!in_child(with_children));
	CHECK(!in_child(with_children));
	return look();
}

CASE(a_parent_changes_nothing_for_its_child)
{
	int status, go[2];
	pid_t child;

	fill();
	CHECK(!pipe(go));
	child = fork();
	if (!child) {
		char c;

		close(go[1]);
		_exit(read(go[0], &c, 1) != 0 || change());
	}
	for (int i = 0; i < BLOCKS; i++)
		if (blocks[i])
			memset(blocks[i], 0xee, size_of(i));
	close(go[1]);
	CHECK(waitpid(child, &status, 0) == child && !status);
	return 0;
}

CASE(nothing_lands_where_the_heap_is)
{
	pid_t child;
	int status;

	fill();
	child = fork();
	if (!child) {
		for (int i = 0; i < 100; i++)
			memset(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 0xff, 1 << 20);
		_exit(!!change());
	}
	CHECK(waitpid(child, &status, 0) == child && !status);
	return 0;
}

CASE(many_children_live_at_once)
{
	pid_t children[30];
	int status;

	fill();
	for (int i = 0; i < 30; i++) {
		children[i] = fork();
		if (!children[i])
			_exit(!!change());
		CHECK(children[i] > 0);
	}
	for (int i = 0; i < 30; i++)
		CHECK(waitpid(children[i], &status, 0) == children[i] && !status);
	return look();
}

static volatile int ending;
static pthread_key_t keys[40];

static void *churn(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	char *own[64] = { NULL };

	for (int i = 0; i < 40; i++)
		pthread_setspecific(keys[i], malloc(10));
	while (!ending) {
		int i = rand_r(&seed) % 64;

		free(own[i]);
		own[i] = malloc(rand_r(&seed) % 9000);
		if (own[i])
			own[i][0] = 1;
	}
	for (int i = 0; i < 64; i++)
		free(own[i]);
	return NULL;
}

/* Also streams, keys and name services, which the C library looks at in a child. */
CASE(threads_go_on_while_one_forks)
{
	FILE *stream = fopen("/dev/null", "w");
	pthread_t threads[4];

	fill();
	for (int i = 0; i < 40; i++)
		CHECK(!pthread_key_create(&keys[i], free));
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, churn, (void *)i));
	for (int i = 0; i < 50; i++) {
		fprintf(stream, "%d\n", i);
		CHECK(!in_child(i % 2 ? look : change));
	}
	ending = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	fclose(stream);
	return look();
}

static void allocate(void)
{
	free(malloc(100000));
	free(realloc(malloc(20), 5000));
}

static int allocate_more(void)
{
	for (int i = 0; i < 1000; i++)
		allocate();
	return look();
}

CASE(handlers_of_fork_allocate)
{
	fill();
	CHECK(!pthread_atfork(allocate, allocate, allocate));
	for (int i = 0; i < 20; i++)
		CHECK(!in_child(allocate_more));
	return look();
}

static int children_in_threads;

static void *fork_some(void *arg)
{
	for (int i = 0; i < 10; i++)
		if (in_child(allocate_more))
			__atomic_fetch_add(&children_in_threads, 1, __ATOMIC_RELAXED);
	return arg;
}

CASE(threads_fork_at_once)
{
	pthread_t threads[4];

	fill();
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&threads[i], NULL, fork_some, NULL));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK(!children_in_threads);
	return look();
}

CASE(spawned_programs_run)
{
	extern char **environ;
	char *arguments[] = { "/bin/sh", "-c", "x=$(echo 5); exit $x", NULL };
	int status;
	pid_t child;

	fill();
	for (int i = 0; i < 20; i++) {
		CHECK(!posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ));
		CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
	}
	CHECK(WEXITSTATUS(system("exit 3")) == 3);
	child = vfork();
	if (!child) {
		execv("/bin/sh", arguments);
		_exit(1);
	}
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
	return look();
}

CASE(descriptors_are_the_programs)
{
	int fd;

	/* Whoever starts a program may have left others. */
	fd = open("/dev/null", O_RDONLY);
	closefrom(3);
	for (int i = 3; i < 100; i++)
		CHECK(open("/dev/zero", O_RDONLY) == i);
	fill();
	CHECK(!in_child(change));
	closefrom(0);
	CHECK(!in_child(change));
	return fd < 0 ? __LINE__ : look();
}

static void count_segv(int signal)
{
	_exit(signal == 11 ? 0 : 1);
}

static int touch_nothing(void)
{
	*(volatile char *)HIDE((uintptr_t)16) = 1;
	return __LINE__;
}

/* A program's own handler is there again in the child and in the parent. */
CASE(handlers_of_segv_are_left_alone)
{
	struct sigaction now;

	fill();
	signal(SIGSEGV, count_segv);
	CHECK(!in_child(touch_nothing));
	CHECK(!sigaction(SIGSEGV, NULL, &now) && now.sa_handler == count_segv);
	return look();
}
