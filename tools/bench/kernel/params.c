// SPDX-License-Identifier: GPL-2.0
/* What all plans use: the module's parameters, and whether to stop early. */
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>

#include "bench.h"

char *bench_machine = "unknown";
module_param_named(machine, bench_machine, charp, 0444);
MODULE_PARM_DESC(machine, "what this runs in, for the figures; icount: the clock has to count instructions");

unsigned int bench_samples = 1000;
module_param_named(samples, bench_samples, uint, 0644);
MODULE_PARM_DESC(samples, "samples of a figure, 10000 at most");

unsigned int bench_peer_mib = 64;
module_param_named(peer_mib, bench_peer_mib, uint, 0644);
MODULE_PARM_DESC(peer_mib, "no pools larger than this for what has none but takes from the machine");

/* Whether a signal asks the run to stop. */
bool bench_interrupted(void)
{
	return signal_pending(current);
}
