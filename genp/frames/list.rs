// SPDX-License-Identifier: GPL-2.0

//! Linked lists of frame numbers. The frames of a lease, a free list and a batch are such
//! lists, so giving one back is one splice, whatever its length.

use kernel::prelude::*;

use crate::genp::sys::{alloc_flags::SETUP_FLAGS, cell::RelaxedCell, table};

/// No frame.
const NONE: u32 = u32::MAX;

/// For each frame its successor in its list.
///
/// A frame is in one list at a time, and only the owner of that list reads or writes its
/// links: those of the free lists under their lock, those of a lease under the lock of
/// its partition's windows. These locks order the accesses.
pub(crate) struct FrameLinks(KVVec<RelaxedCell>);

impl FrameLinks {
    /// What the links take for each frame.
    pub(crate) const BYTES_A_FRAME: usize = ::core::mem::size_of::<RelaxedCell>();

    /// Allocates the links of `count` frames. Context: thread, may sleep.
    pub(crate) fn new(count: u32) -> Result<Self> {
        let links = (0..count).map(|_| RelaxedCell::new(NONE));
        Ok(Self(table::collect(links, SETUP_FLAGS)?))
    }

    #[inline]
    fn next(&self, frame: u32) -> u32 {
        match self.0.get(frame as usize) {
            Some(next) => next.get(),
            None => NONE,
        }
    }

    fn set_next(&self, frame: u32, next: u32) {
        if let Some(link) = self.0.get(frame as usize) {
            link.set(next);
        }
    }
}

/// A list of frames, which it owns: dropping one that is not empty leaks them. Its length
/// decides where it ends; the link of its last frame has no meaning.
#[must_use]
pub(crate) struct FrameList {
    first: u32,
    last: u32,
    len: u32,
}

impl FrameList {
    pub(crate) const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
        len: 0,
    };

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends one frame that is in no list. O(1), any context.
    pub(crate) fn push(&mut self, frame: u32, links: &FrameLinks) {
        links.set_next(frame, NONE);
        if self.len == 0 {
            self.first = frame;
        } else {
            links.set_next(self.last, frame);
        }
        self.last = frame;
        self.len = self.len.saturating_add(1);
    }

    /// Takes the first frame out. O(1), any context.
    pub(crate) fn pop(&mut self, links: &FrameLinks) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let frame = self.first;
        self.first = links.next(frame);
        self.len -= 1;
        if self.len == 0 {
            *self = Self::EMPTY;
        }
        Some(frame)
    }

    /// Appends all of `other`. O(1), any context.
    pub(crate) fn append(&mut self, other: Self, links: &FrameLinks) {
        if other.len == 0 {
            return;
        }
        if self.len == 0 {
            *self = other;
            return;
        }
        links.set_next(self.last, other.first);
        self.last = other.last;
        self.len = self.len.saturating_add(other.len);
    }

    /// Moves up to `most` frames, a batch at most, from the front of `self` to a list of their
    /// own. O(most); reads their links and changes none.
    pub(crate) fn split(&mut self, most: u32, links: &FrameLinks) -> Self {
        if most == 0 {
            return Self::EMPTY;
        }
        if most >= self.len {
            return ::core::mem::replace(self, Self::EMPTY);
        }
        let mut last = self.first;
        // A lease is filled from them, and tries again for a frame with an error.
        // loop-total: lease_pages + poisoned
        for _ in 1..most {
            last = links.next(last);
        }
        let front = Self {
            first: self.first,
            last,
            len: most,
        };
        self.first = links.next(last);
        self.len -= most;
        front
    }

    /// The frames in order. The caller owns the list for as long as it iterates.
    pub(crate) fn iter<'a>(&self, links: &'a FrameLinks) -> Iter<'a> {
        Iter {
            links,
            at: self.first,
            left: self.len,
        }
    }
}

/// An iterator over the frames of a list.
#[derive(Clone)]
pub(crate) struct Iter<'a> {
    links: &'a FrameLinks,
    at: u32,
    left: u32,
}

impl Iter<'_> {
    /// Calls `look` with the next `count` frames, or as many as there are.
    #[inline]
    pub(crate) fn visit(&mut self, count: u32, mut look: impl FnMut(u32)) {
        let count = count.min(self.left);
        // loop-total: lease_pages
        for _ in 0..count {
            let frame = self.at;
            self.at = self.links.next(frame);
            look(frame);
        }
        self.left -= count;
    }
}

impl Iterator for Iter<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.left == 0 {
            return None;
        }
        let frame = self.at;
        self.left -= 1;
        self.at = self.links.next(frame);
        Some(frame)
    }
}
