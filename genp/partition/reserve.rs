// SPDX-License-Identifier: GPL-2.0

//! The reserve: frames that are there from create to the last close.

use kernel::{alloc::flags::GFP_KERNEL_ACCOUNT, mm::virt::VmaNew, page::PAGE_SHIFT, prelude::*};

use super::{
    super::{
        core::range::RangeError,
        pool::store::BATCH,
        sys::{errno::E2BIG, trace, vma},
    },
    windows::RESERVE_OFFSET,
    Partition,
};

/// The frames of the reserve in the order of its pages.
pub(crate) struct Reserve {
    pub(super) frames: KVVec<u32>,
    /// Frames that the desk committed and that were not taken yet.
    pub(super) promised: u32,
}

impl Reserve {
    pub(super) const fn new() -> Self {
        Self {
            frames: KVVec::new(),
            promised: 0,
        }
    }

    pub(super) fn pages(&self) -> u32 {
        self.frames.len() as u32
    }
}

impl Partition {
    /// Pages of the reserve now.
    pub(super) fn reserve_pages(&self) -> u32 {
        self.reserve.lock().pages()
    }

    /// Units of regions in `pages`: E2BIG for more than there are handles.
    pub(super) fn units(&self, pages: u32) -> Result<u32> {
        let bytes = u64::from(pages) << PAGE_SHIFT;
        match u32::try_from(bytes >> self.shape.order) {
            Ok(u32::MAX) | Err(_) => Err(E2BIG),
            Ok(units) => Ok(units),
        }
    }

    /// Takes the promised frames, zeroed, to the end of the reserve, whose table
    /// has room. Context: thread, may sleep.
    pub(super) fn fill_reserve(&self, reserve: &mut Reserve) -> Result {
        let store = &self.pool.store;
        while reserve.promised > 0 {
            let mut chain = store.take(reserve.promised, self.shape.preferred);
            if chain.is_empty() {
                // The desk promised frames that are not there: refuse rather
                // than turn for ever.
                return Err(ENOMEM);
            }
            while let Some(frame) = store.pop(&mut chain) {
                reserve.promised -= 1;
                // Never allocates: the capacity is there.
                reserve.frames.push(frame, GFP_ATOMIC)?;
            }
        }
        Ok(())
    }

    /// Takes the reserve of a new partition and opens it for regions. Context:
    /// thread, may sleep.
    pub(super) fn furnish(&self, pages: u32) -> Result {
        let units = self.units(pages)?;
        let mut reserve = self.reserve.lock();
        reserve.promised = pages;
        reserve.frames = KVVec::with_capacity(pages as usize, GFP_KERNEL_ACCOUNT)?;
        self.fill_reserve(&mut reserve)?;
        self.regions
            .lock()
            .grow(units)
            .map_err(|error| match error {
                RangeError::TooLarge => E2BIG,
                _ => ENOMEM,
            })
    }

    /// Gives back what was promised and not taken, and the last frames of the
    /// reserve, so that `keep` are left. They
    /// are mapped nowhere any longer. Those that somebody else still holds go
    /// into quarantine. Context: thread.
    pub(super) fn empty_reserve(&self, reserve: &mut Reserve, keep: u32) {
        self.pool
            .release(self.id, ::core::mem::take(&mut reserve.promised));
        loop {
            let mut freed = 0;
            let mut kept = 0;
            for _ in 0..BATCH {
                if reserve.pages() <= keep {
                    break;
                }
                let Some(frame) = reserve.frames.pop() else {
                    break;
                };
                if self.pool.store.give_or_keep(self.id.0, frame) {
                    freed += 1;
                } else {
                    kept += 1;
                }
            }
            if kept > 0 {
                trace::quarantine(self.id.0, kept);
            }
            self.pool.bells.scrub.ring();
            self.pool.release(self.id, freed);
            if freed + kept == 0 {
                return;
            }
        }
    }

    /// Maps the reserve. Context: thread, under the mmap lock.
    pub(super) fn map_reserve(&self, vma: &VmaNew) -> Result {
        let reserve = self.reserve.lock();
        let length = u64::from(reserve.pages()) << PAGE_SHIFT;
        if length == 0 || vma::window_length(vma) != length {
            return Err(EINVAL);
        }
        debug_assert_eq!(vma::window_offset(vma), RESERVE_OFFSET);
        vma::map_reserve(vma, self.pool.store.frames(), &reserve.frames)
    }
}
