// SPDX-License-Identifier: GPL-2.0

//! Regions at a chosen place: the lowest one, the smallest block, a fixed offset.
//!
//! Such a place is not found in constant time: the blocks are walked from the
//! lowest on. So that nobody holds a lock meanwhile, the walk goes in short
//! stretches and the range may change between them. Whoever changes it keeps the
//! walk true in a constant number of steps: what it has seen stays seen. Who frees
//! a block that the walk has passed and was looking for gives it to the search at
//! once, so a search ends after one walk, whatever others do meanwhile.

use core::ops::DerefMut;

use super::{node::State, Block, Node, Range, RangeError, NONE};

/// How often the best block may be snatched away before the next one that surely
/// fits is good enough.
const LOSSES: u32 = 8;

/// Where a region is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// As low as it fits: genalloc's first fit.
    Lowest,
    /// In the smallest free block where it fits, the lowest of several. If others
    /// take that block away again and again while the search is under way, in one
    /// of the next classes of sizes: a sixteenth larger.
    Smallest,
    /// At this unit.
    At(u32),
}

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Want {
    /// Its length.
    pub units: u32,
    /// The offset plus `phase` is a multiple of this, a power of two. Not looked at
    /// for [`Place::At`].
    pub align: u32,
    /// How far unit 0 lies above a multiple of `align`.
    pub phase: u32,
    /// Where it is to be.
    pub place: Place,
    /// Whether it is to be a driver's, as by [`Range::alloc_held`].
    pub held: bool,
}

/// A walk under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    want: Want,
    /// The next block to look at; all below have been seen.
    cursor: u32,
    /// The smallest block seen that fits.
    best: u32,
    losses: u32,
}

/// The search of a range, one at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Search {
    /// There is none.
    None,
    /// It goes on.
    Walking(Walk),
    /// It ended, and nobody asked yet.
    Over(Result<Block, RangeError>),
}

impl<N: DerefMut<Target = [Node]>> Range<N> {
    /// Begins a search. A constant number of steps. Whoever gets `Ok` goes on with
    /// [`Self::search`] until there is an answer.
    pub fn begin_search(&mut self, want: Want) -> Result<(), RangeError> {
        if want.units == 0 {
            return Err(RangeError::Empty);
        }
        if !want.align.is_power_of_two() {
            return Err(RangeError::BadAlign);
        }
        let start = match want.place {
            Place::At(offset) => offset,
            _ => 0,
        };
        let end = start.checked_add(want.units);
        if end.is_none_or(|end| end > self.units) {
            return Err(RangeError::TooLarge);
        }
        if !matches!(self.search, Search::None) {
            return Err(RangeError::Busy);
        }
        self.search = Search::Walking(Walk {
            want,
            cursor: self.bottom,
            best: NONE,
            losses: 0,
        });
        Ok(())
    }

    /// Looks at the next `most` blocks at most: the answer, or `None` if there are
    /// more of them.
    pub fn search(&mut self, most: u32) -> Option<Result<Block, RangeError>> {
        for _ in 0..most {
            let Search::Walking(walk) = self.search else {
                break;
            };
            self.look(walk);
        }
        let Search::Over(answer) = self.search else {
            return None;
        };
        self.search = Search::None;
        Some(answer)
    }

    /// Allocates at a chosen place, in one go: linear in the blocks.
    pub fn alloc_placed(&mut self, want: Want) -> Result<Block, RangeError> {
        self.begin_search(want)?;
        // A walk passes each block once, and ends with the last one.
        let blocks = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let answer = self.search(blocks);
        self.search = Search::None;
        answer.unwrap_or(Err(RangeError::NoBlock))
    }

    /// Looks at the block under the cursor and goes on to the one above it.
    fn look(&mut self, mut walk: Walk) {
        let index = walk.cursor;
        if index == NONE {
            return self.end_of(walk);
        }
        let node = *self.node(index);
        walk.cursor = node.above;
        match walk.want.place {
            Place::At(offset) if offset.wrapping_sub(node.offset) < node.units => {
                return self.settle(index, offset.wrapping_sub(node.offset), walk.want);
            }
            Place::Lowest if node.state == State::Free => {
                if let Some(front) = self.fit_want(index, walk.want) {
                    return self.settle(index, front, walk.want);
                }
            }
            Place::Smallest if self.is_better(index, walk) => walk.best = index,
            _ => {}
        }
        self.search = Search::Walking(walk);
        if walk.cursor == NONE {
            self.end_of(walk);
        }
    }

    /// All blocks have been seen.
    fn end_of(&mut self, walk: Walk) {
        let want = walk.want;
        let found = match self.fit_want(walk.best, want) {
            Some(front) => Some((walk.best, front)),
            None if walk.losses > LOSSES => self.find(want.units, want.align, want.phase),
            None => None,
        };
        match found {
            Some((index, front)) => self.settle(index, front, want),
            None => self.search = Search::Over(Err(RangeError::NoBlock)),
        }
    }

    /// Ends the search with a region in a block, if that is free and long enough.
    fn settle(&mut self, index: u32, front: u32, want: Want) {
        self.search = Search::None;
        let node = *self.node(index);
        let end = front.checked_add(want.units);
        let fits = node.state == State::Free && end.is_some_and(|end| end <= node.units);
        let state = match want.held {
            true => State::Held,
            false => State::Used,
        };
        let claimed = if fits {
            self.claim(index, front, want.units, state)
        } else {
            Err(RangeError::NoBlock)
        };
        self.search = Search::Over(claimed);
    }

    fn fit_want(&self, index: u32, want: Want) -> Option<u32> {
        self.fit(index, want.units, want.align, want.phase)
    }

    /// Whether a block fits better than the best one so far.
    fn is_better(&self, index: u32, walk: Walk) -> bool {
        let node = *self.node(index);
        if node.state != State::Free || self.fit_want(index, walk.want).is_none() {
            return false;
        }
        let best = *self.node(walk.best);
        walk.best == NONE || (node.units, node.offset) < (best.units, best.offset)
    }

    /// Whether the walk has seen a block, or would have, were it there already.
    fn is_seen(&self, index: u32, walk: Walk) -> bool {
        walk.cursor == NONE || self.node(index).offset < self.node(walk.cursor).offset
    }

    // What changes keep the walk true with. Each is a constant number of steps.

    /// A block is free now.
    #[inline(always)]
    pub(super) fn search_sees_free(&mut self, index: u32) {
        if let Search::Walking(walk) = self.search {
            self.note_free(index, walk);
        }
    }

    #[cold]
    fn note_free(&mut self, index: u32, mut walk: Walk) {
        let picky = walk.want.place == Place::Smallest && walk.losses <= LOSSES;
        if picky && self.is_seen(index, walk) && self.is_better(index, walk) {
            walk.best = index;
            self.search = Search::Walking(walk);
        }
    }

    /// A region was freed, and this is the free block it is in now. Nothing below
    /// the cursor fitted before, so if this does it is the lowest one.
    #[inline(always)]
    pub(super) fn search_may_take(&mut self, index: u32) {
        if let Search::Walking(walk) = self.search {
            self.offer(index, walk);
        }
    }

    #[cold]
    fn offer(&mut self, index: u32, walk: Walk) {
        if walk.want.place == Place::Lowest && self.is_seen(index, walk) {
            if let Some(front) = self.fit_want(index, walk.want) {
                self.settle(index, front, walk.want);
            }
        }
    }

    /// A free block is no longer one, or has another length from now on. Without its
    /// best block the walk starts again, a few times.
    #[inline(always)]
    pub(super) fn search_loses(&mut self, index: u32) {
        if matches!(&self.search, Search::Walking(walk) if walk.best == index) {
            self.lose_best();
        }
    }

    #[cold]
    fn lose_best(&mut self) {
        let bottom = self.bottom;
        if let Search::Walking(walk) = &mut self.search {
            walk.best = NONE;
            walk.losses += 1;
            walk.cursor = if walk.losses > LOSSES { NONE } else { bottom };
        }
    }

    /// A block became part of the one below it, or was cut off.
    #[inline(always)]
    pub(super) fn search_merged(&mut self, below: u32, gone: u32) {
        if let Search::Walking(walk) = &mut self.search {
            if walk.cursor == gone {
                walk.cursor = below;
            }
        }
    }
}
