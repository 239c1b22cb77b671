/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The commands as constants: bindgen cannot fold the macros they are made of. The
 * ABI's header is included before this file.
 */
static const unsigned long GENP_IOCTL_GET_INFO = GENP_GET_INFO;
static const unsigned long GENP_IOCTL_CREATE = GENP_CREATE;
static const unsigned long GENP_IOCTL_OPEN = GENP_OPEN;
static const unsigned long GENP_IOCTL_ALLOC = GENP_ALLOC;
static const unsigned long GENP_IOCTL_FREE = GENP_FREE;
static const unsigned long GENP_IOCTL_BORROW = GENP_BORROW;
static const unsigned long GENP_IOCTL_RETURN = GENP_RETURN;
static const unsigned long GENP_IOCTL_RENEW = GENP_RENEW;
static const unsigned long GENP_IOCTL_RESIZE = GENP_RESIZE;
static const unsigned long GENP_IOCTL_GET_STAT = GENP_GET_STAT;
static const unsigned long GENP_IOCTL_GET_BOUNDS = GENP_GET_BOUNDS;
static const unsigned long GENP_IOCTL_GET_HISTOGRAM = GENP_GET_HISTOGRAM;
static const unsigned long GENP_IOCTL_SET_EVENTFD = GENP_SET_EVENTFD;
static const unsigned long GENP_IOCTL_DESTROY = GENP_DESTROY;
