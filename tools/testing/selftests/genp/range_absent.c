// SPDX-License-Identifier: GPL-2.0
/* Sources of a reserve that do not exist. Contract line 10. */
#include "genp_test.h"

TEST(without_a_range_it_is_not_supported)
{
	struct genp_create request = create_request(PAGE, 0);

	EQUAL(info().features & GENP_FEATURE_RANGE, 0);
	EQUAL(info().range, 0);
	EQUAL(info().range_free, 0);
	request.source = GENP_SOURCE_RANGE;
	ERRNO(try_create(&request), EOPNOTSUPP);
}

TEST(unknown_sources_are_refused)
{
	struct genp_create request = create_request(PAGE, 0);

	request.source = GENP_SOURCE_RANGE + 1;
	ERRNO(try_create(&request), EINVAL);
	request.source = ~0U;
	ERRNO(try_create(&request), EINVAL);
}
