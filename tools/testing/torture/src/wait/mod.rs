// SPDX-License-Identifier: GPL-2.0

//! Borrowers wait for each other on a machine under stress. The first waiter in the
//! queue never waits longer than the bound that the module reports, in any phase of
//! any run.

mod borrower;
mod judge;
mod stress;

use std::{
    fs,
    sync::atomic::{
        AtomicU32,
        Ordering::{Relaxed, SeqCst},
    },
};

use harness::{
    abi::{self, genp_bounds, genp_info},
    absence::Probes,
    calls, now, page_bytes, pool, process,
    rng::Rng,
    MSEC, SEC,
};

use borrower::{BorrowerProcess, Log, Rules};
use judge::{judge, Judged};
use stress::{Duty, Plan, Stress};

/// Number of borrowers.
const BORROWERS: usize = 5;
/// Bytes that can be lent: few, so that the borrowers compete.
fn room() -> u64 {
    256 * page_bytes()
}

/// Results of the phases with hogs below the recall thread, or above it.
#[derive(Clone, Copy, Default)]
pub struct Seen {
    /// Phases.
    pub phases: u64,
    /// The judged waits.
    pub judged: Judged,
    /// Waits that ended because the borrower was stopped.
    pub interrupted: u64,
    /// R after these phases, in nanoseconds.
    pub recall_ns: u64,
    /// How long the machine was away, at most, within the bound of a recall.
    pub absent_ns: u64,
    /// The longest wait at the head of the queue, in millionths of the phase's bound.
    pub nearest: u64,
}

/// The test.
pub struct Scene {
    control: i32,
    before: genp_info,
    holder: i32,
    logs: [&'static Log; BORROWERS],
    stop: &'static AtomicU32,
    rng: Rng,
    /// The priority of the recall thread.
    recall_prio: i32,
    /// Watch whether the machine runs, in a run that compares times with what is derived.
    probes: Option<Probes>,
    /// R, derived, in nanoseconds.
    pub derived_ns: u64,
    /// Phases with hogs below the recall thread, or without hogs.
    pub below: Seen,
    /// Phases with hogs that preempt it.
    pub above: Seen,
}

/// The priority of the thread with this name.
fn priority_of(name: &str) -> Option<i32> {
    let pids = fs::read_dir("/proc").ok()?.filter_map(|entry| {
        let name = entry.ok()?.file_name();
        name.to_str()?.parse::<i32>().ok()
    });
    let mut named = pids.filter(|pid| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
    });
    let mut param = libc::sched_param { sched_priority: 0 };
    // SAFETY: `param` is ours.
    let got = unsafe { libc::sched_getparam(named.next()?, &mut param) };
    (got == 0).then_some(param.sched_priority)
}

/// Whether the longest recall was within what is derived, and the time that the machine was
/// away.
fn recall_within(bounds: &genp_bounds, absent: u64) -> Result<(), String> {
    let (worst, derived) = (bounds.recall_worst_ns, bounds.recall_bound_ns);
    match worst <= derived.saturating_add(absent) {
        true => Ok(()),
        false => Err(format!(
            "a recall took {worst} ns, but R is {derived} ns and the machine was away for {absent} ns"
        )),
    }
}

impl Scene {
    /// A test on a pool that is not in use.
    pub fn new(seed: u64) -> Result<Self, String> {
        let control = calls::context("/dev/genp", calls::open_control())?;
        let free = calls::context("GENP_GET_INFO", calls::info(control))?.free;
        let mut holder = calls::create_request(free - room().min(free), 0);
        calls::context(
            "GENP_CREATE",
            calls::call(control, abi::GENP_IOCTL_CREATE, &mut holder),
        )?;
        Ok(Self {
            control,
            before: calls::context("GENP_GET_INFO", calls::info(control))?,
            holder: holder.fd,
            logs: std::array::from_fn(|_| process::share::<Log>()),
            stop: process::share::<AtomicU32>(),
            rng: Rng::new(seed),
            recall_prio: priority_of("genp_recall").ok_or("there is no thread genp_recall")?,
            probes: None,
            derived_ns: 0,
            below: Seen::default(),
            above: Seen::default(),
        })
    }

    fn rules(&self) -> Rules {
        Rules {
            pages: self.before.free / page_bytes(),
            max_lease_ns: self.before.max_lease_ns,
            highest: (self.recall_prio - 1).max(1),
            // A waiter at any position in the queue is served earlier.
            patience_ns: 16 * self.before.max_lease_ns + 30 * SEC,
        }
    }

    fn start_borrowers(&mut self) -> Vec<i32> {
        self.stop.store(0, SeqCst);
        let (rules, stop) = (self.rules(), self.stop);
        let begin = |log: &&'static Log| {
            let (log, rng) = (*log, Rng::new(self.rng.draw()));
            process::child(move || match BorrowerProcess::new(rules, log, stop, rng) {
                Ok(mut borrower) => borrower.live(),
                Err(errno) => errno,
            })
        };
        self.logs.iter().map(begin).collect()
    }

    /// Ends all borrowers, including stopped ones.
    fn stop_borrowers(&self, pids: &[i32]) -> Result<(), String> {
        self.stop.store(1, SeqCst);
        let limit = now() + pool::PATIENCE + 2 * self.rules().patience_ns;
        let mut wrong = Ok(());
        for pid in pids {
            let status = loop {
                let _ = process::send(*pid, libc::SIGCONT);
                match process::reap_within(*pid, 20 * MSEC) {
                    Some(status) => break status,
                    None if now() > limit => {
                        process::end(*pid);
                        break -1;
                    }
                    None => {}
                }
            };
            if status != 0 {
                wrong = Err(format!("a borrower ended with status {status:#x}"));
            }
        }
        wrong
    }

    /// Runs one phase and judges its waits.
    fn phase(&mut self, plan: &Plan, ns: u64) -> Result<(), String> {
        let pids = self.start_borrowers();
        let until = now() + ns;
        let max_lease = self.before.max_lease_ns;
        self.probes.iter().for_each(Probes::forget);
        let stress = Stress::new(plan, until, &pids, max_lease, &mut self.rng);
        while now() < until {
            process::pause_ns((until - now().min(until)).min(100 * MSEC));
        }
        drop(stress);
        self.stop_borrowers(&pids)?;
        pool::wait_restored(self.control, &self.before)?;
        let bounds = calls::context("GENP_GET_BOUNDS", calls::bounds(self.holder))?;
        let mut notes = Vec::new();
        let mut interrupted = 0;
        for log in self.logs {
            if let Some(errno) = log.empty(&mut notes) {
                return Err(format!("GENP_BORROW gave {}", calls::errno_name(errno)));
            }
            interrupted += log.interrupted.swap(0, Relaxed);
        }
        let above = plan.hogs.is_some_and(|(prio, _)| prio >= self.recall_prio);
        let bound = self.wait_bound(&bounds, above);
        let judged = judge(&notes, bound);
        let absent = self.absent(bounds.recall_bound_ns);
        self.derived_ns = bounds.recall_bound_ns;
        let seen = if above {
            &mut self.above
        } else {
            &mut self.below
        };
        seen.phases += 1;
        seen.judged.add(&judged);
        seen.interrupted += interrupted;
        seen.recall_ns = bounds.recall_worst_ns;
        seen.absent_ns = seen.absent_ns.max(absent);
        let millionths = u128::from(judged.longest) * 1_000_000 / u128::from(bound);
        seen.nearest = seen.nearest.max(millionths as u64);
        if let Some(waited) = judged.broken {
            return Err(format!(
                "the first one waited {waited} ns, but the bound is {bound} ns, in {plan:?}"
            ));
        }
        match self.probes {
            Some(_) if !above => recall_within(&bounds, absent),
            _ => Ok(()),
        }
    }

    /// How long the machine was away, at most, within `window` ns of this phase.
    fn absent(&self, window: u64) -> u64 {
        let probes = self.probes.as_ref();
        probes.map_or(0, |probes| probes.longest_within(window))
    }

    /// The bound on a wait. The derived one is compared with times in a long run, and without
    /// hogs that keep the recall thread from running, which it does not include. Otherwise it
    /// is the longest term and the longest recall so far, if that is more.
    fn wait_bound(&self, bounds: &genp_bounds, above: bool) -> u64 {
        let derived = bounds.wait_bound_ns;
        if self.probes.is_some() && !above {
            return derived.saturating_add(self.absent(derived));
        }
        let seen = self.before.max_lease_ns + bounds.recall_worst_ns;
        derived.max(seen)
    }

    /// The short version: hogs far below the recall thread, just below it, and above it.
    pub fn glance(&mut self) -> Result<(), String> {
        let all = Plan {
            hogs: None,
            eats: true,
            shares: false,
            jumps: true,
            suspends: true,
        };
        for priority in [0, 1, self.recall_prio - 1, 98] {
            let hogs = (priority > 0).then_some((priority, Duty::STEADY));
            self.phase(&Plan { hogs, ..all }, 3 * SEC / 2)?;
        }
        Ok(())
    }

    /// Runs for `seconds`: without hogs first, then with hogs of increasing priority, so
    /// that R of the phases below the recall thread is known. In a short run not every
    /// priority is used.
    pub fn run(&mut self, seconds: u64, mut progress: impl FnMut(&Self)) -> Result<(), String> {
        self.probes = Some(Probes::start());
        let (begin, total) = (now(), seconds * SEC);
        let length = (total / 200).clamp(3 * SEC / 2, 10 * SEC);
        loop {
            let elapsed = now() - begin;
            if elapsed >= total {
                break;
            }
            let priority = (u128::from(elapsed) * 99 / u128::from(total)) as i32;
            let duty = self.rng.pick(&[Duty::STEADY, Duty::RELENTLESS]);
            let plan = Plan {
                hogs: (priority > 0).then_some((priority, duty)),
                eats: !self.rng.one_in(3),
                shares: true,
                jumps: !self.rng.one_in(3),
                suspends: !self.rng.one_in(3),
            };
            self.phase(&plan, length)?;
            progress(self);
        }
        Ok(())
    }

    /// The priority of the recall thread.
    pub fn recall_prio(&self) -> i32 {
        self.recall_prio
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        calls::close(self.holder);
        calls::close(self.control);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recall_is_excused_by_an_absence_alone() {
        let bounds = genp_bounds {
            recall_worst_ns: 110,
            recall_bound_ns: 100,
            ..Default::default()
        };
        assert!(recall_within(&bounds, 0).is_err());
        assert!(recall_within(&bounds, 9).is_err());
        assert_eq!(recall_within(&bounds, 10), Ok(()));
    }
}
