// SPDX-License-Identifier: GPL-2.0

//! Owners' patterns: written into memory that was allocated or borrowed, and checked
//! before it is returned.

use std::sync::{atomic::Ordering::SeqCst, RwLockReadGuard};

use harness::{
    calls,
    memory::{Found, Pattern},
    now,
};

use super::worker::{Map, Worker};
use crate::{step::Mode, world::Entry};

/// What was found, as a number: 1 the pattern, 2 a fault, 3 something else.
pub fn code(found: Found) -> u64 {
    match found {
        Found::Same => 1,
        Found::Nothing => 2,
        Found::Other(_) => 3,
    }
}

/// The pattern is unique: handles are not reused in a partition.
fn mark_of(entry: &Entry) -> Pattern {
    let serial = u64::from(entry.serial.load(SeqCst));
    Pattern::of(entry.handle.load(SeqCst) ^ (serial << 20))
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
        let words = length as usize / 8;
        let found = match Pattern::ZERO.check(at, words) {
            Found::Same if mark_of(entry).write(at, words) => {
                entry.marked.store(1, SeqCst);
                return;
            }
            Found::Same => Found::Nothing,
            found => found,
        };
        let over = now() >= entry.expires.load(SeqCst)
            || calls::stat(fd).is_ok_and(|stat| stat.dying != 0);
        if found == Found::Nothing && over {
            return;
        }
        self.bad_lease(entry, found, "granted");
    }

    pub(super) fn bad_lease(&self, entry: &Entry, found: Found, when: &str) {
        self.actor.world().violation(&format!(
            "a lease at {:#x} + {:#x} of partition {}, just {when}, is not as it should be: {found:?}",
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
