// SPDX-License-Identifier: GPL-2.0
/*
 * What a shrink cuts off is unmapped everywhere, also from a mapping that is just being
 * made: "That part is unmapped everywhere; access to it is SIGBUS"
 * (Documentation/partitions.rst). Contract lines 1, 5.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "genp_test.h"

#define PAGES 4UL
#define TRIES 3000
/* A slow kernel makes fewer. */
#define LIMIT (40 * SEC)

static struct part part;
static atomic_int round_begun, cut_done, stopped;
static atomic_uint delay;

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	CHECK(!sched_setaffinity(0, sizeof(set), &set));
}

static int resize_to(unsigned long pages)
{
	struct genp_resize ask = { .size = sizeof(ask), .reserve = pages * PAGE };

	return ioctl(part.fd, GENP_RESIZE, &ask);
}

/* Cuts the last page off, some time after a round began. */
static void *cut(void *unused)
{
	on_cpu(1);
	for (int round = 1; round <= TRIES; round++) {
		while (round_begun < round && !stopped)
			;
		if (stopped)
			break;
		for (volatile unsigned int i = 0; i < delay; i++)
			;
		CHECK(!resize_to(PAGES - 1));
		cut_done = round;
	}
	return unused;
}

/* Whether the last page is still there. */
static bool is_left(const char *at)
{
	return !is_gone(at + (PAGES - 1) * PAGE);
}

/* The page that is left is not the one that the partition has there: two words differ. */
static void tell(char *at, int round)
{
	char *other;

	at[(PAGES - 1) * PAGE] = 'o';
	printf("# round %d: what was cut off can be written; %llu bytes in quarantine\n", round,
	       (unsigned long long)info().quarantined);
	CHECK(!resize_to(PAGES));
	other = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, part.fd, 0);
	CHECK(other != MAP_FAILED);
	printf("# after a growth, the same offset in two mappings: %d and %d\n",
	       at[(PAGES - 1) * PAGE], other[(PAGES - 1) * PAGE]);
	pause_ms(500);
	printf("# and %llu bytes in quarantine, half a second later\n",
	       (unsigned long long)info().quarantined);
	fflush(stdout);
	munmap(other, PAGES * PAGE);
}

TEST(a_mapping_that_is_being_made_is_cut_off_too)
{
	struct genp_create ask = create_request(PAGES * PAGE, 0);
	pthread_t thread;
	int left = 0, mapped = 0, rounds = 0;
	__u64 end = now() + LIMIT;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP("this takes two processors");
	/* 34 rounds in the 40 seconds, all of which it waits. */
	if (on_user_mode_linux())
		SKIP("here a round takes more than a second, and the window is never met");
	CHECK(!try_create(&ask));
	part.fd = ask.fd;
	on_cpu(0);
	CHECK(!pthread_create(&thread, NULL, cut, NULL));
	for (int round = 1; round <= TRIES && now() < end; round++) {
		char *at;

		delay = round * 7 % 4000;
		round_begun = round;
		at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, part.fd, 0);
		while (cut_done < round)
			;
		if (at != MAP_FAILED) {
			mapped++;
			if (is_left(at) && !left++)
				tell(at, round);
			munmap(at, PAGES * PAGE);
		}
		if (resize_to(PAGES))
			FAIL("round %d: growing: %s", round, strerrorname_np(errno));
		rounds = round;
	}
	stopped = 1;
	CHECK(!pthread_join(thread, NULL));
	printf("# mapped in time in %d of %d rounds; cut off and left in %d\n", mapped, rounds, left);
	EQUAL(left, 0);
}
