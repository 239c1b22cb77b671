// SPDX-License-Identifier: GPL-2.0

//! How large a partition is to be, and whether any pool of a size can have such a one. The
//! rule of admission, which depends on what there is already, comes after it.

use super::watermarks::Watermarks;

/// What is requested, in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Pages of the reserve.
    pub reserve: u32,
    /// Whether these are not of the pool.
    pub external: bool,
    /// Pages it may have on lease.
    pub limit: u32,
    /// Leases it may have.
    pub max_leases: u32,
    /// Pages of its stock.
    pub stock_pages: u32,
    /// Pages that may grow to, 0 for the same.
    pub stock_limit: u32,
    /// Its low watermark, 0 for the usual one.
    pub stock_low: u32,
    /// Pages of its contiguous blocks, which are not of the pool's frames.
    pub block_pages: u32,
    /// Pages for its children.
    pub quota: u32,
}

/// A shape that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedShape {
    /// The stock.
    pub watermarks: Watermarks,
    /// Pages of the pool that are committed, for the reserve and the stock.
    pub committed: u32,
}

/// Why no pool of this size can have such a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeError {
    /// Neither a reserve nor a stock nor blocks nor anything to borrow or for children.
    Empty,
    /// Watermarks that contradict each other, or without a stock.
    Watermarks,
    /// A source of the reserve without a reserve.
    NoReserve,
    /// A part is larger than the pool, or its lease window larger than any.
    TooBig,
}

impl Shape {
    /// Checks it for a pool of `capacity` pages. O(1).
    pub fn check(&self, capacity: u32) -> Result<CheckedShape, ShapeError> {
        let watermarks = Watermarks::new(self.stock_pages, self.stock_limit, self.stock_low)
            .ok_or(ShapeError::Watermarks)?;
        let pages = [
            self.reserve,
            self.limit,
            watermarks.pages(),
            self.block_pages,
            self.quota,
        ];
        if pages == [0; 5] {
            return Err(ShapeError::Empty);
        }
        // Without a stock there is nothing to refill.
        if watermarks.pages() == 0 && watermarks.limit() != 0 {
            return Err(ShapeError::Watermarks);
        }
        // And no reserve needs no source.
        if self.reserve == 0 && self.external {
            return Err(ShapeError::NoReserve);
        }
        // Pages of the window have numbers of 32 bits.
        let window = self.limit.checked_mul(self.max_leases);
        let pooled = if self.external { 0 } else { self.reserve };
        let most = pooled
            .max(self.limit)
            .max(watermarks.limit())
            .max(self.quota);
        match pooled.checked_add(watermarks.pages()) {
            Some(committed) if most <= capacity && window.is_some() => Ok(CheckedShape {
                watermarks,
                committed,
            }),
            _ => Err(ShapeError::TooBig),
        }
    }
}
