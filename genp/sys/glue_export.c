// SPDX-License-Identifier: GPL-2.0
/* The symbols that drivers may use. Rust cannot export symbols by itself. */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/genp.h>

EXPORT_SYMBOL_NS_GPL(genp_partition_create, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_partition_find, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_partition_from_fd, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_partition_put, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_partition_destroy, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_partition_stat, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_stock_suffices, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_alloc, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_free, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_alloc_page, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_free_page, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_alloc_pages, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_free_pages, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_borrow, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_return, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_renew, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_cache_create, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_cache_destroy, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_cache_alloc, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_cache_free, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_cache_avail, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_elements_create, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_elements_destroy, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_element_alloc, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_element_free, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_partition_create_in, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_alloc_placed, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_dma_alloc, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_virt_to_phys, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_has_addr, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_avail, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_size, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_owner, GENP_NAMESPACE);
EXPORT_SYMBOL_NS_GPL(genp_for_each_chunk, GENP_NAMESPACE);

struct managed {
	struct device *dev;
	struct genp_partition *part;
};

static void destroy_managed(void *data)
{
	struct managed *managed = data;
	struct genp_outstanding left;

	if (genp_partition_destroy(managed->part, &left))
		dev_err(managed->dev,
			"genp: partition kept: %u regions, %u pages, %u blocks, %u leases were not given back\n",
			left.regions, left.pages, left.blocks, left.leases);
}

/* Has a partition that was just created destroyed with a device. */
static struct genp_partition *manage(struct device *dev, struct managed *managed,
				     struct genp_partition *part)
{
	int err;

	if (IS_ERR(part))
		return part;
	managed->dev = dev;
	managed->part = part;
	err = devm_add_action_or_reset(dev, destroy_managed, managed);
	return err ? ERR_PTR(err) : part;
}

struct genp_partition *devm_genp_partition_create(struct device *dev,
						  const struct genp_spec *spec)
{
	struct managed *managed;

	managed = devm_kzalloc(dev, sizeof(*managed), GFP_KERNEL);
	if (!managed)
		return ERR_PTR(-ENOMEM);
	return manage(dev, managed, genp_partition_create(spec));
}
EXPORT_SYMBOL_NS_GPL(devm_genp_partition_create, GENP_NAMESPACE);

struct genp_partition *
devm_genp_partition_create_in(struct device *dev, struct gen_pool *pool,
			      const struct genp_spec *spec)
{
	struct managed *managed;

	if (spec->name && *spec->name)
		return ERR_PTR(-EINVAL);
	managed = devm_kzalloc(dev, sizeof(*managed), GFP_KERNEL);
	if (!managed)
		return ERR_PTR(-ENOMEM);
	return manage(dev, managed, genp_partition_create_in(pool, spec));
}
EXPORT_SYMBOL_NS_GPL(devm_genp_partition_create_in, GENP_NAMESPACE);
