/* SPDX-License-Identifier: GPL-2.0 */
/* Becoming root of a user namespace, with every capability in it. */
#ifndef _GENP_USER_NAMESPACE_H
#define _GENP_USER_NAMESPACE_H

#include <sched.h>

#include "genp_test.h"

static void write_map(const char *file, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/%s", file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static UNUSED void enter_user_namespace(void)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	char map[32];

	/* A process that changed its user does not own its files in /proc. */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER))
		SKIP("no user namespaces here: %m");
	write_map("setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_map("uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_map("gid_map", map);
	EQUAL(geteuid(), 0);
}

#endif /* _GENP_USER_NAMESPACE_H */
