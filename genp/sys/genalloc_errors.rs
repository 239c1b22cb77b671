// SPDX-License-Identifier: GPL-2.0

//! Pages with memory errors in memory that genalloc manages. genalloc does not know of them
//! and hands them out again and again, so they are kept until another piece was found.

use core::ptr::NonNull;

use kernel::{
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
};

use super::{abi::gen_pool, glue};
use crate::genp::core::count::Count;

/// The most pages with errors that one search passes over.
const MOST: usize = 64;

/// Pages of pieces that were rejected. Dropping this gives them back.
pub(super) struct Rejected {
    pool: *mut gen_pool,
    pages: [Option<NonNull<u8>>; MOST],
    count: usize,
    /// Whether genalloc's units are pages or parts of one, so that pieces can be parted.
    divisible: bool,
}

impl Rejected {
    /// None yet, of a pool whose units are 1 << `order` bytes.
    ///
    /// # Safety
    ///
    /// The pool exists for as long as this does.
    pub(super) unsafe fn new(pool: *mut gen_pool, order: u32) -> Self {
        Self {
            pool,
            pages: [None; MOST],
            count: 0,
            divisible: order <= PAGE_SHIFT as u32,
        }
    }

    /// Keeps the pages of a piece that are `poisoned`, and gives the others back. ENOSPC,
    /// with the piece as it was, if there are too many or if it cannot be parted. Linear in
    /// the piece.
    ///
    /// # Safety
    ///
    /// `pages` whole pages from `start` on were allocated of the pool, and nobody uses them;
    /// after Ok they are no longer the caller's.
    pub(super) unsafe fn keep(
        &mut self,
        start: NonNull<u8>,
        pages: usize,
        poisoned: impl Fn(usize) -> bool,
    ) -> Result {
        let errors = (0..pages)
            .filter(|page| poisoned(*page))
            .fold(0usize, |sum, _| sum.plus(1));
        if !self.divisible || errors > MOST.minus(self.count) {
            return Err(ENOSPC);
        }
        for page in 0..pages {
            // SAFETY: within the piece.
            let at = unsafe { start.add(page.times(PAGE_SIZE)) };
            // Another error may follow any time: without room the page is found once more.
            match self.pages.get_mut(self.count) {
                Some(entry) if poisoned(page) => {
                    *entry = Some(at);
                    self.count.raise(1);
                }
                // SAFETY: a page of the piece, given back once.
                _ => unsafe { self.free(at) },
            }
        }
        Ok(())
    }

    /// # Safety
    ///
    /// A page that was allocated of the pool, whose units are no larger, and that nobody
    /// uses.
    unsafe fn free(&self, page: NonNull<u8>) {
        // SAFETY: by the precondition.
        unsafe { glue::genp_genpool_free(self.pool, page.as_ptr().cast(), PAGE_SIZE) }
    }
}

impl Drop for Rejected {
    fn drop(&mut self) {
        for page in self.pages.iter().flatten() {
            // SAFETY: kept by `keep`, given back once.
            unsafe { self.free(*page) }
        }
    }
}
