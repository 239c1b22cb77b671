/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Unloads the module and loads it again, with the parameters that the guest loaded it with.
 */
#ifndef _GENP_MODULE_H
#define _GENP_MODULE_H

#include <sys/syscall.h>

#include "genp_test.h"

#define MODULE "/lib/genp.ko"

static char parameters[256];

static void read_parameters(void)
{
	FILE *file = fopen("/parameters", "r");

	if (!file || access(MODULE, R_OK))
		SKIP("not in a guest of scripts/run");
	CHECK(fgets(parameters, sizeof(parameters), file));
	parameters[strcspn(parameters, "\n")] = 0;
	fclose(file);
}

/* As the system call: 0, or -1 and errno. */
static int load_with(const char *with)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC), err, saved;

	CHECK(fd >= 0);
	err = syscall(SYS_finit_module, fd, with, 0);
	saved = errno;
	close(fd);
	errno = saved;
	return err;
}

/* As the system call. */
static int try_unload(void)
{
	return syscall(SYS_delete_module, "genp", O_NONBLOCK);
}

#endif
