// SPDX-License-Identifier: GPL-2.0

//! When the machine was away: stretches in which a thread of the highest priority did not
//! run on a processor, because the host, the firmware or the kernel's protection of ordinary
//! tasks had it. No bound of GenP holds for them.

use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use crate::{machine, now, process, MSEC};

/// Above every thread but those of the kernel that have the same.
const PRIORITY: i32 = 99;
/// How often it looks.
const PERIOD_NS: u64 = MSEC;
/// Shorter stretches are not counted: GenP's own sections with interrupts off are among
/// them, and those must not excuse anything.
const LEAST_NS: u64 = MSEC;
/// The most stretches of a processor that are recorded between two calls of `forget`.
const ROOM: usize = 4096;

/// The stretches of a processor. Zeroes are an empty log.
struct Log {
    count: AtomicU32,
    stretches: [[AtomicU64; 2]; ROOM],
}

impl Log {
    fn add(&self, begin: u64, length: u64) {
        let at = self.count.load(SeqCst);
        // Without room the next ones are lost, and excuse nothing.
        if let Some(stretch) = self.stretches.get(at as usize) {
            stretch[0].store(begin, Relaxed);
            stretch[1].store(length, Relaxed);
            self.count.store(at + 1, SeqCst);
        }
    }

    fn read(&self) -> Vec<(u64, u64)> {
        let count = self.count.load(SeqCst) as usize;
        let read = |stretch: &[AtomicU64; 2]| (stretch[0].load(Relaxed), stretch[1].load(Relaxed));
        self.stretches.iter().take(count).map(read).collect()
    }
}

/// A probe on each processor; they end when dropped.
pub struct Probes {
    pids: Vec<i32>,
    logs: Vec<&'static Log>,
}

/// Sleeps and looks how late it is, for ever.
fn watch(processor: usize, log: &Log) -> i32 {
    process::pin_to(processor);
    if process::set_fifo(PRIORITY).is_err() {
        return 1;
    }
    loop {
        let due = now() + PERIOD_NS;
        process::pause_ns(PERIOD_NS);
        let late = now().saturating_sub(due);
        if late >= LEAST_NS {
            log.add(due, late);
        }
    }
}

impl Probes {
    /// Starts them.
    pub fn start() -> Self {
        let logs: Vec<_> = (0..machine::processors())
            .map(|_| process::share::<Log>())
            .collect();
        let watch = |(processor, log): (usize, &&'static Log)| {
            let log: &'static Log = log;
            process::child(move || watch(processor, log))
        };
        let pids = logs.iter().enumerate().map(watch).collect();
        Self { pids, logs }
    }

    /// Forgets what was recorded.
    pub fn forget(&self) {
        for log in &self.logs {
            log.count.store(0, SeqCst);
        }
    }

    /// The longest time that the processors were away in any stretch of `window` ns, that of
    /// all processors added up: who waits for several waits for each.
    pub fn longest_within(&self, window: u64) -> u64 {
        let each = self.logs.iter().map(|log| longest(&log.read(), window));
        each.fold(0, u64::saturating_add)
    }
}

impl Drop for Probes {
    fn drop(&mut self) {
        for pid in &self.pids {
            process::end(*pid);
        }
    }
}

/// The most that stretches, in order, add up to among those that a window can touch.
fn longest(stretches: &[(u64, u64)], window: u64) -> u64 {
    let sum_from = |first: usize| {
        let (begin, length) = stretches[first];
        let end = begin.saturating_add(length).saturating_add(window);
        let touched = stretches[first..]
            .iter()
            .take_while(|&&(begin, _)| begin < end);
        touched.fold(0u64, |sum, &(_, length)| sum.saturating_add(length))
    };
    (0..stretches.len()).map(sum_from).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::longest;

    #[test]
    fn what_a_window_can_touch_is_added_up() {
        let stretches = [(100, 10), (150, 5), (1000, 12)];
        assert_eq!(longest(&[], 100), 0);
        assert_eq!(longest(&stretches, 10), 12);
        assert_eq!(longest(&stretches, 41), 15);
        assert_eq!(longest(&stretches, 10_000), 27);
    }
}
