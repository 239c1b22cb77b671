/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Rust side takes from the user space interface. bindgen cannot fold the
 * macros that make command numbers; Kbuild has them folded in a header that it makes
 * from the interface.
 */
#include <linux/genp.h>

#include "ioctl_numbers_generated.h"
