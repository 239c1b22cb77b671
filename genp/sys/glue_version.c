// SPDX-License-Identifier: GPL-2.0
/*
 * The version of the module. The kernel crate's module! has no field for one.
 */
#include <linux/module.h>
#include <linux/stringify.h>

MODULE_VERSION(__stringify(GENP_VERSION));
