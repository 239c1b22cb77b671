// SPDX-License-Identifier: GPL-2.0

//! Processes die at every step of the use of a partition. Afterwards the pool is
//! exactly as it was, and its pages are zeroed.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use harness::{
    abi::{self, genp_info},
    calls, machine,
    memory::{Found, Pattern},
    now, page_bytes, pool, process,
    rng::Rng,
    MSEC, SEC,
};

use crate::{
    lifecycle::{Lifecycle, STEPS},
    threads::{self, End},
    tracer,
};

/// Deaths between two checks of the pool.
const BATCH: u64 = 48;
/// Processes that run victims in parallel.
const REAPERS: usize = 3;
/// Bytes left for the victims. The fewer there are, the sooner a page has its next
/// owner.
fn room() -> u64 {
    512 * page_bytes()
}

/// The number of deaths, by kind.
#[derive(Default)]
pub struct Deaths {
    /// At a stop of a tracer.
    pub stepped: u64,
    /// By a signal after a delay.
    pub timed: u64,
    /// With threads inside calls.
    pub threaded: u64,
}

impl Deaths {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.stepped + self.timed + self.threaded
    }
}

/// Shared state of a process that runs victims.
#[derive(Default)]
struct ReaperCounts {
    stepped: AtomicU64,
    timed: AtomicU64,
    threaded: AtomicU64,
    /// The next stop to die at.
    stop: AtomicU32,
    /// The current step of its victim.
    step: AtomicU32,
}

/// The test.
pub struct Scene {
    control: i32,
    before: genp_info,
    /// Its reserve is all but the victims' room, which it borrows now and then.
    holder: abi::genp_create,
    counts: &'static [ReaperCounts; REAPERS],
    rng: Rng,
    user_mode: bool,
    /// Pages that were written to late, on User Mode Linux.
    pub late: AtomicU64,
}

impl Scene {
    /// A test on a pool that is not in use.
    pub fn new(seed: u64) -> Result<Self, String> {
        let control = calls::context("/dev/genp", calls::open_control())?;
        let free = calls::context("GENP_GET_INFO", calls::info(control))?.free;
        let room = room().min(free);
        let mut holder = calls::create_request(free - room, room);
        holder.max_leases = 4;
        calls::context(
            "GENP_CREATE",
            calls::call(control, abi::GENP_IOCTL_CREATE, &mut holder),
        )?;
        Ok(Self {
            control,
            before: calls::context("GENP_GET_INFO", calls::info(control))?,
            holder,
            counts: process::share::<[ReaperCounts; REAPERS]>(),
            rng: Rng::new(seed),
            user_mode: machine::is_user_mode(),
            late: AtomicU64::new(0),
        })
    }

    /// Borrows most of what can be lent, for a while.
    fn hold(&mut self) {
        let term = MSEC * (1 + self.rng.below(20));
        let most = self
            .before
            .free
            .saturating_sub(40 * page_bytes())
            .max(page_bytes());
        let _ = calls::borrow(self.holder.fd, most, 0, term);
    }

    /// Runs victims one after the other, with its own random numbers and counters.
    fn let_die(&mut self, counts: &'static ReaperCounts, count: u64) -> i32 {
        for _ in 0..count {
            if self.rng.one_in(8) {
                self.hold();
            }
            match self.rng.below(8) {
                0..=2 => self.step_by_step(counts),
                3..=6 => self.after_a_while(counts),
                _ => self.in_company(counts),
            }
        }
        0
    }

    /// Runs a victim that dies at a stop of a tracer.
    fn step_by_step(&mut self, counts: &'static ReaperCounts) {
        let pid = process::child(|| {
            tracer::offer();
            Lifecycle::new(&counts.step).live()
        });
        let single = self.rng.below(4) as u32;
        if tracer::kill_at(pid, counts.stop.load(SeqCst), single) {
            counts.stepped.fetch_add(1, SeqCst);
            counts.stop.fetch_add(1, SeqCst);
        } else {
            // All of its stops were tried.
            counts.stop.store(0, SeqCst);
        }
    }

    /// Runs a victim that dies some time after a step has begun.
    fn after_a_while(&mut self, counts: &'static ReaperCounts) {
        let step = &counts.step;
        step.store(u32::MAX, SeqCst);
        let pid = process::child(|| Lifecycle::new(step).live());
        let at = self.rng.below(STEPS.into()) as u32;
        let limit = now() + 10 * SEC;
        while step.load(SeqCst).wrapping_add(1) < at + 1 && now() < limit {
            std::thread::yield_now();
        }
        // From 0 to a few milliseconds; short delays are more frequent.
        let delay = 1u64 << self.rng.below(22);
        let until = now() + self.rng.below(delay);
        while now() < until {
            std::hint::spin_loop();
        }
        process::end(pid);
        counts.timed.fetch_add(1, SeqCst);
    }

    /// Runs a victim that dies with threads inside calls.
    fn in_company(&mut self, counts: &'static ReaperCounts) {
        let end = self
            .rng
            .pick(&[End::Killed, End::Killed, End::Exits, End::Becomes]);
        let delay = self.rng.below(3 * MSEC);
        let ready = &counts.step;
        ready.store(0, SeqCst);
        let pid = process::child(|| threads::live(ready, end, delay));
        if matches!(end, End::Killed) {
            let limit = now() + 10 * SEC;
            while ready.load(SeqCst) == 0 && now() < limit {
                process::pause_ns(50_000);
            }
            process::pause_ns(delay);
            let _ = process::send(pid, libc::SIGKILL);
        }
        if process::reap_within(pid, pool::PATIENCE).is_none() {
            process::end(pid);
        }
        counts.threaded.fetch_add(1, SeqCst);
    }

    /// Runs a number of victims, several at a time.
    fn batch(&mut self, count: u64) -> Result<(), String> {
        let counts = self.counts;
        let share = count.div_ceil(REAPERS as u64);
        let begin = |counts: &'static ReaperCounts| {
            let rng = Rng::new(self.rng.draw());
            process::child(|| {
                self.rng = rng;
                self.let_die(counts, share)
            })
        };
        let pids: Vec<i32> = counts.iter().map(begin).collect();
        match pids
            .into_iter()
            .map(process::reap)
            .find(|status| *status != 0)
        {
            Some(status) => Err(format!(
                "a process that runs victims died: status {status:#x}"
            )),
            None => Ok(()),
        }
    }

    /// The number of deaths.
    pub fn deaths(&self) -> Deaths {
        let sum = |of: fn(&ReaperCounts) -> &AtomicU64| {
            let counts = self.counts.iter().map(|counts| of(counts).load(SeqCst));
            counts.sum()
        };
        Deaths {
            stepped: sum(|counts| &counts.stepped),
            timed: sum(|counts| &counts.timed),
            threaded: sum(|counts| &counts.threaded),
        }
    }

    /// The first page that is not zeroed, and its contents. On User Mode Linux, which
    /// unmaps late, a victim may have written to its lease for a while after it was
    /// revoked, scrubbed and freed: there such pages are only counted.
    ///
    /// # Safety
    ///
    /// `pages` pages are mapped at `at`.
    unsafe fn dirty_page(&self, at: usize, pages: u64) -> Option<String> {
        for page in 0..pages as usize {
            let start = at + page * page_bytes() as usize;
            let Found::Other { at: word, .. } =
                Pattern::ZERO.check(start, page_bytes() as usize / 8)
            else {
                continue;
            };
            let word = word.min(page_bytes() as usize / 8 - 2);
            // SAFETY: two words of the page.
            let (one, next) = unsafe {
                let words = (start as *const u64).add(word);
                (words.read_volatile(), words.add(1).read_volatile())
            };
            let of_reserve = Pattern::of(1).has(one, 24 * page_bytes() / 8);
            if self.user_mode && Pattern::is_one(one, next) && !of_reserve {
                self.late.fetch_add(1, SeqCst);
                continue;
            }
            return Some(format!(
                "page {page}, word {word}: {one:#x} {next:#x}, of {}",
                match (of_reserve, Pattern::is_one(one, next)) {
                    (true, _) => "a reserve",
                    (_, true) => "a lease",
                    _ => "no known owner",
                }
            ));
        }
        None
    }

    /// Checks that nothing of the victims is left, in the accounting and in the pages.
    fn look(&self) -> Result<(), String> {
        pool::wait_restored(self.control, &self.before)?;
        let mut fresh = calls::create_request(self.before.free, 0);
        calls::context(
            "GENP_CREATE",
            calls::call(self.control, abi::GENP_IOCTL_CREATE, &mut fresh),
        )?;
        // SAFETY: a new mapping, undone below.
        let found = unsafe {
            let at = libc::mmap(
                std::ptr::null_mut(),
                fresh.reserve as usize,
                libc::PROT_READ,
                libc::MAP_SHARED,
                fresh.fd,
                0,
            );
            if at == libc::MAP_FAILED {
                return Err("the reserve cannot be mapped".into());
            }
            let found = self.dirty_page(at as usize, fresh.reserve / page_bytes());
            libc::munmap(at, fresh.reserve as usize);
            found
        };
        calls::close(fresh.fd);
        if let Some(text) = found {
            return Err(format!("a new reserve is not clean: {text}"));
        }
        pool::wait_restored(self.control, &self.before)
    }

    /// Runs victims until `until`, but at least `least` of them.
    pub fn run(
        &mut self,
        least: u64,
        until: u64,
        mut progress: impl FnMut(&Deaths),
    ) -> Result<(), String> {
        harness::memory::catch_faults();
        while self.deaths().all() < least || now() < until {
            self.batch(BATCH.min(least.max(1)))?;
            self.look()
                .map_err(|text| format!("after {} deaths: {text}", self.deaths().all()))?;
            progress(&self.deaths());
        }
        Ok(())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        calls::close(self.holder.fd);
        calls::close(self.control);
    }
}
