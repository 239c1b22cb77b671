// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a program asks for, by size, for who wants to know how large its reserve must be.
//! Only then does each call come here: nobody else pays for it.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use genp::Arena;

/// Kinds of blocks: of up to 1 << k bytes, and of more than half of that.
pub const KINDS: usize = 48;

static COUNTED: AtomicBool = AtomicBool::new(false);

/// A number that goes up and down, and the most it was.
pub struct Level {
    now: AtomicI64,
    most: AtomicI64,
}

impl Level {
    const fn new() -> Self {
        Self {
            now: AtomicI64::new(0),
            most: AtomicI64::new(0),
        }
    }

    fn change(&self, by: i64) {
        // Relaxed, as for all of these: nothing is published with a number.
        let now = self.now.fetch_add(by, Ordering::Relaxed).wrapping_add(by);
        if by > 0 {
            self.most.fetch_max(now, Ordering::Relaxed);
        }
    }

    /// What it is. A block of before the first count may have been freed.
    pub fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed).max(0)
    }

    pub fn most(&self) -> i64 {
        self.most.load(Ordering::Relaxed)
    }
}

/// Blocks of one kind.
pub struct Kind {
    requests: AtomicU64,
    /// Blocks that are live.
    pub live: Level,
}

impl Kind {
    const fn new() -> Self {
        Self {
            requests: AtomicU64::new(0),
            live: Level::new(),
        }
    }

    /// How often a block was asked for, and had, or one became of this kind.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// All of them.
pub static ALL: [Kind; KINDS] = [const { Kind::new() }; KINDS];
/// Bytes that the live blocks take in a heap, or would take there, headers included.
pub static BYTES: Level = Level::new();
/// The largest block.
static LARGEST: AtomicU64 = AtomicU64::new(0);

/// Counts from now on. Context: the only thread there is.
pub fn count() {
    COUNTED.store(true, Ordering::Relaxed);
}

#[inline(always)]
pub fn are_counted() -> bool {
    COUNTED.load(Ordering::Relaxed)
}

/// The largest block that was asked for, in bytes.
pub fn largest() -> u64 {
    LARGEST.load(Ordering::Relaxed)
}

fn kind(size: usize) -> Option<&'static Kind> {
    let bits = usize::BITS - size.saturating_sub(1).leading_zeros();
    ALL.get(bits as usize)
}

fn bytes(size: usize) -> i64 {
    i64::try_from(Arena::bytes_for(size)).unwrap_or(i64::MAX)
}

/// A block has become live.
pub fn gained(size: usize) {
    if let Some(kind) = kind(size) {
        kind.requests.fetch_add(1, Ordering::Relaxed);
        kind.live.change(1);
    }
    BYTES.change(bytes(size));
    LARGEST.fetch_max(size as u64, Ordering::Relaxed);
}

/// A block is live no longer.
pub fn lost(size: usize) {
    if let Some(kind) = kind(size) {
        kind.live.change(-1);
    }
    BYTES.change(-bytes(size));
}
