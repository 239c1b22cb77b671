// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs that the driver sends: one is sent to a CPU whatever it is doing, also in the
 * middle of genp_alloc_page(). Where that is not possible the driver does without.
 */
#include "atomic.h"

#ifdef CONFIG_X86_LOCAL_APIC

#include <linux/delay.h>
#include <asm/apic.h>
#include <asm/cpufeature.h>
#include <asm/nmi.h>

static bool registered;

static int nmi_turn(unsigned int type, struct pt_regs *regs)
{
	struct atomic_cpu *cpu = this_cpu_ptr(&atomic_cpus);

	/* Not ours, if none was sent. */
	if (!atomic_read(&cpu->nmi_sent))
		return NMI_DONE;
	actor_turn(cpu, IN_NMI);
	/* Release: pairs with the full order of nmi_send(); the next turn sees this one. */
	atomic_set_release(&cpu->nmi_sent, 0);
	return NMI_HANDLED;
}

/* Return: NULL, or why there will be no NMI. */
const char *nmi_start(void)
{
	if (!boot_cpu_has(X86_FEATURE_APIC))
		return "this machine has no local APIC to send it with";
	if (register_nmi_handler(NMI_LOCAL, nmi_turn, 0, "genp_atomic"))
		return "its handler could not be registered";
	registered = true;
	return NULL;
}

/*
 * One at a time for each CPU: a second one could be merged with the first.
 *
 * Context: thread, preemption disabled.
 */
void nmi_send(unsigned int cpu)
{
	if (registered && !atomic_cmpxchg(&per_cpu(atomic_cpus, cpu).nmi_sent, 0, 1))
		__apic_send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
}

/* Waits until none is pending, or the kernel would report an unknown NMI. */
void nmi_stop(void)
{
	unsigned int cpu, ms;

	if (!registered)
		return;
	for_each_online_cpu(cpu)
		for (ms = 0; ms < 1000 && atomic_read(&per_cpu(atomic_cpus, cpu).nmi_sent); ms++)
			msleep(1);
	unregister_nmi_handler(NMI_LOCAL, "genp_atomic");
	registered = false;
}

#else

const char *nmi_start(void)
{
	return "this architecture has none that a driver can send";
}

void nmi_send(unsigned int cpu)
{
}

void nmi_stop(void)
{
}

#endif
