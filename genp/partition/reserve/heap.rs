// SPDX-License-Identifier: GPL-2.0

//! What the heap in a reserve says of itself: the owner writes two numbers into the reserve,
//! and says once where. The kernel reads them when somebody asks, so that no allocation
//! makes a call for it. They are shown, and nothing is decided by them.

use kernel::{
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
};

use super::{frames::Backing, Reserve, ReserveFrames};
use crate::genp::sys::{abi, errno::EOPNOTSUPP};

const NOWHERE: u64 = abi::GENP_NO_OFFSET as u64;

/// The figures begin at a multiple of their size, so that they are in one page.
const SIZE: u64 = ::core::mem::size_of::<abi::genp_heap_figures>() as u64;

/// What a heap says is in use, and was at most.
#[derive(Clone, Copy)]
pub(in crate::genp::partition) struct HeapFigures {
    pub(in crate::genp::partition) used: u64,
    pub(in crate::genp::partition) peak: u64,
}

impl HeapFigures {
    /// Nothing is told.
    pub(in crate::genp::partition) const NONE: Self = Self {
        used: abi::GENP_NOT_TOLD as u64,
        peak: abi::GENP_NOT_TOLD as u64,
    };
}

impl Reserve {
    /// Has the figures read at this offset of the reserve from now on, or nowhere for
    /// `GENP_NO_OFFSET`: EINVAL if it is not in the reserve or no multiple of 16,
    /// EOPNOTSUPP for a reserve that is not in the pool. Context: thread, may sleep.
    pub(in crate::genp::partition) fn set_heap(&self, offset: u64) -> Result {
        if offset != NOWHERE {
            let frames = self.lock();
            if frames.is_fixed() {
                return Err(EOPNOTSUPP);
            }
            let bytes = u64::from(frames.pages()) << PAGE_SHIFT;
            if offset % SIZE != 0 || offset >= bytes {
                return Err(EINVAL);
            }
        }
        self.heap_at.store(offset);
        Ok(())
    }

    /// The figures now. Context: thread, may sleep.
    pub(in crate::genp::partition) fn heap_figures(&self) -> HeapFigures {
        self.read_figures(&self.lock()).unwrap_or(HeapFigures::NONE)
    }

    /// The figures now, or none if somebody else has the lock: waits for nobody. Context:
    /// thread.
    pub(in crate::genp::partition) fn heap_figures_unless_locked(&self) -> HeapFigures {
        let frames = self.frames.try_lock();
        frames
            .and_then(|frames| self.read_figures(&frames))
            .unwrap_or(HeapFigures::NONE)
    }

    /// None if they are not told, were cut off, or are in a page with a memory error.
    fn read_figures(&self, frames: &ReserveFrames) -> Option<HeapFigures> {
        let Backing::Frames(table) = &frames.backing else {
            return None;
        };
        let offset = self.heap_at.load();
        let frame = *table.get(usize::try_from(offset >> PAGE_SHIFT).ok()?)?;
        if self.account.poisoned(frame) {
            return None;
        }
        // CAST: below the size of a page.
        let within = (offset % PAGE_SIZE as u64) as u32;
        let all = self.account.pool().free_frames.frames();
        let [used, peak] = all.two_words(frame, within)?;
        let most = (table.len() as u64) << PAGE_SHIFT;
        Some(HeapFigures {
            used: used.min(most),
            peak: peak.min(most),
        })
    }
}
