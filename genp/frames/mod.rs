// SPDX-License-Identifier: GPL-2.0

//! Lists of frames, by frame number, and the free frames of the pool.

pub(crate) mod free;
pub(crate) mod list;
