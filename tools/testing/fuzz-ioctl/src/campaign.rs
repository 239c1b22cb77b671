// SPDX-License-Identifier: GPL-2.0

//! A campaign: runs cases until one fails or the time is over.

use std::{io::Write, sync::atomic::Ordering::SeqCst};

use harness::{ktap::comment, now, rng::Rng, SEC};

use crate::{
    kcov,
    program::Program,
    runner::Runner,
    shrink::shrink,
    step::{Case, Mode, KINDS},
};

/// The settings of a campaign.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed of all random numbers.
    pub seed: u64,
    /// Steps of a case.
    pub steps: usize,
    /// The time limit; 0: none.
    pub seconds: u64,
    /// The number of cases; 0: not limited.
    pub cases: u64,
    /// The modes, in turn.
    pub modes: &'static [Mode],
    /// Whether to print each case's program before it is run, in case the machine
    /// does not survive it.
    pub tells: bool,
    /// Whether to mutate cases that reached new code, if the kernel has KCOV.
    /// The cases then differ from run to run.
    pub guided: bool,
    /// Whether to print which points of the module were reached, for scripts/coverage.
    pub shows_points: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 1,
            steps: 150,
            seconds: 0,
            cases: 0,
            modes: &[Mode::Serial, Mode::Storm],
            tells: false,
            guided: false,
            shows_points: false,
        }
    }
}

impl Plan {
    /// With progress reports and guidance.
    pub fn loud(self) -> Self {
        Self {
            tells: true,
            guided: true,
            ..self
        }
    }
}

/// The most programs that are kept for mutation.
const KEPT: usize = 2048;

/// A campaign.
pub struct Campaign {
    plan: Plan,
    runner: Runner,
    /// Programs that reached new code.
    kept: Vec<Program>,
    begin: u64,
}

impl Campaign {
    /// A test on a pool that is not in use.
    pub fn new(plan: Plan) -> Result<Self, String> {
        let traced = plan.guided && kcov::there_is();
        Ok(Self {
            plan,
            runner: Runner::new(traced)?,
            kept: Vec::new(),
            begin: now(),
        })
    }

    /// The next program: a new one, or a mutation of one that reached new code.
    fn next(&self, rng: &mut Rng, number: u64) -> Program {
        let mode = self.plan.modes[number as usize % self.plan.modes.len()];
        let seed = rng.draw();
        if !self.kept.is_empty() && !rng.one_in(3) {
            let mut program = self.kept[rng.below(self.kept.len() as u64) as usize].clone();
            program.seeds.push(seed);
            program.mode = mode;
            return program;
        }
        Program {
            mode,
            steps: self.plan.steps,
            seeds: vec![seed],
        }
    }

    /// Runs the campaign and returns a summary, or the failure.
    pub fn run(mut self) -> Result<String, String> {
        let mut rng = Rng::new(self.plan.seed);
        let mut number = 0;
        let mut reported = self.begin;
        while !self.is_over(number) {
            let program = self.next(&mut rng, number);
            number += 1;
            if self.plan.tells {
                println!("case {program}");
                let _ = std::io::stdout().flush();
            }
            let reached = self.runner.world().reached.load(SeqCst);
            let case = program.make();
            if let Err(wrong) = self.runner.run(&case) {
                return Err(self.explain(&program, &case, &wrong));
            }
            if self.runner.world().reached.load(SeqCst) > reached
                && self.kept.len() < KEPT
                && program.seeds.len() < 64
            {
                self.kept.push(program);
            }
            if self.plan.tells && now() - reported > 2 * SEC {
                reported = now();
                println!("progress {}", self.context(number));
            }
        }
        if self.plan.shows_points {
            let base = kcov::module_base()?;
            for line in self.runner.world().points().chunks(16) {
                let offsets = line
                    .iter()
                    .map(|at| format!(" {:x}", at.wrapping_sub(base)));
                println!("points{}", offsets.collect::<String>());
            }
        }
        let kinds = if self.plan.tells {
            format!("{}\n{}", self.kinds(), self.endurance_line(number))
        } else {
            String::new()
        };
        Ok(format!("{}{kinds}", self.context(number)))
    }

    /// The line for scripts/endurance.
    fn endurance_line(&self, cases: u64) -> String {
        let (tried, refused) = self.sums();
        format!(
            "endurance what=fuzz operations={tried} refused={refused} cases={cases} points={} seconds={} seed={}",
            self.runner.world().reached.load(SeqCst),
            (now() - self.begin) / SEC,
            self.plan.seed,
        )
    }

    /// The number of operations that were tried, and of those refused.
    fn sums(&self) -> (u64, u64) {
        let world = self.runner.world();
        let sum = |counters: &[std::sync::atomic::AtomicU64]| -> u64 {
            counters.iter().map(|counter| counter.load(SeqCst)).sum()
        };
        (sum(&world.tried), sum(&world.refused))
    }

    fn is_over(&self, number: u64) -> bool {
        let seconds = (now() - self.begin) / SEC;
        (self.plan.cases != 0 && number >= self.plan.cases)
            || (self.plan.seconds != 0 && seconds >= self.plan.seconds)
    }

    fn context(&self, cases: u64) -> String {
        let world = self.runner.world();
        let (tried, refused) = self.sums();
        let elapsed = (now() - self.begin).max(1);
        let rate = u128::from(tried) * u128::from(SEC) / u128::from(elapsed);
        let points = if self.runner.traced {
            format!(
                ", {} points of the module reached, {} cases kept",
                world.reached.load(SeqCst),
                self.kept.len()
            )
        } else {
            ", unguided".into()
        };
        let late = match world.late.found() {
            0 => String::new(),
            pages => format!(", {pages} pages written to after the end of a lease"),
        };
        format!(
            "seed {}: {cases} cases, {tried} operations ({rate} per second), {refused} refused{points}{late}",
            self.plan.seed
        )
    }

    /// The counts of each kind.
    fn kinds(&self) -> String {
        let world = self.runner.world();
        let lines: Vec<_> = KINDS
            .iter()
            .map(|&kind| {
                let tried = world.tried[kind as usize].load(SeqCst);
                let refused = world.refused[kind as usize].load(SeqCst);
                format!("\n  {:12} {tried:8} tried {refused:8} refused", kind.name())
            })
            .collect();
        lines.concat()
    }

    /// Shrinks a failing case and describes how to reproduce it.
    fn explain(&self, program: &Program, case: &Case, wrong: &str) -> String {
        comment(&format!(
            "{program} failed: {wrong}\nlooking for a shorter one"
        ));
        let short = shrink(case, |case| self.runner.run(case).is_err());
        let again = self.runner.run(&short).err();
        format!(
            "{wrong}\nrecipe {program}\nthe shortest case found, {} of {} steps ({}); \
             genp_fuzz --replay FILE runs it:\n{short}",
            short.steps.len(),
            case.steps.len(),
            again.as_deref().unwrap_or("which does not always fail"),
        )
    }
}

/// Runs one case.
pub fn replay(case: &Case) -> Result<String, String> {
    let runner = Runner::new(false)?;
    runner.run(case).map(|()| "the case passed".into())
}
