// SPDX-License-Identifier: GPL-2.0

//! Owners' patterns: written into memory that was allocated or borrowed, and checked
//! before it is returned.

use std::sync::{atomic::Ordering::SeqCst, RwLockReadGuard};

use harness::{
    calls,
    memory::{Found, Pattern},
    now, page_bytes,
};

use super::worker::{Map, Worker};
use crate::{step::Mode, world::Entry};

/// What [`Worker::check_zeroed`] finds where nothing is.
const NOT_THERE: &str = "it is not there";

/// What was found, as a number: 1 the pattern, 2 a fault, 3 something else.
pub fn code(found: Found) -> u64 {
    match found {
        Found::Same => 1,
        Found::Nothing => 2,
        Found::Other { .. } => 3,
    }
}

/// Unique: handles are not reused in a partition.
fn owner_of(entry: &Entry) -> u64 {
    let serial = u64::from(entry.serial.load(SeqCst));
    entry.handle.load(SeqCst) ^ (serial << 20)
}

fn mark_of(entry: &Entry) -> Pattern {
    Pattern::of(owner_of(entry))
}

impl Worker<'_> {
    /// A mapping of this part of the partition's file, locked for reading.
    fn mapped(
        &self,
        window: bool,
        serial: u32,
        offset: u64,
        length: u64,
    ) -> Option<(RwLockReadGuard<'_, Map>, usize)> {
        let shrunk = self.actor.world().shrunk(serial);
        self.actor.maps.iter().find_map(|map| {
            let map = map.read().ok()?;
            let within = offset.checked_sub(map.offset)?;
            let fits = map.address != 0
                && map.window == window
                && map.serial == serial
                && !map.odd
                && (window || map.shrunk == shrunk)
                && within + length <= map.length as u64;
            let at = map.address + within as usize;
            fits.then_some((map, at))
        })
    }

    pub(super) fn mark_region(&self, entry: &Entry) {
        let (serial, offset) = (entry.serial.load(SeqCst), entry.offset.load(SeqCst));
        let length = entry.length.load(SeqCst);
        let Some((_map, at)) = self.mapped(false, serial, offset, length) else {
            return;
        };
        if mark_of(entry).write(at, length as usize / 8) {
            entry.marked.store(1, SeqCst);
        } else if !self.was_cut(serial) {
            self.actor.world().violation(&format!(
                "a region at {offset:#x} + {length:#x} of partition {serial} is not there"
            ));
        }
    }

    /// Whether the reserve is being made smaller, or was.
    fn was_cut(&self, serial: u32) -> bool {
        let world = self.actor.world();
        world.is_shrinking(serial) || world.shrunk(serial) > 0
    }

    pub(super) fn check_region(&self, entry: &Entry) {
        if entry.marked.load(SeqCst) == 0 {
            return;
        }
        let (serial, offset) = (entry.serial.load(SeqCst), entry.offset.load(SeqCst));
        let length = entry.length.load(SeqCst);
        let Some((_map, at)) = self.mapped(false, serial, offset, length) else {
            return;
        };
        match mark_of(entry).check(at, length as usize / 8) {
            Found::Same => {}
            Found::Nothing if self.was_cut(serial) => {}
            found => self.actor.world().violation(&format!(
                "a region at {offset:#x} + {length:#x} of partition {serial} has another's \
                 bytes: {found:?}"
            )),
        }
    }

    /// Writes the pattern into a lease that was just granted, after checking that it is
    /// zeroed. In a storm only one thread writes to the leases of a partition, so that
    /// late writes are its own.
    pub(super) fn mark_lease(&self, entry: &Entry, fd: i32) {
        let (serial, offset) = (entry.serial.load(SeqCst), entry.offset.load(SeqCst));
        let length = entry.length.load(SeqCst);
        let storm = self.actor.setup.mode == Mode::Storm;
        let home = self.actor.world().note(serial).home.load(SeqCst) == self.thread;
        if storm && (!home || self.actor.user_mode) {
            return;
        }
        let Some((_map, at)) = self.mapped(true, serial, offset, length) else {
            return;
        };
        let found = match self.check_zeroed(at, length as usize) {
            Ok(()) if self.write_mark(entry, at, length) => {
                entry.marked.store(1, SeqCst);
                return;
            }
            Ok(()) => NOT_THERE.into(),
            Err(found) => found,
        };
        let over = now() >= entry.expires.load(SeqCst)
            || calls::stat(fd).is_ok_and(|stat| stat.dying != 0);
        if found == NOT_THERE && over {
            return;
        }
        self.bad_lease(entry, &found, "granted");
    }

    /// Writes the pattern of a lease: false for a fault.
    fn write_mark(&self, entry: &Entry, at: usize, length: u64) -> bool {
        let there = mark_of(entry).write(at, length as usize / 8);
        if self.actor.user_mode && now() >= entry.expires.load(SeqCst) {
            let late = &self.actor.world().late;
            late.note(owner_of(entry), length / 8);
        }
        there
    }

    /// Looks for a page that is not zeroed, or not there, and tells of the first one.
    pub(super) fn check_zeroed(&self, at: usize, bytes: usize) -> Result<(), String> {
        for page in (0..bytes).step_by(page_bytes() as usize) {
            match Pattern::ZERO.check(at + page, page_bytes() as usize / 8) {
                Found::Nothing => return Err(NOT_THERE.into()),
                Found::Other { at: index, word } if !self.actor.world().late.left(word) => {
                    return Err(format!("{word:#x} at {page:#x} + {:#x}", index * 8));
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) fn bad_lease(&self, entry: &Entry, found: &str, when: &str) {
        self.actor.world().violation(&format!(
            "a lease at {:#x} + {:#x} of partition {}, just {when}, is not as it should be: {found}",
            entry.offset.load(SeqCst),
            entry.length.load(SeqCst),
            entry.serial.load(SeqCst),
        ));
    }

    /// Checks the pattern of a lease, if it was written and is mapped here.
    pub(super) fn look_at_lease(&self, entry: &Entry) -> Option<Found> {
        if entry.marked.load(SeqCst) == 0 {
            return None;
        }
        let (serial, offset) = (entry.serial.load(SeqCst), entry.offset.load(SeqCst));
        let length = entry.length.load(SeqCst);
        let (_map, at) = self.mapped(true, serial, offset, length)?;
        Some(mark_of(entry).check(at, length as usize / 8))
    }
}
