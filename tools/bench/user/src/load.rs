// SPDX-License-Identifier: GPL-2.0

//! Loads: sequences of allocations and frees, the same for each allocator.

use std::sync::{Barrier, Mutex, PoisonError};

use harness::rng::Rng;

use crate::{
    stage::{Stage, LOOP},
    subject::Subject,
    trace::{Op, Trace},
};

/// The smallest and the largest block of the synthetic loads.
const SMALLEST: u64 = 16;
const LARGEST: u64 = 4096;
/// Blocks that are handed from a thread to another at a time.
const BATCH: usize = 64;
/// The limits of the bytes in use of [`Load::Burst`].
const LOW: usize = 2 << 20;
const HIGH: usize = 12 << 20;

/// A load.
pub enum Load {
    /// Blocks of this size, each freed before the next is allocated.
    Pair(usize),
    /// The same, with many pairs between two readings of the counter.
    Loop(usize),
    /// Random sizes with random lifetimes, with this percentage of `subject::POOL` in use.
    Random(usize),
    /// Random sizes, 64 at a time; the oldest goes first.
    Fifo,
    /// Random sizes, 64 at a time at most; the youngest goes first.
    Lifo,
    /// Random sizes, allocated by one thread and freed by another.
    Threads,
    /// Bytes in use that swell to 12 MiB and shrink to 2 MiB, with a large block now
    /// and then, and a pause after every 32 calls.
    Burst,
    /// The recording of a program.
    Trace(&'static Trace),
}

impl Load {
    /// The approximate number of bytes in use.
    pub fn live(&self) -> usize {
        match self {
            Self::Pair(size) | Self::Loop(size) => *size,
            Self::Random(percent) => crate::subject::POOL / 100 * percent,
            Self::Fifo | Self::Lifo | Self::Threads => BATCH * (LARGEST as usize / 2),
            Self::Burst => HIGH,
            Self::Trace(trace) => trace.peak,
        }
    }

    /// The largest block there is.
    pub fn largest(&self) -> usize {
        match self {
            Self::Pair(size) | Self::Loop(size) => *size,
            Self::Burst => 256 << 10,
            Self::Trace(trace) => trace.largest,
            _ => LARGEST as usize,
        }
    }

    /// Blocks in use at a time, at most.
    pub fn slots(&self) -> usize {
        match self {
            Self::Pair(_) | Self::Loop(_) => 1,
            // Overhead per block is 16 or 32 bytes.
            Self::Random(_) => self.live() / (mean() + 24),
            Self::Fifo | Self::Lifo | Self::Threads => BATCH,
            Self::Burst => 2 * HIGH / mean(),
            Self::Trace(trace) => trace.slots,
        }
    }

    /// Pairs per sample.
    pub fn pairs_in_sample(&self) -> u32 {
        match self {
            Self::Loop(_) => LOOP,
            _ => 1,
        }
    }

    /// Whether the load makes no system call of its own.
    pub fn is_quiet(&self) -> bool {
        !matches!(self, Self::Threads | Self::Burst)
    }

    /// Whether costs repeat in another run, except for interrupts.
    pub fn repeats(&self) -> bool {
        self.is_quiet()
    }

    /// Runs the load. `ready` is called before the measured part.
    pub fn run<S: Subject>(&self, mut stage: Stage<'_, S>, ready: impl FnOnce()) {
        match self {
            Self::Pair(size) => pair(&mut stage, *size, ready),
            Self::Loop(size) => cycle(&mut stage, *size, ready),
            Self::Random(_) => random(&mut stage, ready),
            Self::Fifo => fifo(&mut stage, ready),
            Self::Lifo => lifo(&mut stage, ready),
            Self::Threads => return threads(stage, ready),
            Self::Burst => burst(&mut stage, ready),
            Self::Trace(trace) => replay(&mut stage, &trace.ops, ready),
        }
        stage.done();
    }
}

fn mean() -> usize {
    (SMALLEST + LARGEST) as usize / 2
}

fn any_size(rng: &mut Rng) -> usize {
    (SMALLEST + rng.below(LARGEST - SMALLEST + 1)) as usize
}

fn pair<S: Subject>(stage: &mut Stage<'_, S>, size: usize, ready: impl FnOnce()) {
    let once = |stage: &mut Stage<'_, S>| {
        if stage.take(0, size) {
            stage.give(0);
        }
    };
    for _ in 0..100 {
        once(stage);
    }
    ready();
    stage.measure();
    while !stage.full() {
        once(stage);
    }
}

fn cycle<S: Subject>(stage: &mut Stage<'_, S>, size: usize, ready: impl FnOnce()) {
    for _ in 0..10 {
        stage.cycle(size);
    }
    ready();
    stage.measure();
    while !stage.full() {
        stage.cycle(size);
    }
}

fn random<S: Subject>(stage: &mut Stage<'_, S>, ready: impl FnOnce()) {
    let mut rng = Rng::new(1);
    let slots = stage.slots();
    for slot in 0..slots {
        stage.take(slot, any_size(&mut rng));
    }
    let mut step = |stage: &mut Stage<'_, S>| {
        let slot = rng.below(slots as u64) as usize;
        if stage.holds(slot) {
            stage.give(slot);
        }
        stage.take(slot, any_size(&mut rng));
    };
    for _ in 0..2 * slots {
        step(stage);
    }
    ready();
    stage.measure();
    while !stage.full() {
        step(stage);
    }
}

fn fifo<S: Subject>(stage: &mut Stage<'_, S>, ready: impl FnOnce()) {
    let mut rng = Rng::new(2);
    let mut next = 0;
    let mut step = |stage: &mut Stage<'_, S>| {
        let slot = next % BATCH;
        next += 1;
        if stage.holds(slot) {
            stage.give(slot);
        }
        stage.take(slot, any_size(&mut rng));
    };
    for _ in 0..100 * BATCH {
        step(stage);
    }
    ready();
    stage.measure();
    while !stage.full() {
        step(stage);
    }
}

fn lifo<S: Subject>(stage: &mut Stage<'_, S>, ready: impl FnOnce()) {
    let mut rng = Rng::new(3);
    let mut depth = 0;
    let mut swing = |stage: &mut Stage<'_, S>| {
        let top = 1 + rng.below(BATCH as u64) as usize;
        while depth < top && stage.take(depth, any_size(&mut rng)) {
            depth += 1;
        }
        let bottom = rng.below(depth as u64 + 1) as usize;
        while depth > bottom {
            depth -= 1;
            stage.give(depth);
        }
    };
    for _ in 0..100 {
        swing(stage);
    }
    ready();
    stage.measure();
    while !stage.full() {
        swing(stage);
    }
}

/// A stage that two threads enter by turns.
struct Turn<'a, 'b, S>(Mutex<&'a mut Stage<'b, S>>);

// SAFETY: only for subjects that threads may share, checked in `threads`; the rest
// of the stage is behind the mutex.
unsafe impl<S> Sync for Turn<'_, '_, S> {}

impl<'b, S> Turn<'_, 'b, S> {
    fn enter<R>(&self, work: impl FnOnce(&mut Stage<'b, S>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn threads<S: Subject>(mut stage: Stage<'_, S>, ready: impl FnOnce()) {
    assert!(S::SHARED, "{} is for one thread", S::NAME);
    let turn = Turn(Mutex::new(&mut stage));
    let barrier = Barrier::new(2);
    let rounds = |n: usize, round: &dyn Fn()| (0..n).for_each(|_| round());
    std::thread::scope(|scope| {
        scope.spawn(|| loop {
            barrier.wait();
            let full = turn.enter(|stage| {
                for slot in (0..BATCH)
                    .filter(|&slot| stage.holds(slot))
                    .collect::<Vec<_>>()
                {
                    stage.give(slot);
                }
                stage.full()
            });
            barrier.wait();
            if full {
                break;
            }
        });
        let rng = Mutex::new(Rng::new(4));
        let round = || {
            let mut rng = rng.lock().unwrap_or_else(PoisonError::into_inner);
            turn.enter(|stage| {
                for slot in 0..BATCH {
                    stage.take(slot, any_size(&mut rng));
                }
            });
            barrier.wait();
            barrier.wait();
        };
        rounds(50, &round);
        ready();
        turn.enter(Stage::measure);
        while !turn.enter(|stage| stage.full()) {
            round();
        }
    });
    stage.done();
}

fn burst<S: Subject>(stage: &mut Stage<'_, S>, ready: impl FnOnce()) {
    let mut rng = Rng::new(5);
    // Slots in use come first.
    let (mut held, mut bytes, mut calls) = (0, 0, 0);
    let grow = |stage: &mut Stage<'_, S>, rng: &mut Rng, held: &mut usize| {
        let size = match rng.one_in(64) {
            true => (64 << 10) + rng.below(192 << 10) as usize,
            false => any_size(rng),
        };
        let room = *held < stage.slots() && stage.take(*held, size);
        *held += usize::from(room);
        if room {
            size
        } else {
            0
        }
    };
    while bytes < LOW {
        bytes += grow(stage, &mut rng, &mut held);
    }
    // A first pause, so that later ones find everything set up.
    harness::process::pause_ns(1);
    ready();
    stage.measure();
    let mut growing = true;
    while !stage.full() {
        match growing {
            true => match grow(stage, &mut rng, &mut held) {
                0 => growing = false,
                size => bytes += size,
            },
            false => {
                let slot = rng.below(held as u64) as usize;
                bytes -= stage.size(slot);
                stage.give(slot);
                held -= 1;
                stage.swap(slot, held);
            }
        }
        growing = if growing { bytes < HIGH } else { bytes < LOW };
        calls += 1;
        if calls % 32 == 0 {
            harness::process::pause_ns(50_000);
        }
    }
}

fn replay<S: Subject>(stage: &mut Stage<'_, S>, ops: &[Op], ready: impl FnOnce()) {
    ready();
    stage.measure();
    for op in ops {
        let slot = op.slot as usize;
        match op.size {
            0 if stage.holds(slot) => stage.give(slot),
            0 => {}
            size => {
                stage.take(slot, size as usize);
            }
        }
    }
}
