/* SPDX-License-Identifier: GPL-2.0 */
/* What the module's headers need of the kernel's: the types. */
#ifndef _SIM_LINUX_TYPES_H
#define _SIM_LINUX_TYPES_H

#define __must_check
#define __iomem
#define __user

typedef _Bool bool;
typedef unsigned char u8, __u8;
typedef unsigned short u16, __u16;
typedef unsigned int u32, __u32;
typedef unsigned long long u64, __u64;
typedef int s32, __s32;
typedef long long s64, __s64;
typedef unsigned long size_t;
typedef long ssize_t;
typedef u64 phys_addr_t;

struct raw_spinlock;
typedef struct raw_spinlock raw_spinlock_t;
struct lock_class_key;
struct rt_mutex;
struct task_struct;
struct page;
struct device;
struct file;
struct address_space;
struct eventfd_ctx;
struct vm_area_struct;
struct vm_fault;
struct seq_file;
struct poll_table_struct;
struct gen_pool;

#endif
