// SPDX-License-Identifier: GPL-2.0

//! The SCHED_FIFO priorities of the processes. The recall thread has 90. Hogs have less
//! than all processes that are measured, and less than interrupt threads, which have 50.

/// Of the borrower, which also controls the run.
pub const CONTROLLER: i32 = 80;
/// Of the waiters.
pub const WAITER: i32 = 70;
/// Of the hogs.
pub const HOG: i32 = 40;
