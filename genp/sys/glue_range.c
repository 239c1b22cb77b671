// SPDX-License-Identifier: GPL-2.0
/* Physical ranges, and memory of the kernel's genalloc. */
#include <linux/genalloc.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include "glue.h"

void genp_zero(void *start, size_t bytes)
{
	memset(start, 0, bytes);
}

/**
 * genp_addr_is_plain - whether an address is that of ordinary memory
 * @start: the address
 *
 * Ordinary memory is cached by the kernel as it is by a process that maps it.
 */
bool genp_addr_is_plain(const void *start)
{
	return virt_addr_valid(start);
}

/**
 * genp_window_phys - the physical address of a place in a mapping of genp_vmap()
 * @addr: the place
 *
 * Context: any. Return: the physical address.
 */
phys_addr_t genp_window_phys(const void *addr)
{
	return page_to_phys(vmalloc_to_page(addr)) + offset_in_page(addr);
}

/**
 * genp_vma_map_range - map physical memory, all of it now
 * @vma: the mapping, in its file's mmap
 * @phys: where the memory is, whole pages
 *
 * There need be no struct pages, so nobody can pin any (VM_PFNMAP).
 *
 * Context: thread, may sleep. Return: 0 or a negative errno.
 */
int genp_vma_map_range(struct vm_area_struct *vma, phys_addr_t phys)
{
	vm_flags_mod(vma, VM_DONTCOPY, VM_MAYEXEC);
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(phys),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

#if defined(CONFIG_GENERIC_ALLOCATOR) && defined(CONFIG_HAS_IOMEM)

bool genp_has_genalloc(void)
{
	return true;
}

/**
 * genp_range_claim - take a physical range for GenP alone
 *
 * Context: thread, may sleep. Return: whether nobody had it.
 */
bool genp_range_claim(phys_addr_t start, size_t bytes)
{
	return request_mem_region(start, bytes, "genp");
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
 * genp_genpool_create - put memory into a pool of genalloc's
 * @virt: where the kernel has it mapped
 * @phys: its physical address
 * @bytes: how much, whole pages
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
 * genp_genpool_alloc - take whole pages in one piece
 * @pool: where from
 * @bytes: how many; as units of the pool they have a number of 32 bits
 * @owner: filled with the tag of the chunk
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

struct seek {
	unsigned long virt;
	phys_addr_t phys;
	bool found;
};

static void look_at_chunk(struct gen_pool *pool, struct gen_pool_chunk *chunk,
			  void *data)
{
	struct seek *seek = data;

	if (seek->virt < chunk->start_addr || seek->virt > chunk->end_addr ||
	    chunk->phys_addr == (phys_addr_t)-1)
		return;
	seek->phys = chunk->phys_addr + (seek->virt - chunk->start_addr);
	seek->found = true;
}

/**
 * genp_genpool_phys - where an address of a pool is physically
 * @pool: the pool
 * @virt: the address
 * @phys: filled with the physical address
 *
 * Context: thread. Cost: linear in the chunks. Return: whether the pool knows.
 */
bool genp_genpool_phys(struct gen_pool *pool, const void *virt,
		       phys_addr_t *phys)
{
	struct seek seek = { .virt = (unsigned long)virt };

	gen_pool_for_each_chunk(pool, look_at_chunk, &seek);
	*phys = seek.phys;
	return seek.found;
}

#else /* a kernel without genalloc: nothing but the first is called */

bool genp_has_genalloc(void)
{
	return false;
}

bool genp_range_claim(phys_addr_t start, size_t bytes)
{
	return false;
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
