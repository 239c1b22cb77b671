// SPDX-License-Identifier: GPL-2.0

//! The store hands out zeroed frames, loses none and keeps those that are held.

use crate::genp::{
    frames::{
        free::{Store, BATCH},
        list::Chain,
    },
    sys::{page::Frames, thread::Bell},
};
use kernel::prelude::*;

const FRAMES: u32 = 100;
const PATTERN: u8 = 0xa5;

/// A store whose frames are all full of a pattern.
fn store() -> Result<Pin<KBox<Store>>> {
    let frames = Frames::allocate(FRAMES)?;
    for frame in 0..FRAMES {
        frames.fill(frame, PATTERN);
    }
    KBox::pin_init(Store::new(frames, 2, Bell::new()?)?, GFP_KERNEL)
}

/// Takes `count` frames in as many batches as it needs.
fn take(store: &Store, count: u32) -> Chain {
    let mut all = Chain::EMPTY;
    while all.len() < count {
        let batch = store.take(count - all.len(), 0);
        if batch.is_empty() {
            break;
        }
        store.join(&mut all, batch);
    }
    all
}

/// Whether all frames of a chain are zero; fills them with the pattern.
fn zeroed_and_spoilt(store: &Store, chain: &Chain) -> bool {
    let zeroed = store
        .walk(chain)
        .all(|frame| store.frames().is_all(frame, 0));
    for frame in store.walk(chain) {
        store.frames().fill(frame, PATTERN);
    }
    zeroed
}

#[kunit_tests(genp_free_frames)]
mod tests {
    use super::*;

    #[test]
    fn each_frame_is_given_once_and_zeroed() -> Result {
        let store = store()?;
        for _ in 0..3 {
            let all = take(&store, FRAMES);
            assert_eq!(all.len(), FRAMES);
            let mut seen = KVec::from_elem(false, FRAMES as usize, GFP_KERNEL)?;
            for frame in store.walk(&all) {
                assert_eq!(seen.get(frame as usize), Some(&false));
                if let Some(seen) = seen.get_mut(frame as usize) {
                    *seen = true;
                }
            }
            assert!(zeroed_and_spoilt(&store, &all));
            assert!(store.take(1, 0).is_empty());
            store.give(all);
        }
        Ok(())
    }

    #[test]
    fn a_batch_is_bounded() -> Result {
        let store = store()?;
        assert!(store.take(0, 0).is_empty());
        let batch = store.take(u32::MAX, 0);
        assert_eq!(batch.len(), BATCH);
        store.give(batch);
        // A node there is not.
        let batch = store.take(1, u32::MAX);
        assert_eq!(batch.len(), 1);
        store.give(batch);
        Ok(())
    }

    #[test]
    fn the_scrubber_zeroes_everything() -> Result {
        let store = store()?;
        assert_eq!(store.clean(), 0);
        let mut turns = 0;
        while store.scrub() {
            turns += 1;
            assert!(turns <= FRAMES);
        }
        assert_eq!(store.clean(), FRAMES);
        let all = take(&store, FRAMES);
        assert_eq!(store.clean(), 0);
        assert!(zeroed_and_spoilt(&store, &all));
        store.give(all);
        assert_eq!(store.clean(), 0);
        Ok(())
    }

    #[test]
    fn clean_frames_go_first() -> Result {
        let store = store()?;
        assert!(store.scrub());
        let clean = store.clean();
        assert!(clean > 0 && clean < BATCH);
        let batch = store.take(BATCH, 0);
        assert_eq!(batch.len(), clean);
        assert!(zeroed_and_spoilt(&store, &batch));
        store.give(batch);
        Ok(())
    }

    #[test]
    fn held_frames_wait_in_quarantine() -> Result {
        let store = store()?;
        let mut all = take(&store, FRAMES);
        let held = store.pop(&mut all).ok_or(EINVAL)?;
        let free = store.pop(&mut all).ok_or(EINVAL)?;
        store.frames().pin(held);
        assert!(!store.give_or_keep(1, held));
        assert!(store.give_or_keep(1, free));
        assert_eq!(store.quarantined(), 1);
        // Held still, and by another partition's number not even looked at.
        assert_eq!(store.release_quarantine(1), 0);
        assert_eq!(store.release_quarantine(0), 0);
        assert_eq!(store.quarantined(), 1);
        assert_eq!(take(&store, FRAMES).len(), 1);
        store.frames().unpin(held);
        assert_eq!(store.release_quarantine(1), 1);
        assert_eq!(store.quarantined(), 0);
        let back = take(&store, FRAMES);
        assert!(store.walk(&back).eq(core::iter::once(held)));
        assert!(zeroed_and_spoilt(&store, &back));
        Ok(())
    }

    #[test]
    fn a_partition_that_is_none_keeps_nothing() -> Result {
        let store = store()?;
        let mut all = take(&store, 1);
        let frame = store.pop(&mut all).ok_or(EINVAL)?;
        assert!(store.give_or_keep(u32::MAX, frame));
        assert_eq!(store.release_quarantine(u32::MAX), 0);
        assert_eq!(store.quarantined(), 0);
        Ok(())
    }
}
