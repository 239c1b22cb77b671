// SPDX-License-Identifier: GPL-2.0
/* What drivers may call. Rust has no section of its own for that. */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/genp.h>

EXPORT_SYMBOL_NS_GPL(genp_partition_create, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_partition_find, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_partition_from_fd, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_partition_put, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_partition_destroy, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_partition_stat, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_stock_suffices, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_alloc, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_free, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_alloc_page, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_free_page, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_borrow, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_return, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_renew, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_cache_create, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_cache_destroy, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_cache_alloc, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_cache_free, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_cache_avail, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_elements_create, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_elements_destroy, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_element_alloc, "GENP");
EXPORT_SYMBOL_NS_GPL(genp_element_free, "GENP");

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
			"genp: partition kept: %u regions, %u pages, %u leases were not given back\n",
			left.regions, left.pages, left.leases);
}

struct genp_partition *devm_genp_partition_create(struct device *dev,
						  const struct genp_spec *spec)
{
	struct managed *managed;
	int err;

	managed = devm_kzalloc(dev, sizeof(*managed), GFP_KERNEL);
	if (!managed)
		return ERR_PTR(-ENOMEM);
	managed->dev = dev;
	managed->part = genp_partition_create(spec);
	if (IS_ERR(managed->part))
		return managed->part;
	err = devm_add_action_or_reset(dev, destroy_managed, managed);
	return err ? ERR_PTR(err) : managed->part;
}
EXPORT_SYMBOL_NS_GPL(devm_genp_partition_create, "GENP");
