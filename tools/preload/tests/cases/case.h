/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Cases of a program that knows nothing of GenP. Each is right with the C library's malloc.
 * CASE(name) is a function that returns 0, or the line that found something wrong.
 */
#ifndef _CASE_H
#define _CASE_H

#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct one_case {
	const char *name;
	int (*run)(void);
	struct one_case *next;
};

void enter(struct one_case *);

#define CASE(what)                                                                    \
	static int what(void);                                                        \
	__attribute__((constructor)) static void enter_##what(void)                   \
	{                                                                             \
		static struct one_case one = { #what, what, NULL };                   \
		enter(&one);                                                          \
	}                                                                             \
	static int what(void)

#define CHECK(yes)                                                                    \
	do {                                                                          \
		if (!(yes))                                                           \
			return __LINE__;                                              \
	} while (0)

/* So that the compiler does not take what malloc does for granted. */
#define HIDE(value) ({ __typeof__(value) _value = (value); __asm__("" : "+r"(_value)); _value; })

/* Runs a function in a forked child, which is to exit with what it returns: 0. */
int in_child(int (*)(void));

#endif /* _CASE_H */
