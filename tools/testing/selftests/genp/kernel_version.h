/* SPDX-License-Identifier: GPL-2.0 */
/* Which Linux it is, for what later ones have or refuse. */
#ifndef _GENP_KERNEL_VERSION_H
#define _GENP_KERNEL_VERSION_H

#include <sys/utsname.h>

#include "genp_test.h"

static UNUSED bool kernel_before(int version, int series)
{
	struct utsname name;
	int has_version, has_series;

	CHECK(!uname(&name));
	CHECK(sscanf(name.release, "%d.%d", &has_version, &has_series) == 2);
	return has_version < version || (has_version == version && has_series < series);
}

#endif
