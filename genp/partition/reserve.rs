// SPDX-License-Identifier: GPL-2.0

//! The reserve: frames that are there from create to the last close.

use kernel::{alloc::flags::GFP_KERNEL_ACCOUNT, mm::virt::VmaNew, page::PAGE_SHIFT, prelude::*};

use super::{backing::ExternalBacking, windows::RESERVE_OFFSET, Partition};
use crate::genp::{
    frames::free::BATCH,
    sys::{
        errno::EOPNOTSUPP,
        genalloc::{Carveout, Source},
        trace, vma,
        vmap::Vmap,
    },
};

/// What a reserve is made of.
pub(super) enum Backing {
    /// FrameTable of the pool in the order of its pages.
    FrameTable(KVVec<u32>),
    /// A piece of other memory.
    Carveout(Carveout),
}

/// The reserve.
pub(crate) struct Reserve {
    pub(super) backing: Backing,
    /// FrameTable that the desk committed and that were not taken yet.
    pub(super) promised: u32,
    /// Where the kernel has it mapped, for drivers.
    window: Option<Vmap>,
    /// Drivers that have the partition.
    drivers: u32,
}

impl Reserve {
    pub(super) const fn new() -> Self {
        Self {
            backing: Backing::FrameTable(KVVec::new()),
            promised: 0,
            window: None,
            drivers: 0,
        }
    }

    pub(super) fn pages(&self) -> u32 {
        match &self.backing {
            Backing::FrameTable(frames) => frames.len() as u32,
            Backing::Carveout(carveout) => carveout.pages(),
        }
    }

    /// Takes the last frame out.
    fn pop(&mut self) -> Option<u32> {
        match &mut self.backing {
            Backing::FrameTable(frames) => frames.pop(),
            Backing::Carveout(_) => None,
        }
    }

    /// Whether its length can change.
    pub(super) fn is_fixed(&self) -> bool {
        matches!(self.backing, Backing::Carveout(_))
    }
}

impl Partition {
    /// Pages of the reserve now.
    pub(super) fn reserve_pages(&self) -> u32 {
        self.reserve.lock().pages()
    }

    /// Takes the promised frames, zeroed, to the end of the reserve, whose table
    /// has room. Context: thread, may sleep.
    pub(super) fn fill_reserve(&self, reserve: &mut Reserve) -> Result {
        let free_frames = &self.account.pool().free_frames;
        while reserve.promised > 0 {
            let mut list = self.account.take_frames(reserve.promised);
            if list.is_empty() {
                // The desk promised frames that are not there: refuse rather
                // than turn for ever.
                return Err(ENOMEM);
            }
            while let Some(frame) = free_frames.pop(&mut list) {
                reserve.promised -= 1;
                if let Backing::FrameTable(frames) = &mut reserve.backing {
                    // Never allocates: the capacity is there.
                    frames.push(frame, GFP_ATOMIC)?;
                }
            }
        }
        Ok(())
    }

    /// Takes the reserve of a new partition and opens it for regions. Context:
    /// thread, may sleep.
    pub(super) fn populate_reserve(&self, pages: u32, source: Option<Source>) -> Result {
        let mut reserve = self.reserve.lock();
        if let Some(source) = source {
            let carveout = Carveout::take(source, u64::from(pages) << PAGE_SHIFT)?;
            self.external.populate(ExternalBacking::of(&carveout));
            reserve.backing = Backing::Carveout(carveout);
        } else {
            // First of all: what is promised is given back if anything fails.
            reserve.promised = pages;
            let frames = KVVec::with_capacity(pages as usize, GFP_KERNEL_ACCOUNT)?;
            reserve.backing = Backing::FrameTable(frames);
            self.fill_reserve(&mut reserve)?;
        }
        self.regions.open(self.regions.units_in(pages)?)
    }

    /// Gives back what was promised and not taken, and the last frames of the
    /// reserve, so that `keep` are left. They
    /// are mapped nowhere any longer. Those that somebody else still holds go
    /// into quarantine. Context: thread.
    pub(super) fn empty_reserve(&self, reserve: &mut Reserve, keep: u32) {
        self.account
            .release(::core::mem::take(&mut reserve.promised));
        loop {
            let mut freed = 0;
            let mut kept = 0;
            for _ in 0..BATCH {
                if reserve.pages() <= keep {
                    break;
                }
                let Some(frame) = reserve.pop() else {
                    break;
                };
                if self.account.give_or_quarantine(frame) {
                    freed += 1;
                } else {
                    kept += 1;
                }
            }
            if kept > 0 {
                trace::quarantine(self.id().0, kept);
            }
            self.account.pool().wakers.scrub.wake();
            self.account.release(freed);
            if freed + kept == 0 {
                return;
            }
        }
    }

    /// Lets one more driver have the partition, and maps the reserve for the kernel if
    /// that was not done before. ENOMEM. Context: thread, may sleep.
    pub(crate) fn admit_driver(&self) -> Result {
        let mut reserve = self.reserve.lock();
        if reserve.window.is_none() && reserve.pages() > 0 {
            let base = match &reserve.backing {
                Backing::Carveout(carveout) => carveout.start(),
                Backing::FrameTable(frames) => {
                    let window = Vmap::map(self.account.pool().free_frames.frames(), frames)?;
                    let base = window.start();
                    reserve.window = Some(window);
                    base
                }
            };
            // ORDERING: pairs with `driver_address`.
            self.driver_base.store(base as u64);
        }
        reserve.drivers = reserve.drivers.saturating_add(1);
        Ok(())
    }

    /// Lets a driver go; the last one not while anything of a driver's is
    /// `outstanding`: EBUSY. Context: thread, may sleep.
    pub(crate) fn dismiss_driver(&self, outstanding: impl FnOnce() -> bool) -> Result {
        let mut reserve = self.reserve.lock();
        if reserve.drivers <= 1 && outstanding() {
            return Err(EBUSY);
        }
        reserve.drivers = reserve.drivers.saturating_sub(1);
        Ok(())
    }

    /// Whether the reserve is mapped for drivers, so that it cannot change its size.
    pub(super) fn is_pinned_by_drivers(reserve: &Reserve) -> bool {
        reserve.window.is_some()
    }

    /// The kernel address of a place in the reserve, for drivers. Context: any.
    pub(crate) fn driver_address(&self, offset: u64) -> Option<usize> {
        // ORDERING: pairs with `admit_driver`.
        match self.driver_base.load() {
            0 => None,
            base => base.checked_add(offset).map(|address| address as usize),
        }
    }

    /// Unmaps the reserve for drivers, of whom there are none any longer, and gives
    /// back what is not of the pool. Context: thread, may sleep.
    pub(super) fn unmap_for_drivers(&self, reserve: &mut Reserve) {
        self.driver_base.store(0);
        reserve.window = None;
        if reserve.is_fixed() {
            reserve.backing = Backing::FrameTable(KVVec::new());
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
        match &reserve.backing {
            Backing::FrameTable(frames) => {
                vma::map_reserve(vma, self.account.pool().free_frames.frames(), frames)
            }
            Backing::Carveout(carveout) if carveout.is_mappable() => {
                vma::map_carveout(vma, carveout)
            }
            Backing::Carveout(_) => Err(EOPNOTSUPP),
        }
    }
}
