// SPDX-License-Identifier: GPL-2.0
/* The ceiling on what one user may have committed. Contract line 1. */
#include "capability.h"
#include "genp_test.h"
#include "user_namespace.h"

/* A user with only the device, kept open from before. */
static void become(uid_t uid)
{
	CHECK(!setresgid(uid, uid, uid));
	CHECK(!setresuid(uid, uid, uid));
}

static __u64 ceiling(void)
{
	unsigned long long value = 0;
	FILE *file = fopen("/sys/class/misc/genp/uid_ceiling_bytes", "r");

	CHECK(file);
	EQUAL(fscanf(file, "%llu", &value), 1);
	fclose(file);
	if (!value)
		SKIP("no ceiling is set");
	return value;
}

TEST(a_user_cannot_exceed_the_ceiling)
{
	__u64 most = ceiling();
	struct genp_create all = create_request(most, 0), again = create_request(most, 0);
	struct genp_create more = create_request(PAGE, 0);
	int fd = control();

	become(1000);
	CHECK(!ioctl(fd, GENP_CREATE, &all));
	ERRNO(ioctl(fd, GENP_CREATE, &more), ENOSPC);
	close(all.fd);
	CHECK(!ioctl(fd, GENP_CREATE, &again));
}

TEST(nor_by_growing)
{
	__u64 most = ceiling();
	struct genp_create request = create_request(PAGE, 0);
	struct genp_resize more = { .size = sizeof(more), .reserve = most + PAGE };
	int fd = control();

	become(1000);
	CHECK(!ioctl(fd, GENP_CREATE, &request));
	ERRNO(ioctl(request.fd, GENP_RESIZE, &more), ENOSPC);
	more.reserve = most;
	CHECK(!ioctl(request.fd, GENP_RESIZE, &more));
}

TEST(nor_as_root_of_a_user_namespace)
{
	struct genp_create more = create_request(ceiling() + PAGE, 0);
	int fd = control();

	become(1000);
	enter_user_namespace();
	ERRNO(ioctl(fd, GENP_CREATE, &more), ENOSPC);
}

TEST(users_have_a_ceiling_each)
{
	__u64 most = ceiling();
	struct genp_create request = create_request(most, 0);
	int fd = control();
	pid_t pid = child();

	if (!pid) {
		become(1001);
		_exit(ioctl(fd, GENP_CREATE, &request) ? errno : (pause(), 0));
	}
	EVENTUALLY(info().partitions == 1);
	become(1000);
	CHECK(!ioctl(fd, GENP_CREATE, &request));
	EQUAL(waitpid(pid, NULL, WNOHANG), 0);
}

TEST(nor_with_a_capability_for_something_else)
{
	struct genp_create more = create_request(ceiling() + PAGE, 0);
	int fd = control();

	become_with(1000, CAP_DAC_OVERRIDE);
	ERRNO(ioctl(fd, GENP_CREATE, &more), ENOSPC);
}

TEST(who_may_exceed_resources_may_exceed_it)
{
	struct genp_create more = create_request(ceiling() + PAGE, 0);
	int fd = control();

	become_with(1000, CAP_SYS_RESOURCE);
	CHECK(!ioctl(fd, GENP_CREATE, &more));
}

TEST(an_administrator_may_exceed_it)
{
	struct genp_create request = create_request(ceiling() + PAGE, 0);

	CHECK(!try_create(&request));
}
