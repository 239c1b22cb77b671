// SPDX-License-Identifier: GPL-2.0
/* What genpctl.sh has started with a partition: allocates from it. */
#include <genp.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	genp_partition_t *part = genp_inherited();
	char *block = part ? genp_alloc(part, 500000) : NULL;

	if (!block) {
		perror(part ? "genp_alloc" : "genp_inherited");
		return 1;
	}
	memset(block, 1, 500000);
	return genp_free(block) || genp_destroy(part);
}
