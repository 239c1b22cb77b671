// SPDX-License-Identifier: GPL-2.0

//! What all actors of a case share: answers, handles, notes, the points reached.

use std::{
    cell::UnsafeCell,
    sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
};

use crate::step::KINDS;

/// Processes at work.
pub const ACTORS: usize = 4;
/// This one is of an ordinary user.
pub const ORDINARY: usize = 3;
/// The user.
pub const ORDINARY_UID: u32 = 1000;
/// Threads of each in a storm.
pub const THREADS: usize = 2;
/// Descriptors each one has at a time.
pub const FDS: usize = 5;
/// Mappings each one has at a time.
pub const MAPS: usize = 6;
/// Names there are.
pub const NAMES: u64 = 3;
/// Partitions ever made in a case whose notes are kept.
pub const PARTS: usize = 1024;
/// Handles known at a time.
pub const REGIONS: usize = 48;
/// Handles of leases known at a time.
pub const LEASES: usize = 24;
/// Room for points of the kernel reached.
const POINTS: usize = 1 << 15;

/// Numbers that an answer has room for.
pub const VALUES: usize = 8;

/// No call was made.
pub const SKIPPED: i32 = -1;

/// What an actor says of a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reply {
    /// 0, an errno, or [`SKIPPED`].
    pub errno: i32,
    /// By kind.
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
    /// Leaves a reply.
    pub fn set(&self, reply: &Reply) {
        self.errno.store(reply.errno, Relaxed);
        for (cell, value) in self.values.iter().zip(reply.values) {
            cell.store(value, Relaxed);
        }
        self.begin.store(reply.begin, Relaxed);
        self.end.store(reply.end, SeqCst);
    }

    /// Takes it.
    pub fn get(&self) -> Reply {
        Reply {
            end: self.end.load(SeqCst),
            errno: self.errno.load(Relaxed),
            values: std::array::from_fn(|at| self.values[at].load(Relaxed)),
            begin: self.begin.load(Relaxed),
        }
    }
}

/// What is known of a partition by its serial number.
pub struct Note {
    /// Calls under way that may shrink the reserve.
    pub shrinking: AtomicU32,
    /// Calls done that may have.
    pub shrunk: AtomicU32,
    /// The one thread that writes to its leases.
    pub home: AtomicU32,
}

const EMPTY: u32 = 0;
const BUSY: u32 = 1;
const FULL: u32 = 2;

/// A handle that somebody may use, one at a time.
pub struct Entry {
    state: AtomicU32,
    /// Of which partition.
    pub serial: AtomicU32,
    /// The handle.
    pub handle: AtomicU64,
    /// Where it is, in the file.
    pub offset: AtomicU64,
    /// How long.
    pub length: AtomicU64,
    /// When it ends.
    pub expires: AtomicU64,
    /// Whether its owner's mark was written.
    pub marked: AtomicU32,
}

impl Entry {
    /// Makes it the caller's, if there is a handle.
    pub fn take(&self) -> bool {
        let taken = self.state.compare_exchange(FULL, BUSY, SeqCst, SeqCst);
        taken.is_ok()
    }

    /// Puts it back.
    pub fn put_back(&self) {
        self.state.store(FULL, SeqCst);
    }

    /// The handle is no more.
    pub fn clear(&self) {
        self.state.store(EMPTY, SeqCst);
    }

    /// Makes an empty one the caller's.
    fn claim(&self) -> bool {
        let claimed = self.state.compare_exchange(EMPTY, BUSY, SeqCst, SeqCst);
        claimed.is_ok()
    }
}

/// An empty entry, made the caller's.
pub fn claim(table: &[Entry]) -> Option<&Entry> {
    table.iter().find(|entry| entry.claim())
}

/// All that is shared. Zeroes are a valid one.
pub struct World {
    /// Whether something was wrong.
    wrong: AtomicU32,
    text: UnsafeCell<[u8; 512]>,
    /// Answers, by actor.
    pub replies: [ReplyCell; ACTORS],
    /// The actors.
    pub pids: [AtomicI32; ACTORS],
    /// Their threads, by who does something to them.
    pub threads: [AtomicI32; ACTORS * THREADS],
    /// Those that were killed on purpose.
    pub killed: [AtomicU32; ACTORS],
    /// The last serial number given out.
    pub serials: AtomicU32,
    /// Who had a name last.
    pub named: [AtomicU32; NAMES as usize],
    /// By serial number.
    pub notes: [Note; PARTS],
    /// Regions.
    pub regions: [Entry; REGIONS],
    /// Leases.
    pub leases: [Entry; LEASES],
    /// Steps that made a call, by kind.
    pub tried: [AtomicU64; KINDS.len()],
    /// Those that were refused.
    pub refused: [AtomicU64; KINDS.len()],
    points: [AtomicU64; POINTS],
    /// How many of them there are.
    pub reached: AtomicU32,
}

// SAFETY: `text` is written once, by who set `wrong` from 0 to 1, and read after
// `wrong` is 2.
unsafe impl Sync for World {}

impl World {
    /// Notes what was wrong; the first one counts.
    pub fn violation(&self, what: &str) {
        if self.wrong.compare_exchange(0, 1, SeqCst, SeqCst).is_err() {
            return;
        }
        // SAFETY: only one gets here.
        let text = unsafe { &mut *self.text.get() };
        let length = what.len().min(text.len());
        text[..length].copy_from_slice(&what.as_bytes()[..length]);
        self.wrong.store(2, SeqCst);
    }

    /// What was wrong, if anything.
    pub fn wrong(&self) -> Option<String> {
        if self.wrong.load(SeqCst) != 2 {
            return None;
        }
        // SAFETY: nobody writes any longer.
        let text = unsafe { &*self.text.get() };
        let text = String::from_utf8_lossy(text);
        Some(text.trim_end_matches('\0').into())
    }

    /// Forgets a case, but not what was counted.
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

    /// What is known of a partition.
    pub fn note(&self, serial: u32) -> &Note {
        &self.notes[serial as usize % PARTS]
    }

    /// Notes a point of the kernel that was reached.
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
