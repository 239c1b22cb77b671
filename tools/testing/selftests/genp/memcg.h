/* SPDX-License-Identifier: GPL-2.0 */
/* A memory cgroup of the test's own, and what it is charged. */
#ifndef _GENP_MEMCG_H
#define _GENP_MEMCG_H

#include <sys/mount.h>
#include <sys/stat.h>

#include "genp_test.h"

#define MIB (1UL << 20)
#define CGROUPS "/sys/fs/cgroup"
#define OUR_GROUP CGROUPS "/genp-test"

static int write_cgroup(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = -1;

	if (fd < 0)
		return -1;
	if (write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		err = 0;
	close(fd);
	return err;
}

/* The number behind a word in a file, or the only one in it if the word is "". */
static UNUSED __u64 number_in(const char *path, const char *word)
{
	unsigned long long value = 0;
	char name[64], line[256];
	FILE *file = fopen(path, "r");
	bool found = false;

	CHECK(file);
	while (!found && fgets(line, sizeof(line), file)) {
		if (*word)
			found = sscanf(line, "%63s %llu", name, &value) == 2 && !strcmp(name, word);
		else
			found = sscanf(line, "%llu", &value) == 1;
	}
	fclose(file);
	if (!found)
		FAIL("no '%s' in %s", word, path);
	return value;
}

/* Kernel memory that the group is charged, in bytes. */
static UNUSED __u64 charged(void)
{
	return number_in(OUR_GROUP "/memory.stat", "kernel");
}

static UNUSED __u64 killed(void)
{
	return number_in(OUR_GROUP "/memory.events", "oom_kill");
}

static UNUSED void set_limit(__u64 bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	CHECK(!write_cgroup(OUR_GROUP "/memory.max", text));
}

static UNUSED void enter_memcg(void)
{
	char pid[32];

	if (access(CGROUPS "/cgroup.controllers", F_OK) &&
	    mount("none", CGROUPS, "cgroup2", 0, NULL))
		SKIP("no cgroups here: %m");
	if (write_cgroup(CGROUPS "/cgroup.subtree_control", "+memory"))
		SKIP("no memory cgroups here: %m");
	CHECK(!mkdir(OUR_GROUP, 0755) || errno == EEXIST);
	CHECK(!write_cgroup(OUR_GROUP "/memory.max", "max"));
	snprintf(pid, sizeof(pid), "%d", getpid());
	CHECK(!write_cgroup(OUR_GROUP "/cgroup.procs", pid));
}

#endif /* _GENP_MEMCG_H */
