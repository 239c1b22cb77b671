// SPDX-License-Identifier: GPL-2.0
/*
 * Memory in atomic context: loads the driver of drivers/atomic, which takes pages in a
 * thread under a raw spinlock, in hard interrupts and in NMIs, and shows what the kernel's
 * own allocators returned in the same contexts.
 */
#include <fcntl.h>
#include <sys/klog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sample.h"

#define CONTROL "/sys/kernel/debug/genp_atomic/"
#define SECONDS "5"

enum { THREAD, HARDIRQ, NMI, CONTEXTS };

static const char *const context[CONTEXTS] = {
	"thread, raw spinlock held", "hard interrupt", "NMI",
};

/* The result that the driver prints after a run. */
static char result[8192];

static void load(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("scripts/driver-modules builds it; where it is can be given as an argument", "opening %s", path);
	if (syscall(SYS_finit_module, fd, parameters, 0))
		die("Is GenP loaded, and the driver not yet? The kernel's log may say more.", "loading %s", path);
	close(fd);
}

static void unload(void)
{
	if (syscall(SYS_delete_module, "genp_atomic", O_NONBLOCK))
		die(NULL, "unloading genp_atomic");
}

/* Runs the driver; returns whether it found no error. */
static bool run_driver(void)
{
	int fd = open(CONTROL "run", O_WRONLY | O_CLOEXEC);
	ssize_t size;
	bool good;

	if (fd < 0)
		die("Is debugfs mounted? mount -t debugfs none /sys/kernel/debug", "opening " CONTROL "run");
	good = write(fd, SECONDS, strlen(SECONDS)) == (ssize_t)strlen(SECONDS);
	if (!good && errno != EIO)
		die(NULL, "running the driver");
	close(fd);
	fd = open(CONTROL "result", O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, result, sizeof(result) - 1);
	if (size <= 0)
		die(NULL, "reading what the driver saw");
	close(fd);
	result[size] = 0;
	return good;
}

/* A line of the result, behind its name. */
static const char *line(const char *name)
{
	const char *at = strstr(result, name);

	if (!at)
		die("Are the sample and the driver of the same version?", "looking for '%s' in what the driver says", name);
	return at + strlen(name);
}

/* The number of a context in a line; for a line with one number it is the first. */
static unsigned long long number(const char *name, int column)
{
	unsigned long long value = 0;
	char *at = (char *)line(name);

	for (; column >= 0; column--)
		value = strtoull(at, &at, 10);
	return value;
}

static unsigned long long sum(const char *name)
{
	return number(name, THREAD) + number(name, HARDIRQ) + number(name, NMI);
}

static void show_cell(unsigned long long tried, unsigned long long got)
{
	if (tried)
		printf("  %11llu %8llu", got, tried - got);
	else
		printf("  %11s %8s", "-", "-");
}

static void show_table(void)
{
	int i;

	printf("\n  %-25s  %20s  %20s  %20s\n", "", "genp_alloc_page()", "alloc_pages_nolock()", "kmalloc_nolock()");
	printf("  %-25s", "pages or objects");
	for (i = 0; i < 3; i++)
		printf("  %11s %8s", "got", "NULL");
	printf("\n");
	for (i = 0; i < CONTEXTS; i++) {
		printf("  %-25s", context[i]);
		show_cell(number("genp_alloc_page taken", i) + number("genp_alloc_page empty", i),
			  number("genp_alloc_page taken", i));
		show_cell(number("alloc_pages_nolock tried", i), number("alloc_pages_nolock got", i));
		show_cell(number("kmalloc_nolock tried", i), number("kmalloc_nolock got", i));
		printf("\n");
	}
	if (!sum("alloc_pages_nolock tried") && !sum("kmalloc_nolock tried"))
		printf("  -: this kernel has neither alloc_pages_nolock() nor kmalloc_nolock()\n");
}

static void show_proof(void)
{
	printf("\n  owner marks read in the pages    %9llu, of somebody else's: %llu\n",
	       sum("owner marks checked"), sum("owner marks wrong"));
	printf("  pages given back                 %9llu of %llu that were taken\n",
	       sum("genp_free_page given"), sum("genp_alloc_page taken"));
	printf("  wrong gives, made on purpose     %9llu refused (twice, to another, not ours), %llu not\n",
	       sum("wrong gives refused"), sum("wrong gives accepted"));
	printf("  pages in the stock afterwards    %9llu of %llu\n",
	       number("pages there afterwards", 0), number("pages in the stock", 0));
	if (strstr(result, "no NMI:"))
		printf("  there were no NMIs: %.*s\n", (int)strcspn(line("no NMI:") + 1, "\n"), line("no NMI:") + 1);
}

/* The counters of the driver's partition. */
static void show_account(void)
{
	genp_partition_t *part = genp_open("genp_atomic");
	struct genp_stat stat = { 0 };

	if (!part || genp_get_stat(part, &stat))
		die(NULL, "opening the driver's partition");
	printf("  GenP's own account               %9llu takes, %llu in vain; with those that counted the stock in the end\n",
	       stat.stock_takes, stat.stock_misses);
	if (genp_destroy(part))
		die(NULL, "closing the driver's partition");
}

/* Loads, runs and unloads the driver; returns whether it found no error. */
static bool fly(const char *path, const char *title, const char *parameters, const char *words)
{
	bool good;

	printf("\n%s\n%s", title, words);
	fflush(stdout);
	load(path, parameters);
	good = run_driver();
	show_table();
	show_proof();
	show_account();
	unload();
	if (!good)
		fprintf(stderr, "FAILED: the driver found an error:\n%s", result);
	fflush(stdout);
	return good;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/lib/genp_atomic.ko";
	bool good;

	printf("GenP: memory in atomic context\n");
	show_kernel();
	/* Interrupts of an emulated machine take long, and the kernel would warn each time. */
	klogctl(8, NULL, 6);
	good = fly(path, "1. Enough for everybody", "",
		   "  On each processor at once, for " SECONDS " s: a thread, a timer that interrupts it, and NMIs\n"
		   "  that interrupt both. Each holds up to 4 pages and signs them; all can have theirs.\n");
	good = fly(path, "2. Too little", "pages=6",
		   "  The same with 6 pages. They are reused at once, and a take without a free page gets NULL.\n") && good;
	klogctl(8, NULL, 7);
	return !good;
}
