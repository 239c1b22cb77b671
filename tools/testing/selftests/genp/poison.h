/* SPDX-License-Identifier: GPL-2.0 */
/* Memory errors, injected, and what their victims see. */
#ifndef _GENP_POISON_H
#define _GENP_POISON_H

#include <setjmp.h>

#include "genp_test.h"
#include "kernel_version.h"

#define MEMORY_DIR "/sys/devices/system/memory/"

/* Writes an address to a file of the memory's directory; 0 or the errno. */
static UNUSED int write_address(const char *file, __u64 phys)
{
	char path[128], text[32];
	int fd, err, length = snprintf(text, sizeof(text), "0x%llx", phys);

	snprintf(path, sizeof(path), MEMORY_DIR "%s", file);
	fd = open(path, O_WRONLY);
	CHECK(fd >= 0);
	err = write(fd, text, length) == length ? 0 : errno;
	close(fd);
	return err;
}

static UNUSED void need_injection(void)
{
	if (access(MEMORY_DIR "hard_offline_page", W_OK))
		SKIP("this kernel has no CONFIG_MEMORY_FAILURE");
}

/* To the kernel the pages of a module are ones that it can do nothing about. */
static UNUSED void poison(__u64 phys)
{
	int err = write_address("hard_offline_page", phys);

	/* Memory that it never had, as memmap= leaves it. */
	if (err == ENXIO)
		SKIP("the kernel handles no errors in memory of this kind");
	if (err != EBUSY)
		FAIL("hard_offline_page gave errno %d", err);
}

/* The physical address of a page that is mapped. */
static UNUSED __u64 phys_of(const volatile char *page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	__u64 entry;

	CHECK(fd >= 0);
	CHECK(pread(fd, &entry, sizeof(entry), (unsigned long)page / PAGE * sizeof(entry)) ==
	      sizeof(entry));
	close(fd);
	CHECK(entry >> 63);
	return (entry & ((1ULL << 55) - 1)) * PAGE;
}

static sigjmp_buf touched;
static siginfo_t touch_info;

static void on_touch(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	touch_info = *info;
	siglongjmp(touched, 1);
}

/* Whether touching a page gives the signal for a memory error, at its very address. */
static UNUSED bool is_poisoned(volatile char *at)
{
	struct sigaction action = { .sa_sigaction = on_touch, .sa_flags = SA_SIGINFO };

	CHECK(!sigaction(SIGBUS, &action, NULL));
	if (!sigsetjmp(touched, 1)) {
		(void)*at;
		return false;
	}
	EQUAL(touch_info.si_code, BUS_MCEERR_AR);
	CHECK(touch_info.si_addr == (void *)at);
	return true;
}

/* The next event of a memory error. */
static UNUSED struct genp_event error_event(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	struct genp_event event;

	do {
		CHECK(poll(&wait, 1, 60000) == 1);
		CHECK(read(fd, &event, sizeof(event)) == sizeof(event));
	} while (event.type != GENP_EVENT_MEMORY_ERROR);
	return event;
}

static UNUSED void expect_sum(void)
{
	struct genp_info i = info();

	EQUAL(i.committed + i.lent + i.overdue + i.free + i.poisoned, i.capacity);
}

/* Nobody has anything, and this many pages more than before are poisoned. */
static UNUSED void expect_lost(const struct genp_info *before, int pages)
{
	EVENTUALLY(info().committed == before->committed);
	EVENTUALLY(info().poisoned == before->poisoned + pages * PAGE);
	EQUAL(info().free, before->free - pages * PAGE);
	EQUAL(info().capacity, before->capacity);
	EQUAL(info().quarantined, 0);
	expect_sum();
}

#endif /* _GENP_POISON_H */
