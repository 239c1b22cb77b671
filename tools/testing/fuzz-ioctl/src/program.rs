// SPDX-License-Identifier: GPL-2.0

//! Programs, which generate cases: a program is a list of seeds. The first one generates
//! a case, the others mutate it. A program generates the same case on any machine.

use std::fmt;

use harness::{page_bytes, rng::Rng};

use crate::{
    step::{Case, Kind, Layout, Mode, Step, KINDS, LAYOUTS},
    world::{ACTORS, FDS, MAPS},
};

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    /// How the case is run.
    pub mode: Mode,
    /// The number of steps.
    pub steps: usize,
    /// The seeds.
    pub seeds: Vec<u64>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::Serial => "serial",
            Mode::Storm => "storm",
        };
        write!(f, "{mode}:{}", self.steps)?;
        self.seeds
            .iter()
            .try_for_each(|seed| write!(f, ":{seed:x}"))
    }
}

impl Program {
    /// Parses a program.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(':');
        let mode = match words.next()? {
            "serial" => Mode::Serial,
            "storm" => Mode::Storm,
            _ => return None,
        };
        let steps = words.next()?.parse().ok()?;
        let seeds = words
            .map(|word| u64::from_str_radix(word, 16).ok())
            .collect::<Option<Vec<_>>>()?;
        (!seeds.is_empty()).then_some(Self { mode, steps, seeds })
    }

    /// Generates the case.
    pub fn make(&self) -> Case {
        let mut rng = Rng::new(self.seeds[0]);
        let mut steps: Vec<Step> = (0..self.steps)
            .map(|at| step(&mut rng, self.mode, at))
            .collect();
        for &seed in &self.seeds[1..] {
            change(&mut Rng::new(seed), self.mode, &mut steps);
        }
        Case {
            mode: self.mode,
            steps,
        }
    }
}

/// The relative frequency of each kind.
fn weight(kind: Kind) -> u64 {
    match kind {
        Kind::Create | Kind::MapWindow | Kind::Look => 12,
        Kind::Alloc | Kind::Borrow | Kind::Return => 16,
        Kind::Free | Kind::MapReserve | Kind::Touch => 8,
        Kind::Renew | Kind::Resize | Kind::Malformed => 5,
        Kind::Destroy | Kind::Kill | Kind::Trace | Kind::Fork => 1,
        _ => 3,
    }
}

fn some_kind(rng: &mut Rng) -> Kind {
    let all: u64 = KINDS.iter().map(|&kind| weight(kind)).sum();
    let mut left = rng.below(all);
    for &kind in KINDS {
        match left.checked_sub(weight(kind)) {
            Some(rest) => left = rest,
            None => return kind,
        }
    }
    Kind::Info
}

/// A length, mostly a small one, sometimes an edge case.
fn length(rng: &mut Rng) -> u64 {
    match rng.below(12) {
        0 => rng.pick(&[0, 1, 7, 63, 64, 65, page_bytes() - 1, page_bytes() + 1]),
        1 => rng.pick(&[
            1 << 20,
            (1 << 32) - 1,
            1 << 32,
            1 << 44,
            1 << 63,
            u64::MAX - 62,
            u64::MAX,
        ]),
        2..=6 => rng.below(4 * page_bytes()),
        _ => page_bytes() * rng.below(24),
    }
}

fn step(rng: &mut Rng, mode: Mode, at: usize) -> Step {
    // Partitions and mappings come first.
    let kind = match at {
        0..=2 => Kind::Create,
        3..=4 => Kind::MapWindow,
        5..=6 => Kind::MapReserve,
        _ => some_kind(rng),
    };
    let layout = if at > 6 && rng.one_in(9) {
        rng.pick(LAYOUTS)
    } else {
        Layout::Exact
    };
    let (a, b) = arguments(rng, kind, mode);
    Step {
        kind,
        // Some actors do more than others, so that their partitions are used.
        actor: rng.below(ACTORS as u64).min(rng.below(ACTORS as u64)) as u8,
        slot: rng.below(FDS as u64) as u8,
        layout,
        a,
        b,
    }
}

fn arguments(rng: &mut Rng, kind: Kind, mode: Mode) -> (u64, u64) {
    match kind {
        Kind::Alloc => {
            let align = match rng.below(6) {
                0 => rng.pick(&[1, 64, page_bytes(), 1 << 20, 1 << 30]),
                1 => rng.pick(&[3, 65, 1 << 31, 1 << 63]),
                _ => 0,
            };
            (length(rng), align)
        }
        Kind::Borrow => {
            // Only requests of a storm may wait without a limit.
            let mut b = rng.draw();
            if mode == Mode::Serial && b & 7 == 7 {
                b &= !7;
            }
            (length(rng), b)
        }
        Kind::MapReserve | Kind::MapWindow | Kind::Unmap | Kind::Remap | Kind::Protect => {
            (rng.below(MAPS as u64), rng.draw())
        }
        _ => (rng.draw(), rng.draw()),
    }
}

/// Mutates a case.
fn change(rng: &mut Rng, mode: Mode, steps: &mut Vec<Step>) {
    for _ in 0..=rng.below(4) {
        let at = rng.below(steps.len() as u64) as usize;
        match rng.below(6) {
            0 => {
                steps.remove(at);
            }
            1 => steps.insert(at, step(rng, mode, usize::MAX)),
            2 => steps[at].layout = rng.pick(LAYOUTS),
            3 => steps[at].a ^= 1 << rng.below(64),
            4 => steps[at].slot = rng.below(FDS as u64) as u8,
            _ => steps[at] = step(rng, mode, usize::MAX),
        }
        if steps.is_empty() {
            steps.push(step(rng, mode, 0));
        }
    }
}
