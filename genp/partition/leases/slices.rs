// SPDX-License-Identifier: GPL-2.0

//! The frames in each slice of the lease window, and the mappings of the window.

use kernel::prelude::*;
use pin_init::init_array_from_fn;

use crate::genp::{
    core::{
        accounting::{EndReason, LeaseId, MAX_LEASES_PER_PARTITION},
        count::Count,
        owner::Owner,
        recall_bound::{self, PIECE},
    },
    frames::list::FrameList,
    sys::vma::{AddressSpaceId, WindowKey},
};

/// The most mappings of the lease window. They bound the work of ending a lease.
const MAX_MAPPINGS: usize = recall_bound::MAX_MAPPINGS as usize;

/// A lease whose end has begun, and who completes it how.
#[derive(Clone, Copy)]
pub(super) struct Ending {
    pub(super) lease: LeaseId,
    pub(super) how: EndReason,
    pub(super) expires: u64,
}

/// Pages of a lease to unmap next.
pub(super) struct Piece {
    pub(super) slice: u32,
    /// The first one in the slice, and how many.
    pub(super) first: u32,
    pub(super) count: u32,
    /// Whether these are the last ones.
    pub(super) last: bool,
}

/// What was in the slice of a lease that has ended.
pub(super) struct Ended {
    pub(super) list: FrameList,
    /// Whether memory errors were found in its frames.
    pub(super) poisoned: bool,
    pub(super) ending: Ending,
}

/// What a driver's lease had.
pub(super) struct Taken {
    pub(super) list: FrameList,
    /// Whether memory errors were found in its frames.
    pub(super) poisoned: bool,
}

/// The frames of a slice.
pub(super) struct Slice {
    /// The lease it belongs to, or 0.
    handle: u64,
    /// Its frames.
    list: FrameList,
    /// Whether all of them are there.
    complete: bool,
    /// Whether it is a driver's, and no process may see it.
    hidden: bool,
    /// Whether memory errors were found in its frames.
    poisoned: bool,
    /// Once its end has begun, nobody maps it or gives it frames any more.
    ending: Option<Ending>,
    /// Pages of it that are unmapped everywhere since then, from the first on.
    unmapped: u32,
}

impl Slice {
    const EMPTY: Self = Self {
        handle: 0,
        list: FrameList::EMPTY,
        complete: false,
        hidden: false,
        poisoned: false,
        ending: None,
        unmapped: 0,
    };

    /// Its frames.
    pub(super) fn list(&self) -> &FrameList {
        &self.list
    }

    /// The lease it belongs to, or 0.
    pub(super) fn handle(&self) -> u64 {
        self.handle
    }

    /// Whether memory errors were found in its frames.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Records that memory errors were found in its frames.
    pub(super) fn set_poisoned(&mut self) {
        self.poisoned = true;
    }

    /// Its frames, to add some.
    pub(super) fn list_mut(&mut self) -> &mut FrameList {
        &mut self.list
    }

    /// Lets it be mapped: all of its frames are there.
    pub(super) fn complete(&mut self) {
        self.complete = true;
    }

    /// Whether it may be mapped: it is a process's, all of its frames are there, and its
    /// end has not begun.
    pub(super) fn is_mappable(&self) -> bool {
        self.complete && !self.hidden && self.ending.is_none()
    }
}

/// The slices, and where they are mapped. Whoever holds the lock of this may
/// change the page tables of the window. A lease that is being ended stays in its slice
/// until all of its pages are unmapped; a slower borrower or a late page fault finds that
/// its end has begun, and maps nothing.
pub(super) struct Slices {
    slices: [Slice; MAX_LEASES_PER_PARTITION as usize],
    mappings: [Option<WindowKey>; MAX_MAPPINGS],
    /// Entries of `mappings` up to the last one that is taken.
    mapped: usize,
}

impl Slices {
    /// Made in place: too large for the stack.
    pub(super) fn new() -> impl PinInit<Self> {
        init!(Self {
            slices <- init_array_from_fn(|_| Slice::EMPTY),
            mappings: [None; MAX_MAPPINGS],
            mapped: 0,
        })
    }

    /// A mapping of the window in this address space, at entry `from` or behind, and
    /// the entry behind it. At most [`MAX_MAPPINGS`] steps.
    pub(super) fn next_in(&self, space: AddressSpaceId, from: usize) -> Option<(WindowKey, usize)> {
        // loop-bound: MAX_MAPPINGS
        (from..self.mapped).find_map(|at| {
            let key = (*self.mappings.get(at)?)?;
            key.is_in(space).then_some((key, at.plus(1)))
        })
    }

    /// Whether the window is mapped as often as it can be. At most [`MAX_MAPPINGS`] steps.
    pub(super) fn is_full(&self) -> bool {
        // loop-bound: MAX_MAPPINGS
        self.mappings.iter().all(Option::is_some)
    }

    /// How often the window is mapped. At most [`MAX_MAPPINGS`] steps.
    pub(super) fn mappings(&self) -> u32 {
        // CAST: at most MAX_MAPPINGS.
        // loop-bound: MAX_MAPPINGS
        self.mappings.iter().flatten().count() as u32
    }

    /// Records a mapping; false if there is no entry for it. The entries of the others
    /// stay what they are. At most [`MAX_MAPPINGS`] steps.
    pub(super) fn add_mapping(&mut self, key: WindowKey) -> bool {
        let Some(at) = self.mappings.iter().position(Option::is_none) else {
            return false;
        };
        if let Some(entry) = self.mappings.get_mut(at) {
            *entry = Some(key);
        }
        self.mapped = self.mapped.max(at.plus(1));
        true
    }

    /// Forgets a mapping. At most [`MAX_MAPPINGS`] steps.
    pub(super) fn remove_mapping(&mut self, key: WindowKey) {
        if let Some(entry) = self.mappings.iter_mut().find(|entry| **entry == Some(key)) {
            *entry = None;
        }
        let last = self.mappings.iter().rposition(Option::is_some);
        self.mapped = last.map_or(0, |at| at.plus(1));
    }

    /// Opens a free slice for the lease `handle`.
    pub(super) fn open(&mut self, slice: u32, handle: u64, owner: Owner) {
        if let Some(slice) = self.slices.get_mut(slice as usize) {
            slice.handle = handle;
            slice.hidden = owner == Owner::Driver;
        }
    }

    /// The entry of a slice, whichever lease it belongs to.
    pub(super) fn get(&self, slice: u32) -> Option<&Slice> {
        self.slices.get(slice as usize)
    }

    /// As [`Self::get`], to change it.
    pub(super) fn get_mut(&mut self, slice: u32) -> Option<&mut Slice> {
        self.slices.get_mut(slice as usize)
    }

    /// The handle of the lease in a slice, and its pages, if it may be mapped.
    pub(super) fn mappable(&self, slice: u32) -> Option<(u64, u32)> {
        let entry = self.get(slice).filter(|entry| entry.is_mappable())?;
        Some((entry.handle, entry.list.len()))
    }

    /// The slice of the lease `handle`, if that runs.
    pub(super) fn of(&mut self, slice: u32, handle: u64) -> Option<&mut Slice> {
        self.slices
            .get_mut(slice as usize)
            .filter(|slice| slice.handle == handle && slice.ending.is_none())
    }

    /// Begins to end the lease `handle`: it is not mapped and gets no frames any more.
    /// Returns how many it has.
    pub(super) fn begin_end(&mut self, slice: u32, handle: u64, ending: Ending) -> u32 {
        let Some(slice) = self.slices.get_mut(slice as usize) else {
            return 0;
        };
        if slice.handle != handle {
            // Its borrower has not opened the slice, and will not.
            *slice = Slice::EMPTY;
            slice.handle = handle;
        }
        slice.ending = Some(ending);
        slice.list.len()
    }

    /// What to unmap next of the lease `handle`; `None` unless it is being ended. As many
    /// steps as a partition may have leases.
    pub(super) fn next_piece(&self, handle: u64) -> Option<Piece> {
        // loop-bound: MAX_LEASES_PER_PARTITION
        let at = self
            .slices
            .iter()
            .position(|slice| slice.handle == handle)?;
        let slice = self.slices.get(at)?;
        slice.ending?;
        let left = slice.list.len().saturating_sub(slice.unmapped);
        let most = PIECE.checked_div(self.mappings()).unwrap_or(left);
        let count = left.min(most.max(1));
        Some(Piece {
            // CAST: there are MAX_LEASES_PER_PARTITION.
            slice: at as u32,
            first: slice.unmapped,
            count,
            last: count == left,
        })
    }

    /// The piece is unmapped everywhere. With the last one, the slice is empty: returns what
    /// was in it.
    pub(super) fn unmapped(&mut self, piece: &Piece) -> Option<Ended> {
        let slice = self.slices.get_mut(piece.slice as usize)?;
        slice.unmapped = slice.unmapped.saturating_add(piece.count);
        if !piece.last {
            return None;
        }
        let done = ::core::mem::replace(slice, Slice::EMPTY);
        Some(Ended {
            list: done.list,
            poisoned: done.poisoned,
            ending: done.ending?,
        })
    }

    /// Clears the slice of the lease `handle`, which is mapped nowhere, and takes its frames.
    pub(super) fn clear(&mut self, slice: u32, handle: u64) -> Taken {
        match self.of(slice, handle) {
            Some(slice) => {
                let slice = ::core::mem::replace(slice, Slice::EMPTY);
                Taken {
                    list: slice.list,
                    poisoned: slice.poisoned,
                }
            }
            None => Taken {
                list: FrameList::EMPTY,
                poisoned: false,
            },
        }
    }

    /// Undoes [`Self::clear`] for a driver's lease, which did not end after all.
    pub(super) fn restore(&mut self, slice: u32, handle: u64, taken: Taken) {
        self.open(slice, handle, Owner::Driver);
        if let Some(slice) = self.get_mut(slice) {
            slice.list = taken.list;
            slice.poisoned = taken.poisoned;
            slice.complete = true;
        }
    }
}
