// SPDX-License-Identifier: GPL-2.0
/*
 * What a process has the kernel allocate by GenP counts in its memory cgroup, and where
 * that is full the call fails and nobody is killed. Contract line 13.
 */
#include <sys/resource.h>

#include "memcg.h"

#define MANY 256
/* Descriptors of which there is a table of just so many. */
#define FILES (1 << 16)

static int fds[MANY];

/* Kernel memory of the whole system that a partition's tables can be in, in bytes. */
static __u64 in_the_system(void)
{
	return (number_in("/proc/meminfo", "Slab:") +
		number_in("/proc/meminfo", "VmallocUsed:")) << 10;
}

/* One page of stock that may grow to all of the pool, and as little else as there can be. */
static struct genp_create large_stock(void)
{
	struct genp_create ask = create_request(0, 0);

	ask.stock_pages = 1;
	ask.stock_limit = info().capacity / PAGE;
	ask.max_regions = 1;
	ask.max_leases = 1;
	return ask;
}

/* Creates partitions until one is refused: how many, with the reason in errno. */
static int create_many(int fd, const struct genp_create *like)
{
	int made;

	for (made = 0; made < MANY; made++) {
		struct genp_create ask = *like;

		if (ioctl(fd, GENP_CREATE, &ask))
			break;
		fds[made] = ask.fd;
	}
	return made;
}

static void close_many(int made)
{
	while (made--)
		close(fds[made]);
}

TEST(stocks_count_in_the_cgroup_of_their_creator)
{
	struct genp_create ask = large_stock();
	__u64 group, all;
	int made;

	enter_memcg();
	/* What the first one brings in for good is not its own. */
	CHECK(!try_create(&ask));
	close(ask.fd);
	group = charged();
	all = in_the_system();
	made = create_many(control(), &ask);
	CHECK(made > 8);
	group = charged() - group;
	all = in_the_system() - all;
	printf("# %d partitions: %llu KiB more in the system, %llu KiB of them charged\n", made,
	       (unsigned long long)all >> 10, (unsigned long long)group >> 10);
	/* Or the comparison would say nothing. */
	CHECK(all > made * 32 * 1024UL);
	CHECK(group * 10 >= all * 9);
	close_many(made);
	EVENTUALLY(charged() < group / 4);
}

/*
 * Creates until the group is full, twice: what was given up can be had again. The device is
 * opened before: where the group is full, open() of any file has the kernel kill somebody.
 */
static void fill_the_group(const struct genp_create *ask)
{
	int round, made, fd = control();

	for (round = 0; round < 2; round++) {
		made = create_many(fd, ask);
		EQUAL(errno, ENOMEM);
		CHECK(made < (int)info_by(fd).max_partitions);
		close_many(made);
		EVENTUALLY(!info_by(fd).partitions);
	}
	EQUAL(killed(), 0);
}

TEST(a_full_cgroup_refuses_stocks_and_kills_nobody)
{
	struct genp_create ask = large_stock();

	enter_memcg();
	set_limit(2 * MIB);
	fill_the_group(&ask);
}

TEST(a_full_cgroup_refuses_regions_and_kills_nobody)
{
	struct genp_create ask = create_request(PAGE, 0);

	enter_memcg();
	set_limit(16 * MIB);
	ask.max_regions = 1 << 17;
	fill_the_group(&ask);
	/* Its tables alone are more than all there is. */
	ask.max_regions = 1 << 20;
	ERRNO(try_create(&ask), ENOMEM);
	EQUAL(killed(), 0);
}

/*
 * What a call that failed had got is free when it returns, not when some thread of the kernel
 * runs that the caller keeps from running.
 */
TEST(a_refused_table_leaves_the_cgroup_no_fuller)
{
	const struct sched_param high = { .sched_priority = 50 };
	struct genp_create ask = create_request(PAGE, 0);
	const size_t more = MIB;
	cpu_set_t here;
	char *memory;
	int fd = control();

	memory = mmap(NULL, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	enter_memcg();
	set_limit(8 * MIB);
	ask.max_regions = 1 << 20;
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	CHECK(!sched_setaffinity(0, sizeof(here), &here));
	CHECK(!sched_setscheduler(0, SCHED_FIFO, &high));
	ERRNO(ioctl(fd, GENP_CREATE, &ask), ENOMEM);
	memset(memory, 1, more);
	set_limit(64 * MIB);
	EQUAL(killed(), 0);
}

/* What the group is charged, through a descriptor that is open already. */
static __u64 used_by_group(int current)
{
	char text[32] = "";

	CHECK(pread(current, text, sizeof(text) - 1, 0) > 0);
	return strtoull(text, NULL, 10);
}

/* Opens files until the next one needs another table of them, of a MiB. */
static void fill_the_table_of_files(void)
{
	const struct rlimit most = { FILES + 64, FILES + 64 };
	int last = 0;

	CHECK(!setrlimit(RLIMIT_NOFILE, &most));
	while (last < FILES - 1)
		CHECK((last = dup(1)) >= 0);
}

/* Neither a new partition nor one that was there. */
TEST(a_full_cgroup_refuses_descriptors_and_kills_nobody)
{
	struct genp_create ask = create_request(PAGE, 0);
	struct genp_open join = { .size = sizeof(join), .name = "full" };
	int fd = control(), limit, current, length;
	char text[32];

	strcpy(ask.name, "full");
	CHECK(!ioctl(fd, GENP_CREATE, &ask));
	enter_memcg();
	limit = open(OUR_GROUP "/memory.max", O_WRONLY);
	current = open(OUR_GROUP "/memory.current", O_RDONLY);
	fill_the_table_of_files();
	/* Two thirds of the table would fit. */
	length = snprintf(text, sizeof(text), "%llu",
			  (unsigned long long)used_by_group(current) + FILES * 2 * 8 * 2 / 3);
	CHECK(pwrite(limit, text, length, 0) == length);
	ERRNO(ioctl(fd, GENP_OPEN, &join), ENOMEM);
	ask.name[0] = 0;
	ERRNO(ioctl(fd, GENP_CREATE, &ask), ENOMEM);
	CHECK(pwrite(limit, "max", 3, 0) == 3);
	EQUAL(ioctl(fd, GENP_OPEN, &join), 0);
	EQUAL(killed(), 0);
}

/* Page tables, which the kernel allocates by itself. */
TEST(a_full_cgroup_refuses_windows_and_kills_nobody)
{
	struct genp_create ask = create_request(0, info().capacity);
	void *window;

	enter_memcg();
	ask.max_regions = 1;
	ask.max_leases = 64;
	CHECK(!try_create(&ask));
	/* An eighth of the page tables, which have 8 bytes for each page. */
	set_limit(number_in(OUR_GROUP "/memory.current", "") + ask.windows.lease_length / PAGE);
	window = mmap(NULL, ask.windows.lease_length, PROT_READ | PROT_WRITE, MAP_SHARED, ask.fd,
		      ask.windows.lease_offset);
	CHECK(window == MAP_FAILED);
	EQUAL(errno, ENOMEM);
	EQUAL(killed(), 0);
	set_limit(64 * MIB);
	window = mmap(NULL, ask.windows.lease_length, PROT_READ | PROT_WRITE, MAP_SHARED, ask.fd,
		      ask.windows.lease_offset);
	CHECK(window != MAP_FAILED);
}

TEST(page_tables_count_in_the_cgroup_of_the_mapper)
{
	struct part part;
	__u64 before;

	enter_memcg();
	before = number_in(OUR_GROUP "/memory.stat", "pagetables");
	part = create_from(create_request(PAGE, info().capacity));
	/* The default of 16 leases, each with a slice of all of the pool. */
	CHECK(number_in(OUR_GROUP "/memory.stat", "pagetables") - before >=
	      part.windows.lease_length / PAGE * 8 / 2);
	drop(&part);
}
