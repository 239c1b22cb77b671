/* SPDX-License-Identifier: GPL-2.0 */
/* What all samples share: messages, sizes, times. */
#ifndef _GENP_SAMPLE_H
#define _GENP_SAMPLE_H

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "genp.h"

#define KIB 1024UL
#define MIB (1024 * KIB)
#define MSEC 1000000UL
#define SEC 1000000000UL

static inline size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Ends the program: what failed, why, and what can be done about it. */
__attribute__((noreturn, format(printf, 2, 3)))
static inline void die(const char *what_to_do, const char *format, ...)
{
	const char *reason = strerror(errno);
	va_list args;

	fprintf(stderr, "FAILED: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", reason);
	if (what_to_do)
		fprintf(stderr, "        %s\n", what_to_do);
	exit(1);
}

static inline uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SEC + ts.tv_nsec;
}

static inline void pause_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

static inline void be_real_time(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("Run it as root, or with CAP_SYS_NICE.", "asking for SCHED_FIFO %d", priority);
}

static inline void show_kernel(void)
{
	struct utsname name;

	uname(&name);
	printf("  kernel     %s %s\n", name.release, name.version);
}

static inline struct genp_info pool(void)
{
	struct genp_info info;

	if (genp_get_info(&info))
		die("Is the module loaded? insmod genp.ko pool_mib=64", "asking %s", GENP_DEVICE_PATH);
	return info;
}

/* Writes a pattern of its own into a block and reads it again. */
static inline bool works(void *block, size_t size, uint64_t seed)
{
	uint64_t *word = block;
	size_t words = size / sizeof(*word), i;

	for (i = 0; i < words; i++)
		word[i] = seed ^ (i * 0x9e3779b97f4a7c15ULL);
	for (i = 0; i < words; i++)
		if (word[i] != (seed ^ (i * 0x9e3779b97f4a7c15ULL)))
			return false;
	return true;
}

#endif /* _GENP_SAMPLE_H */
