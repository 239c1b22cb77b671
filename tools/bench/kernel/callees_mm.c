// SPDX-License-Identifier: GPL-2.0
/*
 * What functions of the kernel cost that GenP calls: of address spaces and files. They are
 * called in the address space of the process that runs the plan.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "callees.h"

#ifdef CONFIG_RUST
struct vm_area_struct *rust_helper_vma_lookup(struct mm_struct *mm, unsigned long address);
void rust_helper_mmap_read_lock(struct mm_struct *mm);
bool rust_helper_mmap_read_trylock(struct mm_struct *mm);
void rust_helper_mmap_read_unlock(struct mm_struct *mm);
#else
/* genp.ko has its own, the same code. */
static noinline struct vm_area_struct *rust_helper_vma_lookup(struct mm_struct *mm,
							      unsigned long address)
{
	return vma_lookup(mm, address);
}

static noinline void rust_helper_mmap_read_lock(struct mm_struct *mm)
{
	mmap_read_lock(mm);
}

static noinline bool rust_helper_mmap_read_trylock(struct mm_struct *mm)
{
	return mmap_read_trylock(mm);
}

static noinline void rust_helper_mmap_read_unlock(struct mm_struct *mm)
{
	mmap_read_unlock(mm);
}
#endif

/* As many as a lease window may have, and the pages of each in one piece. */
#define WINDOWS 16
#define PIECE 512
#define WINDOW_PAGES (PIECE / WINDOWS)
/* Mappings of the process, of which a few less are allowed by default. */
#define MAPPINGS 60000
/* A record of events. */
#define RECORD 64

static struct page *page;
static struct file *file, *spare;
static unsigned long windows[WINDOWS], inserted, tree;
static u8 record[RECORD];

static int window_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* Only vmf_insert_page_mkwrite() may insert pages that are counted. */
	vm_flags_set(vma, vma->vm_pgoff ? VM_MIXEDMAP : VM_PFNMAP | VM_DONTEXPAND);
	return 0;
}

static const struct file_operations window_ops = {
	.owner = THIS_MODULE,
	.mmap = window_mmap,
};

static int nothing(pte_t *pte, unsigned long address, void *unused)
{
	return 0;
}

/* All pages of all windows are mapped. */
static void fill_windows(struct bench *bench)
{
	unsigned int i, j;

	mmap_read_lock(current->mm);
	for (i = 0; i < WINDOWS; i++) {
		struct vm_area_struct *vma = vma_lookup(current->mm, windows[i]);

		for (j = 0; vma && j < WINDOW_PAGES; j++)
			vmf_insert_pfn(vma, windows[i] + j * PAGE_SIZE, page_to_pfn(page));
	}
	mmap_read_unlock(current->mm);
}

/* There is a page table, and no page in it. */
static void take_out(struct bench *bench)
{
	unmap_mapping_range(file->f_mapping, WINDOW_PAGES * PAGE_SIZE, PAGE_SIZE, 1);
}

#if KERNEL_VERSION(6, 13, 0) > LINUX_VERSION_CODE
/* There is no other one. */
#define INSERT "vmf_insert_page"
#define insert_page(fault, page) vmf_insert_page((fault)->vma, (fault)->address, page)
#else
#define INSERT "vmf_insert_page_mkwrite"
#define insert_page(fault, page) vmf_insert_page_mkwrite(fault, page, true)
#endif

static vm_fault_t insert(void)
{
	struct vm_fault fault = {
		.vma = vma_lookup(current->mm, inserted),
		.address = inserted,
		.flags = FAULT_FLAG_WRITE,
	};

	return fault.vma ? insert_page(&fault, page) : VM_FAULT_SIGBUS;
}

static void open_another(struct bench *bench)
{
	spare = anon_inode_getfile("genp_bench", &window_ops, NULL, O_RDWR);
}

CALLEE(read_lock, , rust_helper_mmap_read_lock(current->mm), mmap_read_unlock(current->mm))
CALLEE(trylock, , rust_helper_mmap_read_trylock(current->mm), mmap_read_unlock(current->mm))
CALLEE(read_unlock, mmap_read_lock(current->mm), rust_helper_mmap_read_unlock(current->mm), )
CALLEE(lookup, mmap_read_lock(current->mm),
       rust_helper_vma_lookup(current->mm, tree + MAPPINGS * PAGE_SIZE),
       mmap_read_unlock(current->mm))
CALLEE(apply, mmap_read_lock(current->mm),
       apply_to_page_range(current->mm, windows[0], PAGE_SIZE, nothing, NULL),
       mmap_read_unlock(current->mm))
CALLEE(unmap, , unmap_mapping_range(file->f_mapping, 0, WINDOW_PAGES * PAGE_SIZE, 1), )
CALLEE(mkwrite, vm_fault_t fault; mmap_read_lock(current->mm), fault = insert(),
       mmap_read_unlock(current->mm); if (fault != VM_FAULT_NOPAGE) return U64_MAX)
CALLEE(get_prot, , vm_get_page_prot(VM_READ | VM_WRITE | VM_SHARED), )
CALLEE(online, , pfn_to_online_page(page_to_pfn(page)), )
CALLEE(put_file, if (IS_ERR(spare)) return U64_MAX, fput(spare), )
CALLEE(copy_out, unsigned long left,
       left = copy_to_user((void __user *)tree, record, RECORD), if (left) return U64_MAX)

static const struct callee callees[] = {
	{ "rust_helper_mmap_read_lock", read_lock_ticks, .sleeps = true },
	{ "rust_helper_mmap_read_trylock", trylock_ticks, .sleeps = true },
	{ "rust_helper_mmap_read_unlock", read_unlock_ticks, .sleeps = true },
	{ "rust_helper_vma_lookup", lookup_ticks, .sleeps = true },
	{ "apply_to_page_range", apply_ticks, .sleeps = true, .prepare = fill_windows },
	{ "unmap_mapping_range", unmap_ticks, .sleeps = true, .prepare = fill_windows },
	{ INSERT, mkwrite_ticks, .sleeps = true, .prepare = take_out },
	{ "vm_get_page_prot", get_prot_ticks },
	{ "pfn_to_online_page", online_ticks },
	{ "fput", put_file_ticks, .sleeps = true, .prepare = open_another },
	{ "_copy_to_user", copy_out_ticks, .sleeps = true },
};

/* Maps the file once more. Returns 0 on failure. */
static unsigned long map_file(unsigned long pages, unsigned long offset)
{
	unsigned long at = vm_mmap(file, 0, pages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
				   offset * PAGE_SIZE);

	return IS_ERR_VALUE(at) ? 0 : at;
}

/* A mapping every other page, so that none can be merged. */
static int grow_tree(void)
{
	unsigned long i;

	tree = vm_mmap(NULL, 0, 2 * MAPPINGS * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | MAP_PRIVATE | MAP_NORESERVE, 0);
	if (IS_ERR_VALUE(tree))
		return tree;
	for (i = 0; i < MAPPINGS; i++)
		if (vm_munmap(tree + (2 * i + 1) * PAGE_SIZE, PAGE_SIZE))
			return -ENOMEM;
	return clear_user((void __user *)tree, PAGE_SIZE) ? -EFAULT : 0;
}

static int map_all(void)
{
	unsigned int i;

	for (i = 0; i < WINDOWS; i++) {
		windows[i] = map_file(WINDOW_PAGES, 0);
		if (!windows[i])
			return -ENOMEM;
	}
	inserted = map_file(1, WINDOW_PAGES);
	return inserted ? grow_tree() : -ENOMEM;
}

static void unmap_all(void)
{
	unsigned int i;

	for (i = 0; i < WINDOWS; i++)
		if (windows[i])
			vm_munmap(windows[i], WINDOW_PAGES * PAGE_SIZE);
	if (inserted)
		vm_munmap(inserted, PAGE_SIZE);
	if (tree && !IS_ERR_VALUE(tree))
		vm_munmap(tree, 2 * MAPPINGS * PAGE_SIZE);
	memset(windows, 0, sizeof(windows));
	inserted = tree = 0;
}

int callees_of_memory(unsigned int samples)
{
	int error;

	page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!page)
		return -ENOMEM;
	file = anon_inode_create_getfile("genp_bench", &window_ops, NULL, O_RDWR, NULL);
	if (IS_ERR(file)) {
		__free_page(page);
		return PTR_ERR(file);
	}
	error = map_all();
	if (!error)
		callees_measure(&callees_kernel, callees, ARRAY_SIZE(callees), samples);
	unmap_all();
	fput(file);
	__free_page(page);
	return error;
}
