// SPDX-License-Identifier: MIT OR Apache-2.0
/* cases NAME: runs a case. cases: lists them. */
#include "case.h"

static struct one_case *first;

void enter(struct one_case *one)
{
	one->next = first;
	first = one;
}

int in_child(int (*run)(void))
{
	int status, line;
	pid_t child = fork();

	if (child < 0)
		return __LINE__;
	if (!child) {
		line = run();
		if (line)
			fprintf(stderr, "child: line %d\n", line);
		_exit(!!line);
	}
	if (waitpid(child, &status, 0) != child)
		return __LINE__;
	if (status)
		fprintf(stderr, "child: status %x\n", status);
	return status ? __LINE__ : 0;
}

int main(int count, char **arguments)
{
	int line;

	for (struct one_case *one = first; one; one = one->next) {
		if (count < 2) {
			puts(one->name);
		} else if (!strcmp(one->name, arguments[1])) {
			line = one->run();
			if (line)
				fprintf(stderr, "%s: line %d\n", one->name, line);
			return !!line;
		}
	}
	return count < 2 ? 0 : 2;
}
