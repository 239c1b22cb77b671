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

struct genp_device_attribute {
	struct device_attribute attribute;
	unsigned int which;
};

static ssize_t attribute_show(struct device *dev,
			      struct device_attribute *attribute, char *buf)
{
	struct genp_device_attribute *self;

	self = container_of(attribute, struct genp_device_attribute, attribute);
	return sysfs_emit(buf, "%llu\n", genp_attribute(the_registry, self->which));
}

#define GENP_ATTRIBUTE(_name, _which)					\
	static struct genp_device_attribute attribute_##_name = {	\
		.attribute = __ATTR(_name, 0444, attribute_show, NULL),	\
		.which = _which,					\
	}

GENP_ATTRIBUTE(capacity_bytes, GENP_ATTR_CAPACITY_BYTES);
GENP_ATTRIBUTE(committed_bytes, GENP_ATTR_COMMITTED_BYTES);
GENP_ATTRIBUTE(lent_bytes, GENP_ATTR_LENT_BYTES);
GENP_ATTRIBUTE(free_bytes, GENP_ATTR_FREE_BYTES);
GENP_ATTRIBUTE(clean_bytes, GENP_ATTR_CLEAN_BYTES);
GENP_ATTRIBUTE(quarantined_bytes, GENP_ATTR_QUARANTINED_BYTES);
GENP_ATTRIBUTE(max_lease_ns, GENP_ATTR_MAX_LEASE_NS);
GENP_ATTRIBUTE(grace_ns, GENP_ATTR_GRACE_NS);
GENP_ATTRIBUTE(recall_worst_ns, GENP_ATTR_RECALL_WORST_NS);
GENP_ATTRIBUTE(wait_bound_ns, GENP_ATTR_WAIT_BOUND_NS);
GENP_ATTRIBUTE(wait_order, GENP_ATTR_WAIT_ORDER);
GENP_ATTRIBUTE(partitions, GENP_ATTR_PARTITIONS);
GENP_ATTRIBUTE(max_partitions, GENP_ATTR_MAX_PARTITIONS);
GENP_ATTRIBUTE(leases, GENP_ATTR_LEASES);
GENP_ATTRIBUTE(max_leases, GENP_ATTR_MAX_LEASES);
GENP_ATTRIBUTE(waiters, GENP_ATTR_WAITERS);
GENP_ATTRIBUTE(max_waiters, GENP_ATTR_MAX_WAITERS);
GENP_ATTRIBUTE(recall_prio, GENP_ATTR_RECALL_PRIO);
GENP_ATTRIBUTE(uid_ceiling_bytes, GENP_ATTR_UID_CEILING_BYTES);
GENP_ATTRIBUTE(overdue_bytes, GENP_ATTR_OVERDUE_BYTES);
GENP_ATTRIBUTE(emergency_bytes, GENP_ATTR_EMERGENCY_BYTES);
GENP_ATTRIBUTE(emergency_free_bytes, GENP_ATTR_EMERGENCY_FREE_BYTES);
GENP_ATTRIBUTE(refill_prio, GENP_ATTR_REFILL_PRIO);

static struct attribute *genp_attrs[] = {
	&attribute_capacity_bytes.attribute.attr,
	&attribute_committed_bytes.attribute.attr,
	&attribute_lent_bytes.attribute.attr,
	&attribute_free_bytes.attribute.attr,
	&attribute_clean_bytes.attribute.attr,
	&attribute_quarantined_bytes.attribute.attr,
	&attribute_max_lease_ns.attribute.attr,
	&attribute_grace_ns.attribute.attr,
	&attribute_recall_worst_ns.attribute.attr,
	&attribute_wait_bound_ns.attribute.attr,
	&attribute_wait_order.attribute.attr,
	&attribute_partitions.attribute.attr,
	&attribute_max_partitions.attribute.attr,
	&attribute_leases.attribute.attr,
	&attribute_max_leases.attribute.attr,
	&attribute_waiters.attribute.attr,
	&attribute_max_waiters.attribute.attr,
	&attribute_recall_prio.attribute.attr,
	&attribute_uid_ceiling_bytes.attribute.attr,
	&attribute_overdue_bytes.attribute.attr,
	&attribute_emergency_bytes.attribute.attr,
	&attribute_emergency_free_bytes.attribute.attr,
	&attribute_refill_prio.attribute.attr,
	NULL,
};
ATTRIBUTE_GROUPS(genp);

static struct miscdevice genp_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "genp",
	.fops = &device_fops,
	.groups = genp_groups,
	.mode = 0660,
};

/**
 * genp_misc_register - make /dev/genp appear
 * @registry: what the entry points get, until genp_misc_deregister()
 *
 * Context: thread, may sleep. Return: 0 or a negative errno.
 */
int genp_misc_register(void *registry)
{
	WRITE_ONCE(the_registry, registry);
	return misc_register(&genp_device);
}

/* What is registered, or NULL. */
void *genp_registered(void)
{
	return READ_ONCE(the_registry);
}

void genp_misc_deregister(void)
{
	misc_deregister(&genp_device);
	WRITE_ONCE(the_registry, NULL);
}
