/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Rust side takes from the user space interface. bindgen cannot fold
 * the macros that make command numbers, so they are folded here.
 */
#include <linux/genp.h>

static const __u32 GENP_NR_GET_INFO = _IOC_NR(GENP_GET_INFO);
static const __u32 GENP_NR_CREATE = _IOC_NR(GENP_CREATE);
static const __u32 GENP_NR_OPEN = _IOC_NR(GENP_OPEN);
static const __u32 GENP_NR_ALLOC = _IOC_NR(GENP_ALLOC);
static const __u32 GENP_NR_FREE = _IOC_NR(GENP_FREE);
static const __u32 GENP_NR_BORROW = _IOC_NR(GENP_BORROW);
static const __u32 GENP_NR_RETURN = _IOC_NR(GENP_RETURN);
static const __u32 GENP_NR_RENEW = _IOC_NR(GENP_RENEW);
static const __u32 GENP_NR_RESIZE = _IOC_NR(GENP_RESIZE);
static const __u32 GENP_NR_GET_STAT = _IOC_NR(GENP_GET_STAT);
static const __u32 GENP_NR_GET_BOUNDS = _IOC_NR(GENP_GET_BOUNDS);
static const __u32 GENP_NR_GET_HISTOGRAM = _IOC_NR(GENP_GET_HISTOGRAM);
static const __u32 GENP_NR_SET_EVENTFD = _IOC_NR(GENP_SET_EVENTFD);
static const __u32 GENP_NR_DESTROY = _IOC_NR(GENP_DESTROY);
