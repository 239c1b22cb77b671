// SPDX-License-Identifier: GPL-2.0

//! How many contiguous blocks there are of each order: what the pool takes at load, and what
//! of it is a partition's.
//!
//! A block of order n is `1 << n` pages that follow one another in physical memory, from an
//! address on that is a multiple of its size. Blocks are neither split nor joined after the
//! load, so no pattern of takes and gives can leave memory in pieces that are too small.

use super::count::Count;

/// Orders are below this. Order 0 is a single page: that is what stocks have.
pub const ORDERS: usize = 11;

/// The highest order.
pub const MAX_ORDER: u32 = ORDERS as u32 - 1;

/// Pages of a block of that order.
pub const BLOCK_PAGES: u32 = 1 << MAX_ORDER;

/// The most pages of all blocks.
pub const MAX_BLOCK_PAGES: u32 = 1 << 22;

/// Why a text names no blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlocksError {
    /// It is no list of `ORDER:COUNT`, in decimal.
    Malformed,
    /// An order is not 1 to [`MAX_ORDER`].
    Order,
    /// An order is there twice.
    Twice,
    /// More than [`MAX_BLOCK_PAGES`].
    TooMany,
}

/// A number of blocks for each order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockCounts([u32; ORDERS]);

/// A number in decimal, digits alone.
fn number(text: &[u8]) -> Result<u32, BlocksError> {
    let digit = |byte: &u8| byte.is_ascii_digit();
    if text.is_empty() || !text.iter().all(digit) {
        return Err(BlocksError::Malformed);
    }
    // Too large a number is too large a count and no order.
    Ok(text.iter().fold(0u32, |sum, byte| {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        sum.saturating_mul(10).saturating_add(digit)
    }))
}

impl BlockCounts {
    /// None at all.
    pub const NONE: Self = Self([0; ORDERS]);

    /// These counts, by order: `None` unless that of order 0 is 0.
    pub fn new(counts: [u32; ORDERS]) -> Option<Self> {
        let [pages, ..] = counts;
        (pages == 0).then_some(Self(counts))
    }

    /// What a text says: `ORDER:COUNT`, several of them with commas between them, or
    /// nothing. O(text).
    ///
    /// ```
    /// # use genp_core::block_counts::{BlockCounts, BlocksError};
    /// # fn example() -> Result<(), BlocksError> {
    /// let counts = BlockCounts::parse(b"4:16,9:2")?;
    /// assert_eq!((counts.of(4), counts.of(9)), (16, 2));
    /// assert_eq!(counts.pages(), Some(16 * 16 + 2 * 512));
    /// # Ok(()) } assert_eq!(example(), Ok(()));
    /// ```
    pub fn parse(text: &[u8]) -> Result<Self, BlocksError> {
        let mut counts = [0; ORDERS];
        let mut named = [false; ORDERS];
        if text.is_empty() {
            return Ok(Self(counts));
        }
        for entry in text.split(|&byte| byte == b',') {
            let mut halves = entry.splitn(2, |&byte| byte == b':');
            let order = number(halves.next().unwrap_or(&[]))? as usize;
            let count = number(halves.next().ok_or(BlocksError::Malformed)?)?;
            if order == 0 {
                return Err(BlocksError::Order);
            }
            let named = named.get_mut(order).ok_or(BlocksError::Order)?;
            if core::mem::replace(named, true) {
                return Err(BlocksError::Twice);
            }
            *counts.get_mut(order).ok_or(BlocksError::Order)? = count;
        }
        let counts = Self(counts);
        match counts.pages() {
            Some(pages) if pages <= MAX_BLOCK_PAGES => Ok(counts),
            _ => Err(BlocksError::TooMany),
        }
    }

    /// The number of an order, 0 for one there is not.
    pub fn of(&self, order: u32) -> u32 {
        self.0.get(order as usize).copied().unwrap_or(0)
    }

    /// Adds to the number of an order.
    pub fn raise(&mut self, order: u32, by: u32) {
        if let Some(count) = self.0.get_mut(order as usize) {
            count.raise(by);
        }
    }

    /// Subtracts from the number of an order.
    pub fn lower(&mut self, order: u32, by: u32) {
        if let Some(count) = self.0.get_mut(order as usize) {
            count.lower(by);
        }
    }

    /// The counts by order.
    pub fn by_order(&self) -> [u32; ORDERS] {
        self.0
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        self.0 == [0; ORDERS]
    }

    /// Whether there is none of an order above this one.
    pub fn is_within(&self, most: u32) -> bool {
        let above = (0..=MAX_ORDER)
            .zip(&self.0)
            .filter(|(order, _)| *order > most);
        // loop-bound: ORDERS
        above.fold(true, |none, (_, &count)| none && count == 0)
    }

    /// Whether `other` has no more of any order.
    pub fn covers(&self, other: &Self) -> bool {
        let each = self.0.iter().zip(&other.0);
        // loop-bound: ORDERS
        each.fold(true, |all, (own, others)| all && own >= others)
    }

    /// The pages of all of them; `None` if their number has more than 32 bits.
    pub fn pages(&self) -> Option<u32> {
        let mut each = (0..=MAX_ORDER).zip(&self.0);
        // loop-bound: ORDERS
        each.try_fold(0u32, |sum, (order, count)| {
            sum.checked_add(count.checked_mul(1u32.checked_shl(order)?)?)
        })
    }

    /// The orders, the highest first, and where each begins if all blocks and their pages
    /// are numbered in this order.
    pub fn classes(&self) -> impl Iterator<Item = BlockClass> + '_ {
        let mut next = (0u32, 0u32);
        // loop-bound: ORDERS
        (1..=MAX_ORDER).rev().map(move |order| {
            let (first, first_page) = next;
            let class = BlockClass {
                order,
                count: self.of(order),
                first,
                first_page,
            };
            next = (class.end(), first_page.plus(class.pages()));
            class
        })
    }

    /// The class of an order.
    pub fn class(&self, order: u32) -> Option<BlockClass> {
        // loop-bound: ORDERS
        self.classes().find(|class| class.order == order)
    }
}

/// The blocks of an order among all blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockClass {
    /// The order.
    pub order: u32,
    /// The number of its blocks.
    pub count: u32,
    /// The number of the first one.
    pub first: u32,
    /// The number of its first page.
    pub first_page: u32,
}

impl BlockClass {
    /// The pages of a block.
    pub fn block_pages(&self) -> u32 {
        1u32.wrapping_shl(self.order)
    }

    /// The pages of all its blocks.
    fn pages(&self) -> u32 {
        self.count.times(self.block_pages())
    }

    /// Behind the number of the last one.
    pub fn end(&self) -> u32 {
        self.first.plus(self.count)
    }

    /// The number of the first page of a block; `None` for one of another order.
    pub fn page_of(&self, block: u32) -> Option<u32> {
        let index = block.checked_sub(self.first)?;
        (index < self.count).then(|| self.first_page.plus(index.times(self.block_pages())))
    }

    /// The number of the block that begins with a page; `None` if none of this order does.
    pub fn block_at(&self, page: u32) -> Option<u32> {
        let offset = page.checked_sub(self.first_page)?;
        let (index, inside) = (
            offset.wrapping_shr(self.order),
            offset & self.block_pages().wrapping_sub(1),
        );
        (index < self.count && inside == 0).then(|| self.first.plus(index))
    }
}
