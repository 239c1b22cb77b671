// SPDX-License-Identifier: GPL-2.0
/* Sources of a reserve that are not there. Contract line 10. */
#include "genp_test.h"

TEST(without_a_range_it_is_not_supported)
{
	struct genp_create ask = wish(PAGE, 0);

	EQUAL(info().features & GENP_FEATURE_RANGE, 0);
	EQUAL(info().range, 0);
	EQUAL(info().range_free, 0);
	ask.source = GENP_SOURCE_RANGE;
	ERRNO(try_create(&ask), EOPNOTSUPP);
}

TEST(unknown_sources_are_refused)
{
	struct genp_create ask = wish(PAGE, 0);

	ask.source = GENP_SOURCE_RANGE + 1;
	ERRNO(try_create(&ask), EINVAL);
	ask.source = ~0U;
	ERRNO(try_create(&ask), EINVAL);
}
