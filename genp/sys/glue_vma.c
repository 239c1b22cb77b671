// SPDX-License-Identifier: GPL-2.0
/* Mappings of a partition in general, and the window of its leases. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "glue.h"
#include "older_kernels.h"
#include "set_entry.h"

bool genp_vma_is_shared(struct vm_area_struct *vma)
{
	/* The kernel takes VM_SHARED from those of a descriptor for reading. */
	return vma->vm_flags & VM_MAYSHARE;
}

bool genp_vma_is_exec(struct vm_area_struct *vma)
{
	return vma->vm_flags & VM_EXEC;
}

u64 genp_vma_offset(struct vm_area_struct *vma)
{
	return (u64)vma->vm_pgoff << PAGE_SHIFT;
}

u64 genp_vma_length(struct vm_area_struct *vma)
{
	return vma->vm_end - vma->vm_start;
}

static vm_fault_t window_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long page = (vmf->address - vma->vm_start) >> PAGE_SHIFT;

	/* Without an answer nothing is lent there. */
	return genp_window_fault(vma->vm_private_data, vma, page) ?:
		       VM_FAULT_SIGBUS;
}

/*
 * The mapping holds the file of the leases, as the kernel wants it, and the partition's
 * file besides, which that one points to: see genp_vma_adopt_window().
 */
static struct file *partition_file(struct vm_area_struct *vma)
{
	return vma->vm_file->private_data;
}

/* A copy, which mremap() makes before it asks whether it may move the window. */
static void window_open(struct vm_area_struct *vma)
{
	get_file(partition_file(vma));
}

static void window_close(struct vm_area_struct *vma)
{
	genp_window_closed(vma->vm_private_data, (unsigned long)vma->vm_mm,
			   vma->vm_start);
	fput(partition_file(vma));
}

/*
 * For whoever may trace the process: ptrace and /proc/PID/mem. They want to read a
 * window of any protection, as they do with other memory, and write to a writable one.
 */
static int window_access(struct vm_area_struct *vma, unsigned long address,
			 void *buffer, int length, int write)
{
	unsigned int offset = offset_in_page(address);
	unsigned int bytes = min_t(unsigned int, length, PAGE_SIZE - offset);

	if (write && !(vma->vm_flags & VM_WRITE))
		return -EFAULT;
	if (!genp_window_access(vma->vm_private_data,
				(address - vma->vm_start) >> PAGE_SHIFT, offset,
				buffer, bytes, write))
		return -EFAULT;
	return bytes;
}

/* A window cannot be split or moved: leases are found in it by its start. */
static int window_may_split(struct vm_area_struct *vma, unsigned long address)
{
	return -EINVAL;
}

static int window_mremap(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct window_ops = {
	.fault = window_fault,
	.open = window_open,
	.close = window_close,
	.access = window_access,
	.may_split = window_may_split,
	.mremap = window_mremap,
};

static int touch_pte(pte_t *pte, unsigned long address, void *data)
{
	return 0;
}

/**
 * genp_vma_prepare_window - set a mapping up as a lease window
 * @vma: the mapping, in its file's mmap
 * @partition: passed to the entry points
 *
 * The page tables are allocated here, so that no lease has to do it later. The kernel
 * does not use the struct pages (VM_PFNMAP), so nobody can pin one and keep it past its
 * lease.
 *
 * Context: thread, may sleep. Return: 0 or -ENOMEM.
 */
int genp_vma_prepare_window(struct vm_area_struct *vma, void *partition)
{
	int err;

	vm_flags_mod(vma,
		     VM_PFNMAP | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP |
		     VM_NEVER_INHERITED,
		     VM_MAYEXEC);
	/* call-total: window_pages */
	err = apply_to_page_range(vma->vm_mm, vma->vm_start,
				  vma->vm_end - vma->vm_start, touch_pte, NULL);
	if (err)
		return err;
	vma->vm_private_data = partition;
	vma->vm_ops = &window_ops;
	return 0;
}

/**
 * genp_vma_adopt_window - find a lease window among the leases' mappings
 * @vma: the mapping, in its file's mmap, which fails no more
 * @leases: the file of genp_file_create_leases()
 *
 * Who maps, changes or unmaps the reserve takes the i_mmap_rwsem of the partition's
 * file, and who waits for that is nobody's concern; that of the leases' file is taken by
 * who ends leases, and by who makes and drops their windows, and for nothing else. The
 * mapping holds the partition's file, by whichever file of its it was made.
 *
 * Context: thread, under the mmap lock for writing.
 */
void genp_vma_adopt_window(struct vm_area_struct *vma, struct file *leases)
{
	get_file(leases->private_data);
	vma_set_file(vma, leases);
}

/* The most pages that a walk of page tables asks for at once. */
#define PAGES_AT_ONCE 32

struct frames {
	struct vm_area_struct *vma;
	unsigned long (*next)(void *context, struct page **pages,
			      unsigned long most);
	void *context;
	/* How many of them are in the page table that is being filled. */
	unsigned long count;
};

/*
 * The entry for a page of a lease. Young and dirty from the start, so no fault follows on
 * machines that track these by faults. Not with vm_page_prot, from which clear_refs takes
 * the right to write, so that the first write is noticed: nobody notices any here.
 */
static pte_t lease_entry(struct vm_area_struct *vma, unsigned long pfn)
{
	pgprot_t prot = vm_get_page_prot(vma->vm_flags);
	pte_t entry = pte_mkspecial(pfn_pte(pfn, prot));

	entry = pte_mkyoung(entry);
	if (vma->vm_flags & VM_WRITE)
		entry = pte_mkdirty(entry);
	return entry;
}

/* Maps pages to those entries of one page table that are empty. */
static void map_pages(struct vm_area_struct *vma, pte_t *pte,
		      unsigned long address, struct page **pages,
		      unsigned long count)
{
	unsigned long i, pfn, before = page_to_pfn(pages[0]);
	/* Made once: only the frame number differs from page to page. */
	pte_t entry = lease_entry(vma, before);

	/* loop-total: mappings * lease_pages */
	for (i = 0; i < count; i++) {
		pfn = page_to_pfn(pages[i]);
		entry = pte_advance_pfn(entry, pfn - before);
		before = pfn;
		/* If it is not empty, another thread has faulted it in just before. */
		if (pte_none(ptep_get(pte + i)))
			genp_set_entry(vma->vm_mm, address + (i << PAGE_SHIFT),
				       pte + i, entry);
	}
}

/*
 * Called for the first entry in a page table, and fills the following ones as well, which
 * are under the same lock. At most PTRS_PER_PTE steps.
 */
static int map_table(pte_t *pte, unsigned long address, void *data)
{
	struct frames *frames = data;
	struct page *pages[PAGES_AT_ONCE];
	unsigned long done, most;

	/* loop-total: mappings * (lease_pages / PAGES_AT_ONCE + 2 * (lease_pages / PIECE + 1)) */
	for (done = 0; done < frames->count; done += most) {
		most = min(frames->count - done, ARRAY_SIZE(pages));
		if (frames->next(frames->context, pages, most) != most)
			return -ENOENT;
		map_pages(frames->vma, pte + done, address + (done << PAGE_SHIFT),
			  pages, most);
	}
	return 0;
}

/*
 * Calls @walk for the first entry in each page table of a part of a window, with
 * @in_table set to the number of pages of the part that are in it.
 */
static int each_table(struct vm_area_struct *vma, unsigned long page,
		      unsigned long count, pte_fn_t walk, void *data,
		      unsigned long *in_table)
{
	unsigned long address = vma->vm_start + (page << PAGE_SHIFT);
	unsigned long end = address + (count << PAGE_SHIFT), next;
	int err = 0;

	if (page > vma_pages(vma) || count > vma_pages(vma) - page)
		return -EINVAL;
	/* To map, and to unmap, which is in smaller pieces and in one mapping. */
	/* loop-total: 2 * piece_tables * mappings * (lease_pages / PIECE + 1) */
	for (; address < end && !err; address = next) {
		next = pmd_addr_end(address, end);
		*in_table = (next - address) >> PAGE_SHIFT;
		err = apply_to_page_range(vma->vm_mm, address, PAGE_SIZE, walk,
					  data);
	}
	return err;
}

/**
 * genp_vma_map_frames - map the frames of a lease in one walk
 * @vma: the window
 * @page: the first page of the lease in it
 * @count: the number of pages
 * @next: writes the next @most pages, in order, and returns their number
 * @context: argument of @next
 *
 * Context: thread, under the mmap lock for reading or in a page fault. The page
 * tables exist, so nothing is allocated. Return: 0 or a negative errno.
 */
int genp_vma_map_frames(struct vm_area_struct *vma, unsigned long page,
			unsigned long count,
			unsigned long (*next)(void *context, struct page **pages,
					      unsigned long most),
			void *context)
{
	struct frames frames = {
		.vma = vma,
		.next = next,
		.context = context,
	};

	return each_table(vma, page, count, map_table, &frames, &frames.count);
}

struct clearing {
	struct mm_struct *mm;
	/* How many pages of the lease are in the current page table. */
	unsigned long count;
};

/*
 * Clears the entries between the first and the last page of a lease in one page table.
 * At most PTRS_PER_PTE steps under its lock.
 */
static int clear_table(pte_t *pte, unsigned long address, void *data)
{
	struct clearing *clearing = data;
	unsigned long i, last = clearing->count - 1;

	/* Without both ends what is between them would not be flushed. */
	if (!pte_present(ptep_get(pte)) || !pte_present(ptep_get(pte + last)))
		return 0;
	/* loop-total: lease_pages */
	for (i = 1; i < last; i++)
		ptep_get_and_clear(clearing->mm, address + (i << PAGE_SHIFT),
				   pte + i);
	return 0;
}

/**
 * genp_vma_clear_frames - begin to unmap a lease
 * @vma: the window
 * @page: the first page of the lease in it
 * @count: the number of pages
 *
 * For every entry that it unmaps the kernel looks up the struct page and adjusts the
 * counts of the mm. Pages of a lease are special and not counted, so here their
 * entries are only cleared, but for the first and the last one in each page table.
 * These are left for the unmapping that must follow, with the same lock of the lease
 * still held: the range that the kernel flushes then, and of which it notifies
 * secondary MMUs, begins with the first page that it unmapped and ends with the last,
 * so it contains the others. Until that is done the frames still belong to the lease.
 *
 * Nothing else uses the entries of a window meanwhile. What changes the whole mapping
 * takes the mmap lock for writing; reclaim, migration, mprotect() and madvise() skip or
 * refuse VM_PFNMAP.
 *
 * This relies on the kernel flushing by such a range and on caches that need no flush
 * before. On other architectures it does nothing, and the kernel unmaps all pages.
 *
 * Context: thread, under the mmap lock for reading.
 */
void genp_vma_clear_frames(struct vm_area_struct *vma, unsigned long page,
			   unsigned long count)
{
	struct clearing clearing = { .mm = vma->vm_mm };

	if (!IS_ENABLED(CONFIG_X86) && !IS_ENABLED(CONFIG_ARM64))
		return;
	/* The tables exist, so this fails only for a part outside of @vma. */
	each_table(vma, page, count, clear_table, &clearing, &clearing.count);
}

/**
 * genp_vma_is_window - whether a mapping is a lease window
 * @vma: the mapping, which cannot change meanwhile
 * @owner: the owner that it must have
 */
bool genp_vma_is_window(const struct vm_area_struct *vma, const void *owner)
{
	return vma->vm_ops == &window_ops && vma->vm_private_data == owner;
}

/**
 * genp_map_here - map a part of a file in the address space of the caller
 * @file: the file
 * @offset: where the part begins
 * @bytes: its length
 *
 * Context: thread, may sleep. Return: where it is, or a negative errno; -ESRCH for a
 * thread without an address space.
 */
unsigned long genp_map_here(struct file *file, u64 offset, unsigned long bytes)
{
	if (!current->mm)
		return -ESRCH;
	return vm_mmap(file, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       offset);
}

void genp_unmap_here(unsigned long start, unsigned long bytes)
{
	vm_munmap(start, bytes);
}
