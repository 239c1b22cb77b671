// SPDX-License-Identifier: MIT OR Apache-2.0
/* A program that uses the installed library, in C99 and C++. There may be no /dev/genp. */
#include <genp.h>

#include <errno.h>
#include <stdio.h>

int main(void)
{
	genp_partition_t *part = genp_create(1 << 20, 0);
	void *block;

	if (part) {
		block = genp_alloc(part, 100);
		return !block || genp_free(block) || genp_destroy(part);
	}
	if (errno != ENOENT && errno != ENODEV && errno != EACCES && errno != EPERM) {
		perror("genp_create");
		return 1;
	}
	errno = 0;
	return genp_alloc(part, 100) || errno != EINVAL;
}
