// SPDX-License-Identifier: MIT OR Apache-2.0
/* Threads that used the library and end when it is told to go. */
#include "plugin.h"

static genp_partition_t *part;

CASE use(void)
{
	void *block;

	if (!part)
		part = genp_create(1 << 20, 0);
	CHECK(part);
	block = genp_alloc(part, 100);
	CHECK(block);
	return genp_free(block);
}

CASE finish(void)
{
	genp_partition_t *old = part;

	part = NULL;
	return genp_destroy(old);
}
