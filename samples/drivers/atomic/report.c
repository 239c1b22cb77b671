// SPDX-License-Identifier: GPL-2.0
/* What a run found: one line for each thing counted, one column for each context. */
#include <linux/stddef.h>
#include <linux/string.h>

#include "atomic.h"

#define LINE(name, field) { name, offsetof(struct tally, field) / sizeof(u64) }

static const struct {
	const char *name;
	unsigned int word;
} lines[] = {
	LINE("turns", turns),
	LINE("genp_alloc_page taken", taken),
	LINE("genp_alloc_page empty", empty),
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

static u64 word(const struct tally *tally, unsigned int i)
{
	return ((const u64 *)tally)[i];
}

/* Sums what all CPUs counted. Context: thread, when nobody counts any longer. */
void result_collect(struct result *result)
{
	unsigned int cpu, context, i;
	struct tally *tally;

	for_each_online_cpu(cpu) {
		for (context = 0; context < NR_CONTEXTS; context++) {
			tally = &per_cpu(atomic_cpus, cpu).actor[context].tally;
			for (i = 0; i < sizeof(*tally) / sizeof(u64); i++)
				((u64 *)&result->tally[context])[i] += word(tally, i);
		}
		result->cpus++;
	}
}

bool result_is_good(const struct result *result)
{
	const struct tally *tally;
	unsigned int context;

	for (context = 0; context < NR_CONTEXTS; context++) {
		tally = &result->tally[context];
		if (tally->wrong || tally->accepted || tally->failed ||
		    tally->taken != tally->given)
			return false;
		/* A context in which nothing happened has shown nothing. */
		if (!tally->taken && !(context == IN_NMI && result->no_nmi))
			return false;
	}
	return result->there_after == result->pages;
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
			seq_printf(out, "%14llu", word(&result->tally[context], lines[i].word));
		seq_putc(out, '\n');
	}
	seq_printf(out, "%-26s%14u\n", "seconds", result->seconds);
	seq_printf(out, "%-26s%14u\n", "processors", result->cpus);
	seq_printf(out, "%-26s%14u\n", "pages in the stock", result->pages);
	seq_printf(out, "%-26s%14u\n", "pages there afterwards", result->there_after);
	if (result->no_nmi)
		seq_printf(out, "%-26s%s\n", "no NMI:", result->no_nmi);
	seq_printf(out, "%-26s%14s\n", "verdict", result_is_good(result) ? "good" : "BAD");
}
