// SPDX-License-Identifier: GPL-2.0

//! Regions at a chosen place: the lowest one, the smallest block, a fixed offset.
//!
//! Such a place is not found in constant time: the blocks are walked from the
//! lowest on. So that nobody holds a lock meanwhile, the walk goes in short
//! stretches and the tlsf may change between them. Whoever changes it keeps the
//! walk true in a constant number of steps: what it has seen stays seen. Who frees
//! a block that the walk has passed and was looking for gives it to the search at
//! once, so a search ends after one cursor, whatever others do meanwhile.

use core::ops::DerefMut;

use super::{super::owner::Owner, node::BlockState, Block, Node, Tlsf, TlsfError, NONE};

/// How often the best block may be snatched away before the next one that surely
/// fits is good enough.
const MAX_RESTARTS: u32 = 8;

/// Where a region is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// As low as it fits: genalloc's first fit.
    FirstFit,
    /// In the smallest free block where it fits, the lowest of several. If others
    /// take that block away again and again while the search is under way, in one
    /// of the next classes of sizes: a sixteenth larger.
    BestFit,
    /// At this unit.
    Fixed(u32),
}

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct SearchRequest {
    /// Its length.
    pub units: u32,
    /// The offset plus `phase` is a multiple of this, a power of two. Not looked at
    /// for [`Strategy::Fixed`].
    pub align: u32,
    /// How far unit 0 lies above a multiple of `align`.
    pub phase: u32,
    /// Where it is to be.
    pub strategy: Strategy,
    /// Whether it is to be a driver's, as by [`Tlsf::alloc_for_driver`].
    pub owner: Owner,
}

/// A walk under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    request: SearchRequest,
    /// The next block to look at; all below have been seen.
    next: u32,
    /// The smallest block seen that fits.
    best: u32,
    restarts: u32,
}

/// The search of a tlsf, one at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum SearchState {
    /// There is none.
    Idle,
    /// It goes on.
    Running(Cursor),
    /// It ended, and nobody asked yet.
    Done(Result<Block, TlsfError>),
}

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    /// Begins a search. A constant number of steps. Whoever gets `Ok` goes on with
    /// [`Self::search`] until there is an answer.
    pub fn begin_search(&mut self, request: SearchRequest) -> Result<(), TlsfError> {
        if request.units == 0 {
            return Err(TlsfError::Empty);
        }
        if !request.align.is_power_of_two() {
            return Err(TlsfError::BadAlign);
        }
        let start = match request.strategy {
            Strategy::Fixed(offset) => offset,
            _ => 0,
        };
        let end = start.checked_add(request.units);
        if end.is_none_or(|end| end > self.units) {
            return Err(TlsfError::TooLarge);
        }
        if !matches!(self.search, SearchState::Idle) {
            return Err(TlsfError::Busy);
        }
        self.search = SearchState::Running(Cursor {
            request,
            next: self.bottom,
            best: NONE,
            restarts: 0,
        });
        Ok(())
    }

    /// Looks at the next `most` blocks at most: the answer, or `None` if there are
    /// more of them.
    pub fn search(&mut self, most: u32) -> Option<Result<Block, TlsfError>> {
        for _ in 0..most {
            let SearchState::Running(cursor) = self.search else {
                break;
            };
            self.look(cursor);
        }
        let SearchState::Done(answer) = self.search else {
            return None;
        };
        self.search = SearchState::Idle;
        Some(answer)
    }

    /// Allocates at a chosen place, in one go: linear in the blocks.
    pub fn alloc_placed(&mut self, request: SearchRequest) -> Result<Block, TlsfError> {
        self.begin_search(request)?;
        // A walk passes each block once, and ends with the last one.
        let blocks = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let answer = self.search(blocks);
        self.search = SearchState::Idle;
        answer.unwrap_or(Err(TlsfError::NoBlock))
    }

    /// Looks at the block under the cursor and goes on to the one above it.
    fn look(&mut self, mut cursor: Cursor) {
        let index = cursor.next;
        if index == NONE {
            return self.finish_walk(cursor);
        }
        let node = *self.node(index);
        cursor.next = node.above;
        match cursor.request.strategy {
            Strategy::Fixed(offset) if offset.wrapping_sub(node.offset) < node.units => {
                return self.finish(index, offset.wrapping_sub(node.offset), cursor.request);
            }
            Strategy::FirstFit if node.state == BlockState::Free => {
                if let Some(front) = self.fit_request(index, cursor.request) {
                    return self.finish(index, front, cursor.request);
                }
            }
            Strategy::BestFit if self.is_better(index, cursor) => cursor.best = index,
            _ => {}
        }
        self.search = SearchState::Running(cursor);
        if cursor.next == NONE {
            self.finish_walk(cursor);
        }
    }

    /// All blocks have been seen.
    fn finish_walk(&mut self, cursor: Cursor) {
        let request = cursor.request;
        let found = match self.fit_request(cursor.best, request) {
            Some(front) => Some((cursor.best, front)),
            None if cursor.restarts > MAX_RESTARTS => {
                self.find(request.units, request.align, request.phase)
            }
            None => None,
        };
        match found {
            Some((index, front)) => self.finish(index, front, request),
            None => self.search = SearchState::Done(Err(TlsfError::NoBlock)),
        }
    }

    /// Ends the search with a region in a block, if that is free and long enough.
    fn finish(&mut self, index: u32, front: u32, request: SearchRequest) {
        self.search = SearchState::Idle;
        let node = *self.node(index);
        let end = front.checked_add(request.units);
        let fits = node.state == BlockState::Free && end.is_some_and(|end| end <= node.units);
        let state = match request.owner {
            Owner::Driver => BlockState::DriverOwned,
            Owner::Process => BlockState::Used,
        };
        let claimed = if fits {
            self.claim(index, front, request.units, state)
        } else {
            Err(TlsfError::NoBlock)
        };
        self.search = SearchState::Done(claimed);
    }

    fn fit_request(&self, index: u32, request: SearchRequest) -> Option<u32> {
        self.fit(index, request.units, request.align, request.phase)
    }

    /// Whether a block fits better than the best one so far.
    fn is_better(&self, index: u32, cursor: Cursor) -> bool {
        let node = *self.node(index);
        if node.state != BlockState::Free || self.fit_request(index, cursor.request).is_none() {
            return false;
        }
        let best = *self.node(cursor.best);
        cursor.best == NONE || (node.units, node.offset) < (best.units, best.offset)
    }

    /// Whether the walk has seen a block, or would have, were it there already.
    fn is_seen(&self, index: u32, cursor: Cursor) -> bool {
        cursor.next == NONE || self.node(index).offset < self.node(cursor.next).offset
    }

    // What changes keep the walk true with. Each is a constant number of steps.

    /// A block is free now.
    #[inline(always)]
    pub(super) fn search_sees_free(&mut self, index: u32) {
        if let SearchState::Running(cursor) = self.search {
            self.note_free(index, cursor);
        }
    }

    #[cold]
    fn note_free(&mut self, index: u32, mut cursor: Cursor) {
        let picky = cursor.request.strategy == Strategy::BestFit && cursor.restarts <= MAX_RESTARTS;
        if picky && self.is_seen(index, cursor) && self.is_better(index, cursor) {
            cursor.best = index;
            self.search = SearchState::Running(cursor);
        }
    }

    /// A region was freed, and this is the free block it is in now. Nothing below
    /// the cursor fitted before, so if this does it is the lowest one.
    #[inline(always)]
    pub(super) fn search_may_take(&mut self, index: u32) {
        if let SearchState::Running(cursor) = self.search {
            self.offer(index, cursor);
        }
    }

    #[cold]
    fn offer(&mut self, index: u32, cursor: Cursor) {
        if cursor.request.strategy == Strategy::FirstFit && self.is_seen(index, cursor) {
            if let Some(front) = self.fit_request(index, cursor.request) {
                self.finish(index, front, cursor.request);
            }
        }
    }

    /// A free block is no longer one, or has another length from now on. Without its
    /// best block the walk starts again, a few times.
    #[inline(always)]
    pub(super) fn search_loses(&mut self, index: u32) {
        if matches!(&self.search, SearchState::Running(cursor) if cursor.best == index) {
            self.lose_best();
        }
    }

    #[cold]
    fn lose_best(&mut self) {
        let bottom = self.bottom;
        if let SearchState::Running(cursor) = &mut self.search {
            cursor.best = NONE;
            cursor.restarts += 1;
            cursor.next = if cursor.restarts > MAX_RESTARTS {
                NONE
            } else {
                bottom
            };
        }
    }

    /// A block became part of the one below it, or was cut off.
    #[inline(always)]
    pub(super) fn search_merged(&mut self, below: u32, gone: u32) {
        if let SearchState::Running(cursor) = &mut self.search {
            if cursor.next == gone {
                cursor.next = below;
            }
        }
    }
}
