// SPDX-License-Identifier: GPL-2.0
/* Files by which a partition can be used with some of the rights to it. */
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <uapi/linux/genp.h>

#include "glue.h"

struct restricted {
	/* With a reference. */
	struct file *partition;
	u32 rights;
};

/*
 * What is mapped is this file, not the partition's: remap_file_pages() asks the file of a
 * mapping for another part of it, and must ask one that has the rights of the mapping. The
 * kernel has taken the right to write from the mapping if this file has it not.
 */
static int restricted_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct restricted *restricted = file->private_data;

	return genp_partition_mmap(restricted->partition->private_data,
				   restricted->rights, vma);
}

static long restricted_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	const struct restricted *restricted = file->private_data;

	if (_IOC_TYPE(cmd) != GENP_IOC_MAGIC)
		return -ENOTTY;
	return genp_partition_ioctl(restricted->partition->private_data,
				    restricted->rights, _IOC_NR(cmd), arg);
}

static ssize_t restricted_read(struct file *file, char __user *to, size_t size,
			       loff_t *pos)
{
	const struct restricted *restricted = file->private_data;

	return genp_partition_read(restricted->partition->private_data,
				   restricted->rights, (unsigned long)to, size,
				   file->f_flags & O_NONBLOCK);
}

static __poll_t restricted_poll(struct file *file, poll_table *table)
{
	const struct restricted *restricted = file->private_data;

	/* Who does not wait only asks. */
	if (table && !table->_qproc)
		table = NULL;
	return (__force __poll_t)genp_partition_poll(
		restricted->partition->private_data, restricted->rights, file,
		table);
}

static void restricted_show_fdinfo(struct seq_file *m, struct file *file)
{
	const struct restricted *restricted = file->private_data;

	genp_partition_show(restricted->partition->private_data, m);
	seq_printf(m, "genp-rights:\t0x%x\n", restricted->rights);
}

static int restricted_release(struct inode *inode, struct file *file)
{
	struct restricted *restricted = file->private_data;

	fput(restricted->partition);
	kfree(restricted);
	return 0;
}

static const struct file_operations restricted_fops = {
	.owner = THIS_MODULE,
	.mmap = restricted_mmap,
	.unlocked_ioctl = restricted_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = restricted_read,
	.poll = restricted_poll,
	.show_fdinfo = restricted_show_fdinfo,
	.release = restricted_release,
};

/*
 * A file with the name and the inode of another one, so that the mappings of both are found
 * in one place, and are told apart by nobody.
 */
static struct file *file_of_same_inode(struct file *file, int flags,
				       const struct file_operations *fops)
{
	struct inode *inode = file_inode(file);
	struct file *other;

	/* Until the last fput(). Whoever calls has a file of this module. */
	__module_get(fops->owner);
	ihold(inode);
	other = alloc_file_pseudo(inode, file->f_path.mnt,
				  file->f_path.dentry->d_name.name, flags,
				  fops);
	if (IS_ERR(other)) {
		iput(inode);
		module_put(fops->owner);
	}
	return other;
}

/**
 * genp_file_restrict - create another file of a partition, with fewer rights
 * @file: the partition's file, of which the new one keeps a reference
 * @rights: GENP_RIGHT_*
 *
 * Context: thread, may sleep. Return: the file or an ERR_PTR: ENOMEM, ENFILE.
 */
struct file *genp_file_restrict(struct file *file, u32 rights)
{
	const struct restricted wanted = { .partition = file, .rights = rights };
	int mode = rights & GENP_RIGHT_WRITE ? O_RDWR : O_RDONLY;
	struct restricted *restricted;
	struct file *other;

	restricted = kmemdup(&wanted, sizeof(wanted),
			     GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
	if (!restricted)
		return ERR_PTR(-ENOMEM);
	other = file_of_same_inode(file, mode, &restricted_fops);
	if (IS_ERR(other)) {
		kfree(restricted);
		return other;
	}
	get_file(file);
	other->private_data = restricted;
	stream_open(file_inode(other), other);
	return other;
}
