// SPDX-License-Identifier: GPL-2.0
/*
 * What a debugger and a core dump see: both windows by whoever may trace the process,
 * the reserve in a core dump.
 */
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "genp_test.h"

static const char mark[] = "this is in the reserve";
static const char lent[] = "this is in the lease, across the end of a page";

/* A traced child and where its windows are. */
struct traced {
	pid_t pid;
	int mem;
	struct part part;
	struct genp_borrow lease;
	char *text;
};

static struct traced trace_a_child(int prot)
{
	struct traced *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct traced traced;
	char path[64];

	CHECK(shared != MAP_FAILED);
	traced.pid = child();
	if (!traced.pid) {
		struct part *part = &shared->part;

		*part = create(2 * PAGE, 4 * PAGE);
		CHECK(!borrow(part->fd, 2 * PAGE, GENP_NO_WAIT, 0, &shared->lease));
		shared->text = lease_at(part, &shared->lease) + PAGE - 8;
		memcpy(shared->text, lent, sizeof(lent));
		memcpy(part->reserve, mark, sizeof(mark));
		CHECK(!mprotect(part->lease, part->windows.lease_length, prot));
		CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		raise(SIGSTOP);
		give_back(part->fd, shared->lease.handle);
		raise(SIGSTOP);
		_exit(0);
	}
	CHECK(WIFSTOPPED(reap(traced.pid)));
	shared->pid = traced.pid;
	traced = *shared;
	snprintf(path, sizeof(path), "/proc/%d/mem", traced.pid);
	traced.mem = open(path, O_RDWR);
	CHECK(traced.mem >= 0);
	return traced;
}

/* What must hold unless the lease ran out meanwhile, on a slow machine. */
#define LENT(_traced, _cond)						\
	do {								\
		bool _holds = _cond;					\
									\
		if (!_holds)						\
			expect_in_time(&(_traced).lease);		\
		CHECK(_holds);						\
	} while (0)

#define NEEDS_ACCESS()							\
	do {								\
		if (on_user_mode_linux())				\
			SKIP("this kernel asks no mapping for access");	\
	} while (0)

TEST(a_debugger_reads_a_lease)
{
	char text[sizeof(lent)] = "";
	struct traced traced;
	long word;

	NEEDS_ACCESS();
	traced = trace_a_child(PROT_READ | PROT_WRITE);
	LENT(traced, pread(traced.mem, text, sizeof(text), (off_t)traced.text) == sizeof(text));
	EQUAL(memcmp(text, lent, sizeof(lent)), 0);
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, traced.pid, traced.text, NULL);
	LENT(traced, !errno);
	EQUAL(memcmp(&word, lent, sizeof(word)), 0);
	/* A part of the window where nothing is lent. */
	ERRNO(pread(traced.mem, text, 1, (off_t)traced.part.lease + 3 * PAGE), EIO);
	ERRNO(ptrace(PTRACE_PEEKDATA, traced.pid, traced.part.lease + 3 * PAGE, NULL), EIO);
}

/* Each page of a lease of several pieces (512 pages), by the process itself. */
TEST(every_page_of_a_large_lease_is_found)
{
	const __u64 pages = 1100;
	struct genp_borrow lease;
	struct part part;
	__u64 seen;
	int mem;

	NEEDS_ACCESS();
	part = create(0, pages * PAGE);
	mem = open("/proc/self/mem", O_RDWR);
	CHECK(mem >= 0);
	CHECK(!borrow(part.fd, pages * PAGE, GENP_NO_WAIT, info().max_lease_ns, &lease));
	for (__u64 i = 0; i < pages; i++)
		*(__u64 *)(lease_at(&part, &lease) + i * PAGE) = i;
	/* From the last one on, in an order that goes back and forth. */
	for (__u64 i = pages; i-- > 0;) {
		__u64 page = (i * 509) % pages;
		off_t at = (off_t)lease_at(&part, &lease) + page * PAGE;

		if (pread(mem, &seen, sizeof(seen), at) != sizeof(seen)) {
			expect_in_time(&lease);
			FAIL("page %llu: %s", page, strerror(errno));
		}
		EQUAL(seen, page);
	}
	/* The guard behind it. */
	ERRNO(pread(mem, &seen, 1, (off_t)lease_at(&part, &lease) + pages * PAGE), EIO);
}

TEST(a_debugger_writes_to_a_lease)
{
	struct traced traced;
	char text[3] = "";

	NEEDS_ACCESS();
	traced = trace_a_child(PROT_READ | PROT_WRITE);
	LENT(traced, pwrite(traced.mem, "THAT", 4, (off_t)traced.text) == 4);
	LENT(traced, !ptrace(PTRACE_POKEDATA, traced.pid, traced.text + 8, *(long *)"somewhere else"));
	LENT(traced, pread(traced.mem, text, 2, (off_t)traced.text + 7) == 2);
	EQUAL(text[1], 's');
	LENT(traced, pread(traced.mem, text, 1, (off_t)traced.text) == 1);
	EQUAL(text[0], 'T');
}

TEST(a_debugger_reads_what_is_protected_and_writes_it_not)
{
	static const int prots[] = { PROT_NONE, PROT_READ };

	NEEDS_ACCESS();
	for (int i = 0; i < 2; i++) {
		struct traced traced = trace_a_child(prots[i]);
		char byte = 0;

		LENT(traced, pread(traced.mem, &byte, 1, (off_t)traced.text) == 1);
		EQUAL(byte, lent[0]);
		ERRNO(pwrite(traced.mem, &byte, 1, (off_t)traced.text), EIO);
		kill(traced.pid, SIGKILL);
		reap(traced.pid);
		close(traced.mem);
	}
}

TEST(a_debugger_reads_no_lease_that_has_ended)
{
	struct traced traced = trace_a_child(PROT_READ | PROT_WRITE);
	char byte;

	CHECK(!ptrace(PTRACE_CONT, traced.pid, NULL, NULL));
	CHECK(WIFSTOPPED(reap(traced.pid)));
	ERRNO(pread(traced.mem, &byte, 1, (off_t)traced.text), EIO);
	ERRNO(ptrace(PTRACE_PEEKDATA, traced.pid, traced.text, NULL), EIO);
}

/* This one goes by pinning, which is for the reserve only. */
TEST(process_vm_readv_reads_the_reserve_only)
{
	struct traced traced = trace_a_child(PROT_READ | PROT_WRITE);
	char text[sizeof(mark)] = "";
	struct iovec to = { text, sizeof(text) }, from = { traced.part.reserve, sizeof(text) };

	if (process_vm_readv(traced.pid, &to, 1, &from, 1, 0) < 0 && errno == ENOSYS)
		SKIP("this kernel has no process_vm_readv()");
	EQUAL(memcmp(text, mark, sizeof(mark)), 0);
	from.iov_base = traced.text;
	ERRNO(process_vm_readv(traced.pid, &to, 1, &from, 1, 0), EFAULT);
}

/* Whether smaps has a flag for the mapping at an address. */
static bool has_flag(const char *at, const char *flag)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512], key[32];
	bool here = false, found = false;
	unsigned long start, end;
	char right;

	if (!file)
		SKIP("there is no smaps");
	snprintf(key, sizeof(key), " %s ", flag);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx %c", &start, &end, &right) == 3)
			here = start == (unsigned long)at;
		if (here && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, key);
	}
	fclose(file);
	return found;
}

TEST(a_reserve_is_for_core_dumps_and_a_lease_is_not)
{
	struct part part = create_multimap(2 * PAGE, PAGE);

	CHECK(has_flag(part.reserve, "rd") && has_flag(part.lease, "rd"));
	CHECK(!has_flag(part.reserve, "dd"));
	CHECK(has_flag(part.lease, "dd"));
	CHECK(!madvise(part.reserve, 2 * PAGE, MADV_DONTDUMP));
	CHECK(has_flag(part.reserve, "dd"));
	/* Mapped anew, it is dumped again. */
	map(&part);
	CHECK(!has_flag(part.reserve, "dd"));
}

#define MARK 64

/* Writes the kernel's core files to /tmp while it lives. */
static char pattern_before[256];

static void core_files_to(const char *pattern)
{
	int fd = open("/proc/sys/kernel/core_pattern", O_RDWR);

	if (fd < 0)
		SKIP("this kernel writes no core dumps");
	if (!pattern_before[0])
		CHECK(read(fd, pattern_before, sizeof(pattern_before) - 1) > 0);
	CHECK(pwrite(fd, pattern, strlen(pattern), 0) > 0);
	close(fd);
}

/* The mark, which a child must not find on its stack already. */
static void write_mark(char *to)
{
	for (unsigned int i = 0; i < MARK; i++)
		to[i] = i ^ 0x5a;
}

static bool core_has_mark(void)
{
	char text[MARK];
	int fd = open("/tmp/genp-core", O_RDONLY);
	off_t length = lseek(fd, 0, SEEK_END);
	void *core = mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
	bool found;

	CHECK(core != MAP_FAILED);
	write_mark(text);
	found = memmem(core, length, text, MARK);
	explicit_bzero(text, MARK);
	munmap(core, length);
	close(fd);
	return found;
}

/* The child dies with a mark in its reserve that stands nowhere else in its memory. */
static void die_with_a_mark(bool dump)
{
	struct part part = create(2 * PAGE, PAGE);
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	write_mark(part.reserve + PAGE);
	if (!dump)
		CHECK(!madvise(part.reserve, 2 * PAGE, MADV_DONTDUMP));
	CHECK(!setrlimit(RLIMIT_CORE, &all));
	prctl(PR_SET_DUMPABLE, 1);
	abort();
}

TEST(a_core_dump_has_the_reserve)
{
	for (int dump = 0; dump < 2; dump++) {
		pid_t pid;
		int status;

		core_files_to("/tmp/genp-core");
		unlink("/tmp/genp-core");
		pid = child();
		if (!pid)
			die_with_a_mark(dump);
		status = reap(pid);
		core_files_to(pattern_before);
		CHECK(WIFSIGNALED(status) && WCOREDUMP(status));
		EQUAL(core_has_mark(), dump);
	}
	unlink("/tmp/genp-core");
}
