// SPDX-License-Identifier: MIT OR Apache-2.0
/* The instructions of a pair of calls, counted one by one and told. */
#include "case.h"
#include <signal.h>
#include <sys/ptrace.h>

/* More than any way through a malloc that has a block of that size. */
#define MOST 20000

static void perform(void)
{
	free(HIDE(malloc(100)));
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGUSR1);
	free(HIDE(malloc(100)));
	raise(SIGUSR2);
	_exit(0);
}

static int stopped_by(pid_t pid, int signal)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == signal;
}

CASE(a_pair_of_calls_is_short)
{
	pid_t pid = fork();
	int n = 0, status;

	if (!pid)
		perform();
	CHECK(stopped_by(pid, SIGUSR1));
	do {
		CHECK(n++ < MOST && !ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
		CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	} while (WSTOPSIG(status) != SIGUSR2);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	printf("instructions: %d\n", n);
	return 0;
}
