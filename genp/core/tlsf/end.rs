// SPDX-License-Identifier: GPL-2.0

//! What is beyond the first and the last of all blocks, and of each list.

/// The first entry of the table, which stands for what is below the lowest block and above
/// the highest one, and for the ends of lists. It is never free, and what is written to it
/// says nothing but which block is the lowest and which the highest; so no step has to ask
/// whether there is a neighbour.
pub(super) const END: u32 = 0;
