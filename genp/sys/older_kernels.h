/* SPDX-License-Identifier: GPL-2.0 */
/* What the glue uses of the kernel and Linux 6.12 does not have; nothing on newer kernels. */
#ifndef _GENP_SYS_OLDER_KERNELS_H
#define _GENP_SYS_OLDER_KERNELS_H

#include <linux/version.h>

#if KERNEL_VERSION(6, 13, 0) > LINUX_VERSION_CODE

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/time_namespace.h>
#include <linux/uaccess.h>

#include "set_entry.h"

/* What the caller has no room for is not told: no caller here asks. */
static inline int copy_struct_to_user(void __user *to, size_t size, const void *from,
				      size_t ksize, bool *ignored_trailing)
{
	size_t both = min(size, ksize);

	if (copy_to_user(to, from, both) || clear_user(to + both, size - both))
		return -EFAULT;
	return 0;
}

/* The header's own needs symbols that are not exported; an offset of 0 is no namespace. */
static inline ktime_t genp_ktime_to_host(ktime_t time)
{
	struct timespec64 offset = {};
	ktime_t host;

	timens_add_monotonic(&offset);
	if (check_sub_overflow(time, timespec64_to_ktime(offset), &host))
		return KTIME_MAX;
	return max_t(ktime_t, host, 0);
}

#define timens_ktime_to_host(clock, time) genp_ktime_to_host(time)

/* In two steps: one that lacks the second costs another page fault on some machines. */
static inline vm_fault_t vmf_insert_page_mkwrite(struct vm_fault *vmf, struct page *page,
						 bool write)
{
	vm_fault_t result = vmf_insert_page(vmf->vma, vmf->address, page);

	if (result == VM_FAULT_NOPAGE && write && vmf->vma->vm_flags & VM_WRITE)
		apply_to_page_range(vmf->vma->vm_mm, vmf->address & PAGE_MASK, PAGE_SIZE,
				    genp_wear_entry, vmf->vma);
	return result;
}

/* MADV_DOFORK is refused for this only, later for VM_PFNMAP as well. */
#define VM_NEVER_INHERITED VM_IO

#else

#define VM_NEVER_INHERITED 0

#endif

#endif
