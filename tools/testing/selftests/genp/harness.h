/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests with KTAP output. Each runs in a process of its own, so that it may be killed by
 * what it tests, and is killed if it hangs.
 */
#ifndef _GENP_HARNESS_H
#define _GENP_HARNESS_H

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limit.h"

#define EXIT_SKIPPED 4

struct test {
	const char *name;
	void (*run)(void);
	struct test *next;
};

static struct test *first_test, **last_test = &first_test;

#define TEST(_name)							\
	static void _name(void);					\
	static struct test test_##_name = { #_name, _name, NULL };	\
	__attribute__((constructor)) static void add_##_name(void)	\
	{								\
		*last_test = &test_##_name;				\
		last_test = &test_##_name.next;				\
	}								\
	static void _name(void)

#define FAIL(...)							\
	do {								\
		printf("# %s:%d: ", __FILE__, __LINE__);		\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		fflush(stdout);						\
		_exit(1);						\
	} while (0)

#define SKIP(...)							\
	do {								\
		printf("# skipped: ");					\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		fflush(stdout);						\
		_exit(EXIT_SKIPPED);					\
	} while (0)

#define CHECK(_cond)							\
	do {								\
		if (!(_cond))						\
			FAIL("expected %s (errno %d)", #_cond, errno);	\
	} while (0)

#define EQUAL(_a, _b)							\
	do {								\
		long long _va = (long long)(_a), _vb = (long long)(_b);	\
		if (_va != _vb)						\
			FAIL("%s is %lld, not %s = %lld", #_a, _va, #_b, _vb); \
	} while (0)

/* The call must fail with this errno. */
#define ERRNO(_call, _errno)						\
	do {								\
		errno = 0;						\
		long _ret = (long)(_call);				\
		int _got = errno;					\
		if (_ret != -1 || _got != (_errno))			\
			FAIL("%s gave %ld, %s, not %s", #_call, _ret,	\
			     strerrorname_np(_got) ?: "?", #_errno);	\
	} while (0)

/* Called before each test; defined in genp_test.h. */
static void before_each(void);

static int run_test(const struct test *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		signal(SIGALRM, SIG_DFL);
		before_each();
		test->run();
		fflush(stdout);
		_exit(0);
	}
	status = wait_with_limit(pid);
	/* What the test left behind must not disturb the next one. */
	kill(-pid, SIGKILL);
	if (WIFSIGNALED(status))
		printf("# died of signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	int count = 0, number = 0, failed = 0;
	struct test *test;

	for (test = first_test; test; test = test->next)
		count += argc < 2 || !strcmp(argv[1], test->name);
	printf("KTAP version 1\n1..%d\n", count);
	limit_begin();
	for (test = first_test; test; test = test->next) {
		int status;

		if (argc >= 2 && strcmp(argv[1], test->name))
			continue;
		status = run_test(test);
		failed += status && status != EXIT_SKIPPED;
		printf("%sok %d %s%s\n", status && status != EXIT_SKIPPED ? "not " : "", ++number,
		       test->name, status == EXIT_SKIPPED ? " # SKIP" : "");
		fflush(stdout);
	}
	return failed != 0;
}

#endif /* _GENP_HARNESS_H */
