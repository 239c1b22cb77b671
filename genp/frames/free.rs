// SPDX-License-Identifier: GPL-2.0

//! The pool's free frames: clean ones in a list for each node, dirty ones in one list,
//! and quarantined ones in a list for each partition that left them behind.
//!
//! This only moves frames. Who may have them is decided before, under the lending lock,
//! which never promises more frames than are listed here or being scrubbed. So a caller
//! that was promised frames always gets some.

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
    /// All of `frames`, listed as dirty. Context: thread, may sleep.
    pub(crate) fn new(
        frames: FrameTable,
        partitions: u32,
        waker: Arc<Waker>,
    ) -> Result<impl PinInit<Self, Error>> {
        let links = FrameLinks::new(frames.len())?;
        let mut dirty = FrameList::EMPTY;
        for frame in 0..frames.len() {
            dirty.push(frame, &links);
        }
        let lists = (0..partitions).map(|_| FrameList::EMPTY);
        let quarantine = table::collect(lists, SETUP_FLAGS)?;
        let lists = FreeLists {
            clean: [const { FrameList::EMPTY }; MAX_NODES],
            dirty,
            quarantine,
            quarantined: 0,
        };
        Ok(try_pin_init!(Self {
            frames,
            links,
            lists <- new_raw_lock!(lists, "genp_free_frames"),
            scrubbing <- new_pi_mutex!((), "genp_scrubbing"),
            waker,
        }))
    }

    pub(crate) fn frames(&self) -> &FrameTable {
        &self.frames
    }

    /// Takes 1 to [`BATCH`] zeroed frames, which the caller was promised under the
    /// lending lock; none only if `most` is 0. Context: thread, may sleep; zeroes at
    /// most [`BATCH`] frames.
    pub(crate) fn take(&self, most: u32, node: u32) -> FrameList {
        let (mut list, mut clean) = self.lists.lock().take(most, node, &self.links);
        if list.is_empty() && most > 0 {
            // The scrubber has the promised frames; once its lock is free they are in
            // the lists again.
            let _scrubber = self.scrubbing.lock();
            (list, clean) = self.lists.lock().take(most, node, &self.links);
        }
        if !clean {
            for frame in list.iter(&self.links) {
                self.frames.zero(frame);
            }
        }
        list
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
    /// refers to it; returns whether it is free. O(1). Context: thread.
    pub(crate) fn give_or_quarantine(&self, id: u32, frame: u32) -> bool {
        let shared = self.frames.shared(frame);
        let mut lists = self.lists.lock();
        match lists.quarantine.get_mut(id as usize) {
            Some(quarantine) if shared => {
                quarantine.push(frame, &self.links);
                lists.quarantined.raise(1);
                false
            }
            _ => {
                lists.dirty.push(frame, &self.links);
                true
            }
        }
    }

    /// Checks up to [`BATCH`] frames that partition `id` left in quarantine and frees
    /// those that nobody refers to any longer; returns their number. Context: thread.
    pub(crate) fn release_quarantine(&self, id: u32) -> u32 {
        let mut freed = 0u32;
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
                lists.dirty.push(frame, &self.links);
                freed.raise(1);
            }
        }
        freed
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

    /// Zeroes a few dirty frames, for which a taker may have to wait; false if there are
    /// none. Context: the scrub thread.
    pub(crate) fn scrub(&self) -> bool {
        let _scrubbing = self.scrubbing.lock();
        let mut list = self.lists.lock().dirty.split(SCRUB_BATCH, &self.links);
        if list.is_empty() {
            return false;
        }
        for frame in list.iter(&self.links) {
            self.frames.zero(frame);
        }
        while let Some(frame) = list.pop(&self.links) {
            let node = self.frames.node_of(frame) as usize;
            let mut lists = self.lists.lock();
            match lists.clean.get_mut(node) {
                Some(clean) => clean.push(frame, &self.links),
                None => lists.dirty.push(frame, &self.links),
            }
        }
        true
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
