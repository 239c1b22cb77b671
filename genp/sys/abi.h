/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interfaces that bindgen reads for the Rust side. bindgen cannot evaluate the macros
 * of the ioctl numbers; Kbuild makes a header with their values.
 */
#include <linux/genp.h>

#include "ioctl_numbers_generated.h"
