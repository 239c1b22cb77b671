/* SPDX-License-Identifier: GPL-2.0 */
/* What tests of heaps that processes share have in common: a partition to share. */
#ifndef _SHARED_TEST_H
#define _SHARED_TEST_H

#include "genp.h"
#include "genp_test.h"

#define SHARED_NAME "shared"
#define SHARED_RESERVE (1UL << 20)

/* User mode Linux loses the owner of PI futexes that processes share. */
static UNUSED unsigned int shared_flags(void)
{
	return on_user_mode_linux() ? GENP_SHARED_NO_PI : 0;
}

/* A partition as "genpctl create" makes it: without a heap. */
static UNUSED int create_to_share(void)
{
	struct genp_create ask = create_request(SHARED_RESERVE, 0);

	strcpy(ask.name, SHARED_NAME);
	CHECK(!try_create(&ask));
	return ask.fd;
}

/* ... with a heap, for the caller. */
static UNUSED genp_partition_t *create_shared(void)
{
	struct genp_create ask = create_request(SHARED_RESERVE, 0);
	genp_partition_t *part;

	strcpy(ask.name, SHARED_NAME);
	part = genp_create_shared(&ask, shared_flags());
	CHECK(part);
	return part;
}

/* Another process shares it. */
static UNUSED genp_partition_t *share(void)
{
	genp_partition_t *part = genp_open(SHARED_NAME);

	CHECK(part);
	CHECK(!genp_share_heap(part, shared_flags()));
	return part;
}

static UNUSED struct genp_shared_stat shared_stat(genp_partition_t *part)
{
	struct genp_shared_stat stat = { .size = sizeof(stat) };

	CHECK(!genp_get_shared_stat(part, &stat));
	return stat;
}

#endif /* _SHARED_TEST_H */
