// SPDX-License-Identifier: GPL-2.0

//! The frames of the pool, by number.

use core::ptr::NonNull;

use kernel::{bindings, prelude::*};

use super::glue;

/// The most memory nodes the pool is spread over; further ones are not used.
pub(crate) const MAX_NODES: usize = 8;

/// One page that belongs to the pool.
#[derive(Clone, Copy)]
struct Frame {
    page: NonNull<bindings::page>,
    /// Its node's place among the pool's nodes.
    node: u8,
}

/// All frames of the pool. Each is a page of its own with one reference, ours,
/// from [`Self::allocate`] to the drop.
pub(crate) struct FrameTable {
    frames: KVVec<Frame>,
    nodes: [i32; MAX_NODES],
    node_count: usize,
}

// SAFETY: the pages belong to this alone, and what is done to them here the
// kernel allows from any thread.
unsafe impl Send for FrameTable {}
// SAFETY: as above; shared access reads the table and the pages' own atomics, or
// zeroes a page, which the owner of that frame number alone asks for.
unsafe impl Sync for FrameTable {}

impl FrameTable {
    /// Takes `count` pages from the kernel, from all nodes alike, in the largest
    /// blocks there are: ENOMEM if there are not so many, and none is kept then.
    /// Context: thread, may sleep; the only time GenP asks for pages.
    pub(crate) fn allocate(count: u32) -> Result<Self> {
        let mut all = Self {
            frames: KVVec::with_capacity(count as usize, GFP_KERNEL)?,
            nodes: [bindings::NUMA_NO_NODE; MAX_NODES],
            node_count: 0,
        };
        all.find_nodes();
        let count = count as usize;
        for place in 0..all.node_count {
            // What is left, shared among the nodes that are left.
            let left = count - all.frames.len();
            let share = left.div_ceil(all.node_count - place);
            let target = all.frames.len() + share;
            all.fill_from(place, target)?;
        }
        // A node may have had too little: take from wherever there is.
        for place in 0..all.node_count {
            all.fill_from(place, count)?;
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
            if let Some(place) = self.nodes.get_mut(self.node_count) {
                *place = node;
                self.node_count += 1;
            }
        }
    }

    /// Takes pages of one node until there are `target` in all, or until it has
    /// none left.
    fn fill_from(&mut self, place: usize, target: usize) -> Result {
        let node = self.nodes.get(place).copied().ok_or(EINVAL)?;
        // SAFETY: no precondition.
        let mut order = unsafe { glue::genp_max_order() };
        while self.frames.len() < target {
            let missing = target - self.frames.len();
            order = order.min(missing.ilog2());
            // SAFETY: a node with memory and an order the kernel has; we may sleep.
            match NonNull::new(unsafe { glue::genp_alloc_block(node, order) }) {
                Some(block) => self.adopt(block, order, place)?,
                None if order == 0 => return Ok(()),
                None => order -= 1,
            }
            // SAFETY: we may sleep here.
            unsafe { glue::genp_cond_resched() };
        }
        Ok(())
    }

    /// Makes single frames of a block that was just allocated.
    fn adopt(&mut self, block: NonNull<bindings::page>, order: u32, place: usize) -> Result {
        // SAFETY: `block` is ours, of this order, and not a compound page.
        unsafe { glue::genp_split_block(block.as_ptr(), order) };
        for index in 0..1u32 << order {
            // SAFETY: `index` lies within the block.
            let page = unsafe { glue::genp_page_at(block.as_ptr(), index) };
            let page = NonNull::new(page).ok_or(EINVAL)?;
            let node = place as u8;
            // Has the capacity, so it does not fail and lose the page.
            self.frames.push(Frame { page, node }, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// FrameTable there are; their numbers are below this.
    pub(crate) fn len(&self) -> u32 {
        self.frames.len() as u32
    }

    /// Memory nodes they are of.
    pub(crate) fn nodes(&self) -> u32 {
        self.node_count as u32
    }

    /// The kernel's number of the node at `place`.
    pub(crate) fn node_id(&self, place: u32) -> i32 {
        self.nodes
            .get(place as usize)
            .copied()
            .unwrap_or(bindings::NUMA_NO_NODE)
    }

    /// The place of a frame's node.
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

    /// Whether anybody but us holds the page: a mapping, direct I/O, a device.
    /// Once nobody does and it is mapped nowhere, nobody can begin to.
    pub(crate) fn shared(&self, frame: u32) -> bool {
        self.frames.get(frame as usize).is_some_and(|frame| {
            // SAFETY: the page is ours.
            unsafe { glue::genp_page_users(frame.page.as_ptr()) != 1 }
        })
    }

    /// Writes the number of a slot into a frame's page, where `page_private()` finds it
    /// when it comes back from who took it: the page's address, or 0 for no frame.
    /// Context: any; the caller owns the frame.
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
            // SAFETY: the page is ours, and in no stock any longer.
            unsafe { glue::genp_page_set_slot(frame.page.as_ptr(), 0) };
            // SAFETY: the page is ours; this gives up our reference. If somebody
            // still holds it, the kernel frees it when they let go.
            unsafe { glue::genp_put_page(frame.page.as_ptr()) };
        }
    }
}
