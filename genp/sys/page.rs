// SPDX-License-Identifier: GPL-2.0

//! The frames of the pool, by number.

use core::{num::NonZero, ptr::NonNull};

use kernel::{bindings, ffi::c_void, page::PAGE_SIZE, prelude::*};

use super::{alloc_flags::SETUP_FLAGS, cell::RelaxedCell, glue};
use crate::genp::core::{block_counts::BlockCounts, count::Count};

/// The most memory nodes that the pool is spread over; further ones are not used.
pub(crate) const MAX_NODES: usize = 8;

/// Pages of all the machine's memory. Context: any.
pub(crate) fn total_pages() -> u64 {
    // SAFETY: no precondition.
    unsafe { glue::genp_total_pages() as u64 }
}

/// Pages that are free, or in caches that can be dropped. Context: thread.
pub(crate) fn available_pages() -> u64 {
    // SAFETY: no precondition.
    unsafe { glue::genp_available_pages() as u64 }
}

/// The highest order of a block that this kernel has. Context: any.
pub(crate) fn max_order() -> u32 {
    // SAFETY: no precondition.
    unsafe { glue::genp_max_order() }
}

/// In `page_private()` of a page that nobody is to have any more: no slot.
const ASIDE: usize = usize::MAX;

/// One page that belongs to the pool.
struct Frame {
    page: NonNull<bindings::page>,
    /// 1 once its owner was told of a memory error in it. Of the thread that tells.
    told: RelaxedCell,
    /// The index of its node among the pool's nodes.
    node: u8,
}

/// All frames of the pool: those of its contiguous blocks, and behind them the others. Each
/// is an order-0 page with one reference, ours, from [`Self::allocate`] to the drop.
pub(crate) struct FrameTable {
    frames: KVVec<Frame>,
    /// The first one that is of no block.
    first_single: u32,
    nodes: [i32; MAX_NODES],
    node_count: usize,
}

// SAFETY: owns the pages, and every operation on them here is allowed from any thread.
unsafe impl Send for FrameTable {}
// SAFETY: as above; shared access reads the table and the atomics of the pages, or zeroes
// a page, which only the owner of its frame number does.
unsafe impl Sync for FrameTable {}

impl FrameTable {
    /// What the table itself takes for each frame.
    pub(crate) const BYTES_A_FRAME: usize = core::mem::size_of::<Frame>();

    /// Takes `count` pages from the kernel, from all nodes alike, in the largest blocks
    /// available: ENOMEM if there are fewer, or as soon as fewer than `keep` are available
    /// to others; none is kept then. Context: thread, may sleep. GenP allocates pages of
    /// the kernel nowhere else. These blocks come first, and their frames in addition.
    pub(crate) fn allocate(count: u32, blocks: &BlockCounts, keep: u64) -> Result<Self> {
        let in_blocks = blocks.pages().ok_or(EINVAL)?;
        let count = in_blocks.checked_add(count).ok_or(EINVAL)? as usize;
        let mut all = Self {
            frames: KVVec::with_capacity(count, SETUP_FLAGS)?,
            first_single: in_blocks,
            nodes: [bindings::NUMA_NO_NODE; MAX_NODES],
            node_count: 0,
        };
        all.find_nodes();
        all.fill_with_blocks(blocks, keep)?;
        for index in 0..all.node_count {
            // What is left, shared among the nodes that are left.
            let left = count.minus(all.frames.len());
            let nodes = NonZero::new(all.node_count.minus(index));
            let share = nodes.map_or(left, |nodes| left.plus(nodes.get().minus(1)) / nodes);
            let target = all.frames.len().plus(share);
            all.fill_from(index, target, keep)?;
        }
        // A node may have had too little: take the rest from any.
        for index in 0..all.node_count {
            all.fill_from(index, count, keep)?;
        }
        if all.frames.len() < count {
            return Err(ENOMEM);
        }
        Ok(all)
    }

    fn find_nodes(&mut self) {
        // SAFETY: no precondition.
        let nodes = unsafe { glue::genp_max_nodes() };
        for node in 0..nodes {
            // SAFETY: `node` is below the number of possible nodes.
            if !unsafe { glue::genp_node_has_memory(node) } {
                continue;
            }
            if let Some(entry) = self.nodes.get_mut(self.node_count) {
                *entry = node;
                self.node_count.raise(1);
            }
        }
    }

    /// Takes pages of one node until there are `target` in all, or until the node has
    /// none left. ENOMEM if fewer than `keep` are available to others.
    fn fill_from(&mut self, index: usize, target: usize, keep: u64) -> Result {
        /// Frames taken between two looks at what is available.
        const LOOK: usize = 1024;

        let node = self.nodes.get(index).copied().ok_or(EINVAL)?;
        let mut order = max_order();
        let mut look = self.frames.len();
        while self.frames.len() < target {
            if self.frames.len() >= look {
                look = self.frames.len().saturating_add(LOOK);
                if available_pages() < keep {
                    return Err(ENOMEM);
                }
            }
            let missing = target.minus(self.frames.len());
            order = order.min(missing.checked_ilog2().unwrap_or(0));
            // SAFETY: a node with memory, and an order up to the largest; may sleep.
            match NonNull::new(unsafe { glue::genp_alloc_block(node, order) }) {
                Some(block) => self.adopt(block, order, index)?,
                None if order == 0 => return Ok(()),
                None => order.lower(1),
            }
            // SAFETY: may sleep, by the condition of `allocate`.
            unsafe { glue::genp_cond_resched() };
        }
        Ok(())
    }

    /// Takes contiguous blocks, the largest first: ENOMEM.
    fn fill_with_blocks(&mut self, blocks: &BlockCounts, keep: u64) -> Result {
        for class in blocks.classes() {
            for number in 0..class.count {
                if available_pages() < keep || !self.take_block(class.order, number as usize)? {
                    let (order, count) = (class.order, class.count);
                    pr_err!("blocks={order}:{count}: there are {number}\n");
                    return Err(ENOMEM);
                }
                // SAFETY: may sleep, by the condition of `allocate`.
                unsafe { glue::genp_cond_resched() };
            }
        }
        Ok(())
    }

    /// Takes a block of the node whose turn it is, or of any; whether there was one.
    fn take_block(&mut self, order: u32, turn: usize) -> Result<bool> {
        for nodes in 0..self.node_count {
            let index = turn.wrapping_add(nodes).checked_rem(self.node_count);
            let index = index.ok_or(EINVAL)?;
            let node = self.nodes.get(index).copied().ok_or(EINVAL)?;
            // SAFETY: a node with memory, and an order up to the largest; may sleep.
            if let Some(block) = NonNull::new(unsafe { glue::genp_alloc_block(node, order) }) {
                self.adopt(block, order, index)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Splits a block that was just allocated into frames.
    fn adopt(&mut self, block: NonNull<bindings::page>, order: u32, index: usize) -> Result {
        let node = index as u8;
        // SAFETY: `block` is ours, of this order, and not a compound page.
        unsafe { glue::genp_split_block(block.as_ptr(), order) };
        for number in 0..1u32.wrapping_shl(order) {
            // SAFETY: `number` is within the block.
            let page = unsafe { glue::genp_page_at(block.as_ptr(), number) };
            let page = NonNull::new(page).ok_or(EINVAL)?;
            // Has the capacity, so it cannot fail and leak the page.
            let told = RelaxedCell::new(0);
            self.frames
                .push_within_capacity(Frame { page, told, node })?;
        }
        Ok(())
    }

    /// The number of frames; all frame numbers are below it.
    pub(crate) fn len(&self) -> u32 {
        self.frames.len() as u32
    }

    /// The first frame that is of no contiguous block.
    pub(crate) fn first_single(&self) -> u32 {
        self.first_single
    }

    /// The number of memory nodes that they are from.
    pub(crate) fn nodes(&self) -> u32 {
        self.node_count as u32
    }

    /// The kernel's number of the pool's node `index`.
    pub(crate) fn node_id(&self, index: u32) -> i32 {
        self.nodes
            .get(index as usize)
            .copied()
            .unwrap_or(bindings::NUMA_NO_NODE)
    }

    /// The index of a frame's node among the pool's nodes.
    pub(crate) fn node_of(&self, frame: u32) -> u32 {
        self.frames.get(frame as usize).map_or(0, |f| f.node.into())
    }

    /// Zeroes a frame; the caller owns its number. Context: any.
    pub(crate) fn zero(&self, frame: u32) {
        if let Some(frame) = self.frames.get(frame as usize) {
            // SAFETY: the page is ours, and only the owner of its number uses it.
            unsafe { glue::genp_zero_page(frame.page.as_ptr()) }
        }
    }

    /// Copies `bytes` of a frame, from `offset` on, to `buffer`, or with `write` from there;
    /// false if there is no such piece of a frame. The caller has seen to it that the frame
    /// stays with its owner meanwhile. Context: any.
    ///
    /// # Safety
    ///
    /// `buffer` is the kernel's, has room for `bytes`, and nobody else uses it.
    pub(crate) unsafe fn copy(
        &self,
        frame: u32,
        offset: u32,
        buffer: *mut c_void,
        bytes: u32,
        write: bool,
    ) -> bool {
        let page = self.page(frame);
        let end = u64::from(offset) + u64::from(bytes);
        if page.is_null() || end > PAGE_SIZE as u64 {
            return false;
        }
        if write {
            // SAFETY: the piece lies in a page of ours, and the buffer is as the caller says.
            unsafe { glue::genp_page_write(page, offset, buffer, bytes) }
        } else {
            // SAFETY: as above.
            unsafe { glue::genp_page_read(page, offset, buffer, bytes) }
        }
        true
    }

    /// Two words of a frame that somebody may be writing to; `None` if they are not within
    /// it. Context: any.
    pub(crate) fn two_words(&self, frame: u32, offset: u32) -> Option<[u64; 2]> {
        let mut words = [0u64; 2];
        let bytes = core::mem::size_of_val(&words) as u32;
        // SAFETY: a variable of ours of that size.
        let read = unsafe { self.copy(frame, offset, (&raw mut words).cast(), bytes, false) };
        read.then_some(words)
    }

    /// Whether a page is in the page tables of a process. Context: any.
    pub(crate) fn mapped(&self, frame: u32) -> bool {
        self.frames.get(frame as usize).is_some_and(|frame| {
            // SAFETY: the page is ours.
            unsafe { glue::genp_page_mapped(frame.page.as_ptr()) }
        })
    }

    /// Whether anything else holds a reference to the page: a mapping, direct I/O, a
    /// device. Once nothing does and it is mapped nowhere, nothing can take one.
    pub(crate) fn shared(&self, frame: u32) -> bool {
        self.frames.get(frame as usize).is_some_and(|frame| {
            // SAFETY: the page is ours.
            unsafe { glue::genp_page_users(frame.page.as_ptr()) != 1 }
        })
    }

    /// Takes from a frame what it was known by as a page of a reserve. It is in none any more,
    /// and the caller owns its number. Context: thread, may sleep while somebody who still
    /// has a reference marks the page dirty.
    pub(crate) fn anonymize(&self, frame: u32) {
        if let Some(frame) = self.frames.get(frame as usize) {
            // SAFETY: the page is ours, and its owner says that it is in no reserve.
            unsafe { glue::genp_page_anonymize(frame.page.as_ptr()) }
        }
    }

    /// Whether there is a memory error in a frame. Context: any.
    pub(crate) fn poisoned(&self, frame: u32) -> bool {
        self.frames.get(frame as usize).is_some_and(|frame| {
            // SAFETY: the page is ours.
            unsafe { glue::genp_page_poisoned(frame.page.as_ptr()) }
        })
    }

    /// Whether there is a memory error in a frame that this did not say before. Context:
    /// the thread that tells of them.
    pub(crate) fn newly_poisoned(&self, frame: u32) -> bool {
        let Some(entry) = self.frames.get(frame as usize) else {
            return false;
        };
        let new = self.poisoned(frame) && entry.told.get() == 0;
        if new {
            entry.told.set(1);
        }
        new
    }

    /// Marks the page of a frame that was taken out of a stock and that nobody is to have.
    /// Context: any; the caller owns the frame.
    pub(crate) fn set_aside(&self, frame: u32) {
        if let Some(frame) = self.frames.get(frame as usize) {
            // SAFETY: the page is ours, and only the owner of its frame uses it.
            unsafe { glue::genp_page_set_slot(frame.page.as_ptr(), ASIDE) }
        }
    }

    /// Whether a page was set aside by [`Self::set_aside`].
    pub(crate) fn is_aside(&self, frame: u32) -> bool {
        self.frames.get(frame as usize).is_some_and(|frame| {
            // SAFETY: the page is ours.
            unsafe { glue::genp_page_slot(frame.page.as_ptr()) == ASIDE }
        })
    }

    /// Stores the number of a slot in `page_private()` of a frame's page, where it is
    /// found when the page is given back. Returns the address of the `struct page`, 0 for
    /// no frame. Context: any; the caller owns the frame.
    pub(crate) fn put_in(&self, frame: u32, slot: u32) -> usize {
        let page = self.page(frame);
        if !page.is_null() {
            // SAFETY: the page is ours, and only the owner of its frame uses it.
            unsafe { glue::genp_page_set_slot(page, slot as usize) };
        }
        page as usize
    }

    /// The page of a frame, or null.
    pub(crate) fn page(&self, frame: u32) -> *mut bindings::page {
        self.frames
            .get(frame as usize)
            .map_or(core::ptr::null_mut(), |frame| frame.page.as_ptr())
    }
}

impl Drop for FrameTable {
    fn drop(&mut self) {
        for frame in self.frames.iter() {
            // SAFETY: the page is ours, and no longer in a stock.
            unsafe { glue::genp_page_set_slot(frame.page.as_ptr(), 0) };
            // SAFETY: gives up our reference. If there is another one, the kernel frees
            // the page when that is given up.
            unsafe { glue::genp_put_page(frame.page.as_ptr()) };
        }
    }
}
