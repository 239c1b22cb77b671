// SPDX-License-Identifier: GPL-2.0

//! The stage, which makes calls and times each of them.

use std::arch::x86_64::{_mm_lfence, _rdtsc};

use crate::{buffer::Buffer, subject::Subject};

/// The processor's counter. Under QEMU's icount with shift 0 it counts instructions.
#[inline(always)]
pub fn stamp() -> u64 {
    // SAFETY: every user may read the counter. The fence keeps later instructions from
    // being started earlier.
    unsafe {
        _mm_lfence();
        _rdtsc()
    }
}

/// Pairs between two stamps if single ones are too short for the counter.
pub const LOOP: u32 = 64;

/// A slot for a block.
#[derive(Clone, Copy, Default)]
pub struct Slot {
    address: usize,
    size: u32,
    /// The cost of taking the block, without and with touching it.
    cost: u32,
    touched: u32,
}

/// What was measured.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct Totals {
    /// Pairs measured.
    pub pairs: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Page faults from the first measured call to the last.
    pub faults: u64,
    /// Set when the work is complete.
    pub complete: u64,
}

/// The records of a measurement.
pub struct Records {
    /// For each pair: the cost of alloc and free together.
    pub pairs: Buffer<u32>,
    /// The same with the first write to each page of the block.
    pub touched: Buffer<u32>,
    pub slots: Buffer<Slot>,
    pub totals: Buffer<Totals>,
}

impl Records {
    /// Records of this many pairs, and of this many blocks at a time.
    pub fn new(pairs: usize, slots: usize) -> Self {
        Self {
            pairs: Buffer::new(pairs),
            touched: Buffer::new(pairs),
            slots: Buffer::new(slots),
            totals: Buffer::new(1),
        }
    }

    /// Clears them, and populates their pages for the calling process.
    pub fn clear(&mut self) {
        self.pairs.touch();
        self.touched.touch();
        self.slots.touch();
        self.totals.touch();
    }
}

/// An allocator under test.
pub struct Stage<'a, S> {
    pub subject: &'a S,
    records: &'a mut Records,
    totals: Totals,
    /// Whether calls are recorded.
    measuring: bool,
    /// The difference of two successive stamps.
    empty: u32,
}

/// The number of page faults of this process.
fn faults() -> u64 {
    // SAFETY: fills a structure of ours.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    (usage.ru_minflt + usage.ru_majflt) as u64
}

/// The system call that marks the begin and the end of the measured part for the
/// tracer: one that no allocator makes.
pub const MARK: libc::c_long = libc::SYS_getppid;

fn mark() {
    // SAFETY: no memory is involved.
    unsafe { libc::syscall(MARK) };
}

fn since(begin: u64, end: u64, empty: u32) -> u32 {
    u32::try_from(end - begin)
        .unwrap_or(u32::MAX)
        .saturating_sub(empty)
}

/// The difference of two successive stamps: the overhead of a measurement.
fn empty() -> u32 {
    let mut seen = [0; 101];
    for _ in 0..3 {
        for difference in &mut seen {
            let begin = stamp();
            *difference = (stamp() - begin) as u32;
        }
    }
    seen.sort_unstable();
    seen[seen.len() / 2]
}

impl<'a, S: Subject> Stage<'a, S> {
    pub fn new(subject: &'a S, records: &'a mut Records) -> Self {
        Self {
            subject,
            records,
            totals: Totals::default(),
            measuring: false,
            empty: empty(),
        }
    }

    /// Records calls from here on.
    pub fn measure(&mut self) {
        self.measuring = true;
        self.totals.faults = faults();
        mark();
    }

    /// Ends the recording.
    pub fn done(mut self) {
        mark();
        self.totals.faults = faults() - self.totals.faults;
        self.totals.complete = 1;
        self.records.totals[0] = self.totals;
    }

    /// The number of slots.
    pub fn slots(&self) -> usize {
        self.records.slots.len()
    }

    /// Whether there is no room for another recorded pair.
    pub fn full(&self) -> bool {
        self.totals.pairs as usize >= self.records.pairs.len()
    }

    /// Whether a slot holds a block.
    #[inline(always)]
    pub fn holds(&self, slot: usize) -> bool {
        self.records.slots[slot].address != 0
    }

    /// The size of the block in a slot.
    #[inline(always)]
    pub fn size(&self, slot: usize) -> usize {
        self.records.slots[slot].size as usize
    }

    /// Allocates into an empty slot and writes to every page of the block: false
    /// if that was refused.
    #[inline(always)]
    pub fn take(&mut self, slot: usize, size: usize) -> bool {
        let begin = stamp();
        let block = self.subject.alloc(size);
        let had = stamp();
        if block.is_null() {
            self.totals.refused += u64::from(self.measuring);
            return false;
        }
        let mut at = 0;
        while at < size {
            // SAFETY: within the block. Volatile, because the value is never read.
            unsafe { block.add(at).write_volatile(1) };
            at += 4096;
        }
        let touched = stamp();
        self.records.slots[slot] = Slot {
            address: block as usize,
            size: size as u32,
            cost: since(begin, had, self.empty),
            touched: since(begin, touched, 2 * self.empty),
        };
        true
    }

    /// Frees the block in a slot and records the cost of the pair.
    #[inline(always)]
    pub fn give(&mut self, slot: usize) {
        let held = self.records.slots[slot];
        let block = held.address as *mut u8;
        let begin = stamp();
        // SAFETY: from `take`, and forgotten below.
        unsafe { self.subject.free(block) };
        let end = stamp();
        self.records.slots[slot].address = 0;
        if self.measuring && !self.full() {
            let free = since(begin, end, self.empty);
            let at = self.totals.pairs as usize;
            self.records.pairs[at] = held.cost.saturating_add(free);
            self.records.touched[at] = held.touched.saturating_add(free);
            self.totals.pairs += 1;
        }
    }

    /// Exchanges two slots.
    pub fn swap(&mut self, one: usize, other: usize) {
        self.records.slots.swap(one, other);
    }

    /// Takes and frees blocks of one size, [`LOOP`] of them between two stamps, and
    /// records the cost of all of them.
    #[inline(always)]
    pub fn cycle(&mut self, size: usize) {
        let begin = stamp();
        for _ in 0..LOOP {
            let block = std::hint::black_box(self.subject.alloc(size));
            if block.is_null() {
                self.totals.refused += 1;
                continue;
            }
            // SAFETY: just allocated; a block has a byte. Freed once.
            unsafe {
                block.write_volatile(1);
                self.subject.free(block);
            }
        }
        let cost = since(begin, stamp(), self.empty);
        if self.measuring && !self.full() {
            let at = self.totals.pairs as usize;
            self.records.pairs[at] = cost;
            self.records.touched[at] = cost;
            self.totals.pairs += 1;
        }
    }
}
