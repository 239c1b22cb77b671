/* SPDX-License-Identifier: GPL-2.0 */
/* GenP's threads, as /proc shows them. */
#ifndef _GENP_THREADS_H
#define _GENP_THREADS_H

#include <ctype.h>
#include <dirent.h>

#include "genp_test.h"

/* The number of a thread of this name; 0 if there is none. */
static pid_t thread_named(const char *name)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t found = 0;

	CHECK(dir);
	while (!found && (entry = readdir(dir))) {
		char path[64], line[64] = "";
		FILE *file;

		if (!isdigit(entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(line, sizeof(line), file)) {
			line[strcspn(line, "\n")] = 0;
			if (!strcmp(line, name))
				found = atoi(entry->d_name);
		}
		fclose(file);
	}
	closedir(dir);
	return found;
}

/* Copies the rest of the line of /proc/PID/status that begins with the key. */
static void status_of(const char *thread, const char *key, char *value, size_t size)
{
	char path[64], line[128];
	size_t length = strlen(key);
	pid_t pid = thread_named(thread);
	FILE *file;

	if (!pid)
		FAIL("there is no thread %s", thread);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	CHECK(file);
	value[0] = 0;
	while (!value[0] && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, length) && line[length] == ':')
			snprintf(value, size, "%s", line + length + 1);
	fclose(file);
	if (!value[0])
		FAIL("%s has no %s", path, key);
}

/* How often a thread slept. */
static UNUSED __u64 sleeps_of(const char *thread)
{
	char value[128];

	status_of(thread, "voluntary_ctxt_switches", value, sizeof(value));
	return strtoull(value, NULL, 10);
}

/* Whether a thread sleeps. */
static UNUSED bool is_idle(const char *thread)
{
	char value[128];

	status_of(thread, "State", value, sizeof(value));
	return strchr(value, 'S') || strchr(value, 'I') || strchr(value, 'D');
}

#endif /* _GENP_THREADS_H */
