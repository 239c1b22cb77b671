// SPDX-License-Identifier: GPL-2.0

//! Lists keep every frame, once and in order.

use crate::genp::frames::list::{FrameLinks, FrameList};
use kernel::prelude::*;

const FRAMES: u32 = 40;

/// A list of the frames from `from` to below `to`.
fn list(from: u32, to: u32, links: &FrameLinks) -> FrameList {
    let mut list = FrameList::EMPTY;
    for frame in from..to {
        list.push(frame, links);
    }
    list
}

/// Whether the list is exactly these frames, by iteration and by its length.
fn is(list: &FrameList, links: &FrameLinks, frames: impl Iterator<Item = u32> + Clone) -> bool {
    list.len() as usize == frames.clone().count() && list.iter(links).eq(frames)
}

#[kunit_tests(genp_frame_list)]
mod tests {
    use super::*;

    #[test]
    fn first_in_first_out() -> Result {
        let links = FrameLinks::new(FRAMES)?;
        let mut all = list(0, FRAMES, &links);
        assert!(is(&all, &links, 0..FRAMES));
        for frame in 0..FRAMES {
            assert_eq!(all.pop(&links), Some(frame));
        }
        assert_eq!(all.pop(&links), None);
        assert!(all.is_empty());
        Ok(())
    }

    #[test]
    fn split_takes_from_the_front() -> Result {
        let links = FrameLinks::new(FRAMES)?;
        let mut all = list(0, FRAMES, &links);
        let none = all.split(0, &links);
        assert!(none.is_empty());
        let lending = all.split(7, &links);
        assert!(is(&lending, &links, 0..7));
        assert!(is(&all, &links, 7..FRAMES));
        let rest = all.split(u32::MAX, &links);
        assert!(is(&rest, &links, 7..FRAMES));
        assert!(all.is_empty() && all.pop(&links).is_none());
        assert!(all.split(3, &links).is_empty());
        Ok(())
    }

    #[test]
    fn append_joins_at_the_end() -> Result {
        let links = FrameLinks::new(FRAMES)?;
        let mut first = list(0, 5, &links);
        first.append(FrameList::EMPTY, &links);
        assert!(is(&first, &links, 0..5));
        first.append(list(5, 20, &links), &links);
        let mut all = FrameList::EMPTY;
        all.append(first, &links);
        all.append(list(20, FRAMES, &links), &links);
        assert!(is(&all, &links, 0..FRAMES));
        // It can still be appended to.
        let lending = all.split(20, &links);
        all.append(lending, &links);
        assert!(is(&all, &links, Iterator::chain(20..FRAMES, 0..20)));
        Ok(())
    }

    #[test]
    fn frames_that_are_none_do_no_harm() -> Result {
        let links = FrameLinks::new(2)?;
        let mut odd = list(7, 8, &links);
        assert_eq!(odd.pop(&links), Some(7));
        assert!(odd.is_empty());
        Ok(())
    }
}
