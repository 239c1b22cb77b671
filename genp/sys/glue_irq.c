// SPDX-License-Identifier: GPL-2.0
/* For any context: bits, CPUs, and waking a thread by irq_work. */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/irq_work.h>
#include <linux/smp.h>

#include "glue.h"

bool genp_test_and_set_bit(unsigned int bit, unsigned long *word)
{
	return test_and_set_bit(bit, word);
}

bool genp_test_and_clear_bit(unsigned int bit, unsigned long *word)
{
	return test_and_clear_bit(bit, word);
}

unsigned int genp_get_cpu(void)
{
	return get_cpu();
}

void genp_put_cpu(void)
{
	put_cpu();
}

unsigned int genp_nr_cpus(void)
{
	return nr_cpu_ids;
}

/* What the interrupt wakes. */
static void *irq_waker;

static void wake(struct irq_work *work)
{
	genp_waker_wake(irq_waker);
}

/* In hardirq on PREEMPT_RT as well: all it does is wake a thread. */
static struct irq_work wake_work = IRQ_WORK_INIT_HARD(wake);

void genp_irq_work_set(void *waker)
{
	irq_waker = waker;
}

void genp_irq_work_queue(void)
{
	irq_work_queue(&wake_work);
}

void genp_irq_work_sync(void)
{
	irq_work_sync(&wake_work);
}
