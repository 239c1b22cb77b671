// SPDX-License-Identifier: GPL-2.0
/*
 * genp_recalled: a driver that borrows memory while nobody else needs it. A thread works
 * on the pages. Shortly before the lease expires GenP calls the driver's callback, which
 * stops the thread and returns the lease. One time in three the thread finishes before
 * that, and returns the lease itself.
 *
 * With comply=0 it does what a driver must not do: it keeps the pages for hold_ms after
 * the lease has expired. GenP cannot take them away from it, but shows the lease as
 * overdue and does not count on these pages any longer.
 *
 *	insmod genp_recalled.ko
 *	echo 10 >/sys/kernel/debug/genp_recalled/run
 *	cat /sys/kernel/debug/genp_recalled/result
 *
 * A process can have the driver use its partition, which is charged then: it writes the
 * number of its file descriptor to use_fd in the same directory; -1 ends that.
 */
#include <linux/completion.h>
#include <linux/genp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "control.h"

static bool comply = true;
module_param(comply, bool, 0644);
MODULE_PARM_DESC(comply, "return what is recalled");

static unsigned int pages = 64;
module_param(pages, uint, 0444);
MODULE_PARM_DESC(pages, "pages to borrow at a time");

static unsigned int lease_ms = 300;
module_param(lease_ms, uint, 0644);
MODULE_PARM_DESC(lease_ms, "term of a lease");

static unsigned int hold_ms = 500;
module_param(hold_ms, uint, 0644);
MODULE_PARM_DESC(hold_ms, "how long it keeps pages after that if it does not comply");

/**
 * struct loan - one lease, from the borrower's point of view
 * @number: written into the pages.
 * @stop: the thread must not touch the pages any longer.
 * @stopped: the thread does not touch them any longer.
 * @returned: the lease has been returned.
 * @recalls: how often the callback ran; once, at most.
 * @in_recall: the callback is running.
 * @answer: result of genp_return().
 * @early: the thread returns it before it is recalled.
 */
struct loan {
	struct genp_lease lease;
	u64 number;
	bool stop;
	struct completion stopped;
	struct completion returned;
	unsigned int recalls;
	bool in_recall;
	int answer;
	bool early;
};

static struct {
	struct genp_partition *own;
	struct genp_partition *lent;
	struct page **page;
	struct loan loan;
	bool ran;
} state;

/* The result of a run. */
static struct {
	u64 borrowed;
	u64 refused;
	u64 renewed;
	u64 recalled;
	u64 returned_early;
	u64 returned;
	u64 overdue;
	u64 not_returned;
	u64 damaged;
	u64 surprises;
} found;

static struct genp_partition *partition(void)
{
	return state.lent ?: state.own;
}

/* Called by GenP, in a thread of its own, at most once for each lease. */
static void recall(void *data, u64 handle, u64 expires)
{
	struct loan *loan = data;

	WRITE_ONCE(loan->in_recall, true);
	loan->recalls++;
	if (READ_ONCE(comply)) {
		WRITE_ONCE(loan->stop, true);
		/* The thread checks it after each page, so this wait is short. */
		wait_for_completion(&loan->stopped);
		loan->answer = genp_return(partition(), handle);
		complete(&loan->returned);
	}
	WRITE_ONCE(loan->in_recall, false);
}

/* Whether a page still has what was written into it. */
static bool is_intact(const struct loan *loan, struct page *page)
{
	u64 *word = page_address(page);

	return word[0] == loan->number && word[PAGE_SIZE / sizeof(*word) - 1] == ~loan->number;
}

static void fill(const struct loan *loan, struct page *page)
{
	u64 *word = page_address(page);

	if (word[0] || word[PAGE_SIZE / sizeof(*word) - 1])
		found.damaged++;
	word[0] = loan->number;
	word[PAGE_SIZE / sizeof(*word) - 1] = ~loan->number;
}

/* Uses the pages until it is stopped, or for a part of the term if it is to be early. */
static void work(const struct loan *loan)
{
	u64 until = loan->lease.expires + hold_ms * NSEC_PER_MSEC;
	unsigned int i, rounds = 0;

	for (i = 0; i < pages; i++)
		fill(loan, state.page[i]);
	while (!READ_ONCE(loan->stop)) {
		for (i = 0; i < pages && !READ_ONCE(loan->stop); i++)
			if (!is_intact(loan, state.page[i]))
				found.damaged++;
		if (loan->early && ++rounds == 10)
			return;
		if (!READ_ONCE(comply) && ktime_get_ns() > until)
			return;
		usleep_range(500, 1000);
	}
}

static int borrow(struct loan *loan)
{
	struct genp_request request = {
		.nr_pages = pages,
		.deadline = ktime_get_ns() + 100 * NSEC_PER_MSEC,
		.lease_ns = lease_ms * NSEC_PER_MSEC,
		.recall = recall,
		.data = loan,
	};

	loan->number++;
	loan->stop = false;
	loan->recalls = 0;
	loan->answer = 0;
	loan->early = loan->number % 3 == 0 && comply;
	reinit_completion(&loan->stopped);
	reinit_completion(&loan->returned);
	return genp_borrow(partition(), &request, state.page, &loan->lease);
}

/*
 * Returns what the callback does not. Both may try at the same time if the thread
 * finishes when the recall comes: the second one gets -ESTALE.
 */
static void give_back(struct loan *loan)
{
	int answer;

	complete(&loan->stopped);
	answer = genp_return(partition(), loan->lease.handle);
	if (answer == -ESTALE && READ_ONCE(loan->stop)) {
		wait_for_completion(&loan->returned);
		answer = loan->answer;
	} else if (!answer && !loan->recalls) {
		found.returned_early++;
	}
	if (answer)
		found.not_returned++;
	else
		found.returned++;
}

/* Checks that after the end of a lease it is returned and no callback is running. */
static void check(struct loan *loan)
{
	if (ktime_get_ns() > loan->lease.expires)
		found.overdue++;
	if (genp_return(partition(), loan->lease.handle) != -ESTALE)
		found.surprises++;
	found.recalled += loan->recalls;
	if (loan->recalls > 1 || (!loan->early && !loan->recalls))
		found.surprises++;
	if (READ_ONCE(loan->in_recall))
		found.surprises++;
}

static void one_loan(void)
{
	struct loan *loan = &state.loan;

	if (borrow(loan)) {
		found.refused++;
		msleep(10);
		return;
	}
	found.borrowed++;
	/* Succeeds if there are no waiters. */
	if (!genp_renew(partition(), &loan->lease, lease_ms * NSEC_PER_MSEC))
		found.renewed++;
	work(loan);
	give_back(loan);
	check(loan);
}

static bool is_good(void)
{
	return found.borrowed && found.recalled && found.returned == found.borrowed &&
	       !found.not_returned && !found.damaged && !found.surprises &&
	       (comply || found.overdue);
}

static int run(unsigned int seconds)
{
	ktime_t end = ktime_add_ms(ktime_get(), seconds * 1000ULL);

	memset(&found, 0, sizeof(found));
	do {
		one_loan();
	} while (ktime_before(ktime_get(), end) && !signal_pending(current));
	state.ran = true;
	return is_good() ? 0 : -EIO;
}

static void show_row(struct seq_file *out, const char *name, u64 value)
{
	seq_printf(out, "%-26s%14llu\n", name, value);
}

static void show(struct seq_file *out)
{
	if (!state.ran) {
		seq_puts(out, "not run yet: echo SECONDS >run\n");
		return;
	}
	show_row(out, "borrowed", found.borrowed);
	show_row(out, "refused", found.refused);
	show_row(out, "renewed", found.renewed);
	show_row(out, "recalled", found.recalled);
	show_row(out, "returned", found.returned);
	show_row(out, "... before the recall", found.returned_early);
	show_row(out, "... after it expired", found.overdue);
	show_row(out, "not returned", found.not_returned);
	show_row(out, "damaged", found.damaged);
	show_row(out, "against the contract", found.surprises);
	seq_printf(out, "%-26s%14s\n", "verdict", is_good() ? "good" : "BAD");
}

static struct control control = { .run = run, .show = show };

static int end_lent(void)
{
	int error = state.lent ? genp_partition_put(state.lent, NULL) : 0;

	if (!error)
		state.lent = NULL;
	return error;
}

/* In the context of the process whose file descriptor it is. */
static ssize_t use_fd(struct file *file, const char __user *from, size_t size, loff_t *pos)
{
	struct genp_partition *part;
	int fd, error;

	error = kstrtoint_from_user(from, size, 0, &fd);
	if (error)
		return error;
	if (mutex_lock_interruptible(&control.lock))
		return -ERESTARTSYS;
	error = end_lent();
	if (!error && fd >= 0) {
		part = genp_partition_from_fd(fd);
		error = PTR_ERR_OR_ZERO(part);
		if (!error)
			state.lent = part;
	}
	mutex_unlock(&control.lock);
	return error ?: size;
}

static const struct file_operations use_fd_ops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = use_fd,
};

static int __init genp_recalled_init(void)
{
	struct genp_spec spec = {
		.name = "genp_recalled",
		.borrow_limit = (u64)pages << PAGE_SHIFT,
		.node = GENP_ANY_NODE,
	};

	if (!pages)
		return -EINVAL;
	state.page = kvcalloc(pages, sizeof(*state.page), GFP_KERNEL);
	if (!state.page)
		return -ENOMEM;
	state.own = genp_partition_create(&spec);
	if (IS_ERR(state.own)) {
		kvfree(state.page);
		return PTR_ERR(state.own);
	}
	init_completion(&state.loan.stopped);
	init_completion(&state.loan.returned);
	control_create(&control);
	debugfs_create_file("use_fd", 0200, control.dir, NULL, &use_fd_ops);
	return 0;
}

static void __exit genp_recalled_exit(void)
{
	struct genp_outstanding left = {};

	control_remove(&control);
	if (end_lent() || genp_partition_destroy(state.own, &left))
		pr_err("genp_recalled: %u leases were not returned; the partition stays\n", left.leases);
	kvfree(state.page);
}

module_init(genp_recalled_init);
module_exit(genp_recalled_exit);
MODULE_AUTHOR("GenP developers");
MODULE_DESCRIPTION("Borrowed memory that is recalled");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(GENP_NAMESPACE);
