// SPDX-License-Identifier: GPL-2.0

//! Runs a load with one subject after the other, each in a process of its own, so that
//! they do not influence each other.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicU32, Ordering},
};

use harness::{
    now,
    process::{child, pause, reap, set_fifo, share},
};

use crate::{
    count,
    load::Load,
    options::Options,
    pressure::{be_spared, Pressure, MEASURING},
    result::Label,
    stage::{stamp, Records, Stage, Totals},
    subject::Subject,
};

/// Repetitions of a load that costs the same each time: interrupts do not occur at the
/// same point three times.
const REPEATS: usize = 3;

/// The rendezvous of the measuring process and the one that prepares the machine.
struct Gate {
    /// Set when the subject is ready for the measured part.
    ready: AtomicU32,
    /// Set when the measured part may begin.
    go: AtomicU32,
}

/// Runs one load.
pub struct Runner<'a> {
    load: &'a Load,
    case: String,
    more: String,
    options: &'a Options,
    records: Records,
    gate: &'static Gate,
    /// Measurements that did not finish.
    pub failed: usize,
}

/// The result of a run.
struct Outcome {
    totals: Totals,
    killed: u32,
}

/// The counter's ticks in units: instructions are counted one by one.
fn scale(machine: &str) -> (&'static str, f64) {
    if machine == "icount" {
        return ("instructions", 1.0);
    }
    let (began, first) = (now(), stamp());
    pause(50);
    let (ended, last) = (now(), stamp());
    ("ns", (ended - began) as f64 / (last - first) as f64)
}

impl<'a> Runner<'a> {
    pub fn new(load: &'a Load, case: String, more: String, options: &'a Options) -> Self {
        let pairs = match load {
            Load::Trace(trace) => trace.pairs,
            _ => options.pairs,
        };
        Self {
            load,
            case,
            more,
            options,
            records: Records::new(pairs, load.slots()),
            gate: share(),
            failed: 0,
        }
    }

    fn fits<S: Subject>(&self) -> bool {
        (S::SHARED || !matches!(self.load, Load::Threads))
            && self.load.live() <= S::POOL / 100 * 92
            && self.load.largest() <= S::LARGEST
    }

    /// Measures a subject and prints the figures.
    pub fn run<S: Subject>(&mut self) {
        if !self.options.wants_subject(S::NAME) || !self.fits::<S>() {
            return;
        }
        let printed = match self.options.pressure {
            true => self.once::<S>(true).map(|outcome| {
                self.print::<S>("pressure", &outcome, None);
            }),
            false => self.alone::<S>(),
        };
        if printed.is_none() {
            self.failed += 1;
            println!("bench_user: {} with {} did not end", self.case, S::NAME);
        }
        let _ = io::stdout().flush();
    }

    /// Without pressure.
    fn alone<S: Subject>(&mut self) -> Option<()> {
        let outcome = self.once::<S>(false)?;
        let pairs = outcome.totals.pairs as usize;
        let mut largest = None;
        if self.load.repeats() {
            let first = [self.records.pairs.to_vec(), self.records.touched.to_vec()];
            let mut least = first.clone();
            for _ in 1..REPEATS {
                self.once::<S>(false)?;
                for (least, again) in least
                    .iter_mut()
                    .zip([&self.records.pairs, &self.records.touched])
                {
                    for (least, again) in least.iter_mut().zip(again.iter()) {
                        *least = (*least).min(*again);
                    }
                }
            }
            self.records.pairs.copy_from_slice(&first[0]);
            self.records.touched.copy_from_slice(&first[1]);
            largest = Some(least.map(|costs| costs[..pairs].iter().copied().max().unwrap_or(0)));
        }
        self.print::<S>("fresh", &outcome, largest);
        if self.load.is_quiet() {
            let calls = self.counted::<S>()?;
            let label = self.label::<S>("fresh", &outcome);
            let case = format!("{}_syscalls", self.case);
            println!("{}", label.count(&case, pairs as u64, calls));
        }
        Some(())
    }

    /// Runs the load in a child: None if that does not finish.
    fn once<S: Subject>(&mut self, pressure: bool) -> Option<Outcome> {
        self.records.totals[0] = Totals::default();
        self.gate.ready.store(0, Ordering::Relaxed);
        self.gate.go.store(u32::from(!pressure), Ordering::Relaxed);
        if pressure {
            be_spared();
        }
        let pid = child(|| {
            let real_time = !pressure || set_fifo(MEASURING).is_ok();
            let done = real_time && self.perform::<S>();
            i32::from(!done)
        });
        let killed = if pressure { self.press(pid) } else { 0 };
        let status = reap(pid);
        let totals = self.records.totals[0];
        (status == 0 && totals.complete == 1).then_some(Outcome { totals, killed })
    }

    /// Keeps the machine under pressure while the measured part runs: returns the number of
    /// memory eaters that were killed.
    fn press(&self, pid: i32) -> u32 {
        // Acquire: pairs with `perform`.
        while self.gate.ready.load(Ordering::Acquire) == 0 {
            pause(1);
            if try_ended(pid) {
                return 0;
            }
        }
        // Above all others, to be able to end it.
        let _ = set_fifo(MEASURING + 10);
        let pressure = Pressure::begin();
        // Release: pairs with `perform`.
        self.gate.go.store(1, Ordering::Release);
        while !try_ended(pid) {
            pause(5);
        }
        pressure.killed()
    }

    /// The child's part.
    fn perform<S: Subject>(&mut self) -> bool {
        self.records.clear();
        let subject = match S::new() {
            Ok(subject) => subject,
            Err(error) => {
                eprintln!("bench_user: {}: {error}", S::NAME);
                return false;
            }
        };
        let gate = self.gate;
        let stage = Stage::new(&subject, &mut self.records);
        self.load.run(stage, || {
            // Release and Acquire: pair with `press`.
            gate.ready.store(1, Ordering::Release);
            while gate.go.load(Ordering::Acquire) == 0 {
                pause(1);
            }
        });
        true
    }

    /// System calls of the measured part, counted in a run of its own.
    fn counted<S: Subject>(&mut self) -> Option<u64> {
        self.gate.go.store(1, Ordering::Relaxed);
        let pid = child(|| {
            count::offer();
            i32::from(!self.perform::<S>())
        });
        count::system_calls(pid)
    }

    fn label<S: Subject>(&self, state: &'static str, outcome: &Outcome) -> Label {
        let (unit, scale) = scale(&self.options.machine);
        let mut more = self.more.clone();
        if outcome.totals.refused > 0 {
            more += &format!(",\"refused\":{}", outcome.totals.refused);
        }
        if outcome.killed > 0 {
            more += &format!(",\"oom_kills\":{}", outcome.killed);
        }
        Label {
            subject: S::NAME,
            machine: self.options.machine.clone(),
            unit,
            scale: scale / f64::from(self.load.pairs_in_sample()),
            state,
            more,
        }
    }

    fn print<S: Subject>(&self, state: &'static str, outcome: &Outcome, largest: Option<[u32; 2]>) {
        let label = self.label::<S>(state, outcome);
        let pairs = outcome.totals.pairs as usize;
        let distributions = [
            (String::new(), &self.records.pairs),
            ("_touched".into(), &self.records.touched),
        ];
        // In a loop, touching is part of the cost.
        let kinds = if self.load.pairs_in_sample() > 1 {
            1
        } else {
            2
        };
        for (i, (suffix, costs)) in distributions.into_iter().take(kinds).enumerate() {
            let mut costs = costs[..pairs].to_vec();
            let case = format!("{}{suffix}", self.case);
            let repeated = largest.map(|largest| largest[i]);
            println!("{}", label.distribution(&case, &mut costs, repeated));
        }
        let case = format!("{}_faults", self.case);
        println!(
            "{}",
            label.count(&case, pairs as u64, outcome.totals.faults)
        );
    }
}

/// Whether a child has exited; it can still be waited for.
fn try_ended(pid: i32) -> bool {
    // SAFETY: fills a structure of ours.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        libc::waitid(libc::P_PID, pid as libc::id_t, &mut info, options) == 0
            && info.si_pid() == pid
    }
}
