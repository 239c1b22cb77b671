// SPDX-License-Identifier: GPL-2.0

//! The reserve: memory that is there from create to the last close.

mod drivers;
mod errors;
mod frames;
mod heap;
mod told;

use kernel::{
    mm::virt::VmaNew,
    page::PAGE_SHIFT,
    prelude::*,
    sync::{lock::Guard, SetOnce},
    time::{delay::fsleep, Delta},
};

use crate::genp::{
    core::count::Count,
    frames::free::{Fate, Released, BATCH},
    pool::account::PoolAccount,
    sys::{
        abi,
        alloc_flags::CREATE_FLAGS,
        atomic::InlineAtomic,
        cpu::PreemptGuard,
        errno::EOPNOTSUPP,
        file::{FileOwner, Mapping},
        genalloc::{Carveout, Source},
        lock::{new_pi_mutex, Pi, PiMutex},
        table, time, trace,
        vma::{self, ReserveFault, FAULT_POISONED},
    },
};
use drivers::ExternalBacking;
use frames::Backing;
use told::ToldPages;

pub(super) use frames::ReserveFrames;

/// File offset of the reserve.
pub(crate) const RESERVE_OFFSET: u64 = 0;

/// Pages that are zeroed with preemption off, between two looks at the clock.
const STRETCH: usize = 8;

/// How often pages that are cut off are unmapped at most, every 100 us.
const CUT_TRIES: u32 = 10_000;

/// The reserve of a partition.
///
/// Growing, shrinking and closing hold its lock over several calls: the functions that
/// take a [`ReserveFrames`] are called with what [`Self::lock`] returned.
#[pin_data]
pub(crate) struct Reserve {
    account: PoolAccount,
    #[pin]
    frames: PiMutex<ReserveFrames>,
    /// Its pages since the last change, for who must not wait for the lock.
    settled: InlineAtomic,
    /// Where it is, if it is not of the pool.
    external: SetOnce<ExternalBacking>,
    /// Where the kernel has it mapped for drivers, or 0.
    driver_base: InlineAtomic,
    /// Where in it the heap's figures are, or `GENP_NO_OFFSET`.
    heap_at: InlineAtomic,
    /// The page cache of the file, by which all mappings are found.
    file_mapping: SetOnce<Mapping>,
}

impl Reserve {
    /// A reserve of no pages.
    pub(super) fn new(account: PoolAccount) -> impl PinInit<Self> {
        pin_init!(Self {
            account,
            frames <- new_pi_mutex!(ReserveFrames::new(), "genp_reserve"),
            settled: InlineAtomic::new(0),
            external: SetOnce::new(),
            driver_base: InlineAtomic::new(0),
            heap_at: InlineAtomic::new(abi::GENP_NO_OFFSET as u64),
            file_mapping: SetOnce::new(),
        })
    }

    /// Tells it of the partition's file, once.
    pub(super) fn set_file(&self, mapping: Mapping) {
        self.file_mapping.populate(mapping);
    }

    /// Context: thread, may sleep while somebody else changes or maps the reserve.
    pub(super) fn lock(&self) -> Guard<'_, ReserveFrames, Pi> {
        self.frames.lock()
    }

    /// Pages it has now. Context: thread, may sleep.
    pub(super) fn pages(&self) -> u32 {
        self.lock().pages()
    }

    /// Has others see the length that it has now.
    pub(super) fn settle(&self, frames: &ReserveFrames) {
        self.settled.store(frames.pages().into());
    }

    /// Pages it has now, or had before a change that is under way. Context: any.
    pub(super) fn settled_pages(&self) -> u64 {
        self.settled.load()
    }

    /// Takes the memory of a new reserve: from the pool, with ENOMEM, if there is no
    /// `source`, or else with the errors of [`Carveout::take`]. Context: thread, may sleep;
    /// zeroes the memory.
    pub(super) fn populate(
        &self,
        frames: &mut ReserveFrames,
        pages: u32,
        source: Option<Source>,
    ) -> Result {
        let Some(source) = source else {
            // First of all: what is promised is given back if anything fails.
            frames.promised = pages;
            let table = table::with_room(pages as usize, CREATE_FLAGS)?;
            frames.backing = Backing::Frames(table);
            return self.fill(frames);
        };
        frames.told = ToldPages::new(pages, CREATE_FLAGS)?;
        let carveout = Carveout::take(source, u64::from(pages) << PAGE_SHIFT)?;
        self.external.populate(ExternalBacking::of(&carveout));
        frames.backing = Backing::Carveout(carveout);
        Ok(())
    }

    /// Takes the promised frames, zeroed, to the end of the reserve, whose table has room.
    /// ENOMEM. Context: thread, may sleep.
    pub(super) fn fill(&self, frames: &mut ReserveFrames) -> Result {
        let free_frames = &self.account.pool().free_frames;
        // loop-bound: reserve_pages
        while frames.promised > 0 {
            let mut list = self.account.take_frames(frames.promised);
            if list.is_empty() {
                // Frames were promised in which errors were found since: refuse rather
                // than try forever.
                return Err(ENOMEM);
            }
            // loop-total: reserve_pages
            while let Some(frame) = free_frames.pop(&mut list) {
                frames.promised.lower(1);
                if let Backing::Frames(table) = &mut frames.backing {
                    // The capacity is there.
                    table.push_within_capacity(frame)?;
                }
            }
        }
        Ok(())
    }

    /// Gives back what was promised and not taken, and the last frames of the reserve, so
    /// that `keep` are left. They are no longer mapped anywhere. Those that somebody else
    /// still holds go into quarantine. Context: thread, may sleep.
    pub(super) fn empty(&self, frames: &mut ReserveFrames, keep: u32) {
        self.account
            .release_promised(::core::mem::take(&mut frames.promised));
        let all = self.account.pool().free_frames.frames();
        // loop-bound: reserve_pages / BATCH + 2
        loop {
            let mut released = Released::default();
            let mut quarantined = 0u32;
            // loop-bound: BATCH
            for _ in 0..BATCH {
                if frames.pages() <= keep {
                    break;
                }
                let Some(frame) = frames.pop() else {
                    break;
                };
                all.anonymize(frame);
                let fate = self.account.give_or_quarantine(frame);
                released.count(fate);
                quarantined.raise(u32::from(fate == Fate::Quarantined));
            }
            if quarantined > 0 {
                trace::quarantine(self.account.id().0, quarantined);
            }
            self.account.pool().wakers.scrub.wake();
            self.account.release(released);
            if released.frames() == 0 && quarantined == 0 {
                return;
            }
        }
    }

    /// Zeroes the frames of the pool that it has, and nobody uses. Calls `took` with how long
    /// each stretch of [`STRETCH`] took for a page; preemption is off meanwhile. Context:
    /// thread, may sleep.
    pub(super) fn zero(&self, frames: &ReserveFrames, mut took: impl FnMut(u64)) {
        let all = self.account.pool().free_frames.frames();
        let Backing::Frames(table) = &frames.backing else {
            return;
        };
        for stretch in table.chunks(STRETCH) {
            let here = PreemptGuard::begin();
            let begin = time::now();
            stretch.iter().for_each(|&frame| all.zero(frame));
            let whole = time::now().saturating_sub(begin);
            drop(here);
            took(whole / stretch.len().max(1) as u64);
        }
    }

    /// Maps all of it: EINVAL for another length, EOPNOTSUPP for memory that user space
    /// cannot have, and the errors of [`vma::map_reserve`]. Context: thread, under the mmap
    /// lock; may sleep.
    pub(super) fn map<T: FileOwner>(&self, owner: &T, vma: &VmaNew) -> Result {
        let frames = self.lock();
        let length = u64::from(frames.pages()) << PAGE_SHIFT;
        if length == 0 || vma::window_length(vma) != length {
            return Err(EINVAL);
        }
        debug_assert_eq!(vma::window_offset(vma), RESERVE_OFFSET);
        match &frames.backing {
            Backing::Frames(table) => {
                let frames = self.account.pool().free_frames.frames();
                vma::map_reserve(vma, owner, frames, table)
            }
            Backing::Carveout(carveout) if carveout.is_mappable() => {
                vma::map_carveout(vma, owner, carveout)
            }
            Backing::Carveout(_) => Err(EOPNOTSUPP),
        }
    }

    /// A page fault: maps page `page` again, whose frame the reserve still has, unless there
    /// is a memory error in it. Returns what the kernel is to be told, or 0 for a page that
    /// is not the reserve's. Context: thread, in a page fault; may sleep while somebody else
    /// changes or maps the reserve.
    pub(crate) fn fault(&self, page: usize, fault: &ReserveFault<'_>) -> u32 {
        // Held until the page is mapped: whoever shrinks the reserve unmaps it under this.
        let frames = self.lock();
        match &frames.backing {
            Backing::Frames(table) => table.get(page).map_or(0, |frame| {
                fault.insert(self.account.pool().free_frames.frames(), *frame)
            }),
            // It was mapped whole, but for the pages with errors.
            Backing::Carveout(carveout) if carveout.poisoned(page) => FAULT_POISONED,
            Backing::Carveout(_) => 0,
        }
    }

    /// Unmaps `count` pages from `first` on wherever they are mapped.
    ///
    /// A mapping that is just being made has its pages before the kernel enters it in the
    /// file's list of mappings, by which this finds it. Whoever makes it holds no lock of
    /// ours any more, so this tries again until it is done, [`CUT_TRIES`] times at most: who
    /// is kept from running longer than that keeps the pages, which are quarantined then.
    /// Context: thread, may sleep; as long as making a mapping takes, and a second or so.
    pub(super) fn unmap(&self, frames: &ReserveFrames, first: u32, count: u32) {
        let Some(mapping) = self.file_mapping.as_ref() else {
            return;
        };
        let offset = RESERVE_OFFSET + (u64::from(first) << PAGE_SHIFT);
        // loop-bound: cuts
        for _ in 0..CUT_TRIES {
            mapping.zap(offset, u64::from(count) << PAGE_SHIFT);
            if !self.is_mapped(frames, first, count) {
                return;
            }
            fsleep(Delta::from_micros(100));
        }
    }

    /// Whether one of `count` frames from `first` on is mapped by a process. Linear.
    fn is_mapped(&self, frames: &ReserveFrames, first: u32, count: u32) -> bool {
        let Backing::Frames(table) = &frames.backing else {
            return false;
        };
        let all = self.account.pool().free_frames.frames();
        let part = table.iter().skip(first as usize).take(count as usize);
        // loop-bound: reserve_pages
        part.copied().any(|frame| all.mapped(frame))
    }
}
