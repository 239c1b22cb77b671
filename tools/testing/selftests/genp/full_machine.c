// SPDX-License-Identifier: GPL-2.0
/*
 * A user without a memory cgroup has the machine's memory spent on tables until there is
 * none: each call is ENOMEM then, nobody is killed and nothing is logged. Contract line 13.
 */
#include "genp_test.h"

static unsigned long long in_vmstat(const char *key)
{
	unsigned long long value, found = 0;
	char name[64];
	FILE *file = fopen("/proc/vmstat", "r");

	CHECK(file);
	while (fscanf(file, "%63s %llu", name, &value) == 2)
		if (!strcmp(name, key))
			found = value;
	fclose(file);
	return found;
}

static int create_until_full(int fd, struct genp_create like, int *fds)
{
	int made = 0;

	for (; made < 256; made++) {
		struct genp_create ask = like;

		if (ioctl(fd, GENP_CREATE, &ask))
			break;
		fds[made] = ask.fd;
	}
	return made;
}

static void become(uid_t uid)
{
	CHECK(!setresgid(uid, uid, uid));
	CHECK(!setresuid(uid, uid, uid));
}

TEST(tables_of_regions)
{
	unsigned long long kills = in_vmstat("oom_kill");
	struct genp_create ask = create_request(PAGE, PAGE);
	int fd = control(), fds[256], made;

	become(1000);
	ask.max_regions = 1 << 20;
	for (int round = 0; round < 3; round++) {
		made = create_until_full(fd, ask, fds);
		CHECK(made == (int)info_by(fd).max_partitions || errno == ENOMEM);
		EQUAL(in_vmstat("oom_kill"), kills);
		while (made--)
			close(fds[made]);
	}
}

/* What is left, to the last page, by smaller and smaller tables; and then windows. */
TEST(windows_when_nothing_is_left)
{
	unsigned long long kills = in_vmstat("oom_kill");
	struct genp_create ask = create_request(0, info().capacity), first = ask;
	int fd = control(), fds[256], made = 0, mapped = 0, err = 0;
	unsigned long length;

	become(1000);
	first.max_leases = 64;
	first.flags = GENP_CREATE_MULTIMAP;
	CHECK(!ioctl(fd, GENP_CREATE, &first));
	length = first.windows.lease_length;
	for (int order = 20; order >= 14; order--) {
		ask.max_regions = 1 << order;
		made += create_until_full(fd, ask, fds);
	}
	printf("# %d partitions, then %s\n", made, strerrorname_np(errno));
	fflush(stdout);
	for (int i = 0; i < 16; i++) {
		if (mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, first.fd,
			 first.windows.lease_offset) == MAP_FAILED) {
			err = errno;
			break;
		}
		mapped++;
	}
	printf("# %d windows of %lu KiB of tables, then %s; %llu killed\n", mapped, length >> 19,
	       err ? strerrorname_np(err) : "0", in_vmstat("oom_kill") - kills);
	fflush(stdout);
	EQUAL(in_vmstat("oom_kill"), kills);
}
