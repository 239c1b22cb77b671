// SPDX-License-Identifier: GPL-2.0
/*
 * Set-up while threads of SCHED_FIFO keep all processors from everybody below them:
 * nothing that GenP does after its load may wait for a thread of ordinary priority, and
 * its unloading for none of its own.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/utsname.h>

#include "hogs.h"
#include "module.h"
#include "threads.h"

#define THROTTLING "/proc/sys/kernel/sched_rt_runtime_us"

/* The last step that the process under test took; shared with it. */
static volatile int *step;

static long read_number(const char *path)
{
	FILE *file = fopen(path, "r");
	long number = 0;

	if (file && fscanf(file, "%ld", &number) != 1)
		number = 0;
	if (file)
		fclose(file);
	return number;
}

/* Not every kernel has the file; the test then shows less. */
static void write_number(const char *path, long number)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return;
	fprintf(file, "%ld", number);
	if (fclose(file))
		printf("# %s: %m\n", path);
}

/* What the kernel keeps for threads of ordinary priority: sets it, returns what it was. */
struct kept {
	long rt_runtime_us;
	long fair_runtime_ns;
};

static struct kept keep_for_others(struct kept kept)
{
	struct kept old = { .rt_runtime_us = read_number(THROTTLING) };
	char path[80];

	write_number(THROTTLING, kept.rt_runtime_us);
	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
		snprintf(path, sizeof(path),
			 "/sys/kernel/debug/sched/fair_server/cpu%d/runtime", cpu);
		old.fair_runtime_ns = read_number(path);
		write_number(path, kept.fair_runtime_ns);
	}
	return old;
}

/* Where it hangs, for whoever reads the log. */
static void show_stack(pid_t pid)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		printf("# %s", line);
	if (file)
		fclose(file);
}

static void needs_rt(void)
{
	struct utsname name;

	CHECK(!uname(&name));
	if (!strstr(name.version, "PREEMPT_RT"))
		SKIP("this kernel is no PREEMPT_RT: %s", name.version);
}

static bool all_hogs_live(void)
{
	for (int cpu = 0; cpu < hog_count; cpu++)
		if (waitpid(hogs[cpu], NULL, WNOHANG))
			return false;
	return true;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = {};

	CHECK(!waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT));
	return info.si_pid;
}

/*
 * Runs `work` at priority 60 above hogs of 50: it must be done while they still run. The
 * caller looks on from above.
 */
static void above_hogs(void (*work)(void))
{
	struct kept old;
	bool hogged = true;
	__u64 limit;
	int last;
	pid_t pid;

	needs_rt();
	setvbuf(stdout, NULL, _IONBF, 0);
	step = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(step != MAP_FAILED);
	old = keep_for_others((struct kept){ -1, 0 });
	begin_hogs();
	be_fifo(70);
	pid = child();
	if (!pid) {
		be_fifo(60);
		work();
		_exit(0);
	}
	/* Their own alarm needs a thread that they keep from running. */
	limit = now() + 20 * SEC;
	while (hogged && !has_ended(pid)) {
		hogged = all_hogs_live() && now() < limit;
		if (!hogged)
			show_stack(pid);
		pause_ms(1);
	}
	last = *step;
	end_hogs();
	keep_for_others(old);
	if (!hogged)
		FAIL("step %d did not end before the hogs did", last);
	EQUAL(reap(pid), 0);
}

static void poll_and_listen(int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct genp_eventfd ask = { .size = sizeof(ask), .fd = eventfd(0, EFD_CLOEXEC),
				    .mask = 1 << GENP_EVENT_REVOKED };
	struct pollfd poll_it = { .fd = fd, .events = POLLIN };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	CHECK(epoll >= 0 && ask.fd >= 0);
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	CHECK(poll(&poll_it, 1, 0) >= 0);
	CHECK(!ioctl(fd, GENP_SET_EVENTFD, &ask));
	close(ask.fd);
	/* The epoll file stays open: the partition is closed before it. */
}

static struct genp_create large(void)
{
	struct genp_create ask = create_request(64 * PAGE, 64 * PAGE);

	ask.stock_pages = 16;
	ask.max_regions = 20000;
	ask.max_leases = 64;
	strcpy(ask.name, "hogged");
	return ask;
}

/*
 * Borrows a page and returns it, or not. Where the machine is slow, the lease may end
 * before it is mapped, or before it is returned.
 */
static void borrow_and_return(int fd, bool and_return)
{
	struct genp_borrow lease;

	if (borrow(fd, PAGE, GENP_NO_WAIT, 0, &lease))
		EQUAL(errno, ETIMEDOUT);
	else if (and_return && give_back(fd, lease.handle))
		EQUAL(errno, ESTALE);
}

static void set_up_and_end(void)
{
	struct genp_open again = { .size = sizeof(again), .name = "hogged" };
	struct genp_resize resize = { .size = sizeof(resize), .reserve = 32 * PAGE,
				      .borrow_limit = 32 * PAGE };
	struct genp_alloc got;
	struct part part;
	int fd;

	for (int round = 0; round < 20; round++) {
		*step = 100 * round;
		part = create_from(large());
		++*step;
		fd = control();
		CHECK(!ioctl(fd, GENP_OPEN, &again));
		close(fd);
		close(again.fd);
		++*step;
		CHECK(!region(part.fd, 100, 0, &got));
		CHECK(!by_handle(part.fd, GENP_FREE, got.handle));
		borrow_and_return(part.fd, round % 2);
		++*step;
		poll_and_listen(part.fd);
		++*step;
		CHECK(!ioctl(part.fd, GENP_RESIZE, &resize));
		++*step;
		if (round % 3 == 0)
			CHECK(!destroy(part.fd));
		++*step;
		drop(&part);
	}
}

TEST(set_up_waits_for_no_thread_below)
{
	above_hogs(set_up_and_end);
}

/* The kernel closes and unmaps. */
static void set_up_and_exit(void)
{
	struct part part = create_from(large());

	poll_and_listen(part.fd);
	borrow_and_return(part.fd, false);
}

TEST(exit_waits_for_no_thread_below)
{
	struct genp_info before = info();

	above_hogs(set_up_and_exit);
	expect_idle(&before);
}

/* An epoll that says once when a thread of GenP's has told it of an event. */
static int epoll_at_edge(int fd)
{
	struct epoll_event edge = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	CHECK(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &edge));
	return epoll;
}

/* Uses up the budget, which is an event; whether that is told of. */
static bool event_is_told(struct part *part, int epoll)
{
	struct genp_borrow lease;
	struct epoll_event event;

	return !borrow(part->fd, 8 * PAGE, GENP_NO_WAIT, 0, &lease) &&
	       epoll_wait(epoll, &event, 1, 10000) == 1;
}

/*
 * What wakes the listeners of an eventfd, however many they are, has ordinary priority: the
 * events of others come meanwhile. Between it and genp_notify, of 45, are the hogs.
 */
TEST(who_waits_for_an_eventfd_delays_no_other_event)
{
	struct genp_eventfd ask = { .size = sizeof(ask), .mask = 1 << GENP_EVENT_BUDGET_LOW };
	struct part heard = create(0, 8 * PAGE), other = create(0, 8 * PAGE);
	int first = epoll_at_edge(heard.fd), second = epoll_at_edge(other.fd);
	bool told, early;
	struct kept old;
	__u64 value;

	needs_rt();
	ask.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(ask.fd >= 0 && !ioctl(heard.fd, GENP_SET_EVENTFD, &ask));
	old = keep_for_others((struct kept){ -1, 0 });
	begin_hogs_of(40);
	/* When the second is told, all is done for the first. */
	told = event_is_told(&heard, first) && event_is_told(&other, second);
	early = read(ask.fd, &value, sizeof(value)) == sizeof(value);
	end_hogs();
	keep_for_others(old);
	CHECK(told);
	CHECK(!early);
	EVENTUALLY(read(ask.fd, &value, sizeof(value)) == sizeof(value));
	EQUAL(value, 1);
}

/* All threads of the kernel's but GenP's: rmmod waits for some of them, see machine.rst. */
static void raise_the_kernels(void)
{
	struct sched_param param = { .sched_priority = 65 };
	char path[64], comm[64];
	int pid, parent;

	for (pid = 2; pid < 2000; pid++) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%*d (%63[^)]) %*c %d", comm, &parent) == 2 && parent == 2 &&
		    strncmp(comm, "genp_", 5))
			/* Refused for those that are bound to be what they are. */
			sched_setscheduler(pid, SCHED_FIFO, &param);
		fclose(file);
	}
}

static void unload(void)
{
	CHECK(!try_unload());
}

TEST(unloading_waits_for_none_of_its_own_threads)
{
	pid_t pid;
	int status;

	read_parameters();
	/* In a child, so that the module is loaded again whatever the result is. */
	pid = child();
	if (!pid) {
		raise_the_kernels();
		above_hogs(unload);
		fflush(stdout);
		_exit(0);
	}
	status = reap(pid);
	CHECK(!load_with(parameters) || errno == EEXIST);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED)
		_exit(EXIT_SKIPPED);
	EQUAL(status, 0);
	CHECK(info().partitions == 0);
}
