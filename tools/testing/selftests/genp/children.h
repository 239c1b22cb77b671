/* SPDX-License-Identifier: GPL-2.0 */
/* Partitions of a partition. */
#ifndef _GENP_CHILDREN_H
#define _GENP_CHILDREN_H

#include "genp_test.h"

/* A partition that may have children; not mapped. */
static int parent_of(__u64 reserve, __u64 limit, __u64 quota, __u32 children)
{
	struct genp_create request = create_request(reserve, limit);

	request.quota = quota;
	request.max_children = children;
	CHECK(!try_create(&request));
	return request.fd;
}

static UNUSED struct genp_create child_request(__u64 reserve, __u64 limit, __u64 quota,
					       __u32 children)
{
	struct genp_create request = create_request(reserve, limit);

	request.quota = quota;
	request.max_children = children;
	return request;
}

/* A child, not mapped; -1 if it was refused. */
static UNUSED int child_of(int fd, __u64 reserve, __u64 limit, __u64 quota, __u32 children)
{
	struct genp_create request = child_request(reserve, limit, quota, children);

	return ioctl(fd, GENP_CREATE_CHILD, &request) ? -1 : request.fd;
}

static UNUSED int resized(int fd, __u64 reserve, __u64 limit)
{
	struct genp_resize request = { .size = sizeof(request), .reserve = reserve,
				       .borrow_limit = limit };

	return ioctl(fd, GENP_RESIZE, &request);
}

static UNUSED int resized_with_quota(int fd, __u64 reserve, __u64 limit, __u64 quota)
{
	struct genp_resize request = { .size = sizeof(request), .flags = GENP_RESIZE_QUOTA,
				       .reserve = reserve, .borrow_limit = limit, .quota = quota };

	return ioctl(fd, GENP_RESIZE, &request);
}

static UNUSED int opened(const char *name)
{
	struct genp_open request = { .size = sizeof(request) };
	int fd = control(), err;

	strcpy(request.name, name);
	err = ioctl(fd, GENP_OPEN, &request);
	close(fd);
	return err ? -1 : request.fd;
}

static UNUSED int restricted(int fd, __u32 rights)
{
	struct genp_restrict request = { .size = sizeof(request), .rights = rights };

	return ioctl(fd, GENP_RESTRICT, &request) ? -1 : request.fd;
}

/* Has others have all of the pool that is left. */
static UNUSED int exhaust(void)
{
	struct genp_create request = create_request(info().free, 0);

	CHECK(!try_create(&request));
	EQUAL(info().free, 0);
	return request.fd;
}

/* The call must fail with this errno, if it was made before the lease ended. */
#define WHILE_LENT(_lease, _call, _errno)				\
	do {								\
		long _ret = (long)(_call);				\
		int _got = errno;					\
		expect_in_time(&(_lease));				\
		if (_ret != -1 || _got != (_errno))			\
			FAIL("%s gave %ld, %s, not %s", #_call, _ret,	\
			     strerrorname_np(_got) ?: "?", #_errno);	\
	} while (0)

#endif /* _GENP_CHILDREN_H */
