// SPDX-License-Identifier: GPL-2.0
/*
 * Permissions: users without rights, user namespaces, modes, and valid names. The threat
 * model in Documentation/threat-model.rst refers to these tests.
 */
#include <dirent.h>
#include <grp.h>

#include "capability.h"
#include "genp_test.h"
#include "user_namespace.h"

static int open_named(int fd, const char *name)
{
	struct genp_open request = { .size = sizeof(request) };

	strcpy(request.name, name);
	return ioctl(fd, GENP_OPEN, &request) ? -1 : request.fd;
}

static int create_named(int fd, const char *name, __u32 mode)
{
	struct genp_create request = create_request(PAGE, PAGE);

	strcpy(request.name, name);
	request.mode = mode;
	return ioctl(fd, GENP_CREATE, &request) ? -1 : request.fd;
}

static void become(uid_t uid)
{
	CHECK(!setgroups(0, NULL));
	CHECK(!setresgid(uid, uid, uid));
	CHECK(!setresuid(uid, uid, uid));
}

/* Calls a function as another user and returns its result. */
static int as(uid_t uid, int (*work)(int fd), int fd)
{
	pid_t pid = child();
	int status;

	if (!pid) {
		become(uid);
		fflush(stdout);
		_exit(work(fd));
	}
	status = reap(pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(without_rights_there_is_no_device)
{
	become(1000);
	ERRNO(open(GENP_DEVICE_PATH, O_RDWR), EACCES);
	ERRNO(open(GENP_DEVICE_PATH, O_RDONLY), EACCES);
	ERRNO(open("/sys/kernel/debug/genp/pool", O_RDONLY), EACCES);
	ERRNO(open("/sys/kernel/debug/genp/partitions", O_RDONLY), EACCES);
}

TEST(nothing_in_sysfs_can_be_written)
{
	DIR *dir = opendir("/sys/class/misc/genp/");
	struct dirent *entry;
	int count = 0;

	CHECK(dir);
	/* Opened before rights are dropped, because of the modes of the files. */
	become(1000);
	while ((entry = readdir(dir))) {
		char path[512];

		if (entry->d_type != DT_REG)
			continue;
		snprintf(path, sizeof(path), "/sys/class/misc/genp/%s", entry->d_name);
		ERRNO(open(path, O_WRONLY), EACCES);
		count++;
	}
	CHECK(count >= 19);
}

TEST(a_parameter_cannot_be_changed)
{
	/* Nor by root: guarantees depend on them. */
	CHECK(access("/sys/module/genp/parameters", F_OK));
}

static int open_theirs(int fd)
{
	return open_named(fd, "theirs") < 0 ? errno : 0;
}

static int open_theirs_as_root_of_a_namespace(int fd)
{
	enter_user_namespace();
	return open_theirs(fd);
}

TEST(a_user_namespace_opens_nothing)
{
	int fd = control();

	CHECK(create_named(fd, "theirs", 0) >= 0);
	EQUAL(as(1000, open_theirs, fd), EACCES);
	EQUAL(as(1000, open_theirs_as_root_of_a_namespace, fd), EACCES);
}

static int open_theirs_with_resource(int fd)
{
	become_with(1001, CAP_SYS_RESOURCE);
	return open_theirs(fd);
}

static int open_theirs_with_override(int fd)
{
	become_with(1001, CAP_DAC_OVERRIDE);
	return open_theirs(fd);
}

static int open_theirs_with_what_searches(int fd)
{
	/* It reads files and no more, and a partition opens for writing too. */
	become_with(1001, CAP_DAC_READ_SEARCH);
	return open_theirs(fd);
}

/* Does something as root and gives its answer. */
static int as_root(int (*work)(int fd), int fd)
{
	pid_t pid = child();
	int status;

	if (!pid)
		_exit(work(fd));
	status = reap(pid);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(modes_are_overridden_by_their_own_capability_alone)
{
	int fd = control();
	pid_t owner = child();

	if (!owner) {
		become(1000);
		_exit(create_named(fd, "theirs", 0600) < 0 ? 1 : (pause(), 0));
	}
	EVENTUALLY(open_named(fd, "theirs") >= 0);
	EQUAL(as_root(open_theirs_with_resource, fd), EACCES);
	EQUAL(as_root(open_theirs_with_what_searches, fd), EACCES);
	EQUAL(as_root(open_theirs_with_override, fd), 0);
}

/* Creates a partition in the namespace and keeps it. */
static int settle_in_a_namespace(int fd)
{
	enter_user_namespace();
	if (create_named(fd, "theirs", 0) < 0 || open_theirs(fd))
		return 1;
	pause();
	return 1;
}

TEST(a_user_is_the_same_inside_and_outside)
{
	__u32 before = info().partitions;
	int fd = control();
	pid_t pid;

	/* Root of a user namespace counts as the user that created it. */
	if (as(1000, open_theirs_as_root_of_a_namespace, fd) == EXIT_SKIPPED)
		SKIP("no user namespaces here");
	pid = child();
	if (!pid) {
		become(1000);
		_exit(settle_in_a_namespace(fd));
	}
	EVENTUALLY(info().partitions == before + 1);
	EVENTUALLY(open_named(fd, "theirs") >= 0);
	EQUAL(as(1000, open_theirs, fd), 0);
	EQUAL(as(1001, open_theirs, fd), EACCES);
	EQUAL(as(1001, open_theirs_as_root_of_a_namespace, fd), EACCES);
}

static int create_for_others_alone(int fd)
{
	if (create_named(fd, "theirs", 0066) < 0)
		return errno;
	/* As with a file: for the owner only the owner's bits count, not wider ones. */
	return open_theirs(fd);
}

TEST(the_owners_own_bits_count_for_him)
{
	EQUAL(as(1000, create_for_others_alone, control()), EACCES);
}

TEST(reading_alone_or_writing_alone_is_not_enough)
{
	static const __u32 modes[] = { 0604, 0602, 0640, 0620, 0644, 0622 };
	int fd = control();

	for (int i = 0; i < 6; i++) {
		int part = create_named(fd, "theirs", modes[i]);

		CHECK(part >= 0);
		EQUAL(as(1000, open_theirs, fd), EACCES);
		close(part);
	}
}

static int open_read_only(int fd)
{
	struct genp_open request = { .size = sizeof(request), .flags = GENP_OPEN_READ_ONLY };
	struct genp_alloc alloc;

	strcpy(request.name, "theirs");
	if (ioctl(fd, GENP_OPEN, &request))
		return errno;
	ERRNO(region(request.fd, 64, 0, &alloc), EACCES);
	CHECK(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, request.fd,
		   request.windows.reserve_offset) == MAP_FAILED);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, request.fd,
		   request.windows.reserve_offset) != MAP_FAILED);
	EQUAL(stat_of(request.fd).reserve, PAGE);
	return 0;
}

TEST(reading_needs_reading_alone)
{
	static const struct {
		__u32 mode;
		int answer;
	} modes[] = {
		{ 0604, 0 }, { 0606, 0 }, { 0644, 0 }, { 0602, EACCES }, { 0640, EACCES },
		{ 0600, EACCES }, { 0, EACCES },
	};
	int fd = control();

	for (unsigned int at = 0; at < sizeof(modes) / sizeof(modes[0]); at++) {
		int part = create_named(fd, "theirs", modes[at].mode);

		CHECK(part >= 0);
		EQUAL(as(1000, open_read_only, fd), modes[at].answer);
		close(part);
	}
}

static int use_what_was_inherited(int part)
{
	struct genp_alloc alloc;
	struct genp_borrow lease;

	if (region(part, 64, 0, &alloc))
		return errno;
	if (borrow(part, PAGE, GENP_NO_WAIT, 0, &lease) && errno != ETIMEDOUT)
		return errno;
	return by_handle(part, GENP_FREE, alloc.handle) ? errno : 0;
}

TEST(a_descriptor_is_the_right_to_use_it)
{
	int part = create_named(control(), "", 0);

	CHECK(part >= 0);
	EQUAL(as(1000, use_what_was_inherited, part), 0);
	EQUAL(stat_of(part).allocs, 1);
}

static bool is_sound(int byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == '-';
}

/* A name of a given length with one arbitrary byte that is not zero. */
static void try_byte(int fd, int byte, size_t at)
{
	struct genp_create request = create_request(PAGE, 0);
	struct genp_open again = { .size = sizeof(again) };

	memset(request.name, 'n', at);
	request.name[at] = byte;
	memcpy(again.name, request.name, sizeof(again.name));
	if (!is_sound(byte)) {
		ERRNO(ioctl(fd, GENP_CREATE, &request), EINVAL);
		ERRNO(ioctl(fd, GENP_OPEN, &again), EINVAL);
		return;
	}
	ERRNO(ioctl(fd, GENP_OPEN, &again), ENOENT);
	CHECK(!ioctl(fd, GENP_CREATE, &request));
	CHECK(!ioctl(fd, GENP_OPEN, &again));
	EQUAL(memcmp(stat_of(again.fd).name, request.name, sizeof(request.name)), 0);
	close(again.fd);
	close(request.fd);
}

TEST(every_byte_of_a_name)
{
	int fd = control();

	for (int byte = 1; byte < 256; byte++) {
		try_byte(fd, byte, 0);
		try_byte(fd, byte, GENP_NAME_SIZE - 2);
	}
}

TEST(a_name_shows_in_maps_and_nothing_else_of_it)
{
	struct genp_create request = create_request(PAGE, 0);
	char line[512], *at = NULL;
	FILE *maps;

	strcpy(request.name, "..");
	create_from(request);
	maps = fopen("/proc/self/maps", "r");
	CHECK(maps);
	while (!at && fgets(line, sizeof(line), maps))
		at = strstr(line, "[genp:..]");
	fclose(maps);
	CHECK(at);
}
