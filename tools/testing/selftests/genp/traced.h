/* SPDX-License-Identifier: GPL-2.0 */
/* The death of a process at any of its calls of the kernel. */
#ifndef _GENP_TRACED_H
#define _GENP_TRACED_H

#include <sys/ptrace.h>

#include "harness.h"

/* Has the parent trace the caller from here on, when die_at_call() is told of it. */
static void be_traced(void)
{
	CHECK(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	raise(SIGSTOP);
}

/*
 * Kills a child that called be_traced() at its call of the kernel of this number, entry and
 * return counted apart: false if it came to its end.
 */
static bool die_at_call(pid_t pid, int number)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	CHECK(!ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD));
	for (int call = 0; call <= number; call++) {
		CHECK(!ptrace(PTRACE_SYSCALL, pid, NULL, NULL));
		CHECK(waitpid(pid, &status, 0) == pid);
		if (WIFEXITED(status)) {
			EQUAL(WEXITSTATUS(status), 0);
			return false;
		}
		EQUAL(WSTOPSIG(status), SIGTRAP | 0x80);
	}
	CHECK(!kill(pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	return true;
}

#endif /* _GENP_TRACED_H */
