// SPDX-License-Identifier: GPL-2.0

//! The frames of a pool are distinct pages, and zeroing one zeroes all of it.

use crate::genp::{core::block_counts::BlockCounts, sys::page::FrameTable};
use kernel::prelude::*;

const FRAMES: u32 = 300;

#[kunit_tests(genp_frames)]
mod tests {
    use super::*;

    #[test]
    fn all_are_there_once() -> Result {
        let (first, second) = (
            FrameTable::allocate(FRAMES, &BlockCounts::NONE, 0)?,
            FrameTable::allocate(7, &BlockCounts::NONE, 0)?,
        );
        assert_eq!(first.len(), FRAMES);
        assert_eq!(second.len(), 7);
        let mut pages = KVec::new();
        for frames in [&first, &second] {
            for frame in 0..frames.len() {
                pages.push(frames.page_number(frame), GFP_KERNEL)?;
            }
        }
        pages.sort_unstable();
        assert!(pages.iter().zip(pages.iter().skip(1)).all(|(a, b)| a != b));
        assert!(pages.first() != Some(&0));
        Ok(())
    }

    #[test]
    fn each_has_a_node_of_the_pool() -> Result {
        let frames = FrameTable::allocate(FRAMES, &BlockCounts::NONE, 0)?;
        assert!(frames.nodes() >= 1);
        assert!((0..FRAMES).all(|frame| frames.node_of(frame) < frames.nodes()));
        assert!(frames.node_id(0) >= 0);
        assert!(frames.node_id(frames.nodes()) < 0);
        Ok(())
    }

    #[test]
    fn zeroing_stays_within_its_frame() -> Result {
        let frames = FrameTable::allocate(3, &BlockCounts::NONE, 0)?;
        for frame in 0..3 {
            frames.fill(frame, 0xa5);
        }
        frames.zero(1);
        assert!(frames.is_all(0, 0xa5));
        assert!(frames.is_all(1, 0));
        assert!(frames.is_all(2, 0xa5));
        // Numbers that no frame has.
        frames.zero(3);
        frames.zero(u32::MAX);
        Ok(())
    }

    #[test]
    fn another_reference_is_seen() -> Result {
        let frames = FrameTable::allocate(2, &BlockCounts::NONE, 0)?;
        assert!(!frames.shared(0) && !frames.shared(1));
        frames.pin(1);
        assert!(!frames.shared(0) && frames.shared(1));
        frames.unpin(1);
        assert!(!frames.shared(1));
        Ok(())
    }
}
