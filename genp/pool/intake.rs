// SPDX-License-Identifier: GPL-2.0

//! Taking the pool's memory from the kernel without harm to anybody else: who asks for
//! more than there is gets ENOMEM before it is taken, and nobody is killed for it.

use kernel::{page::PAGE_SIZE, prelude::*};

use super::config::Config;
use crate::genp::{
    frames::list::FrameLinks,
    sys::page::{available_pages, total_pages, FrameTable},
};

/// The usual share that stays available to others is one of so many parts.
const SHARE: u64 = 16;
/// It is at least so many bytes.
const LEAST_BYTES: u64 = 32 << 20;
/// What is there for each frame: its page, and its place in tables.
const BYTES_A_FRAME: u64 =
    PAGE_SIZE as u64 + FrameTable::BYTES_A_FRAME as u64 + FrameLinks::BYTES_A_FRAME as u64;

/// Pages that stay available to others.
fn kept(config: &Config) -> u64 {
    let least = LEAST_BYTES / PAGE_SIZE as u64;
    config
        .keep_free
        .unwrap_or_else(|| (total_pages() / SHARE).max(least))
}

/// Takes the frames of the pool, of the emergency stock and of the blocks. ENOMEM if that
/// would leave others too little. Context: thread, may sleep.
pub(super) fn take(config: &Config) -> Result<FrameTable> {
    let count = config.capacity.saturating_add(config.emergency);
    let in_blocks = config.blocks.pages().ok_or(EINVAL)?;
    let wanted = u64::from(count)
        .saturating_add(in_blocks.into())
        .saturating_mul(BYTES_A_FRAME)
        .div_ceil(PAGE_SIZE as u64);
    let (kept, available) = (kept(config), available_pages());
    if wanted.saturating_add(kept) > available {
        let mib = |pages: u64| pages.saturating_mul(PAGE_SIZE as u64) >> 20;
        pr_err!(
            "the pool wants {} MiB and leaves {} MiB to others, but {} MiB are available\n",
            mib(wanted),
            mib(kept),
            mib(available)
        );
        return Err(ENOMEM);
    }
    FrameTable::allocate(count, &config.blocks, kept)
}
