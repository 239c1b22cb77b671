// SPDX-License-Identifier: GPL-2.0

//! The functions of the module's C side, by which it calls the kernel: those of
//! `genp/sys/glue.h`, one file here for each of C.
//!
//! # Safety
//!
//! All functions: as in C, pointers are what they were made for.

pub mod blocks;
pub mod files;
pub mod genalloc;
pub mod irq;
pub mod locks;
pub mod memory_errors;
pub mod misc;
pub mod pages;
pub mod tasks;
pub mod trace;
pub mod vmas;
