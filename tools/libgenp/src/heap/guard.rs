// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checking mode, by the environment variable GENP_CHECK: bytes behind each block show
//! when somebody wrote there.

use super::{
    engine,
    memory::{Checked, Damaged, Memory},
};

/// What is behind a block.
const FENCE: u8 = 0xb5;
/// Bytes behind a block that are looked at, at most.
const MOST: usize = 256;

/// What to do about writes behind a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guarding {
    /// They are not looked for.
    Off,
    /// Freeing the block is an error.
    Refuse,
    /// The process ends.
    Abort,
}

impl Guarding {
    /// What the environment asks for.
    pub(super) fn of_process() -> Self {
        match std::env::var_os("GENP_CHECK") {
            None => Self::Off,
            Some(value) if value.is_empty() || value == "0" => Self::Off,
            Some(value) if value == "abort" => Self::Abort,
            Some(_) => Self::Refuse,
        }
    }

    #[inline(always)]
    pub(super) fn is_on(self) -> bool {
        self != Self::Off
    }

    /// The size with room for a byte behind it.
    pub(super) fn padded(self, size: usize) -> Option<usize> {
        match self {
            Self::Off => Some(size),
            _ => size.checked_add(1),
        }
    }

    /// The bytes behind a block: their address and their number.
    fn fence(memory: &Memory, at: usize, size: usize) -> (*mut u8, usize) {
        // SAFETY: the callers have a block there.
        let bytes = engine::bytes(unsafe { engine::extent_of(memory, at) });
        let start = memory.address(at).as_ptr().wrapping_add(size);
        (start, bytes.saturating_sub(size).min(MOST))
    }

    /// Fills what is behind a new block.
    pub(super) fn draw(self, memory: &Memory, at: usize, size: usize) {
        if self.is_on() {
            let (start, length) = Self::fence(memory, at, size);
            // SAFETY: the rest of the block, which belongs to nobody.
            unsafe { start.write_bytes(FENCE, length) };
        }
    }

    /// [`Damaged`] if somebody wrote behind a block with this owner word.
    pub(super) fn check(self, memory: &Memory, at: usize, owner: u64) -> Checked<()> {
        if !self.is_on() {
            return Ok(());
        }
        let (start, length) = Self::fence(memory, at, (owner >> 32) as usize);
        // SAFETY: as above.
        let whole = (0..length).all(|i| unsafe { start.add(i).read_volatile() } == FENCE);
        match (whole, self) {
            (true, _) => Ok(()),
            (false, Self::Abort) => {
                eprintln!(
                    "libgenp: somebody wrote behind a block of {} bytes at {:p}",
                    owner >> 32,
                    memory.address(at)
                );
                std::process::abort()
            }
            _ => Err(Damaged),
        }
    }
}
