// SPDX-License-Identifier: GPL-2.0
/* The result of a run: one line for each counter, one column for each context. */
#include <linux/stddef.h>
#include <linux/string.h>

#include "atomic.h"

#define LINE(name, field) { name, offsetof(struct counters, field) / sizeof(u64) }

static const struct {
	const char *name;
	unsigned int word;
} lines[] = {
	LINE("turns", turns),
	LINE("genp_alloc_page taken", taken),
	LINE("genp_alloc_page empty", empty),
	LINE("guaranteed ones refused", denied),
	LINE("blocks among those taken", blocks),
	LINE("genp_free_page given", given),
	LINE("genp_free_page failed", failed),
	LINE("owner marks checked", checked),
	LINE("owner marks wrong", wrong),
	LINE("wrong gives refused", refused),
	LINE("wrong gives accepted", accepted),
	LINE("alloc_pages_nolock tried", pages_tried),
	LINE("alloc_pages_nolock got", pages_got),
	LINE("kmalloc_nolock tried", kmalloc_tried),
	LINE("kmalloc_nolock got", kmalloc_got),
};

static u64 word(const struct counters *counters, unsigned int i)
{
	return ((const u64 *)counters)[i];
}

/* Sums what all CPUs counted. Context: thread, after all actors have stopped. */
void result_collect(struct result *result)
{
	unsigned int cpu, context, i;
	struct counters *counters;

	for_each_online_cpu(cpu) {
		for (context = 0; context < NR_CONTEXTS; context++) {
			counters = &per_cpu(atomic_cpus, cpu).actor[context].counters;
			for (i = 0; i < sizeof(*counters) / sizeof(u64); i++)
				((u64 *)&result->counters[context])[i] += word(counters, i);
		}
		result->cpus++;
	}
}

bool result_is_good(const struct result *result)
{
	const struct counters *counters;
	unsigned int context;

	for (context = 0; context < NR_CONTEXTS; context++) {
		counters = &result->counters[context];
		if (counters->wrong || counters->accepted || counters->failed ||
		    counters->denied ||
		    counters->taken != counters->given)
			return false;
		/* A context that took no page proves nothing. */
		if (!counters->taken && !(context == IN_NMI && result->no_nmi))
			return false;
	}
	if (result->churn.wrong || (result->blocks && !result->churn.created))
		return false;
	return result->there_after == result->pages && result->blocks_after == result->blocks;
}

void result_show(const struct result *result, struct seq_file *out)
{
	unsigned int i, context;

	if (!result->cpus) {
		seq_puts(out, "not run yet: echo SECONDS >run\n");
		return;
	}
	seq_printf(out, "%-26s%14s%14s%14s\n", "", "thread", "hardirq", "NMI");
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		seq_printf(out, "%-26s", lines[i].name);
		for (context = 0; context < NR_CONTEXTS; context++)
			seq_printf(out, "%14llu", word(&result->counters[context], lines[i].word));
		seq_putc(out, '\n');
	}
	seq_printf(out, "%-26s%14u\n", "seconds", result->seconds);
	seq_printf(out, "%-26s%14u\n", "processors", result->cpus);
	seq_printf(out, "%-26s%14u\n", "pages in the stock", result->pages);
	seq_printf(out, "%-26s%14u\n", "pages there afterwards", result->there_after);
	if (result->blocks) {
		seq_printf(out, "%-26s%14u\n", "blocks of the partition", result->blocks);
		seq_printf(out, "%-26s%14u\n", "blocks there afterwards", result->blocks_after);
		seq_printf(out, "%-26s%14llu\n", "other partitions created", result->churn.created);
		seq_printf(out, "%-26s%14llu\n", "other partitions refused", result->churn.refused);
		seq_printf(out, "%-26s%14llu\n", "what was wrong with them", result->churn.wrong);
	}
	if (result->no_nmi)
		seq_printf(out, "%-26s%s\n", "no NMI:", result->no_nmi);
	seq_printf(out, "%-26s%14s\n", "verdict", result_is_good(result) ? "good" : "BAD");
}
