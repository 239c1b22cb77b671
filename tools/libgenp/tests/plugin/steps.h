/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef _STEPS_H
#define _STEPS_H

#include "plugin.h"

/* The number of instructions that a call takes after a scene, in a process of its own; or -1. */
long steps(void (*scene)(void), void (*call)(void));

#endif /* _STEPS_H */
