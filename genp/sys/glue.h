/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions in C that the Rust side calls, because they are macros or inline
 * functions in the kernel or not among its bindings; and the entry points of the Rust
 * side. bindgen reads this file.
 */
#ifndef _GENP_GLUE_H
#define _GENP_GLUE_H

#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/rtmutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/genp.h>

/* glue_lock.c */
void genp_raw_lock_init(raw_spinlock_t *lock, const char *name,
			struct lock_class_key *key);
unsigned long genp_raw_lock(raw_spinlock_t *lock);
bool genp_raw_trylock(raw_spinlock_t *lock, unsigned long *flags);
void genp_raw_unlock(raw_spinlock_t *lock, unsigned long flags);
void genp_raw_assert_held(raw_spinlock_t *lock);
void genp_pi_lock_init(struct rt_mutex *lock, const char *name,
		       struct lock_class_key *key);
void genp_pi_lock(struct rt_mutex *lock);
bool genp_pi_trylock(struct rt_mutex *lock);
void genp_pi_unlock(struct rt_mutex *lock);
void genp_pi_assert_held(struct rt_mutex *lock);

/* glue_task.c */
u64 genp_now(void);
u64 genp_time_to_host(u64 time);
u64 genp_time_from_host(u64 time);
void genp_task_get(struct task_struct *task);
void genp_task_put(struct task_struct *task);
void genp_task_wake(struct task_struct *task);
bool genp_is_current(const struct task_struct *task);
int genp_current_prio(void);
u32 genp_current_euid(void);
u32 genp_current_egid(void);
u32 genp_uid_here(u32 uid);
struct pid *genp_creator_get(void);
void genp_creator_put(struct pid *creator);
u32 genp_creator_here(struct pid *creator);
bool genp_in_group(u32 gid);
bool genp_capable_resource(void);
bool genp_capable_override(void);
void genp_prepare_sleep(bool interruptible);
void genp_finish_sleep(void);
bool genp_signal_pending(void);
bool genp_sleep(u64 deadline);
void genp_cond_resched(void);
struct task_struct *genp_thread_create(int (*run)(void *data), void *data,
				       const char *name);
int genp_thread_fifo(struct task_struct *task, int priority);
bool genp_thread_should_stop(void);
void genp_thread_stop(struct task_struct *task);

/* glue_page.c */
struct page *genp_alloc_block(int node, unsigned int order);
void genp_split_block(struct page *page, unsigned int order);
struct page *genp_page_at(struct page *page, unsigned int index);
void genp_put_page(struct page *page);
void genp_page_set_slot(struct page *page, unsigned long slot);
unsigned long genp_page_slot(struct page *page);
void *genp_vmap(struct page **pages, unsigned int count);
void genp_vunmap(const void *start);
void genp_zero_page(struct page *page);
void genp_page_read(struct page *page, unsigned int offset, void *to,
		    unsigned int bytes);
void genp_page_write(struct page *page, unsigned int offset, const void *from,
		     unsigned int bytes);
bool genp_page_mapped(struct page *page);
int genp_page_users(struct page *page);
unsigned long genp_available_pages(void);
unsigned long genp_total_pages(void);
bool genp_node_has_memory(int node);
unsigned int genp_max_order(void);
int genp_max_nodes(void);

/* glue_memory_error.c */
bool genp_page_poisoned(struct page *page);
bool genp_phys_poisoned(phys_addr_t phys);
bool genp_has_memory_failure(void);
bool genp_watch_memory_errors(void *data);
void genp_unwatch_memory_errors(void *data);

/* glue_headroom.c */
bool genp_has_headroom(unsigned long bytes);

/* glue_irq.c */
bool genp_test_and_set_bit(unsigned int bit, unsigned long *word);
bool genp_test_and_clear_bit(unsigned int bit, unsigned long *word);
unsigned int genp_get_cpu(void);
void genp_put_cpu(void);
unsigned int genp_nr_cpus(void);
void genp_irq_work_set(void *waker);
void genp_irq_work_queue(void);
void genp_irq_work_sync(void);

/* glue_genalloc.c */
u64 genp_range_base(void);
void genp_zero(void *start, size_t bytes);
bool genp_addr_is_plain(const void *start);
phys_addr_t genp_vmap_phys(const void *addr);
int genp_vma_map_range(struct vm_area_struct *vma, phys_addr_t phys);
bool genp_has_genalloc(void);
int genp_range_claim(phys_addr_t start, size_t bytes);
void genp_range_release(phys_addr_t start, size_t bytes);
void *genp_range_map(phys_addr_t start, size_t bytes);
void genp_range_unmap(void *virt);
struct gen_pool *genp_genpool_create(void *virt, phys_addr_t phys,
				     size_t bytes);
void genp_genpool_destroy(struct gen_pool *pool);
size_t genp_genpool_size(struct gen_pool *pool);
size_t genp_genpool_avail(struct gen_pool *pool);
unsigned int genp_genpool_order(struct gen_pool *pool);
void *genp_genpool_alloc(struct gen_pool *pool, size_t bytes, void **owner);
void genp_genpool_free(struct gen_pool *pool, void *virt, size_t bytes);
bool genp_genpool_phys(struct gen_pool *pool, const void *virt,
		       phys_addr_t *phys);

/* glue_blocks.c */
const char *genp_blocks_parameter(size_t *length);

/* glue_file.c */
struct file *genp_file_create(const char *name, void *data);
struct file *genp_file_create_leases(const char *name, struct file *partition);
struct file *genp_file_get_active(struct file *file);
void genp_file_put(struct file *file);
void genp_file_put_now(struct file *file);
unsigned long genp_next_files_table(void);
unsigned long genp_file_users(struct file *file);
void *genp_file_owner(const struct file *file);
struct file *genp_file_restrict(struct file *file, u32 rights);
struct address_space *genp_file_mapping(struct file *file);
void genp_zap(struct address_space *mapping, u64 offset, u64 length);
struct eventfd_ctx *genp_eventfd_get(int fd);
void genp_eventfd_put(struct eventfd_ctx *eventfd);
void genp_eventfd_signal(struct eventfd_ctx *eventfd);
int genp_copy_struct_in(void *to, size_t ksize, unsigned long from, size_t size);
int genp_copy_struct_out(unsigned long to, size_t size, const void *from,
			 size_t ksize);

/* glue_queue.c */
unsigned int genp_queue_length(void *queue, unsigned int most);
bool genp_queue_has_any(void *queue);
void genp_queue_wake(void *queue);

/* glue_vma.c */
bool genp_vma_is_shared(struct vm_area_struct *vma);
bool genp_vma_is_exec(struct vm_area_struct *vma);
u64 genp_vma_offset(struct vm_area_struct *vma);
u64 genp_vma_length(struct vm_area_struct *vma);
int genp_vma_prepare_window(struct vm_area_struct *vma, void *partition);
void genp_vma_adopt_window(struct vm_area_struct *vma, struct file *leases);
int genp_vma_map_frames(struct vm_area_struct *vma, unsigned long page,
			unsigned long count,
			unsigned long (*next)(void *context, struct page **pages,
					      unsigned long most),
			void *context);
void genp_vma_clear_frames(struct vm_area_struct *vma, unsigned long page,
			   unsigned long count);
bool genp_vma_is_window(const struct vm_area_struct *vma, const void *owner);
unsigned long genp_map_here(struct file *file, u64 offset, unsigned long bytes);
void genp_unmap_here(unsigned long start, unsigned long bytes);

/* glue_reserve.c */
void genp_vma_prepare_reserve(struct vm_area_struct *vma, void *partition);
void genp_vma_handle_range_faults(struct vm_area_struct *vma, void *partition);
int genp_vma_insert(struct vm_area_struct *vma, unsigned long address,
		    struct page **pages, unsigned long count);
void genp_page_anonymize(struct page *page);
unsigned int genp_vma_fault_in(struct vm_fault *vmf, struct page *page);
int genp_vma_seal(struct vm_area_struct *vma);

/* glue_misc.c */
int genp_misc_register(void *registry);
void genp_misc_deregister(void);
void *genp_registered(void);

/* glue_trace.c: call_NAME() for each event of genp_trace.h. */
#include "genp_trace_calls.h"

/* Entry points of the Rust side, genp/entry/, sys/irq_work.rs and sys/memory_error.rs. */
int genp_partition_mmap(void *partition, u32 rights, struct vm_area_struct *vma);
long genp_partition_ioctl(void *partition, u32 rights, unsigned int nr,
			  unsigned long arg);
ssize_t genp_partition_read(void *partition, u32 rights, unsigned long to,
			    size_t size, bool nonblock);
unsigned int genp_partition_poll(void *partition, u32 rights, struct file *file,
				 struct poll_table_struct *table);
void genp_partition_show(void *partition, struct seq_file *m);
void genp_partition_release(void *partition);
unsigned int genp_window_fault(void *partition, struct vm_area_struct *vma,
			       unsigned long page);
bool genp_window_access(void *partition, unsigned long page, unsigned int offset,
			void *buffer, unsigned int bytes, bool write);
void genp_window_closed(void *partition, unsigned long mm, unsigned long start);
unsigned int genp_reserve_fault(void *partition, struct vm_fault *vmf,
				unsigned long page);
long genp_device_ioctl(void *registry, unsigned int nr, unsigned long arg);
u64 genp_attribute_value(void *registry, unsigned int which);
const char *genp_attribute_name(unsigned int which);
void genp_waker_wake(void *waker);
void genp_memory_error(void *data);

/* Entry points of genp/entry/capi/pages.rs; where there is @cpu preemption is off. */
struct page *genp_page_take(struct genp_partition *part, unsigned int cpu);
struct page *genp_page_prepare(struct genp_partition *part, struct page *page,
			       unsigned int flags);
struct page *genp_page_refuse(struct genp_partition *part);
int genp_page_give(struct genp_partition *part, struct page *page,
		   unsigned long slot, unsigned int cpu);

/* Entry points of genp/entry/capi/blocks.rs; the same. */
struct page *genp_block_take(struct genp_partition *part, unsigned int order,
			     unsigned int cpu);
struct page *genp_block_prepare(struct genp_partition *part, struct page *block,
				unsigned int order, unsigned int flags);
int genp_block_give(struct genp_partition *part, struct page *block,
		    unsigned long slot, unsigned int order, unsigned int cpu);

#endif /* _GENP_GLUE_H */
