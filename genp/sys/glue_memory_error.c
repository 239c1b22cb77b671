// SPDX-License-Identifier: GPL-2.0
/*
 * Memory errors: what the kernel knows of a page, and being told of new ones.
 *
 * The kernel marks the page with an error and tells nobody but its own subsystems: the
 * pages of a module are "unhandlable" to it. It traces every error though, and a module can
 * attach to any trace event by name. What register_pfn_address_space() offers is for memory
 * without struct pages alone.
 */
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "glue.h"

bool genp_page_poisoned(struct page *page)
{
	return PageHWPoison(page);
}

/**
 * genp_phys_poisoned - whether there is a memory error in a page of any memory
 * @phys: an address in it
 *
 * Context: any. Return: false also for memory without struct pages.
 */
bool genp_phys_poisoned(phys_addr_t phys)
{
	struct page *page = pfn_to_online_page(PHYS_PFN(phys));

	return page && PageHWPoison(page);
}

bool genp_has_memory_failure(void)
{
	return IS_ENABLED(CONFIG_MEMORY_FAILURE);
}

#if defined(CONFIG_MEMORY_FAILURE) && defined(CONFIG_TRACEPOINTS)
/* The header defines it anew, after genp_trace.h. */
#undef TRACE_INCLUDE_FILE
#if __has_include(<trace/events/memory-failure.h>)
#include <trace/events/memory-failure.h>
#else
#include <ras/ras_event.h>
#endif

static struct tracepoint *event;

/* In the thread that handles the error, with the page marked already. */
static void memory_failed(void *data, unsigned long pfn, int type, int result)
{
	genp_memory_error(data);
}

static void find(struct tracepoint *candidate, void *name)
{
	if (!strcmp(candidate->name, name))
		event = candidate;
}

/**
 * genp_watch_memory_errors - have genp_memory_error() called for each error
 * @data: its argument
 *
 * Context: thread, may sleep. Return: whether it will be.
 */
bool genp_watch_memory_errors(void *data)
{
	/* The compiler compares the prototypes. */
	check_trace_callback_type_memory_failure_event(memory_failed);
	for_each_kernel_tracepoint(find, "memory_failure_event");
	return event && !tracepoint_probe_register(event, memory_failed, data);
}

/* Context: thread, may sleep. No call is in progress any more afterwards. */
void genp_unwatch_memory_errors(void *data)
{
	tracepoint_probe_unregister(event, memory_failed, data);
	tracepoint_synchronize_unregister();
}

#else

bool genp_watch_memory_errors(void *data)
{
	return false;
}

void genp_unwatch_memory_errors(void *data)
{
}

#endif
