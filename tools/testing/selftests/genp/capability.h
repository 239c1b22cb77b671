/* SPDX-License-Identifier: GPL-2.0 */
/* Becoming a user with one capability and no other. */
#ifndef _GENP_CAPABILITY_H
#define _GENP_CAPABILITY_H

#include <grp.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "genp_test.h"

static UNUSED void become_with(uid_t uid, int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
	struct __user_cap_data_struct *set = &sets[CAP_TO_INDEX(capability)];

	set->permitted = set->effective = CAP_TO_MASK(capability);
	CHECK(!prctl(PR_SET_KEEPCAPS, 1));
	CHECK(!setgroups(0, NULL));
	CHECK(!setresgid(uid, uid, uid));
	CHECK(!setresuid(uid, uid, uid));
	CHECK(!syscall(SYS_capset, &header, sets));
}

#endif /* _GENP_CAPABILITY_H */
