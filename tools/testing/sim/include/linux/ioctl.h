/* SPDX-License-Identifier: GPL-2.0 */
/* The numbers of ioctls, as in asm-generic/ioctl.h. */
#ifndef _SIM_LINUX_IOCTL_H
#define _SIM_LINUX_IOCTL_H

#define _IOC(dir, type, nr, size) (((dir) << 30) | ((size) << 16) | ((type) << 8) | (nr))
#define _IO(type, nr) _IOC(0U, type, nr, 0)
#define _IOR(type, nr, what) _IOC(2U, type, nr, sizeof(what))
#define _IOW(type, nr, what) _IOC(1U, type, nr, sizeof(what))
#define _IOWR(type, nr, what) _IOC(3U, type, nr, sizeof(what))
#define _IOC_NR(nr) ((nr) & 0xff)

#endif
