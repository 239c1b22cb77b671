// SPDX-License-Identifier: GPL-2.0

//! The accounting: the random borrowers of the property tests, with steps made of any
//! bytes.

use genp_core::accounting::WaitOrder;
use genp_core_testing::world::{live, Step};

use crate::input::Input;

/// Steps of a case at most: beyond that nothing new happens.
const STEPS: usize = 400;

fn step(input: &mut Input<'_>) -> Step {
    let kind = input.byte();
    let who = usize::from(input.byte());
    match kind % 26 {
        0..=7 => {
            let how = input.byte();
            Step::Borrow {
                who,
                frames: input.below(70),
                prio: i32::from(how >> 6),
                wait: how & 1 != 0,
                budget: how & 2 != 0,
                pool: how & 4 != 0,
                term: 1 + u64::from(input.below(1000)),
                non_revocable: how & 0x38 == 0x38,
            }
        }
        8..=11 => Step::Return(who),
        12 => Step::Renew(who),
        13 | 14 => Step::Withdraw(who),
        15 => Step::Limit {
            who,
            frames: 1 + input.below(79),
        },
        16 => Step::Commit {
            who,
            frames: 1 + input.below(49),
        },
        17 => Step::Release {
            who,
            frames: 1 + input.below(49),
        },
        18 => Step::Close(who % 40),
        24 | 25 => Step::Poison {
            at_take: kind & 1 != 0,
        },
        _ => Step::Pass(1 + u64::from(input.below(399))),
    }
}

/// The target.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let order = match input.byte() & 1 {
        0 => WaitOrder::Prio,
        _ => WaitOrder::Fifo,
    };
    let mut steps = Vec::new();
    while input.goes_on() && steps.len() < STEPS {
        steps.push(step(&mut input));
    }
    live(order, &steps);
}
