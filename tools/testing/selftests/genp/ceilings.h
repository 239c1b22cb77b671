/* SPDX-License-Identifier: GPL-2.0 */
/* What one user may have, by the module's parameters. */
#ifndef _GENP_CEILINGS_H
#define _GENP_CEILINGS_H

#include "genp_test.h"

/* Bytes in reserves; skips the test if there is no ceiling. */
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

#endif /* _GENP_CEILINGS_H */
