// SPDX-License-Identifier: MIT OR Apache-2.0
/* Moments at which programs allocate: in handlers, at the ends of threads and programs. */
#include "case.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

static volatile int handled, bad;

static void handle(int signal)
{
	static char *kept[16];
	int errno_before = errno, i = handled % 16;
	char *block;

	(void)signal;
	free(kept[i]);
	kept[i] = malloc(handled * 97 % 20000);
	block = realloc(malloc(100), 70000);
	if (!kept[i] || !block)
		bad = 1;
	free(block);
	handled++;
	errno = errno_before;
}

/* The C library promises nothing here, but most programs get away with it most times. */
CASE(handlers_allocate)
{
	struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { 0 };
	char *blocks[100] = { NULL };

	if (!getenv("GENP_CASE_HANDLERS"))
		return 0;
	signal(SIGALRM, handle);
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	for (unsigned long i = 0; handled < 2000; i++) {
		int n = i * 7 % 100;

		free(blocks[n]);
		blocks[n] = malloc(i * 131 % 30000);
		CHECK(blocks[n]);
		memset(blocks[n], 1, i * 131 % 30000);
	}
	CHECK(!setitimer(ITIMER_REAL, &never, NULL));
	CHECK(!bad);
	return 0;
}

static pthread_key_t key;

static void again(void *block)
{
	static __thread int rounds;

	free(block);
	free(malloc(3000));
	if (rounds++ < 3)
		pthread_setspecific(key, malloc(500));
}

static void *use_key(void *arg)
{
	pthread_setspecific(key, malloc(100));
	return arg;
}

CASE(destructors_of_threads_allocate)
{
	pthread_t thread;

	CHECK(!pthread_key_create(&key, again));
	for (int i = 0; i < 500; i++) {
		CHECK(!pthread_create(&thread, NULL, use_key, NULL));
		pthread_join(thread, NULL);
	}
	return 0;
}

/* Ends the pipe, so that nobody waits for what does not come. */
static void *produce(void *pipe)
{
	void *wrong = NULL;

	for (int i = 0; i < 10000 && !wrong; i++) {
		void *block = malloc(i % 5000 + 1);

		if (!block || write(*(int *)pipe, &block, sizeof(block)) != sizeof(block))
			wrong = pipe;
	}
	close(*(int *)pipe);
	return wrong;
}

CASE(others_free_what_a_thread_allocates)
{
	pthread_t thread;
	void *block, *wrong;
	int ends[2];

	CHECK(!pipe(ends));
	/* A producer that is far ahead must not fill the reserve. */
	CHECK(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 0);
	CHECK(!pthread_create(&thread, NULL, produce, &ends[1]));
	for (int i = 0; i < 10000; i++) {
		CHECK(read(ends[0], &block, sizeof(block)) == sizeof(block));
		free(block);
	}
	pthread_join(thread, &wrong);
	CHECK(!wrong);
	return 0;
}

static void *wait_for_it(void *mutex)
{
	char *block = malloc(100);

	pthread_mutex_lock(mutex);
	pthread_mutex_unlock(mutex);
	free(block);
	return NULL;
}

CASE(three_hundred_threads_have_blocks)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t threads[300];
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < 300; i++)
		CHECK(!pthread_create(&threads[i], &small, wait_for_it, &mutex));
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < 300; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void at_the_end(void)
{
	free(malloc(50000));
}

static char *left;

__attribute__((destructor)) static void last(void)
{
	free(left);
	free(malloc(100));
}

CASE(it_never_shuts_down)
{
	left = malloc(100);
	return atexit(at_the_end);
}

CASE(the_c_librarys_names_are_the_same_heap)
{
	void *(*libc_malloc)(size_t) = dlsym(RTLD_DEFAULT, "__libc_malloc");
	void (*libc_free)(void *) = dlsym(RTLD_DEFAULT, "__libc_free");
	void *(*libc_memalign)(size_t, size_t) = dlsym(RTLD_DEFAULT, "__libc_memalign");

	CHECK(libc_malloc && libc_free && libc_memalign);
	free(libc_malloc(100));
	libc_free(malloc(100));
	free(libc_memalign(64, 100));
	return 0;
}

/* Blocks of the C library's own malloc, as a plug-in of RTLD_DEEPBIND has them. */
CASE(blocks_of_others_are_theirs)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	void *(*other)(size_t) = dlsym(libc, "malloc");
	char *block, *large;

	CHECK(other);
	block = other(100);
	large = other(1 << 20);
	memset(block, 3, 100);
	CHECK(malloc_usable_size(block) >= 100);
	block = realloc(block, 100000);
	CHECK(block && block[99] == 3);
	free(block), free(large);
	return 0;
}

extern int of_ifunc(void);

CASE(resolvers_of_ifuncs_allocate)
{
	CHECK(of_ifunc() == 42);
	return 0;
}
