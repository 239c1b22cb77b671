// SPDX-License-Identifier: GPL-2.0

//! Where the tables of an accounting lie: the caller's choice.

use core::ops::DerefMut;

/// A kind of memory that tables are made in, once, when the accounting is.
pub trait Memory {
    /// A table of a fixed number of entries.
    type Table<T: Clone>: DerefMut<Target = [T]>;

    /// Why there is no table.
    type Error;

    /// A table of `count` times `value`.
    fn table<T: Clone>(count: u32, value: T) -> Result<Self::Table<T>, Self::Error>;
}
