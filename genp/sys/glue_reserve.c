// SPDX-License-Identifier: GPL-2.0
/* Mappings of a partition's reserve. */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "glue.h"
#include "older_kernels.h"
#include "set_entry.h"

/*
 * A page that the process itself had taken out of its page tables, as MADV_DONTNEED
 * does, or that was added to the reserve after it was mapped.
 */
static vm_fault_t reserve_fault(struct vm_fault *vmf)
{
	/* Without an answer there is no such page any longer. */
	return genp_reserve_fault(vmf->vma->vm_private_data, vmf, vmf->pgoff) ?:
		       VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct reserve_ops = {
	.fault = reserve_fault,
};

/**
 * genp_vma_prepare_reserve - set a mapping up for pages that can be pinned
 * @vma: the mapping, in its file's mmap
 * @partition: what the entry points get
 *
 * It is in core dumps, unless the process has MADV_DONTDUMP said of it.
 */
void genp_vma_prepare_reserve(struct vm_area_struct *vma, void *partition)
{
	vm_flags_mod(vma, VM_MIXEDMAP | VM_DONTCOPY | VM_DONTEXPAND, VM_MAYEXEC);
	vma->vm_private_data = partition;
	vma->vm_ops = &reserve_ops;
}

/**
 * genp_vma_handle_range_faults - answer page faults in a mapping of a range
 * @vma: the mapping, in its file's mmap
 * @partition: what the entry point gets
 *
 * Only pages with memory errors are not mapped.
 */
void genp_vma_handle_range_faults(struct vm_area_struct *vma, void *partition)
{
	vma->vm_private_data = partition;
	vma->vm_ops = &reserve_ops;
}

/*
 * Gives a page what the kernel knows pages of a file by: futexes that processes share are
 * told apart by it, and without it futex() gives EFAULT. The page is not in the page
 * cache, nor on a list of the kernel's that would be searched by this. The file keeps the
 * pages of its reserve in the same order, so it is the same whoever maps it. The file's
 * pages are never written back: the mapping of an anonymous inode has noop_dirty_folio().
 */
static void identify(struct vm_area_struct *vma, unsigned long address,
		     struct page *page)
{
	struct folio *folio = page_folio(page);

	folio->index = linear_page_index(vma, address);
	/* Pairs with the loads in get_futex_key(), which may be under way. */
	WRITE_ONCE(folio->mapping, vma->vm_file->f_mapping);
}

/**
 * genp_page_anonymize - take from a page what identify() gave it
 * @page: a page that was in a reserve, and is mapped nowhere, or waits in quarantine
 *	  for whoever has it mapped
 *
 * Who has a reference to it still, and marks it dirty, holds the lock while it uses the
 * mapping.
 *
 * Context: thread, may sleep.
 */
void genp_page_anonymize(struct page *page)
{
	struct folio *folio = page_folio(page);

	if (!folio->mapping)
		return;
	folio_lock(folio);
	WRITE_ONCE(folio->mapping, NULL);
	folio->index = 0;
	folio_unlock(folio);
}

static unsigned long sound_pages(struct page **pages, unsigned long count)
{
	unsigned long i;

	/* loop-bound: INSERT_BATCH */
	for (i = 0; i < count && !PageHWPoison(pages[i]); i++)
		;
	return i;
}

/**
 * genp_vma_insert - map pages, but those with memory errors
 * @vma: the mapping, in its file's mmap
 * @address: where the first one goes
 * @pages: the pages
 * @count: their number
 *
 * Context: thread, may sleep. Return: 0 or a negative errno.
 */
int genp_vma_insert(struct vm_area_struct *vma, unsigned long address,
		    struct page **pages, unsigned long count)
{
	unsigned long at, sound, left, i;
	int err;

	/* loop-bound: INSERT_BATCH */
	for (i = 0; i < count; i++)
		identify(vma, address + (i << PAGE_SHIFT), pages[i]);

	/* loop-bound: poisoned + 1 */
	for (at = 0; at < count; at += sound + 1) {
		sound = sound_pages(pages + at, count - at);
		left = sound;
		if (!sound)
			continue;
		err = vm_insert_pages(vma, address + (at << PAGE_SHIFT),
				      pages + at, &left);
		if (err)
			return err;
	}
	return 0;
}

/**
 * genp_vma_fault_in - map the page that a page fault is about
 * @vmf: the page fault, in a mapping of a reserve
 * @page: the page, which stays the reserve's during the call
 *
 * Young and dirty from the start, as with genp_vma_seal(). Not if the page has a memory
 * error: then the process gets the signal that the kernel has for this.
 *
 * Context: thread, in the page fault. It allocates a page table if that is gone as
 * well. Return: what the handler returns, never 0.
 */
unsigned int genp_vma_fault_in(struct vm_fault *vmf, struct page *page)
{
	if (PageHWPoison(page))
		return VM_FAULT_HWPOISON;
	identify(vmf->vma, vmf->address, page);
	return (__force unsigned int)vmf_insert_page_mkwrite(vmf, page, true);
}

/**
 * genp_vma_seal - mark what is mapped as young and dirty
 * @vma: the mapping, in its file's mmap
 *
 * On machines that track these by page faults no such fault follows then.
 */
int genp_vma_seal(struct vm_area_struct *vma)
{
	/* call-total: reserve_pages */
	return apply_to_page_range(vma->vm_mm, vma->vm_start,
				   vma->vm_end - vma->vm_start, genp_wear_entry, vma);
}
