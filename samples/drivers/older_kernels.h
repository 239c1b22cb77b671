/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What drivers of GenP's samples, tests and benchmarks use of the kernel and Linux 6.12
 * does not have. Nothing on newer kernels.
 */
#ifndef _GENP_OLDER_KERNELS_H
#define _GENP_OLDER_KERNELS_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)

#include <linux/device/faux.h>

/* alloc_pages_nolock() and kmalloc_nolock() are there. */
#define HAS_NOLOCK true

#else

#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#define HAS_NOLOCK false

static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}

static inline ktime_t us_to_ktime(u64 us)
{
	return ns_to_ktime(us * NSEC_PER_USEC);
}

/* It has two more parameters, with which the search ends where it began. */
#define cpumask_next_wrap(cpu, mask) ((cpumask_next_wrap)(cpu, mask, nr_cpumask_bits, false))

#define faux_device platform_device
#define faux_device_create(name, parent, ops) \
	platform_device_register_simple(name, PLATFORM_DEVID_NONE, NULL, 0)
#define faux_device_destroy(device) platform_device_unregister(device)

static inline struct page *alloc_pages_nolock(gfp_t flags, int node, unsigned int order)
{
	return NULL;
}

static inline void *kmalloc_nolock(size_t size, gfp_t flags, int node)
{
	return NULL;
}

static inline void kfree_nolock(const void *object)
{
	kfree(object);
}

#endif

#endif
