// SPDX-License-Identifier: GPL-2.0
/*
 * Figures as text: one JSON object per line, kept in memory that is allocated at load
 * until they are read.
 */
#include <linux/mm.h>
#include <linux/seq_buf.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>

#include "bench.h"

#define TEXT_SIZE (1 << 20)
/* The most buckets of a distribution. */
#define BUCKETS_MAX 48

static struct seq_buf text;

int report_init(void)
{
	char *memory = vzalloc(TEXT_SIZE);

	if (!memory)
		return -ENOMEM;
	seq_buf_init(&text, memory, TEXT_SIZE);
	return 0;
}

void report_exit(void)
{
	vfree(text.buffer);
}

void report_clear(void)
{
	seq_buf_clear(&text);
}

void report_show(struct seq_file *out)
{
	seq_write(out, text.buffer, seq_buf_used(&text));
	if (seq_buf_has_overflowed(&text))
		seq_puts(out, "\ngenp-bench-error: more figures than there is room for\n");
}

static u64 quantile(const struct figure *figure, unsigned int per_mille)
{
	unsigned int rank = DIV_ROUND_UP(figure->n * per_mille, 1000);

	return clock_unit(figure->samples[rank ? rank - 1 : 0]);
}

static const char *name_suffix(const struct subject *subject)
{
	return subject->uncleared && !want_init_on_alloc(GFP_ATOMIC) ? "_uncleared" : "";
}

/* Of the lower 99 %, in hundredths: finer than a clock that ticks in steps. */
static u64 mean_hundredths(const struct figure *figure)
{
	unsigned int n = max(1U, figure->n * 99 / 100), i;
	u64 sum = 0;

	for (i = 0; i < n; i++)
		sum += figure->samples[i];
	return div_u64(clock_unit(100 * sum), n);
}

/* The end of the bucket a value is in: four or five significant bits. */
static u64 bucket_end(u64 value)
{
	unsigned int shift = value >= 64 ? fls64(value) - 6 : 0;

	return ((value >> shift) + 1) << shift;
}

static void add_distribution(const struct figure *figure)
{
	unsigned int i = 0, begin, buckets = 0;
	u64 end;

	seq_buf_puts(&text, ",\"histogram\":[");
	while (i < figure->n) {
		begin = i;
		end = bucket_end(clock_unit(figure->samples[i]));
		/* The last one takes the rest. */
		if (++buckets == BUCKETS_MAX)
			end = bucket_end(clock_unit(figure->samples[figure->n - 1]));
		while (i < figure->n && clock_unit(figure->samples[i]) < end)
			i++;
		seq_buf_printf(&text, "%s[%llu,%u]", begin ? "," : "", end - 1, i - begin);
	}
	seq_buf_puts(&text, "]");
}

/* Reports why there is no figure of a subject. */
void report_skip(const struct bench *bench, const char *why)
{
	seq_buf_printf(&text, "genp-bench-skip: %s of %s, %zu bytes in %llu: %s\n",
		       bench->subject->role, bench->subject->name, bench->size, bench->pool, why);
}

/**
 * report() - keep a figure
 * @bench: what was measured
 * @figure: the figure; one without samples is dropped
 */
void report(const struct bench *bench, const struct figure *figure)
{
	const struct subject *subject = bench->subject;

	if (!figure->n)
		return;
	seq_buf_printf(&text, "genp-bench: {\"group\":\"kernel\",\"case\":\"%s\",\"subject\":\"%s%s\",\"unit\":\"%s\",\"machine\":\"%s\",\"size\":%zu",
		       figure->role ?: subject->role, subject->name, name_suffix(subject),
		       bench_rate.counts_instructions ? "instructions" : "ns", bench_machine,
		       bench->size);
	if (figure->pages)
		seq_buf_printf(&text, ",\"pages\":%d", figure->pages);
	if (bench->pool)
		seq_buf_printf(&text, ",\"pool\":%llu", bench->pool);
	if (figure->fill >= 0)
		seq_buf_printf(&text, ",\"fill\":%d", figure->fill);
	if (figure->state)
		seq_buf_printf(&text, ",\"state\":\"%s\"", figure->state);
	seq_buf_printf(&text, ",\"n\":%u,\"min\":%llu,\"median\":%llu,\"p99\":%llu,\"p999\":%llu,\"max\":%llu,\"refused\":%lu",
		       figure->n, clock_unit(figure->samples[0]), quantile(figure, 500),
		       quantile(figure, 990), quantile(figure, 999),
		       clock_unit(figure->samples[figure->n - 1]), bench->refused);
	if (!bench_rate.counts_instructions)
		seq_buf_printf(&text, ",\"mean\":%llu.%02llu", mean_hundredths(figure) / 100,
			       mean_hundredths(figure) % 100);
	if (figure->dropped)
		seq_buf_printf(&text, ",\"dropped\":%u", figure->dropped);
	if (subject->note)
		seq_buf_printf(&text, ",\"note\":\"%s\"", subject->note);
	add_distribution(figure);
	seq_buf_puts(&text, "}\n");
}
