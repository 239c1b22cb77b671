// SPDX-License-Identifier: GPL-2.0

//! What all actors of a case share: replies, handles, notes, code coverage.

use std::{
    cell::UnsafeCell,
    sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
};

use crate::{late::LateWrites, step::KINDS};

/// Number of actors.
pub const ACTORS: usize = 4;
/// The actor that runs as an ordinary user.
pub const ORDINARY: usize = 3;
/// The UID of that user.
pub const ORDINARY_UID: u32 = 1000;
/// Threads of an actor in a storm.
pub const THREADS: usize = 2;
/// Descriptors of an actor.
pub const FDS: usize = 5;
/// Mappings of an actor.
pub const MAPS: usize = 6;
/// Number of names.
pub const NAMES: u64 = 3;
/// Number of partitions of a case with notes of their own.
pub const PARTS: usize = 1024;
/// Handles of regions known at a time.
pub const REGIONS: usize = 48;
/// Handles of leases known at a time.
pub const LEASES: usize = 24;
/// Room for code coverage.
const POINTS: usize = 1 << 15;

/// Numbers in a reply.
pub const VALUES: usize = 8;

/// No call was made.
pub const SKIPPED: i32 = -1;

/// The result of a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reply {
    /// 0, an errno, or [`SKIPPED`].
    pub errno: i32,
    /// An argument, which depends on the kind.
    pub values: [u64; VALUES],
    /// When the call began and ended.
    pub begin: u64,
    /// As above.
    pub end: u64,
}

/// A reply in shared memory.
#[derive(Default)]
pub struct ReplyCell {
    errno: AtomicI32,
    values: [AtomicU64; VALUES],
    begin: AtomicU64,
    end: AtomicU64,
}

impl ReplyCell {
    /// Stores a reply.
    pub fn set(&self, reply: &Reply) {
        self.errno.store(reply.errno, Relaxed);
        for (cell, value) in self.values.iter().zip(reply.values) {
            cell.store(value, Relaxed);
        }
        self.begin.store(reply.begin, Relaxed);
        self.end.store(reply.end, SeqCst);
    }

    /// Reads it.
    pub fn get(&self) -> Reply {
        Reply {
            end: self.end.load(SeqCst),
            errno: self.errno.load(Relaxed),
            values: std::array::from_fn(|at| self.values[at].load(Relaxed)),
            begin: self.begin.load(Relaxed),
        }
    }
}

/// Notes on a partition.
pub struct Note {
    /// Running calls that may shrink the reserve.
    pub shrinking: AtomicU32,
    /// Finished calls that may have shrunk it.
    pub shrunk: AtomicU32,
    /// The one thread that writes to its leases.
    pub home: AtomicU32,
}

const EMPTY: u32 = 0;
const BUSY: u32 = 1;
const FULL: u32 = 2;

/// A handle, used by one thread at a time.
pub struct Entry {
    state: AtomicU32,
    /// The partition's serial number.
    pub serial: AtomicU32,
    /// The handle.
    pub handle: AtomicU64,
    /// The offset in the file.
    pub offset: AtomicU64,
    /// The length.
    pub length: AtomicU64,
    /// The deadline.
    pub expires: AtomicU64,
    /// Whether its owner's pattern was written.
    pub marked: AtomicU32,
}

impl Entry {
    /// Takes the entry for the caller, if it has a handle.
    pub fn take(&self) -> bool {
        let taken = self.state.compare_exchange(FULL, BUSY, SeqCst, SeqCst);
        taken.is_ok()
    }

    /// Releases the entry.
    pub fn put_back(&self) {
        self.state.store(FULL, SeqCst);
    }

    /// Empties the entry.
    pub fn clear(&self) {
        self.state.store(EMPTY, SeqCst);
    }

    /// Takes an empty entry for the caller.
    fn claim(&self) -> bool {
        let claimed = self.state.compare_exchange(EMPTY, BUSY, SeqCst, SeqCst);
        claimed.is_ok()
    }
}

/// Takes an empty entry for the caller.
pub fn claim(table: &[Entry]) -> Option<&Entry> {
    table.iter().find(|entry| entry.claim())
}

/// All shared data. Zeroes are a valid state.
pub struct World {
    /// Whether there was a violation.
    wrong: AtomicU32,
    text: UnsafeCell<[u8; 512]>,
    /// Replies, by actor.
    pub replies: [ReplyCell; ACTORS],
    /// Process IDs of the actors.
    pub pids: [AtomicI32; ACTORS],
    /// Thread IDs, for signals and tracers.
    pub threads: [AtomicI32; ACTORS * THREADS],
    /// Actors that were killed on purpose.
    pub killed: [AtomicU32; ACTORS],
    /// The last serial number.
    pub serials: AtomicU32,
    /// The last partition with each name.
    pub named: [AtomicU32; NAMES as usize],
    /// By serial number.
    pub notes: [Note; PARTS],
    /// Regions.
    pub regions: [Entry; REGIONS],
    /// Leases.
    pub leases: [Entry; LEASES],
    /// Those that were written to after their end, on User Mode Linux.
    pub late: LateWrites,
    /// Steps that made a call, by kind.
    pub tried: [AtomicU64; KINDS.len()],
    /// Steps that failed, by kind.
    pub refused: [AtomicU64; KINDS.len()],
    points: [AtomicU64; POINTS],
    /// Number of points reached.
    pub reached: AtomicU32,
}

// SAFETY: `text` is written once, by the thread that sets `wrong` from 0 to 1, and read
// only when `wrong` is 2.
unsafe impl Sync for World {}

impl World {
    /// Records a violation; only the first one is kept.
    pub fn violation(&self, what: &str) {
        if self.wrong.compare_exchange(0, 1, SeqCst, SeqCst).is_err() {
            return;
        }
        // SAFETY: only the thread that set `wrong` from 0 to 1 gets here.
        let text = unsafe { &mut *self.text.get() };
        let length = what.len().min(text.len());
        text[..length].copy_from_slice(&what.as_bytes()[..length]);
        self.wrong.store(2, SeqCst);
    }

    /// The violation, if there was one.
    pub fn wrong(&self) -> Option<String> {
        if self.wrong.load(SeqCst) != 2 {
            return None;
        }
        // SAFETY: `wrong` is 2, so the text is not written any longer.
        let text = unsafe { &*self.text.get() };
        let text = String::from_utf8_lossy(text);
        Some(text.trim_end_matches('\0').into())
    }

    /// Resets the state of a case, but not the counters.
    pub fn begin(&self) {
        // SAFETY: no actor is alive.
        unsafe { *self.text.get() = [0; 512] };
        self.wrong.store(0, SeqCst);
        self.serials.store(0, SeqCst);
        for entry in self.regions.iter().chain(&self.leases) {
            entry.clear();
        }
        for note in &self.notes {
            note.shrinking.store(0, Relaxed);
            note.shrunk.store(0, Relaxed);
            note.home.store(0, Relaxed);
        }
        for killed in &self.killed {
            killed.store(0, Relaxed);
        }
    }

    /// The notes on a partition.
    pub fn note(&self, serial: u32) -> &Note {
        &self.notes[serial as usize % PARTS]
    }

    /// Whether the reserve of a partition may be getting smaller: by a call on it, or by one
    /// on a partition that is not known.
    pub fn is_shrinking(&self, serial: u32) -> bool {
        [serial, 0].map(|of| self.note(of).shrinking.load(SeqCst)) != [0, 0]
    }

    /// The number of finished calls that may have shrunk it.
    pub fn shrunk(&self, serial: u32) -> u32 {
        let [own, unknown] = [serial, 0].map(|of| self.note(of).shrunk.load(SeqCst));
        own.wrapping_add(unknown)
    }

    /// The points of the kernel that were reached, in order.
    pub fn points(&self) -> Vec<u64> {
        let points = self.points.iter().map(|point| point.load(Relaxed));
        let mut points: Vec<u64> = points.filter(|point| *point != 0).collect();
        points.sort_unstable();
        points
    }

    /// Records a point of the kernel that was reached.
    pub fn reach(&self, point: u64) {
        let mut at = harness::rng::mix(point) as usize % POINTS;
        for _ in 0..64 {
            match self.points[at].compare_exchange(0, point, Relaxed, Relaxed) {
                Ok(_) => {
                    self.reached.fetch_add(1, Relaxed);
                    return;
                }
                Err(known) if known == point => return,
                Err(_) => at = (at + 1) % POINTS,
            }
        }
    }
}
