// SPDX-License-Identifier: GPL-2.0

//! Taking a certain page, for one that is to leave the set.

use core::ops::Deref;

use super::{bit_of, Labyrinth, Word};

impl<T, W> Labyrinth<T>
where
    T: Deref<Target = [W]>,
    W: Word,
{
    /// Takes this very page, if it is free; returns whether it was.
    ///
    /// Context: any, preemption disabled. Cost: at most [`super::TAKE_STEPS`].
    pub fn take_this(&self, page: u32) -> bool {
        let at = self.layout.leaf_of(page);
        let Some(leaf) = self.word(at).filter(|_| page < self.pages) else {
            return false;
        };
        // ORDERING: as in a claim.
        if !leaf.clear(bit_of(page)) {
            return false;
        }
        if leaf.load() == 0 {
            self.clear_summary(at);
        }
        true
    }
}
