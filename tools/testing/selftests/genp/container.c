// SPDX-License-Identifier: GPL-2.0
/*
 * Who asks for more than his memory control group has gets ENOMEM; nobody is killed.
 * Contract line 2: what one does is not the others' loss.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "genp_test.h"

#define GROUPS "/tmp/genp_groups"
#define GROUP GROUPS "/container"

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done ? 0 : -1;
}

/* A group of 8 MiB, in which the program is from here on. */
static void enter_container(void)
{
	mkdir(GROUPS, 0700);
	if (mount("none", GROUPS, "cgroup2", 0, NULL) && errno != EBUSY)
		SKIP("this kernel has no control groups: %m");
	if (put(GROUPS "/cgroup.subtree_control", "+memory"))
		SKIP("this kernel has no memory control groups: %m");
	mkdir(GROUP, 0700);
	CHECK(!put(GROUP "/memory.max", "8388608"));
	/* There may be no swap to count. */
	put(GROUP "/memory.swap.max", "0");
	CHECK(!put(GROUP "/cgroup.procs", "0"));
}

/* How often the group's out-of-memory killer came. */
static long oom(void)
{
	long value, sum = 0;
	char name[32];
	FILE *file = fopen(GROUP "/memory.events", "r");

	CHECK(file);
	while (fscanf(file, "%31s %ld", name, &value) == 2)
		if (!strcmp(name, "oom") || !strcmp(name, "oom_kill"))
			sum += value;
	fclose(file);
	return sum;
}

/* Whether a create that cannot be done in the container fails as it shall. */
static void refused(struct genp_create ask)
{
	long before = oom();
	int fd = control();
	pid_t pid = child();
	int status;

	if (!pid)
		_exit(ioctl(fd, GENP_CREATE, &ask) ? errno : 0);
	close(fd);
	status = reap(pid);
	CHECK(WIFEXITED(status));
	EQUAL(WEXITSTATUS(status), ENOMEM);
	EQUAL(oom(), before);
}

TEST(the_largest_table_of_regions)
{
	struct genp_create ask = create_request(PAGE, 0);

	ask.max_regions = 1 << 20;
	enter_container();
	refused(ask);
}

TEST(a_partition_that_fits)
{
	struct genp_create ask = create_request(PAGE, 0);
	long before;

	ask.max_regions = 1024;
	enter_container();
	before = oom();
	CHECK(!try_create(&ask));
	EQUAL(oom(), before);
}

TEST(many_partitions)
{
	struct genp_create ask = create_request(PAGE, 0);
	int made = 0;

	enter_container();
	/* Each has a table of some hundred KiB. */
	ask.max_regions = 1 << 14;
	errno = 0;
	while (made < 64 && !try_create(&ask))
		made++;
	EQUAL(errno, ENOMEM);
	CHECK(made > 0);
	EQUAL(oom(), 0);
}
