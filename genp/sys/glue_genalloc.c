// SPDX-License-Identifier: GPL-2.0
/* Physical ranges, and memory that the kernel's genalloc manages. */
#include <linux/genalloc.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "glue.h"

/*
 * Here and not with the others, for Rust has no way to say that a parameter is one of
 * hardware, which the kernel refuses under lockdown.
 */
static unsigned long long range_base;
module_param_hw(range_base, ullong, iomem, 0);
MODULE_PARM_DESC(range_base, "Physical address of reserved memory for partitions; 0: none");

u64 genp_range_base(void)
{
	return range_base;
}

void genp_zero(void *start, size_t bytes)
{
	memset(start, 0, bytes);
}

/**
 * genp_addr_is_plain - whether an address is in the linear mapping
 * @start: the address
 *
 * The linear mapping is cached, as is a mapping of the same memory in a process.
 */
bool genp_addr_is_plain(const void *start)
{
	return virt_addr_valid(start);
}

/**
 * genp_vmap_phys - the physical address of an address in a mapping of genp_vmap()
 * @addr: the address
 *
 * Context: any. Return: the physical address.
 */
phys_addr_t genp_vmap_phys(const void *addr)
{
	return page_to_phys(vmalloc_to_page(addr)) + offset_in_page(addr);
}

/* Where the first page with a memory error is, from @at on, or @length. */
static noinline unsigned long sound_until(phys_addr_t phys, unsigned long at,
					  unsigned long length)
{
	/* loop-bound: reserve_pages */
	while (at < length && !genp_phys_poisoned(phys + at))
		at += PAGE_SIZE;
	return at;
}

/**
 * genp_vma_map_range - map physical memory, all of it at once
 * @vma: the mapping, in its file's mmap
 * @phys: the physical address, aligned to pages
 *
 * The memory may have no struct pages. They cannot be pinned in any case (VM_PFNMAP). Pages
 * with memory errors are left out.
 *
 * Context: thread, may sleep. Return: 0 or a negative errno.
 */
int genp_vma_map_range(struct vm_area_struct *vma, phys_addr_t phys)
{
	unsigned long at, end, length = vma->vm_end - vma->vm_start;
	int err = 0;

	vm_flags_mod(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
			  VM_DONTCOPY, VM_MAYEXEC);
	/* loop-bound: poisoned + 1 */
	for (at = 0; at < length && !err; at = end + PAGE_SIZE) {
		end = sound_until(phys, at, length);
		if (end > at)
			err = remap_pfn_range(vma, vma->vm_start + at,
					      PHYS_PFN(phys + at), end - at,
					      vma->vm_page_prot);
	}
	return err;
}

#if defined(CONFIG_GENERIC_ALLOCATOR) && defined(CONFIG_HAS_IOMEM)

bool genp_has_genalloc(void)
{
	return true;
}

/*
 * Whether a claimed range is part of memory that firmware or the command line
 * reserved, and of nothing else. What is claimed lies in the innermost resource that
 * has all of it and overlaps no other one: this rules out what belongs to a device in
 * reserved memory, reserved memory in a bus's window, and addresses where nothing is.
 */
static bool is_reserved(const struct resource *claimed)
{
	const struct resource *within = claimed->parent;

	/* A device tree's reserved memory has the name alone. */
	return within->parent == &iomem_resource &&
	       (within->desc == IORES_DESC_RESERVED ||
		!strcasecmp(within->name, "reserved"));
}

/**
 * genp_range_claim - request a physical range for GenP
 *
 * Context: thread, may sleep. Return: 0, -EBUSY if it is in use, or -EPERM if it
 * is not reserved memory.
 */
int genp_range_claim(phys_addr_t start, size_t bytes)
{
	struct resource *claimed = request_mem_region(start, bytes, "genp");

	if (!claimed)
		return -EBUSY;
	if (is_reserved(claimed))
		return 0;
	release_mem_region(start, bytes);
	return -EPERM;
}

void genp_range_release(phys_addr_t start, size_t bytes)
{
	release_mem_region(start, bytes);
}

void *genp_range_map(phys_addr_t start, size_t bytes)
{
	return memremap(start, bytes, MEMREMAP_WB);
}

void genp_range_unmap(void *virt)
{
	memunmap(virt);
}

/**
 * genp_genpool_create - create a genalloc pool of one chunk
 * @virt: its address in the kernel's mapping
 * @phys: its physical address
 * @bytes: its length, whole pages
 *
 * The owner tag is this module. Context: thread, may sleep. Return: the pool or NULL.
 */
struct gen_pool *genp_genpool_create(void *virt, phys_addr_t phys, size_t bytes)
{
	struct gen_pool *pool = gen_pool_create(PAGE_SHIFT, NUMA_NO_NODE);

	if (!pool)
		return NULL;
	if (gen_pool_add_owner(pool, (unsigned long)virt, phys, bytes,
			       NUMA_NO_NODE, THIS_MODULE)) {
		gen_pool_destroy(pool);
		return NULL;
	}
	return pool;
}

void genp_genpool_destroy(struct gen_pool *pool)
{
	gen_pool_destroy(pool);
}

size_t genp_genpool_size(struct gen_pool *pool)
{
	return gen_pool_size(pool);
}

size_t genp_genpool_avail(struct gen_pool *pool)
{
	return gen_pool_avail(pool);
}

unsigned int genp_genpool_order(struct gen_pool *pool)
{
	return pool->min_alloc_order;
}

/**
 * genp_genpool_alloc - allocate contiguous whole pages
 * @pool: the pool
 * @bytes: the length; as a number of units of the pool it must fit into 32 bits
 * @owner: filled with the owner tag of the chunk
 *
 * Context: thread. Cost: linear in the pool. Return: the address, or NULL.
 */
void *genp_genpool_alloc(struct gen_pool *pool, size_t bytes, void **owner)
{
	struct genpool_data_align align = { .align = PAGE_SIZE };

	return (void *)gen_pool_alloc_algo_owner(pool, bytes,
						 gen_pool_first_fit_align,
						 &align, owner);
}

void genp_genpool_free(struct gen_pool *pool, void *virt, size_t bytes)
{
	gen_pool_free(pool, (unsigned long)virt, bytes);
}

struct translation {
	unsigned long virt;
	phys_addr_t phys;
	bool found;
};

static void translate_in_chunk(struct gen_pool *pool,
			       struct gen_pool_chunk *chunk, void *data)
{
	struct translation *t = data;

	if (t->virt < chunk->start_addr || t->virt > chunk->end_addr ||
	    chunk->phys_addr == (phys_addr_t)-1)
		return;
	t->phys = chunk->phys_addr + (t->virt - chunk->start_addr);
	t->found = true;
}

/**
 * genp_genpool_phys - the physical address of an address in a pool
 * @pool: the pool
 * @virt: the address
 * @phys: filled with the physical address
 *
 * Context: thread. Cost: linear in the chunks. Return: whether the pool knows it.
 */
bool genp_genpool_phys(struct gen_pool *pool, const void *virt,
		       phys_addr_t *phys)
{
	struct translation t = { .virt = (unsigned long)virt };

	gen_pool_for_each_chunk(pool, translate_in_chunk, &t);
	*phys = t.phys;
	return t.found;
}

#else /* without genalloc; of these only genp_has_genalloc() is called */

bool genp_has_genalloc(void)
{
	return false;
}

int genp_range_claim(phys_addr_t start, size_t bytes)
{
	return -EBUSY;
}

void genp_range_release(phys_addr_t start, size_t bytes)
{
}

void *genp_range_map(phys_addr_t start, size_t bytes)
{
	return NULL;
}

void genp_range_unmap(void *virt)
{
}

struct gen_pool *genp_genpool_create(void *virt, phys_addr_t phys, size_t bytes)
{
	return NULL;
}

void genp_genpool_destroy(struct gen_pool *pool)
{
}

size_t genp_genpool_size(struct gen_pool *pool)
{
	return 0;
}

size_t genp_genpool_avail(struct gen_pool *pool)
{
	return 0;
}

unsigned int genp_genpool_order(struct gen_pool *pool)
{
	return 0;
}

void *genp_genpool_alloc(struct gen_pool *pool, size_t bytes, void **owner)
{
	return NULL;
}

void genp_genpool_free(struct gen_pool *pool, void *virt, size_t bytes)
{
}

bool genp_genpool_phys(struct gen_pool *pool, const void *virt,
		       phys_addr_t *phys)
{
	return false;
}

#endif
