// SPDX-License-Identifier: MIT OR Apache-2.0
/* A library whose IFUNC resolver allocates, perhaps before malloc's own is relocated. */
#include <stdlib.h>

static int answer(void)
{
	return 42;
}

static int wrong(void)
{
	return 0;
}

static int (*resolve(void))(void)
{
	char *block = malloc(100), *more = calloc(10, 10);
	int whole = block && more && !more[99];

	block = realloc(block, 1000);
	free(more);
	free(block);
	free(NULL);
	return whole && block ? answer : wrong;
}

int of_ifunc(void) __attribute__((ifunc("resolve")));
