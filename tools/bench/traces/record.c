// SPDX-License-Identifier: GPL-2.0
/*
 * Writes down what a program asks its allocator for: preloaded, it stands before
 * malloc() and its like, and puts a pair of words for each call, an address and a
 * size, into the file $GENP_RECORD. A size of all ones frees. scripts/record-traces
 * uses it; 'bench_user pack' reads what it wrote.
 *
 * A free is written down before it is done and an allocation after it, so that no
 * two blocks alive have one address, whatever the threads do. A child is not
 * recorded.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RECORDS (4u << 20)
#define FREED UINT64_MAX
#define EARLY 8192

struct record {
	uint64_t address;
	uint64_t size;
};

static struct record *records;
static uint32_t written;

static void *(*real_malloc)(size_t size);
static void (*real_free)(void *block);
static void *(*real_realloc)(void *block, size_t size);
static void *(*real_aligned)(size_t align, size_t size);

/* What dlsym() asks for before it has found the real functions. */
static char early[EARLY] __attribute__((aligned(16)));
static size_t early_used;

static void *early_alloc(size_t size)
{
	size_t at = early_used;

	early_used += (size + 15) & ~(size_t)15;
	return early_used <= EARLY ? early + at : NULL;
}

static int is_early(const void *block)
{
	return (const char *)block >= early && (const char *)block < early + EARLY;
}

static void stop_in_child(void)
{
	records = NULL;
}

static int begun;

/* By the first call, which may come before any constructor. */
static void begin(void)
{
	const char *name = getenv("GENP_RECORD");
	int fd;

	begun = 1;
	real_free = dlsym(RTLD_NEXT, "free");
	real_realloc = dlsym(RTLD_NEXT, "realloc");
	real_aligned = dlsym(RTLD_NEXT, "aligned_alloc");
	real_malloc = dlsym(RTLD_NEXT, "malloc");
	if (!name)
		return;
	fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	if (ftruncate(fd, RECORDS * sizeof(*records)) == 0) {
		void *at = mmap(NULL, RECORDS * sizeof(*records), PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);

		if (at != MAP_FAILED)
			records = at;
	}
	close(fd);
	pthread_atfork(NULL, NULL, stop_in_child);
}

static void record(const void *block, uint64_t size)
{
	uint32_t at;

	if (!records || !block)
		return;
	at = __atomic_fetch_add(&written, 1, __ATOMIC_RELAXED);
	if (at < RECORDS)
		records[at] = (struct record){ (uintptr_t)block, size };
}

void *malloc(size_t size)
{
	void *block;

	if (!begun)
		begin();
	if (!real_malloc)
		return early_alloc(size);
	block = real_malloc(size);
	record(block, size);
	return block;
}

void free(void *block)
{
	if (!block || is_early(block))
		return;
	record(block, FREED);
	real_free(block);
}

void *calloc(size_t count, size_t size)
{
	size_t total;
	void *block;

	if (__builtin_mul_overflow(count, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	block = malloc(total);
	/* What is early is zero. */
	return block && !is_early(block) ? memset(block, 0, total) : block;
}

void *realloc(void *block, size_t size)
{
	void *new;

	if (!block)
		return malloc(size);
	if (is_early(block)) {
		size_t most = (size_t)(early + EARLY - (char *)block);

		new = malloc(size);
		return new ? memcpy(new, block, size < most ? size : most) : NULL;
	}
	/* If that fails, the old block lives on: as another one, in the trace. */
	record(block, FREED);
	new = real_realloc(block, size);
	record(new ? new : block, size);
	return new;
}

void *aligned_alloc(size_t align, size_t size)
{
	void *block;

	if (!begun)
		begin();
	block = real_aligned(align, size);
	record(block, size);
	return block;
}

void *memalign(size_t align, size_t size)
{
	return aligned_alloc(align, size);
}

int posix_memalign(void **block, size_t align, size_t size)
{
	*block = aligned_alloc(align, size);
	return *block ? 0 : ENOMEM;
}
