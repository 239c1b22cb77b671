// SPDX-License-Identifier: GPL-2.0
/* What works in any context: bits, CPUs, interrupts of the own CPU. */
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

/* Whom the interrupt tells. */
static void *irq_bell;

static void ring(struct irq_work *work)
{
	genp_waker_wake(irq_bell);
}

/* In hardirq on PREEMPT_RT as well: all it does is to wake a thread. */
static struct irq_work bell_work = IRQ_WORK_INIT_HARD(ring);

void genp_irq_work_set(void *bell)
{
	irq_bell = bell;
}

void genp_irq_work_queue(void)
{
	irq_work_queue(&bell_work);
}

void genp_irq_work_sync(void)
{
	irq_work_sync(&bell_work);
}
