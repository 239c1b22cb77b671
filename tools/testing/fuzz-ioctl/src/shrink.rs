// SPDX-License-Identifier: GPL-2.0

//! Shortens a failing case by leaving out steps (delta debugging, after Zeller and
//! Hildebrandt, 2002).

use crate::step::{Case, Mode, Step};

/// The shortest case found that still fails. A storm fails at random, so it is tried
/// several times before it counts as passed.
pub fn shrink(case: &Case, mut fails: impl FnMut(&Case) -> bool) -> Case {
    let tries = match case.mode {
        Mode::Serial => 1,
        Mode::Storm => 8,
    };
    let mut fails = |steps: &[Step]| {
        let case = Case {
            mode: case.mode,
            steps: steps.to_vec(),
        };
        (0..tries).any(|_| fails(&case))
    };
    let mut steps = case.steps.clone();
    let mut parts = 2;
    while steps.len() > 1 {
        let length = steps.len().div_ceil(parts);
        let shorter = (0..parts).find_map(|part| {
            let from = (part * length).min(steps.len());
            let to = (from + length).min(steps.len());
            if from == to {
                return None;
            }
            let rest = [&steps[..from], &steps[to..]].concat();
            fails(&rest).then_some(rest)
        });
        match shorter {
            Some(rest) => {
                steps = rest;
                parts = (parts - 1).max(2);
            }
            None if length <= 1 => break,
            None => parts = (parts * 2).min(steps.len()),
        }
    }
    Case {
        mode: case.mode,
        steps,
    }
}
