// SPDX-License-Identifier: GPL-2.0
/*
 * Everything the kernel offers on mappings, done to the reserve and to a lease window:
 * the table in Documentation/mappings.rst, a test for each line. Whatever the answer
 * is, the reserve stays a reserve, and a lease is there until it ends. Contract lines
 * 1, 5, 13.
 */
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kernel_version.h"
#include "mappings.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define GUARD_INSTALL 102
#define GUARD_REMOVE 103

/* What a call may answer. EITHER: it depends on the kernel's configuration. */
enum answer { DONE, REFUSED, EITHER };

static void judge(const char *where, long answer, enum answer expected)
{
	printf("# %s: %s\n", where, answer < 0 ? strerrorname_np(errno) : "0");
	if (expected == DONE && answer < 0)
		FAIL("%s: refused", where);
	if (expected == REFUSED && answer >= 0)
		FAIL("%s: not refused", where);
}

typedef long call_fn(char *at, unsigned long length);

static void run_line(call_fn *call, enum answer reserve, enum answer whole, enum answer piece)
{
	struct genp_info before = info();

	begin();
	judge("reserve", call(part.reserve, RESERVE * PAGE), reserve);
	expect_whole(part.reserve, RESERVE);
	judge("part of the reserve", call(part.reserve + 2 * PAGE, 3 * PAGE), reserve);
	judge("lease window", call(part.lease, RESERVE * PAGE), whole);
	expect_whole(part.lease, LEASE);
	judge("part of the lease window", call(part.lease + PAGE, 2 * PAGE), piece);
	end(&before);
}

/* A line of the table: the answers for the reserve, for a lease window, and for a part of it. */
#define LINE(_name, _reserve, _whole, _piece, _call)			\
	static long call_##_name(UNUSED char *at, UNUSED unsigned long length) \
	{								\
		return _call;						\
	}								\
	TEST(_name)							\
	{								\
		run_line(call_##_name, _reserve, _whole, _piece);	\
	}

#define ADVICE(_name, _reserve, _whole, _piece, _advice)		\
	LINE(_name, _reserve, _whole, _piece, madvise(at, length, _advice))

ADVICE(madv_normal, DONE, DONE, DONE, MADV_NORMAL)
ADVICE(madv_sequential, DONE, DONE, DONE, MADV_SEQUENTIAL)
ADVICE(madv_random, DONE, DONE, DONE, MADV_RANDOM)
ADVICE(madv_willneed, EITHER, EITHER, EITHER, MADV_WILLNEED)
ADVICE(madv_dontneed, DONE, REFUSED, REFUSED, MADV_DONTNEED)
ADVICE(madv_dontneed_locked, DONE, REFUSED, REFUSED, MADV_DONTNEED_LOCKED)
ADVICE(madv_free, REFUSED, REFUSED, REFUSED, MADV_FREE)
ADVICE(madv_remove, REFUSED, REFUSED, REFUSED, MADV_REMOVE)
ADVICE(madv_cold, DONE, REFUSED, REFUSED, MADV_COLD)
ADVICE(madv_pageout, DONE, REFUSED, REFUSED, MADV_PAGEOUT)
ADVICE(madv_populate_read, DONE, REFUSED, REFUSED, MADV_POPULATE_READ)
ADVICE(madv_populate_write, DONE, REFUSED, REFUSED, MADV_POPULATE_WRITE)
ADVICE(madv_collapse, EITHER, EITHER, EITHER, MADV_COLLAPSE)
ADVICE(madv_hugepage, EITHER, EITHER, EITHER, MADV_HUGEPAGE)
ADVICE(madv_nohugepage, EITHER, EITHER, EITHER, MADV_NOHUGEPAGE)
ADVICE(madv_mergeable, EITHER, EITHER, EITHER, MADV_MERGEABLE)
ADVICE(madv_unmergeable, EITHER, EITHER, EITHER, MADV_UNMERGEABLE)
ADVICE(madv_dontfork, DONE, DONE, DONE, MADV_DONTFORK)
ADVICE(madv_dofork, kernel_before(6, 13) ? DONE : REFUSED, REFUSED, REFUSED, MADV_DOFORK)
ADVICE(madv_wipeonfork, REFUSED, REFUSED, REFUSED, MADV_WIPEONFORK)
ADVICE(madv_keeponfork, DONE, DONE, DONE, MADV_KEEPONFORK)
ADVICE(madv_dontdump, DONE, DONE, DONE, MADV_DONTDUMP)
ADVICE(madv_dodump, REFUSED, REFUSED, REFUSED, MADV_DODUMP)
ADVICE(madv_guard_install, REFUSED, REFUSED, REFUSED, GUARD_INSTALL)
ADVICE(madv_guard_remove, REFUSED, REFUSED, REFUSED, GUARD_REMOVE)

static long advise_myself(char *at, unsigned long length, int advice)
{
	struct iovec iov = { at, length };
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	long answer;

	CHECK(pidfd >= 0);
	answer = syscall(SYS_process_madvise, pidfd, &iov, 1, advice, 0);
	close(pidfd);
	return answer;
}

LINE(process_madvise_dontneed, EITHER, REFUSED, REFUSED, advise_myself(at, length, MADV_DONTNEED))
LINE(process_madvise_pageout, DONE, REFUSED, REFUSED, advise_myself(at, length, MADV_PAGEOUT))

LINE(protect_none_and_back, DONE, DONE, REFUSED,
     mprotect(at, length, PROT_NONE) ?: mprotect(at, length, PROT_READ | PROT_WRITE))
LINE(protect_exec, REFUSED, REFUSED, REFUSED,
     mprotect(at, length, PROT_READ | PROT_WRITE | PROT_EXEC))
LINE(pkey_of_its_own, EITHER, EITHER, EITHER,
     syscall(SYS_pkey_mprotect, at, length, PROT_READ | PROT_WRITE, 0))
LINE(lock_in_memory, DONE, DONE, DONE, mlock(at, length))
LINE(lock_on_fault, DONE, DONE, DONE, mlock2(at, length, MLOCK_ONFAULT))
LINE(unlock_in_memory, DONE, DONE, DONE, munlock(at, length))
LINE(lock_all_in_memory, DONE, DONE, DONE,
     mlockall(MCL_CURRENT | MCL_FUTURE) ?: munlockall())
LINE(sync_to_file, EITHER, EITHER, EITHER, msync(at, length, MS_SYNC | MS_INVALIDATE))
LINE(name_it, REFUSED, REFUSED, REFUSED,
     prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, length, "mine"))
LINE(bind_to_a_node, EITHER, EITHER, EITHER,
     syscall(SYS_mbind, at, length, MPOL_BIND, &(unsigned long){ 1 }, 64, MPOL_MF_MOVE))

static long move_to_a_node(char *at, unsigned long length)
{
	void *pages[RESERVE];
	int nodes[RESERVE] = {}, status[RESERVE];
	unsigned long count = length / PAGE;

	for (unsigned long i = 0; i < count; i++)
		pages[i] = at + i * PAGE;
	return syscall(SYS_move_pages, 0, count, pages, nodes, status, MPOL_MF_MOVE);
}

LINE(move_pages_to_a_node, EITHER, EITHER, EITHER, move_to_a_node(at, length))

static long clear_refs(const char *what)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY);
	long answer = fd < 0 ? -1 : write(fd, what, 1);

	close(fd);
	return answer;
}

LINE(clear_referenced, EITHER, EITHER, EITHER, clear_refs("1"))
LINE(clear_soft_dirty, EITHER, EITHER, EITHER, clear_refs("4"))

static long handle_faults(char *at, unsigned long length, __u64 mode)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .range = { (unsigned long)at, length }, .mode = mode };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	long answer = fd < 0 ? -1 : ioctl(fd, UFFDIO_API, &api) ?: ioctl(fd, UFFDIO_REGISTER, &range);
	int saved = errno;

	close(fd);
	errno = saved;
	return answer;
}

LINE(userfaultfd_missing, REFUSED, REFUSED, REFUSED,
     handle_faults(at, length, UFFDIO_REGISTER_MODE_MISSING))
LINE(userfaultfd_wp, REFUSED, REFUSED, REFUSED, handle_faults(at, length, UFFDIO_REGISTER_MODE_WP))

static long remapped(void *at)
{
	return at == MAP_FAILED ? -1 : 0;
}

LINE(mremap_a_duplicate, REFUSED, REFUSED, REFUSED,
     remapped(mremap(at, 0, length, MREMAP_MAYMOVE)))
LINE(mremap_larger, REFUSED, REFUSED, REFUSED,
     remapped(mremap(at, length, 2 * length, MREMAP_MAYMOVE)))
LINE(mremap_and_leave, REFUSED, REFUSED, REFUSED,
     remapped(mremap(at, length, length, MREMAP_MAYMOVE | MREMAP_DONTUNMAP)))
LINE(file_pages_elsewhere, EITHER, REFUSED, REFUSED,
     at == part.reserve || at == part.reserve + 2 * PAGE ?
	     0 : syscall(SYS_remap_file_pages, at, length, 0, 0, 0))

#ifdef __aarch64__
static long with_tags(void *at, unsigned long length)
{
	if (!(getauxval(AT_HWCAP2) & HWCAP2_MTE))
		SKIP("this processor has no tags of memory");
	return mprotect(at, length, PROT_READ | PROT_WRITE | PROT_MTE);
}

/* genp/sys/set_entry.h relies on it. */
LINE(memory_with_tags, REFUSED, REFUSED, REFUSED, with_tags(at, length))
#endif
