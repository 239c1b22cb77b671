// SPDX-License-Identifier: GPL-2.0

//! A stock reports when a watermark is crossed, and takes back only its own pages.

use super::registry;
use crate::genp::{
    core::{block_counts::BlockCounts, watermarks::Watermarks},
    frames::free::Released,
    pool::lending::{errno, LendingState},
    stock::{Crossing, Stock},
    sys::{
        alloc_flags::CREATE_FLAGS,
        cpu::{self, PreemptGuard},
        page::FrameTable,
    },
};
use kernel::prelude::*;

/// Frames that came back whole.
fn free(frames: u32) -> Released {
    Released {
        free: frames,
        poisoned: 0,
    }
}

/// A stock with all its committed pages in it.
fn stock(frames: &FrameTable, watermarks: Watermarks) -> Result<Pin<KBox<Stock>>> {
    let stock = Stock::new(watermarks, CREATE_FLAGS)?;
    {
        let mut filling = stock.filling.lock();
        for frame in 0..watermarks.pages() {
            let slot = stock.fill(&mut filling, frames, frame).ok_or(EINVAL)?;
            stock.open(slot);
        }
    }
    Ok(stock)
}

/// Takes all pages; returns how often a crossing was reported, and how often of these with
/// fewer free pages than `low`.
fn take_all(stock: &Stock) -> Result<(u32, u32)> {
    let (mut crossed, mut low) = (0, 0);
    for _ in 0..stock.watermarks().pages() {
        let guard = PreemptGuard::begin();
        let (slot, crossing) = stock.take(&guard);
        slot.ok_or(ENOMEM)?;
        if crossing == Crossing::Crossed {
            crossed += 1;
            low += u32::from(stock.level().free() < stock.watermarks().low());
        }
    }
    Ok((crossed, low))
}

#[kunit_tests(genp_stock)]
mod tests {
    use super::*;

    /// Whatever batch its size makes CPUs count in.
    #[test]
    fn one_that_cannot_grow_reports_that_it_is_low() -> Result {
        let frames = FrameTable::allocate(1500, &BlockCounts::NONE, 0)?;
        for pages in [1, 2, 3, 10, 64, 65, 500, 1500] {
            let watermarks = Watermarks::new(pages, 0, 0).ok_or(EINVAL)?;
            let (crossed, low) = take_all(&*stock(&frames, watermarks)?)?;
            assert!(low >= 1);
            // Not with every batch down to the last page.
            assert!(crossed <= 8 + 4 * cpu::count());
        }
        Ok(())
    }

    /// However often somebody takes from a stock for which there is nothing.
    #[test]
    fn a_refill_in_vain_is_tried_again_when_frames_come_free() -> Result {
        let registry = registry()?;
        let (pool, pending) = (registry.pool(), &registry.pool().pending_refills);
        let frames = pool.config.capacity;
        let admit = |state: &mut LendingState| {
            let accounting = &mut state.accounting;
            accounting.admit(0, u32::MAX, frames, 0, 1)
        };
        let id = pool.lending.with(admit).map_err(errno)?;
        pending.put_missed(id, &PreemptGuard::begin());
        assert!(pending.take(id));
        assert!(!pool.lending.with(|state| state.commit_spare(id, 1)));
        pending.set_starved(id, true);
        for _ in 0..3 {
            pending.put_missed(id, &PreemptGuard::begin());
            assert!(!pending.take(id));
        }
        assert!(!pool.lending.with(LendingState::take_rearmed));
        // What passes a watermark is looked at all the same.
        pending.put(id, &PreemptGuard::begin());
        assert!(pending.take(id));
        pool.release(id, free(1));
        assert!(pool.lending.with(LendingState::take_rearmed));
        pending.rearm();
        assert!(pending.take(id));
        pending.put_missed(id, &PreemptGuard::begin());
        assert!(pending.take(id));
        pool.release(id, free(frames - 1));
        Ok(())
    }

    #[test]
    fn each_page_is_found_again_by_its_slot() -> Result {
        let frames = FrameTable::allocate(100, &BlockCounts::NONE, 0)?;
        let stock = stock(&frames, Watermarks::new(100, 0, 0).ok_or(EINVAL)?)?;
        for _ in 0..100 {
            let guard = PreemptGuard::begin();
            let slot = stock.take(&guard).0.ok_or(ENOMEM)?;
            let page = stock.page(slot).ok_or(EINVAL)?;
            assert!(page != 0);
            assert!(stock.holds(slot as usize, page));
            assert!(!stock.holds((slot as usize + 1) % 100, page));
            assert!(!stock.holds(usize::MAX, page));
            assert!(!stock.holds(slot as usize, 0));
        }
        Ok(())
    }

    #[test]
    fn a_page_can_be_given_once() -> Result {
        let frames = FrameTable::allocate(70, &BlockCounts::NONE, 0)?;
        let stock = stock(&frames, Watermarks::new(70, 0, 0).ok_or(EINVAL)?)?;
        let guard = PreemptGuard::begin();
        let slot = stock.take(&guard).0.ok_or(ENOMEM)?;
        assert!(stock.give(slot, &guard).is_ok());
        assert!(stock.give(slot, &guard).is_err());
        assert!(stock.give(70, &guard).is_err());
        assert_eq!(stock.level().free(), 70);
        assert_eq!(stock.level().out(), 0);
        Ok(())
    }
}
