// SPDX-License-Identifier: GPL-2.0

//! Contiguous blocks that are in no partition: free ones in a list for each order and node,
//! and those in quarantine, to which somebody else still refers.
//!
//! They are the first frames of the frame table, and no part of the capacity that is lent.
//! A partition gets those it is created with, all or none, and has them until its end: no
//! other order and no other partition can use them up. Nothing splits or joins blocks.
//!
//! Lock order: that of the blocks is taken with no other lock held.

use kernel::prelude::*;

use crate::genp::{
    core::{
        block_counts::{BlockClass, BlockCounts, MAX_ORDER, ORDERS},
        count::Count,
    },
    frames::list::{FrameLinks, FrameList},
    sys::{
        alloc_flags::SETUP_FLAGS,
        lock::{new_pi_mutex, PiMutex},
        page::{FrameTable, MAX_NODES},
        table,
    },
};

struct Blocks {
    /// A list for each order and node.
    free: KVVec<FrameList>,
    quarantine: FrameList,
    /// Those that are free and promised to nobody.
    unpromised: BlockCounts,
}

/// The blocks that the pool took at load. Lists have the numbers of blocks, as
/// [`BlockCounts::classes`] numbers them.
#[pin_data]
pub(crate) struct BlockPool {
    counts: BlockCounts,
    links: FrameLinks,
    #[pin]
    blocks: PiMutex<Blocks>,
}

/// Whether a page of a block has a memory error. Linear in its pages. Context: any.
pub(crate) fn block_poisoned(frames: &FrameTable, first: u32, order: u32) -> bool {
    // loop-bound: BLOCK_PAGES
    frames_of(first, order).any(|frame| frames.poisoned(frame))
}

/// The frames of a block.
pub(crate) fn frames_of(first: u32, order: u32) -> impl Iterator<Item = u32> {
    first..first.saturating_add(1u32.wrapping_shl(order))
}

impl BlockPool {
    /// The blocks that `frames` begins with, all free. ENOMEM. Context: thread, may sleep.
    #[inline(never)] // What it has on the stack is gone when the pool is made.
    pub(super) fn new(counts: &BlockCounts, frames: &FrameTable) -> Result<Pin<KBox<Self>>> {
        let last = counts.classes().last();
        let links = FrameLinks::new(last.map_or(0, |class| class.end()))?;
        let mut blocks = Blocks {
            free: table::collect(
                (0..ORDERS.times(MAX_NODES)).map(|_| FrameList::EMPTY),
                SETUP_FLAGS,
            )?,
            quarantine: FrameList::EMPTY,
            unpromised: BlockCounts::NONE,
        };
        for class in counts.classes() {
            for number in class.first..class.end() {
                blocks.list(class, number, frames, &links);
            }
        }
        KBox::pin_init(
            pin_init!(Self {
                counts: *counts,
                links,
                blocks <- new_pi_mutex!(blocks, "genp_blocks"),
            }),
            SETUP_FLAGS,
        )
    }

    /// All of them, lost ones included.
    pub(crate) fn counts(&self) -> &BlockCounts {
        &self.counts
    }

    /// Those that a partition can get now. Context: thread, may sleep.
    pub(crate) fn free(&self) -> BlockCounts {
        self.blocks.lock().unpromised
    }

    /// Promises so many blocks to a partition, all or none: ENOSPC. Linear in what is in
    /// quarantine. Context: thread, may sleep.
    pub(crate) fn promise(&self, wanted: &BlockCounts, frames: &FrameTable) -> Result {
        let mut blocks = self.blocks.lock();
        self.look_through_quarantine(&mut blocks, frames);
        if !blocks.unpromised.covers(wanted) {
            return Err(ENOSPC);
        }
        // loop-bound: ORDERS
        for (order, count) in (0..=MAX_ORDER).zip(wanted.by_order()) {
            blocks.unpromised.lower(order, count);
        }
        Ok(())
    }

    /// Takes a block that was promised, of a node if that has one; returns its first frame.
    /// It may contain what another partition left in it. Context: thread, may sleep.
    pub(crate) fn take_promised(&self, order: u32, node: u32) -> Option<u32> {
        let class = self.counts.class(order)?;
        let mut blocks = self.blocks.lock();
        let lists = blocks.lists(order)?;
        let near = lists.get_mut(node as usize);
        let number = near.and_then(|list| list.pop(&self.links)).or_else(|| {
            // loop-bound: MAX_NODES
            lists.iter_mut().find_map(|list| list.pop(&self.links))
        })?;
        class.page_of(number)
    }

    /// Takes one block that is free and promised to nobody, if there is one: see
    /// [`Self::take_promised`].
    pub(crate) fn take_another(&self, order: u32, node: u32, frames: &FrameTable) -> Option<u32> {
        let mut one = BlockCounts::NONE;
        one.raise(order, 1);
        self.promise(&one, frames).ok()?;
        self.take_promised(order, node)
    }

    /// Gives a block back, or quarantines it if somebody else still refers to one of its
    /// pages, or drops it for good if one has a memory error. Linear in its pages. Context:
    /// thread, may sleep.
    pub(crate) fn give(&self, order: u32, first: u32, frames: &FrameTable) {
        let class = self.counts.class(order);
        let number = class.and_then(|class| class.block_at(first));
        if let (Some(class), Some(number)) = (class, number) {
            let mut blocks = self.blocks.lock();
            self.list_again(&mut blocks, class, number, frames);
        }
    }

    fn list_again(&self, blocks: &mut Blocks, class: BlockClass, number: u32, frames: &FrameTable) {
        let first = class.page_of(number).unwrap_or(u32::MAX);
        // loop-bound: BLOCK_PAGES
        if frames_of(first, class.order).any(|frame| frames.shared(frame)) {
            blocks.quarantine.push(number, &self.links);
        } else if !block_poisoned(frames, first, class.order) {
            blocks.list(class, number, frames, &self.links);
        }
    }

    /// Lists the blocks in quarantine as free to which nobody refers any longer.
    fn look_through_quarantine(&self, blocks: &mut Blocks, frames: &FrameTable) {
        let mut list = ::core::mem::replace(&mut blocks.quarantine, FrameList::EMPTY);
        // loop-bound: quarantined_blocks
        while let Some(number) = list.pop(&self.links) {
            let mut classes = self.counts.classes();
            if let Some(class) = classes.find(|class| class.page_of(number).is_some()) {
                self.list_again(blocks, class, number, frames);
            }
        }
    }

    /// Drops the free blocks that have memory errors. Calls `pause` between two of them.
    /// Linear in the pages of the free blocks. Context: thread, may sleep.
    pub(super) fn retire_poisoned(&self, frames: &FrameTable, pause: impl Fn()) {
        for class in self.counts.classes() {
            for number in class.first..class.end() {
                let first = class.page_of(number).unwrap_or(u32::MAX);
                if block_poisoned(frames, first, class.order) {
                    self.blocks
                        .lock()
                        .unlist(class, number, frames, &self.links);
                }
                pause();
            }
        }
    }
}

impl Blocks {
    /// Lists a block as free.
    fn list(&mut self, class: BlockClass, number: u32, frames: &FrameTable, links: &FrameLinks) {
        if let Some(list) = self.list_of(class, number, frames) {
            list.push(number, links);
            self.unpromised.raise(class.order, 1);
        }
    }

    fn list_of(
        &mut self,
        class: BlockClass,
        number: u32,
        frames: &FrameTable,
    ) -> Option<&mut FrameList> {
        let node = frames.node_of(class.page_of(number)?);
        self.lists(class.order)?.get_mut(node as usize)
    }

    /// The lists of an order, by node.
    fn lists(&mut self, order: u32) -> Option<&mut [FrameList]> {
        let first = (order as usize).times(MAX_NODES);
        self.free.get_mut(first..first.plus(MAX_NODES))
    }

    /// Takes a block out of its list, if it is in one and if all blocks that are free were
    /// not promised: whoever was promised them finds the error. Linear in the list.
    fn unlist(&mut self, class: BlockClass, number: u32, frames: &FrameTable, links: &FrameLinks) {
        if self.unpromised.of(class.order) == 0 {
            return;
        }
        let Some(list) = self.list_of(class, number, frames) else {
            return;
        };
        let mut kept = FrameList::EMPTY;
        let mut found = false;
        while let Some(other) = list.pop(links) {
            match other == number {
                true => found = true,
                false => kept.push(other, links),
            }
        }
        *list = kept;
        if found {
            self.unpromised.lower(class.order, 1);
        }
    }
}
