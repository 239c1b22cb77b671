// SPDX-License-Identifier: GPL-2.0

//! The free frames are handed out zeroed, none is lost, and those that are pinned wait in
//! quarantine.

use crate::genp::{
    core::block_counts::BlockCounts,
    frames::{
        free::{Fate, FreeFrames, BATCH},
        list::FrameList,
    },
    sys::{page::FrameTable, thread::Waker},
};
use kernel::prelude::*;

const FRAMES: u32 = 100;
const PATTERN: u8 = 0xa5;

/// Free frames that are all filled with a pattern.
fn free_frames() -> Result<Pin<KBox<FreeFrames>>> {
    let frames = FrameTable::allocate(FRAMES, &BlockCounts::NONE, 0)?;
    for frame in 0..FRAMES {
        frames.fill(frame, PATTERN);
    }
    KBox::pin_init(FreeFrames::new(frames, 2, Waker::new()?)?, GFP_KERNEL)
}

/// Takes `count` frames in as many batches as it needs.
fn take(free_frames: &FreeFrames, count: u32) -> FrameList {
    let mut all = FrameList::EMPTY;
    while all.len() < count {
        let batch = free_frames.take(count - all.len(), 0, false).list;
        if batch.is_empty() {
            break;
        }
        free_frames.join(&mut all, batch);
    }
    all
}

/// Whether all frames of a list are zero; fills them with the pattern.
fn zeroed_and_spoilt(free_frames: &FreeFrames, list: &FrameList) -> bool {
    let zeroed = free_frames
        .iter(list)
        .all(|frame| free_frames.frames().is_all(frame, 0));
    for frame in free_frames.iter(list) {
        free_frames.frames().fill(frame, PATTERN);
    }
    zeroed
}

#[kunit_tests(genp_free_frames)]
mod tests {
    use super::*;

    #[test]
    fn each_frame_is_given_once_and_zeroed() -> Result {
        let free_frames = free_frames()?;
        for _ in 0..3 {
            let all = take(&free_frames, FRAMES);
            assert_eq!(all.len(), FRAMES);
            let mut seen = KVec::from_elem(false, FRAMES as usize, GFP_KERNEL)?;
            for frame in free_frames.iter(&all) {
                assert_eq!(seen.get(frame as usize), Some(&false));
                if let Some(seen) = seen.get_mut(frame as usize) {
                    *seen = true;
                }
            }
            assert!(zeroed_and_spoilt(&free_frames, &all));
            assert!(free_frames.take(1, 0, false).list.is_empty());
            free_frames.give(all);
        }
        Ok(())
    }

    #[test]
    fn a_batch_is_bounded() -> Result {
        let free_frames = free_frames()?;
        assert!(free_frames.take(0, 0, false).list.is_empty());
        let batch = free_frames.take(u32::MAX, 0, false).list;
        assert_eq!(batch.len(), BATCH);
        free_frames.give(batch);
        // A node that does not exist.
        let batch = free_frames.take(1, u32::MAX, true).list;
        assert_eq!(batch.len(), 1);
        free_frames.give(batch);
        Ok(())
    }

    #[test]
    fn the_scrubber_zeroes_everything() -> Result {
        let free_frames = free_frames()?;
        assert_eq!(free_frames.clean(), 0);
        let mut max_serves = 0;
        while free_frames.scrub().is_some() {
            max_serves += 1;
            assert!(max_serves <= FRAMES);
        }
        assert_eq!(free_frames.clean(), FRAMES);
        let all = take(&free_frames, FRAMES);
        assert_eq!(free_frames.clean(), 0);
        assert!(zeroed_and_spoilt(&free_frames, &all));
        free_frames.give(all);
        assert_eq!(free_frames.clean(), 0);
        Ok(())
    }

    #[test]
    fn clean_frames_go_first() -> Result {
        let free_frames = free_frames()?;
        assert_eq!(free_frames.scrub(), Some(0));
        let clean = free_frames.clean();
        assert!(clean > 0 && clean < BATCH);
        let batch = free_frames.take(BATCH, 0, false).list;
        assert_eq!(batch.len(), clean);
        assert!(zeroed_and_spoilt(&free_frames, &batch));
        free_frames.give(batch);
        Ok(())
    }

    #[test]
    fn held_frames_wait_in_quarantine() -> Result {
        let free_frames = free_frames()?;
        let mut all = take(&free_frames, FRAMES);
        let held = free_frames.pop(&mut all).ok_or(EINVAL)?;
        let free = free_frames.pop(&mut all).ok_or(EINVAL)?;
        free_frames.frames().pin(held);
        assert!(free_frames.give_or_quarantine(1, held) == Fate::Quarantined);
        assert!(free_frames.give_or_quarantine(1, free) == Fate::Free);
        assert_eq!(free_frames.quarantined(), 1);
        // Still pinned; and the frames of another partition are not checked at all.
        assert_eq!(free_frames.release_quarantine(1).free, 0);
        assert_eq!(free_frames.release_quarantine(0).free, 0);
        assert_eq!(free_frames.quarantined(), 1);
        assert_eq!(take(&free_frames, FRAMES).len(), 1);
        free_frames.frames().unpin(held);
        assert_eq!(free_frames.release_quarantine(1).free, 1);
        assert_eq!(free_frames.quarantined(), 0);
        let back = take(&free_frames, FRAMES);
        assert!(free_frames.iter(&back).eq(core::iter::once(held)));
        assert!(zeroed_and_spoilt(&free_frames, &back));
        Ok(())
    }

    #[test]
    fn a_partition_that_is_none_keeps_nothing() -> Result {
        let free_frames = free_frames()?;
        let mut all = take(&free_frames, 1);
        let frame = free_frames.pop(&mut all).ok_or(EINVAL)?;
        assert!(free_frames.give_or_quarantine(u32::MAX, frame) == Fate::Free);
        assert_eq!(free_frames.release_quarantine(u32::MAX).free, 0);
        assert_eq!(free_frames.quarantined(), 0);
        Ok(())
    }
}
