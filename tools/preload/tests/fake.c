// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * A /dev/genp without a kernel module, for LD_PRELOAD: a partition is a file in memory,
 * whose mappings are not inherited by fork(). Everything else goes to the kernel.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/genp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The last partition that was made. */
static ino_t partition;

static int make(struct genp_create *ask)
{
	int fd = memfd_create("partition", MFD_CLOEXEC);
	struct stat file;

	if (fd < 0 || ftruncate(fd, ask->reserve) || fstat(fd, &file))
		return -1;
	partition = file.st_ino;
	ask->fd = fd;
	return 0;
}

static int is_partition(int fd)
{
	struct stat file;

	return partition && fd >= 0 && !fstat(fd, &file) && file.st_ino == partition;
}

static int fill_in(int fd, struct genp_stat *stat)
{
	struct stat file;

	if (!is_partition(fd) || fstat(fd, &file))
		return -1;
	stat->windows.reserve_offset = 0;
	stat->windows.reserve_length = file.st_size;
	return 0;
}

int ioctl(int fd, unsigned long command, ...)
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
		((struct genp_alloc *)arg)->offset = 0;
		return 0;
	default:
		return syscall(SYS_ioctl, fd, command, arg);
	}
}

int open(const char *path, int flags, ...)
{
	va_list rest;
	int mode;

	va_start(rest, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, int) : 0;
	va_end(rest);
	if (!strcmp(path, GENP_DEVICE_PATH))
		path = "/dev/null";
	return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

void *mmap(void *at, size_t length, int prot, int flags, int fd, off_t offset)
{
	void *map = (void *)syscall(SYS_mmap, at, length, prot, flags, fd, offset);

	if (map != MAP_FAILED && is_partition(fd))
		madvise(map, length, MADV_DONTFORK);
	return map;
}
