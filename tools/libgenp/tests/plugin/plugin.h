/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the cases share. A case returns 0, or the line at which it went wrong. */
#ifndef _PLUGIN_H
#define _PLUGIN_H

#include "fake.h"
#include "genp.h"
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CASE __attribute__((visibility("default"))) int

#define CHECK(_cond)							\
	do {								\
		if (!(_cond))						\
			return __LINE__;				\
	} while (0)

/* The call must give this, and this errno. */
#define REFUSED(_call, _errno)						\
	do {								\
		errno = 0;						\
		CHECK((long)(_call) == -1 || !(long)(_call));		\
		CHECK(errno == (_errno));				\
	} while (0)

/* What the child found wrong, or 255 if it died. */
static inline int ending(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 255;
	return WEXITSTATUS(status);
}

#endif /* _PLUGIN_H */
