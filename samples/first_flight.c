// SPDX-License-Identifier: GPL-2.0
/*
 * The first flight: a real-time program takes a partition, uses all of its
 * reserve, borrows more, gives it back, gets EDQUOT over its budget, and waits for
 * memory that another process has.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sample.h"

#define BLOCK 4000
#define ROUNDS 10000
/* ... each of one of so many sizes. */
#define SIZES 1000

static struct rusage set_up_done;

/* Prints the state of the partition in one line. */
static void show(const genp_partition_t *part, const char *moment)
{
	struct genp_stat stat = { 0 };

	if (genp_get_stat(part, &stat))
		die(NULL, "reading the partition's statistics");
	printf("    %-26s reserve %5llu KiB, on lease %5llu KiB of %llu, granted %llu, returned %llu, refused %llu\n",
	       moment, stat.reserve / KIB, stat.lent / KIB, stat.borrow_limit / KIB,
	       stat.borrows, stat.returns, stat.budget_refusals + stat.pool_refusals);
}

/* Page faults since set-up was over; the reserve must cause none. */
static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt - set_up_done.ru_minflt - set_up_done.ru_majflt;
}

/* Touches what the stack may grow to; locked memory does not cover that. */
static void touch_stack(void)
{
	volatile char deep[64 * KIB];
	size_t i;

	for (i = 0; i < sizeof(deep); i += page_size())
		deep[i] = 0;
}

static genp_partition_t *set_up(void)
{
	struct genp_info info = pool();
	genp_partition_t *part;

	printf("\n1. Set up\n");
	show_kernel();
	printf("  pool       %llu KiB taken from the kernel, %llu committed, %llu can be lent\n",
	       info.capacity / KIB, info.committed / KIB, info.free / KIB);
	be_real_time(50);
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die(NULL, "locking the program's own memory");
	touch_stack();
	part = genp_create(2 * MIB, 1 * MIB);
	if (!part)
		die("The pool may be too small: insmod genp.ko pool_mib=64", "creating a partition of 2 MiB");
	printf("  partition  2 MiB reserve, may borrow 1 MiB; this program runs as SCHED_FIFO 50\n");
	fflush(stdout);
	getrusage(RUSAGE_SELF, &set_up_done);
	return part;
}

/* Allocates all of the reserve, writes and reads it, and frees it. */
static void use_reserve(genp_partition_t *part)
{
	static void *block[2 * MIB / BLOCK];
	size_t count = 0, wrong = 0, i;
	long before = faults(), during;

	printf("\n2. The reserve\n");
	while (count < sizeof(block) / sizeof(*block)) {
		block[count] = genp_alloc(part, BLOCK);
		if (!block[count])
			break;
		wrong += !works(block[count], BLOCK, count);
		count++;
	}
	during = faults() - before;
	printf("  %zu blocks of %d bytes: %zu KiB of 2048 written and read, %zu wrong\n",
	       count, BLOCK, count * BLOCK / KIB, wrong);
	printf("  page faults meanwhile: %ld\n", during);
	for (i = 0; i < count; i++)
		if (genp_free(block[i]))
			die(NULL, "freeing block %zu", i);
	show(part, "all blocks freed");
	if (wrong || during || count < 500) {
		fprintf(stderr, "FAILED: the reserve was not complete, or caused page faults\n");
		exit(1);
	}
}

static void borrow_and_return(genp_partition_t *part)
{
	void *borrowed;
	long before;
	bool good;

	printf("\n3. Borrowing\n");
	borrowed = genp_borrow(part, 256 * KIB, 100);
	if (!borrowed)
		die(NULL, "borrowing 256 KiB");
	show(part, "256 KiB borrowed");
	before = faults();
	good = works(borrowed, 256 * KIB, 1) && faults() == before;
	if (!good) {
		fprintf(stderr, "FAILED: borrowed memory does not work without page faults\n");
		exit(1);
	}
	printf("  256 KiB written and read without a page fault\n");
	if (genp_return(borrowed))
		die(NULL, "returning it");
	show(part, "returned");
}

static void over_budget(genp_partition_t *part)
{
	void *first = genp_borrow(part, 768 * KIB, 0), *second;

	printf("\n4. Over the budget\n");
	if (!first)
		die(NULL, "borrowing 768 KiB");
	second = genp_borrow(part, 512 * KIB, 0);
	if (second || errno != EDQUOT)
		die(NULL, "512 KiB more than the limit allows were not refused with EDQUOT");
	printf("  768 KiB of 1024 are borrowed; 512 more at once: %s (%s)\n",
	       strerrorname_np(EDQUOT), strerror(EDQUOT));
	show(part, "refused");
	if (genp_return(first))
		die(NULL, "returning 768 KiB");
}

/* The other process: borrows all that can be lent, signals that, and returns it later. */
static void hold_everything(int ready, uint64_t *returned)
{
	genp_partition_t *part = genp_create(0, pool().free);
	void *all = part ? genp_borrow(part, pool().free, 0) : NULL;

	if (!all || write(ready, "", 1) != 1)
		die(NULL, "the other process could not borrow all that is free");
	pause_ms(40);
	*returned = now();
	if (genp_return(all))
		die(NULL, "the other process could not return it");
	genp_destroy(part);
	exit(0);
}

static void wait_for_another(genp_partition_t *part)
{
	uint64_t *returned = mmap(NULL, sizeof(*returned), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t asked, granted;
	int ready[2], status;
	pid_t other;
	void *borrowed;
	char byte;

	printf("\n5. Waiting for another process\n");
	fflush(stdout);
	if (returned == MAP_FAILED || pipe(ready))
		die(NULL, "preparing a second process");
	other = fork();
	if (other == 0)
		hold_everything(ready[1], returned);
	if (other < 0 || read(ready[0], &byte, 1) != 1)
		die(NULL, "starting a second process");
	asked = now();
	borrowed = genp_borrow(part, 1 * MIB, 1000);
	granted = now();
	if (!borrowed)
		die(NULL, "waiting for 1 MiB");
	printf("  another process has all the pool lends, and returns it after 40 ms\n");
	printf("  asked for 1 MiB, waited %.1f ms, had it %.3f ms after the return began\n",
	       (granted - asked) / 1e6, ((double)granted - *returned) / 1e6);
	if (waitpid(other, &status, 0) != other || status || !works(borrowed, 1 * MIB, 2)) {
		fprintf(stderr, "FAILED: the second process, or the memory that it returned\n");
		exit(1);
	}
	if (genp_return(borrowed))
		die(NULL, "returning 1 MiB");
	show(part, "waited, used, returned");
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void time_allocations(genp_partition_t *part)
{
	static uint64_t took[ROUNDS];
	long before, during;
	uint64_t begin;
	void *block;
	int i;

	/* Takes the page faults that the fork() has made necessary, in the library's data too. */
	memset(took, 0, sizeof(took));
	for (i = 0; i < SIZES; i++)
		genp_free(genp_alloc(part, 64 + i));
	before = faults();
	for (i = 0; i < ROUNDS; i++) {
		begin = now();
		block = genp_alloc(part, 64 + i % SIZES);
		took[i] = now() - begin;
		if (!block || genp_free(block))
			die(NULL, "allocation %d of %d", i, ROUNDS);
	}
	during = faults() - before;
	qsort(took, ROUNDS, sizeof(*took), by_size);
	printf("\n6. %d allocations\n", ROUNDS);
	printf("  median %llu ns, worst %llu ns (as this machine's clock shows it; an emulated one is slow)\n",
	       (unsigned long long)took[ROUNDS / 2], (unsigned long long)took[ROUNDS - 1]);
	printf("  page faults meanwhile: %ld\n", during);
}

int main(void)
{
	genp_partition_t *part;
	struct genp_info others;

	printf("GenP: the first flight\n");
	/* What others have of the pool, such as a service, is still theirs at the end. */
	others = pool();
	part = set_up();
	use_reserve(part);
	borrow_and_return(part);
	over_budget(part);
	wait_for_another(part);
	time_allocations(part);
	if (genp_destroy(part))
		die(NULL, "destroying the partition");
	printf("\n7. The end\n  the partition is gone; %llu KiB committed, %llu on lease in the pool\n",
	       pool().committed / KIB, pool().lent / KIB);
	return pool().committed != others.committed || pool().lent != others.lent;
}
