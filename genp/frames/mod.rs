// SPDX-License-Identifier: GPL-2.0

//! FrameTable by number: lists of them, and those that are free.

pub(crate) mod free;
pub(crate) mod list;
