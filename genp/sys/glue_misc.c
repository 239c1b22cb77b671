// SPDX-License-Identifier: GPL-2.0
/* /dev/genp, and the pool's attributes in sysfs. */
#include <linux/compat.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/sysfs.h>
#include <uapi/linux/genp.h>

#include "glue.h"

/* The table of partitions, for as long as the device is registered. */
static void *the_registry;

static long device_ioctl(struct file *file, unsigned int cmd,
			  unsigned long arg)
{
	if (_IOC_TYPE(cmd) != GENP_IOC_MAGIC)
		return -ENOTTY;
	return genp_device_ioctl(the_registry, _IOC_NR(cmd), arg);
}

static int device_open(struct inode *inode, struct file *file)
{
	return stream_open(inode, file);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* At least the number of attributes in genp/entry/sysfs.rs. */
#define MAX_ATTRIBUTES 64

static struct device_attribute attributes[MAX_ATTRIBUTES];
static struct attribute *genp_attrs[MAX_ATTRIBUTES + 1];
ATTRIBUTE_GROUPS(genp);

static ssize_t attribute_show(struct device *dev,
			      struct device_attribute *attribute, char *buf)
{
	unsigned int which = attribute - attributes;

	return sysfs_emit(buf, "%llu\n",
			  genp_attribute_value(the_registry, which));
}

/* Fills in the tables above from that of genp/entry/sysfs.rs. */
static int make_attributes(void)
{
	const char *name;
	unsigned int which;

	for (which = 0; (name = genp_attribute_name(which)); which++) {
		if (which == MAX_ATTRIBUTES)
			return -E2BIG;
		sysfs_attr_init(&attributes[which].attr);
		attributes[which].attr.name = name;
		attributes[which].attr.mode = 0444;
		attributes[which].show = attribute_show;
		genp_attrs[which] = &attributes[which].attr;
	}
	return 0;
}

static struct miscdevice genp_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "genp",
	.fops = &device_fops,
	.groups = genp_groups,
	.mode = 0660,
};

/**
 * genp_misc_register - register /dev/genp
 * @registry: passed to the entry points, until genp_misc_deregister()
 *
 * Context: thread, may sleep. Return: 0 or a negative errno.
 */
int genp_misc_register(void *registry)
{
	int error = make_attributes();

	if (error)
		return error;
	/* Pairs with the dependent loads of genp_registered()'s callers. */
	smp_store_release(&the_registry, registry);
	return misc_register(&genp_device);
}

/* The registry while the device is registered, NULL otherwise. */
void *genp_registered(void)
{
	return READ_ONCE(the_registry);
}

void genp_misc_deregister(void)
{
	misc_deregister(&genp_device);
	WRITE_ONCE(the_registry, NULL);
}
