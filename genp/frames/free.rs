// SPDX-License-Identifier: GPL-2.0

//! The pool's free frames: clean ones in a list for each node, dirty ones in one list,
//! and quarantined ones in a list for each partition that left them behind.
//!
//! This only moves frames. Who may have them is decided before, under the lending lock,
//! which never promises more frames than are listed here or being scrubbed. So a caller
//! that was promised frames always gets some, unless memory errors were found in them.
//!
//! Whatever passes here is looked at for memory errors. Who gets a number of frames that
//! have some and are in no list any more tells the accounting.

use kernel::{prelude::*, sync::Arc};

use super::list::{FrameLinks, FrameList, Iter};
use crate::genp::{
    core::{
        count::Count,
        recall_bound::{FILL_BATCH, SCRUB_BATCH},
    },
    sys::{
        alloc_flags::SETUP_FLAGS,
        lock::{new_pi_mutex, new_raw_lock, PiMutex, RawLock},
        page::{FrameTable, MAX_NODES},
        table,
        thread::Waker,
    },
};

/// The most frames that are moved or zeroed under one lock.
pub(crate) const BATCH: u32 = FILL_BATCH;

/// Frames that were taken.
pub(crate) struct Taken {
    pub(crate) list: FrameList,
    /// How many were taken besides, had memory errors and are in no list any more.
    pub(crate) poisoned: u32,
}

/// What became of a frame that was given back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Free,
    /// Somebody else still refers to it.
    Quarantined,
    /// It has a memory error and is in no list any more.
    Poisoned,
}

/// Frames that left quarantine.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Released {
    pub(crate) free: u32,
    /// In no list any more.
    pub(crate) poisoned: u32,
}

impl Released {
    /// Counts a frame, unless it stays where it is.
    pub(crate) fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Free => self.free.raise(1),
            Fate::Poisoned => self.poisoned.raise(1),
            Fate::Quarantined => {}
        }
    }

    /// All of them.
    pub(crate) fn frames(&self) -> u32 {
        self.free.plus(self.poisoned)
    }
}

struct FreeLists {
    clean: [FrameList; MAX_NODES],
    dirty: FrameList,
    /// By partition number.
    quarantine: KVVec<FrameList>,
    quarantined: u32,
}

impl FreeLists {
    /// Takes up to `most` frames, clean ones first and of those the ones of `node`; also
    /// returns whether they are clean. At most `MAX_NODES + BATCH` steps.
    fn take(&mut self, most: u32, node: u32, links: &FrameLinks) -> (FrameList, bool) {
        let most = most.min(BATCH);
        if let Some(clean) = self.clean.get_mut(node as usize) {
            if !clean.is_empty() {
                return (clean.split(most, links), true);
            }
        }
        // loop-bound: MAX_NODES
        for clean in &mut self.clean {
            if !clean.is_empty() {
                return (clean.split(most, links), true);
            }
        }
        (self.dirty.split(most, links), false)
    }
}

/// The free frames of the pool.
#[pin_data]
pub(crate) struct FreeFrames {
    frames: FrameTable,
    links: FrameLinks,
    #[pin]
    lists: RawLock<FreeLists>,
    /// Held by the scrubber while it has frames that are in no list. A taker that finds
    /// the lists empty waits here and so lends the scrubber its priority.
    #[pin]
    scrubbing: PiMutex<()>,
    /// Wakes the scrubber.
    waker: Arc<Waker>,
}

impl FreeFrames {
    /// All of `frames` that are of no contiguous block, listed as dirty. Context: thread, may sleep.
    pub(crate) fn new(
        frames: FrameTable,
        partitions: u32,
        waker: Arc<Waker>,
    ) -> Result<impl PinInit<Self, Error>> {
        let links = FrameLinks::new(frames.len())?;
        let mut dirty = FrameList::EMPTY;
        for frame in frames.first_single()..frames.len() {
            dirty.push(frame, &links);
        }
        let lists = (0..partitions).map(|_| FrameList::EMPTY);
        let quarantine = table::collect(lists, SETUP_FLAGS)?;
        // The lists are made in their place, not on the stack.
        Ok(try_pin_init!(Self {
            frames,
            links,
            lists <- new_raw_lock!(
                FreeLists {
                    clean: [const { FrameList::EMPTY }; MAX_NODES],
                    dirty,
                    quarantine,
                    quarantined: 0,
                },
                "genp_free_frames"
            ),
            scrubbing <- new_pi_mutex!((), "genp_scrubbing"),
            waker,
        }))
    }

    pub(crate) fn frames(&self) -> &FrameTable {
        &self.frames
    }

    /// Takes 1 to [`BATCH`] zeroed frames, which the caller was promised under the
    /// lending lock; none only if `most` is 0, or if those that were left have memory
    /// errors. Looks for errors among clean frames only with `suspect`. Context: thread,
    /// may sleep; zeroes at most [`BATCH`] frames.
    pub(crate) fn take(&self, most: u32, node: u32, suspect: bool) -> Taken {
        let (mut list, mut clean) = self.lists.lock().take(most, node, &self.links);
        if list.is_empty() && most > 0 {
            // The scrubber has the promised frames; once its lock is free they are in
            // the lists again.
            let _scrubber = self.scrubbing.lock();
            (list, clean) = self.lists.lock().take(most, node, &self.links);
        }
        let taken = match suspect || !clean {
            true => self.sift(list),
            false => Taken { list, poisoned: 0 },
        };
        if !clean {
            // No request has more frames zeroed than it gets.
            // loop-total: lease_pages
            for frame in taken.list.iter(&self.links) {
                self.frames.zero(frame);
            }
        }
        taken
    }

    /// Takes the frames with memory errors out of a list that the caller owns; they are in
    /// no list then. Linear. Context: thread.
    pub(crate) fn sift(&self, mut list: FrameList) -> Taken {
        let mut taken = Taken {
            list: FrameList::EMPTY,
            poisoned: 0,
        };
        // The usual case changes no link. A lease is looked at when it begins and ends.
        // loop-total: 2 * lease_pages + poisoned
        let any = list
            .iter(&self.links)
            .any(|frame| self.frames.poisoned(frame));
        if !any {
            taken.list = list;
            return taken;
        }
        // loop-total: 2 * lease_pages + poisoned
        while let Some(frame) = list.pop(&self.links) {
            match self.frames.poisoned(frame) {
                true => taken.poisoned.raise(1),
                false => taken.list.push(frame, &self.links),
            }
        }
        taken
    }

    /// Whether anything else holds a reference to one of the frames of a list, which the
    /// caller owns. Linear. Context: thread.
    #[inline(never)] // A loop of its own has enough registers.
    pub(crate) fn any_shared(&self, list: &FrameList) -> bool {
        // loop-bound: lease_pages
        list.iter(&self.links)
            .any(|frame| self.frames.shared(frame))
    }

    /// Gives back frames that nobody else refers to. O(1). Context: thread, raw locks,
    /// hardirq.
    pub(crate) fn give(&self, list: FrameList) {
        if list.is_empty() {
            return;
        }
        self.lists.lock().dirty.append(list, &self.links);
        self.waker.wake();
    }

    /// Gives back one frame of partition `id`, or quarantines it if somebody else still
    /// refers to it, or retires it. O(1). Context: thread.
    pub(crate) fn give_or_quarantine(&self, id: u32, frame: u32) -> Fate {
        let shared = self.frames.shared(frame);
        let mut lists = self.lists.lock();
        match lists.quarantine.get_mut(id as usize) {
            Some(quarantine) if shared => {
                quarantine.push(frame, &self.links);
                lists.quarantined.raise(1);
                Fate::Quarantined
            }
            _ => self.free_or_retire(&mut lists, frame),
        }
    }

    /// Frees a frame that nobody refers to, unless it has a memory error.
    fn free_or_retire(&self, lists: &mut FreeLists, frame: u32) -> Fate {
        if self.frames.poisoned(frame) {
            return Fate::Poisoned;
        }
        lists.dirty.push(frame, &self.links);
        Fate::Free
    }

    /// Checks up to [`BATCH`] frames that partition `id` left in quarantine and frees or
    /// retires those that nobody refers to any longer. Context: thread.
    pub(crate) fn release_quarantine(&self, id: u32) -> Released {
        let mut released = Released::default();
        for _ in 0..BATCH {
            let mut lists = self.lists.lock();
            let Some(quarantine) = lists.quarantine.get_mut(id as usize) else {
                break;
            };
            let Some(frame) = quarantine.pop(&self.links) else {
                break;
            };
            if self.frames.shared(frame) {
                quarantine.push(frame, &self.links);
            } else {
                lists.quarantined.lower(1);
                released.count(self.free_or_retire(&mut lists, frame));
            }
        }
        released
    }

    /// The number of frames in quarantine.
    pub(crate) fn quarantined(&self) -> u32 {
        self.lists.lock().quarantined
    }

    /// The number of free frames that are zeroed already.
    pub(crate) fn clean(&self) -> u32 {
        let lists = self.lists.lock();
        lists
            .clean
            .iter()
            .fold(0u32, |sum, list| sum.plus(list.len()))
    }

    /// Zeroes a few dirty frames, for which a taker may have to wait. Returns how many had memory errors and were retired
    /// instead, `None` if there are none to zero. Context: the scrub thread.
    pub(crate) fn scrub(&self) -> Option<u32> {
        let _scrubbing = self.scrubbing.lock();
        let list = self.lists.lock().dirty.split(SCRUB_BATCH, &self.links);
        if list.is_empty() {
            return None;
        }
        let taken = self.sift(list);
        for frame in taken.list.iter(&self.links) {
            self.frames.zero(frame);
        }
        self.list_as_clean(taken.list);
        Some(taken.poisoned)
    }

    /// Looks through the clean frames of a node for memory errors, a few under each lock,
    /// and calls `retire` with the number of those that have some and are in no list any
    /// more. Linear in the clean frames. Context: thread, may sleep.
    pub(crate) fn sift_clean(&self, node: u32, mut retire: impl FnMut(u32)) {
        let clean = |lists: &mut FreeLists, most: u32| {
            let list = lists.clean.get_mut(node as usize);
            list.map_or(FrameList::EMPTY, |list| list.split(most, &self.links))
        };
        // Those that are added later were looked at after the error. Not so those that the
        // scrubber has: it may have looked before, so they have to be listed first.
        let mut left = {
            let _scrubbing = self.scrubbing.lock();
            self.clean()
        };
        while left > 0 {
            let scrubbing = self.scrubbing.lock();
            let list = clean(&mut self.lists.lock(), left.min(SCRUB_BATCH));
            if list.is_empty() {
                return;
            }
            left = left.saturating_sub(list.len());
            let taken = self.sift(list);
            self.list_as_clean(taken.list);
            drop(scrubbing);
            retire(taken.poisoned);
        }
    }

    /// Lists frames that were zeroed.
    fn list_as_clean(&self, mut list: FrameList) {
        while let Some(frame) = list.pop(&self.links) {
            let node = self.frames.node_of(frame) as usize;
            let mut lists = self.lists.lock();
            match lists.clean.get_mut(node) {
                Some(clean) => clean.push(frame, &self.links),
                None => lists.dirty.push(frame, &self.links),
            }
        }
    }

    /// The frames of a list that the caller owns, in order.
    pub(crate) fn iter(&self, list: &FrameList) -> Iter<'_> {
        list.iter(&self.links)
    }

    /// Appends `more` to `list`; the caller owns both. O(1).
    pub(crate) fn join(&self, list: &mut FrameList, more: FrameList) {
        list.append(more, &self.links);
    }

    /// Takes the first frame out of a list that the caller owns. O(1).
    pub(crate) fn pop(&self, list: &mut FrameList) -> Option<u32> {
        list.pop(&self.links)
    }
}
