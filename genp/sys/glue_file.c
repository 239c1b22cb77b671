// SPDX-License-Identifier: GPL-2.0
/* The file of a partition, eventfds, and copying of argument structures. */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <uapi/linux/genp.h>

#include "glue.h"
#include "older_kernels.h"

static int partition_mmap(struct file *file, struct vm_area_struct *vma)
{
	return genp_partition_mmap(file->private_data, GENP_RIGHTS_ALL, vma);
}

static long partition_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	if (_IOC_TYPE(cmd) != GENP_IOC_MAGIC)
		return -ENOTTY;
	return genp_partition_ioctl(file->private_data, GENP_RIGHTS_ALL,
				    _IOC_NR(cmd), arg);
}

static ssize_t partition_read(struct file *file, char __user *to, size_t size,
			      loff_t *pos)
{
	return genp_partition_read(file->private_data, GENP_RIGHTS_ALL,
				   (unsigned long)to, size,
				   file->f_flags & O_NONBLOCK);
}

static __poll_t partition_poll(struct file *file, poll_table *table)
{
	/* Who does not wait only asks. */
	if (table && !table->_qproc)
		table = NULL;
	return (__force __poll_t)genp_partition_poll(
		file->private_data, GENP_RIGHTS_ALL, file, table);
}

static void partition_show_fdinfo(struct seq_file *m, struct file *file)
{
	genp_partition_show(file->private_data, m);
}

static int partition_release(struct inode *inode, struct file *file)
{
	genp_partition_release(file->private_data);
	return 0;
}

static const struct file_operations partition_fops = {
	.owner = THIS_MODULE,
	.mmap = partition_mmap,
	.unlocked_ioctl = partition_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = partition_read,
	.poll = partition_poll,
	.show_fdinfo = partition_show_fdinfo,
	.release = partition_release,
};

/**
 * genp_file_create - create the file of a partition
 * @name: its name in /proc/PID/maps
 * @data: passed to the entry points, the last of which is genp_partition_release()
 *
 * The file has an inode of its own, so its mappings can be found and zapped without
 * affecting those of other files. Without a link, as a memfd is: such memory is in core
 * dumps by default.
 *
 * Context: thread, may sleep. Return: the file or an ERR_PTR.
 */
struct file *genp_file_create(const char *name, void *data)
{
	struct file *file;

	file = anon_inode_create_getfile(name, &partition_fops, data,
					 O_RDWR | O_CLOEXEC, NULL);
	if (IS_ERR(file))
		return file;
	clear_nlink(file_inode(file));
	stream_open(file_inode(file), file);
	return file;
}

/* Nobody opens it or maps it: it is only what lease windows belong to. */
static const struct file_operations leases_fops = {
	.owner = THIS_MODULE,
};

/**
 * genp_file_create_leases - make the file that lease windows are mappings of
 * @name: what /proc/PID/maps shows
 * @partition: the partition's file, which each such mapping holds as well
 *
 * No process ever has a descriptor of it. See genp_vma_adopt_window().
 *
 * Context: thread, may sleep. Return: the file or an ERR_PTR.
 */
struct file *genp_file_create_leases(const char *name, struct file *partition)
{
	return anon_inode_create_getfile(name, &leases_fops, partition, O_RDWR,
					 NULL);
}

struct file *genp_file_get_active(struct file *file)
{
	return get_file_active(&file);
}

void genp_file_put(struct file *file)
{
	fput(file);
}

/**
 * genp_next_files_table - how long the table of open files is that the caller needs next
 *
 * It is as long as the present one twice, with an address and less than 8 bits for each.
 *
 * Context: thread. Return: bytes.
 */
unsigned long genp_next_files_table(void)
{
	unsigned int files;

	rcu_read_lock();
	files = files_fdtable(current->files)->max_fds;
	rcu_read_unlock();
	return 2UL * files * (sizeof(struct file *) + 1);
}

unsigned long genp_file_users(struct file *file)
{
	return file_count(file);
}

/* Releases the file before it returns, where fput() may defer that. */
void genp_file_put_now(struct file *file)
{
	__fput_sync(file);
}

/**
 * genp_file_owner - whose file it is
 * @file: a file
 *
 * Return: its private data if it is a partition's, NULL otherwise, also for a restricted
 * one.
 */
void *genp_file_owner(const struct file *file)
{
	return file->f_op == &partition_fops ? file->private_data : NULL;
}

struct address_space *genp_file_mapping(struct file *file)
{
	return file->f_mapping;
}

void genp_zap(struct address_space *mapping, u64 offset, u64 length)
{
	unmap_mapping_range(mapping, offset, length, 1);
}

struct eventfd_ctx *genp_eventfd_get(int fd)
{
	return eventfd_ctx_fdget(fd);
}

void genp_eventfd_put(struct eventfd_ctx *eventfd)
{
	eventfd_ctx_put(eventfd);
}

void genp_eventfd_signal(struct eventfd_ctx *eventfd)
{
	eventfd_signal(eventfd);
}

int genp_copy_struct_in(void *to, size_t ksize, unsigned long from, size_t size)
{
	return copy_struct_from_user(to, ksize, (const void __user *)from,
				     size);
}

int genp_copy_struct_out(unsigned long to, size_t size, const void *from,
			 size_t ksize)
{
	/* loop-bound: PAGE_SIZE */
	return copy_struct_to_user((void __user *)to, size, from, ksize, NULL);
}
