// SPDX-License-Identifier: GPL-2.0
/* What the kernel says to whoever wants to take memory away in which frames are. */
#include "poison.h"

/* The kernel cannot move what is in a frame of ours: it says so, and nothing changes. */
TEST(soft_offline_is_refused)
{
	struct genp_info before;
	struct part part;
	int err;

	need_injection();
	before = info();
	part = create(PAGE, 0);
	*part.reserve = 1;
	err = write_address("soft_offline_page", phys_of(part.reserve));
	if (err != EBUSY && err != EIO)
		FAIL("soft_offline_page gave errno %d", err);
	EQUAL(*part.reserve, 1);
	CHECK(!is_poisoned(part.reserve));
	EQUAL(info().poisoned, before.poisoned);
	EQUAL(stat_of(part.fd).memory_errors, 0);
	drop(&part);
	expect_idle(&before);
}

/* Whether all of a stretch of addresses is memory, without holes. */
static bool is_all_memory(__u64 begin, __u64 length)
{
	FILE *file = fopen("/proc/iomem", "r");
	unsigned long long first, last;
	bool found = false;
	char line[128];

	CHECK(file);
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, ": System RAM") &&
			sscanf(line, "%llx-%llx", &first, &last) == 2 && first <= begin &&
			last >= begin + length - 1;
	fclose(file);
	return found;
}

/*
 * Nor can it take a block of memory away that has one. A block with holes, such as the first
 * and the last one, it does not try to, and has an errno of its own for that.
 */
TEST(offlining_memory_is_refused)
{
	char path[128], size[32] = "";
	struct genp_info before;
	struct part part;
	__u64 block, length;
	int fd, err;

	need_injection();
	fd = open(MEMORY_DIR "block_size_bytes", O_RDONLY);
	if (fd < 0)
		SKIP("no CONFIG_MEMORY_HOTPLUG");
	CHECK(read(fd, size, sizeof(size) - 1) > 0);
	close(fd);
	before = info();
	part = create(PAGE, 0);
	*part.reserve = 1;
	length = strtoull(size, NULL, 16);
	block = phys_of(part.reserve) / length;
	err = is_all_memory(block * length, length) ? EBUSY : EINVAL;
	snprintf(path, sizeof(path), MEMORY_DIR "memory%llu/state", block);
	fd = open(path, O_WRONLY);
	CHECK(fd >= 0);
	ERRNO(write(fd, "offline", 7), err);
	close(fd);
	EQUAL(*part.reserve, 1);
	drop(&part);
	expect_idle(&before);
}
