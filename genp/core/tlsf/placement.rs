// SPDX-License-Identifier: GPL-2.0

//! Regions by a placement strategy: first fit, best fit, or a fixed offset.
//!
//! These take a number of steps linear in the blocks, which are visited from the lowest
//! one on. So that no lock is held meanwhile, a search goes in short stretches, and
//! other calls may come between them. Each such call corrects the cursor of the search
//! in a constant number of steps, so that visited blocks stay visited. A call that frees
//! a block behind the cursor that fits gives it to the search at once. So a search ends
//! after one pass, and best fit after a few more, whatever others do.

use core::ops::DerefMut;

use super::{
    super::{count::Count, owner::Owner},
    claim::Fit,
    node::BlockState,
    Block, Node, Tlsf, TlsfError, END,
};

/// How often others may take the best block away before best fit settles for any block
/// that fits.
const MAX_RESTARTS: u32 = 8;

/// Where to put a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// At the lowest offset where it fits, as `gen_pool_first_fit_align()`.
    FirstFit,
    /// In the smallest free block where it fits, the lowest of several. If others take
    /// that block away again and again while the search is under way, in a block that
    /// [`Tlsf::alloc`] would take, which may be a sixteenth larger.
    BestFit,
    /// At this offset, in units.
    Fixed(u32),
}

/// A request for [`Tlsf::begin_search`].
#[derive(Clone, Copy, Debug)]
pub struct SearchRequest {
    /// The length of the region in units, not 0.
    pub units: u32,
    /// The offset plus `phase` is a multiple of this, a power of two. Ignored by
    /// [`Strategy::Fixed`].
    pub align: u32,
    /// How far unit 0 lies above a multiple of `align`, in units.
    pub phase: u32,
    /// Where to put the region.
    pub strategy: Strategy,
    /// Whose region it is, and so which call frees it: [`Tlsf::free`] or
    /// [`Tlsf::free_for_driver`].
    pub owner: Owner,
}

/// The position of a search under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    request: SearchRequest,
    /// The next block to visit; all below have been visited.
    next: u32,
    /// The smallest visited block that fits.
    best: u32,
    /// How often `best` was taken away.
    restarts: u32,
}

/// The search of an allocator: one at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum SearchState {
    /// None is under way.
    Idle,
    /// One is under way.
    Running(Cursor),
    /// One ended, and its answer was not fetched yet.
    Done(Result<Block, TlsfError>),
}

impl<N: DerefMut<Target = [Node]>> Tlsf<N> {
    fn set_search(&mut self, search: SearchState) {
        self.searching = matches!(search, SearchState::Running(_));
        self.search = search;
    }

    /// The cursor of the search under way.
    fn cursor(&self) -> Option<Cursor> {
        match self.search {
            SearchState::Running(cursor) => Some(cursor),
            _ => None,
        }
    }

    /// Begins a search. O(1). After `Ok`, the caller calls [`Self::search`] until that
    /// returns an answer.
    ///
    /// Errors: [`TlsfError::Empty`], [`TlsfError::BadAlign`], [`TlsfError::TooLarge`];
    /// [`TlsfError::Busy`] if another search is under way.
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
        self.set_search(SearchState::Running(Cursor {
            request,
            next: self.bottom(),
            best: END,
            restarts: 0,
        }));
        Ok(())
    }

    /// Continues a search: visits at most `most` blocks. Returns the answer, which is
    /// an error of [`Self::alloc`] or a region, or `None` if the search goes on.
    pub fn search(&mut self, most: u32) -> Option<Result<Block, TlsfError>> {
        // loop-bound: SEARCH_STEPS
        for _ in 0..most {
            let SearchState::Running(cursor) = self.search else {
                break;
            };
            self.visit(cursor);
        }
        let SearchState::Done(answer) = self.search else {
            return None;
        };
        self.set_search(SearchState::Idle);
        Some(answer)
    }

    /// A whole search in one call: linear in the blocks. Errors as of
    /// [`Self::begin_search`] and [`Self::search`].
    pub fn alloc_placed(&mut self, request: SearchRequest) -> Result<Block, TlsfError> {
        self.begin_search(request)?;
        // Visits each block once, and ends with the last one.
        let blocks = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let answer = self.search(blocks);
        self.set_search(SearchState::Idle);
        answer.unwrap_or(Err(TlsfError::NoBlock))
    }

    /// Visits the block under the cursor and advances to the one above it.
    fn visit(&mut self, mut cursor: Cursor) {
        let index = cursor.next;
        if index == END {
            return self.finish_pass(cursor);
        }
        let node = self.node(index);
        cursor.next = node.above;
        match cursor.request.strategy {
            Strategy::Fixed(offset) if offset.wrapping_sub(node.offset) < node.units => {
                let front = offset.wrapping_sub(node.offset);
                let end = front.checked_add(cursor.request.units);
                let rest = end.and_then(|end| node.units.checked_sub(end));
                let fit = rest.map(|rest| Fit { front, rest });
                return self.finish(index, fit, cursor.request);
            }
            Strategy::FirstFit if node.state == BlockState::Free => {
                if let Some(fit) = self.fit_request(index, cursor.request) {
                    return self.finish(index, Some(fit), cursor.request);
                }
            }
            Strategy::BestFit if self.is_better(index, cursor) => cursor.best = index,
            _ => {}
        }
        self.set_search(SearchState::Running(cursor));
        if cursor.next == END {
            self.finish_pass(cursor);
        }
    }

    /// All blocks have been visited: decides what was found.
    fn finish_pass(&mut self, cursor: Cursor) {
        let request = cursor.request;
        let found = match self.fit_request(cursor.best, request) {
            Some(fit) => Some((cursor.best, fit)),
            None if cursor.restarts > MAX_RESTARTS => {
                self.find(request.units, request.align, request.phase)
            }
            None => None,
        };
        match found {
            Some((index, fit)) => self.finish(index, Some(fit), request),
            None => self.set_search(SearchState::Done(Err(TlsfError::NoBlock))),
        }
    }

    /// Ends the search with a region in this block, if that is free and the region fits.
    fn finish(&mut self, index: u32, fit: Option<Fit>, request: SearchRequest) {
        self.set_search(SearchState::Idle);
        let state = match request.owner {
            Owner::Driver => BlockState::DriverOwned,
            Owner::Process => BlockState::Used,
        };
        let claimed = match fit {
            Some(fit) if self.node(index).state == BlockState::Free => {
                self.claim(index, fit, request.units, state)
            }
            _ => Err(TlsfError::NoBlock),
        };
        self.set_search(SearchState::Done(claimed));
    }

    fn fit_request(&self, index: u32, request: SearchRequest) -> Option<Fit> {
        self.fit(index, request.units, request.align, request.phase)
    }

    /// Whether a block fits better than the best one so far.
    fn is_better(&self, index: u32, cursor: Cursor) -> bool {
        let node = self.node(index);
        if node.state != BlockState::Free || self.fit_request(index, cursor.request).is_none() {
            return false;
        }
        let best = self.node(cursor.best);
        cursor.best == END || (node.units, node.offset) < (best.units, best.offset)
    }

    /// Whether the cursor is beyond a block.
    fn is_visited(&self, index: u32, cursor: Cursor) -> bool {
        cursor.next == END || self.node(index).offset < self.node(cursor.next).offset
    }

    // How other calls correct the cursor, once they are done. Each takes a constant number
    // of steps.

    /// A region was cut out of this block. What was before it is the block `lower` now, if
    /// that is not `END`.
    #[inline(always)]
    pub(super) fn search_after_claim(&mut self, found: u32, lower: u32) {
        if self.searching {
            let lowest = if lower == END { found } else { lower };
            self.correct([found, END], lowest, [lower, found]);
        }
    }

    /// A region was freed, and is part of this free block now. So are these two blocks, if
    /// they are not `END`.
    #[inline(always)]
    pub(super) fn search_after_free(&mut self, free: u32, gone: u32, gone_above: u32) {
        if self.searching {
            self.correct([gone, gone_above], free, [free, END]);
            self.offer(free);
        }
    }

    /// This free block has another size, or was added.
    pub(super) fn search_after_resize(&mut self, free: u32) {
        self.correct([END; 2], END, [free, END]);
    }

    /// The highest block is there no longer.
    pub(super) fn search_after_cut(&mut self, gone: u32) {
        self.correct([gone, END], self.top(), [END; 2]);
    }

    /// What is left of the blocks `gone` begins with the block `into`; the blocks `free` have
    /// become free or have another size. A search that loses its best block starts again, a
    /// few times.
    #[cold]
    fn correct(&mut self, gone: [u32; 2], into: u32, free: [u32; 2]) {
        let Some(mut cursor) = self.cursor() else {
            return;
        };
        if cursor.next != END && gone.contains(&cursor.next) {
            cursor.next = into;
        }
        if cursor.best != END && (gone.contains(&cursor.best) || free.contains(&cursor.best)) {
            cursor.best = END;
            cursor.restarts.raise(1);
            cursor.next = match cursor.restarts > MAX_RESTARTS {
                true => END,
                false => self.bottom(),
            };
        }
        let [first, second] = free;
        self.note_free(first, &mut cursor);
        self.note_free(second, &mut cursor);
        self.set_search(SearchState::Running(cursor));
    }

    fn note_free(&self, index: u32, cursor: &mut Cursor) {
        let still_best_fit =
            cursor.request.strategy == Strategy::BestFit && cursor.restarts <= MAX_RESTARTS;
        if still_best_fit && self.is_visited(index, *cursor) && self.is_better(index, *cursor) {
            cursor.best = index;
        }
    }

    /// No block below the cursor fitted before, so if this one does it is the lowest one.
    #[cold]
    fn offer(&mut self, index: u32) {
        let Some(cursor) = self.cursor() else {
            return;
        };
        if cursor.request.strategy == Strategy::FirstFit && self.is_visited(index, cursor) {
            if let Some(fit) = self.fit_request(index, cursor.request) {
                self.finish(index, Some(fit), cursor.request);
            }
        }
    }
}
