/* SPDX-License-Identifier: GPL-2.0 */
/* Entries of page tables, in mappings of a partition. */
#ifndef _GENP_SET_ENTRY_H
#define _GENP_SET_ENTRY_H

#include <linux/mm.h>
#include <linux/pgtable.h>

/*
 * set_pte_at() of arm64 calls mte_sync_tags(), which modules do not have, for a page whose tags
 * (MTE) user space may see. No mapping of a partition has such pages: PROT_MTE is refused for
 * files that do not set VM_MTE_ALLOWED, but the compiler cannot know. Nor does it matter to the
 * caches of instructions, since no mapping is executable; nor to contiguous entries, which the
 * kernel makes of pages of one large folio only, and the pool's are single.
 */
static inline void genp_set_entry(struct mm_struct *mm, unsigned long address,
				  pte_t *pte, pte_t entry)
{
#ifdef CONFIG_ARM64
	set_pte(pte, entry);
#else
	set_pte_at(mm, address, pte, entry);
#endif
}

/* For apply_to_page_range() in the mapping @data: what is mapped is young and dirty. */
static inline int genp_wear_entry(pte_t *pte, unsigned long address, void *data)
{
	struct vm_area_struct *vma = data;
	pte_t entry = ptep_get(pte);

	if (!pte_present(entry))
		return 0;
	entry = pte_mkyoung(entry);
	if (vma->vm_flags & VM_WRITE)
		entry = pte_mkdirty(entry);
	genp_set_entry(vma->vm_mm, address, pte, entry);
	return 0;
}

#endif /* _GENP_SET_ENTRY_H */
