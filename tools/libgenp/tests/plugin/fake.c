// SPDX-License-Identifier: MIT OR Apache-2.0
#define _GNU_SOURCE
#include "fake.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/genp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LEASES (1ULL << 30)

#define FILES 1024

/* Of each descriptor: the reserve, and where its regions end, which are taken one behind the other. */
static __u64 reserves[FILES], taken[FILES];
/* The call of GENP_RESIZE, GENP_ALLOC, GENP_FREE, mmap() or mremap() that fails next, counted from 1. */
static int failing;

/* Shared with children. */
static int *destroys;

static int make(struct genp_create *ask)
{
	int fd = memfd_create("partition", MFD_CLOEXEC);

	if (fd < 0 || fd >= FILES || ftruncate(fd, LEASES + ask->borrow_limit))
		return -1;
	reserves[fd] = ask->reserve;
	taken[fd] = 0;
	ask->fd = fd;
	return 0;
}

static int fill_in(int fd, struct genp_stat *stat)
{
	struct stat file;

	if (fstat(fd, &file))
		return -1;
	stat->reserve = reserves[fd];
	stat->windows.reserve_offset = 0;
	stat->windows.reserve_length = reserves[fd];
	stat->windows.lease_offset = LEASES;
	stat->windows.lease_length = file.st_size - LEASES;
	return 0;
}

static bool fails(void)
{
	if (!failing || --failing)
		return false;
	errno = ENOMEM;
	return true;
}

HIDDEN void fail_at(int call)
{
	failing = call;
}

HIDDEN bool all_succeeded(void)
{
	return failing;
}

/* As the kernel: what has a region is not cut off; what is cut off and added again is zeroes. */
static int resize(int fd, const struct genp_resize *ask)
{
	__u64 old = reserves[fd];

	if (fails())
		return -1;
	if (ask->reserve < taken[fd]) {
		errno = EBUSY;
		return -1;
	}
	reserves[fd] = ask->reserve;
	if (ask->reserve >= old)
		return 0;
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, ask->reserve,
			 old - ask->reserve);
}

static int take(int fd, struct genp_alloc *ask)
{
	if (fails())
		return -1;
	if (taken[fd] + ask->length > reserves[fd]) {
		errno = ENOMEM;
		return -1;
	}
	ask->offset = taken[fd];
	ask->handle = taken[fd];
	taken[fd] += ask->length;
	return 0;
}

/* The last one. */
static int give(int fd, const struct genp_handle *ask)
{
	if (fails())
		return -1;
	taken[fd] = ask->handle;
	return 0;
}

HIDDEN int ioctl(int fd, unsigned long command, ...)
{
	va_list rest;
	void *arg;

	va_start(rest, command);
	arg = va_arg(rest, void *);
	va_end(rest);
	switch (command) {
	case GENP_CREATE:
		return make(arg);
	case GENP_GET_STAT:
		return fill_in(fd, arg);
	case GENP_ALLOC:
		return take(fd, arg);
	case GENP_FREE:
		return give(fd, arg);
	case GENP_RESIZE:
		return resize(fd, arg);
	case GENP_BORROW:
		((struct genp_borrow *)arg)->offset = LEASES;
		((struct genp_borrow *)arg)->handle = 1;
		return 0;
	case GENP_RETURN:
		return 0;
	case GENP_DESTROY:
		__atomic_fetch_add(destroys, 1, __ATOMIC_SEQ_CST);
		return 0;
	default:
		return syscall(SYS_ioctl, fd, command, arg);
	}
}

HIDDEN int open(const char *path, int flags, ...)
{
	va_list rest;
	int mode;

	va_start(rest, flags);
	mode = flags & O_CREAT ? va_arg(rest, int) : 0;
	va_end(rest);
	if (!strcmp(path, GENP_DEVICE_PATH))
		path = "/dev/null";
	return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

HIDDEN void *mmap(void *at, size_t length, int prot, int flags, int fd, off_t offset)
{
	void *map = MAP_FAILED;

	if (!fails())
		map = (void *)syscall(SYS_mmap, at, length, prot, flags, fd, offset);
	if (map != MAP_FAILED && fd >= 0)
		madvise(map, length, MADV_DONTFORK);
	return map;
}

HIDDEN void *mremap(void *from, size_t old, size_t length, int flags, ...)
{
	va_list rest;
	void *to;

	va_start(rest, flags);
	to = va_arg(rest, void *);
	va_end(rest);
	if (fails())
		return MAP_FAILED;
	return (void *)syscall(SYS_mremap, from, old, length, flags, to);
}

HIDDEN int destroyed(void)
{
	return __atomic_load_n(destroys, __ATOMIC_SEQ_CST);
}

HIDDEN int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

__attribute__((constructor)) static void share(void)
{
	destroys = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}
