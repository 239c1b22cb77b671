// SPDX-License-Identifier: GPL-2.0
/* Kernel services that only the KUnit tests need. */
#include <kunit/test.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>

bool genp_kunit_irqs_disabled(void);
bool genp_kunit_in_interrupt(void);
bool genp_kunit_call_hard(void (*call)(void *data), void *data);
void genp_kunit_fill_page(struct page *page, u8 byte);
bool genp_kunit_page_is(struct page *page, u8 byte);
void genp_kunit_get_page(struct page *page);
void genp_kunit_put_page(struct page *page);
void genp_kunit_flush_fput(void);
bool genp_kunit_is_asleep(const struct task_struct *task);
unsigned long genp_kunit_map(struct file *file, u64 offset, u64 length,
			     unsigned long prot, bool shared);
void genp_kunit_unmap(unsigned long start, u64 length);
int genp_kunit_peek(unsigned long at);
bool genp_kunit_poke(unsigned long at, u8 byte);

bool genp_kunit_irqs_disabled(void)
{
	return irqs_disabled();
}

bool genp_kunit_in_interrupt(void)
{
	return in_hardirq();
}

struct hard_call {
	struct irq_work work;
	void (*call)(void *data);
	void *data;
};

static void run_hard_call(struct irq_work *work)
{
	struct hard_call *hard = container_of(work, struct hard_call, work);

	hard->call(hard->data);
}

/**
 * genp_kunit_call_hard - call a function in hard interrupt context
 * @call: the function
 * @data: its argument
 *
 * Context: thread, may sleep. Return: whether it was called.
 */
bool genp_kunit_call_hard(void (*call)(void *data), void *data)
{
	struct hard_call hard = {
		.work = IRQ_WORK_INIT_HARD(run_hard_call),
		.call = call,
		.data = data,
	};
	bool queued = irq_work_queue(&hard.work);

	irq_work_sync(&hard.work);
	return queued;
}

void genp_kunit_fill_page(struct page *page, u8 byte)
{
	void *at = kmap_local_page(page);

	memset(at, byte, PAGE_SIZE);
	kunmap_local(at);
}

bool genp_kunit_page_is(struct page *page, u8 byte)
{
	void *at = kmap_local_page(page);
	bool same = !memchr_inv(at, byte, PAGE_SIZE);

	kunmap_local(at);
	return same;
}

void genp_kunit_get_page(struct page *page)
{
	get_page(page);
}

void genp_kunit_put_page(struct page *page)
{
	put_page(page);
}

bool genp_kunit_is_asleep(const struct task_struct *task)
{
	return READ_ONCE(task->__state) != TASK_RUNNING &&
	       !READ_ONCE(task->on_rq);
}

/* The last fput() of a kernel thread is deferred to a worker: wait for it. */
void genp_kunit_flush_fput(void)
{
	flush_delayed_fput();
}

/**
 * genp_kunit_map - map a file into the test's address space
 * @file: the file
 * @offset: offset in the file
 * @length: bytes to map
 * @prot: PROT_*
 * @shared: whether the mapping is shared; private otherwise
 *
 * Context: the thread of a test. Return: the address, or a negative errno.
 */
unsigned long genp_kunit_map(struct file *file, u64 offset, u64 length,
			     unsigned long prot, bool shared)
{
	int err = kunit_attach_mm();

	if (err)
		return err;
	return vm_mmap(file, 0, length, prot, shared ? MAP_SHARED : MAP_PRIVATE,
		       offset);
}

void genp_kunit_unmap(unsigned long start, u64 length)
{
	vm_munmap(start, length);
}

/* The byte at a user address of the test, or -1 if nothing is mapped there. */
int genp_kunit_peek(unsigned long at)
{
	u8 byte;

	if (copy_from_user(&byte, (const void __user *)at, 1))
		return -1;
	return byte;
}

bool genp_kunit_poke(unsigned long at, u8 byte)
{
	return !copy_to_user((void __user *)at, &byte, 1);
}
