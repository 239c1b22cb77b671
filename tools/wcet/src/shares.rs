// SPDX-License-Identifier: GPL-2.0

//! What each function has of a bound: on the longest path, and on those of all that it calls.

use std::collections::BTreeMap;

use crate::{bounds::Bounds, decode::Flow, image::Place};

/// How often a function is called, and what it costs in all, without what it calls.
#[derive(Default)]
pub struct Share {
    pub calls: u64,
    pub instructions: u64,
}

/// The shares of all functions in the bound of one.
pub fn shares(bounds: &mut Bounds<'_>, entry: u64) -> BTreeMap<String, Share> {
    let mut found = BTreeMap::new();
    add(bounds, entry, 1, &mut found);
    found
}

fn add(bounds: &mut Bounds<'_>, entry: u64, calls: u64, found: &mut BTreeMap<String, Share>) {
    let Ok(bound) = bounds.of(entry) else {
        return;
    };
    let mut own = 0u64;
    for (address, (times, cost)) in &bound.steps {
        let times = times.saturating_mul(calls);
        let called = match called(bounds, *address, *cost) {
            Some(Called::Function(to, cost)) => {
                add(bounds, to, times, found);
                cost
            }
            Some(Called::Kernel(name)) => {
                // The instruction of the call itself is ours.
                let cost = cost.saturating_sub(1);
                let share = found.entry(name).or_default();
                share.calls = share.calls.saturating_add(times);
                share.instructions += cost.saturating_mul(times);
                cost
            }
            None => 0,
        };
        own = own.saturating_add(cost.saturating_sub(called).saturating_mul(times));
    }
    let share = found.entry(bounds.name(entry)).or_default();
    share.calls = share.calls.saturating_add(calls);
    share.instructions = share.instructions.saturating_add(own);
}

enum Called {
    /// One of the module, and its bound.
    Function(u64, u64),
    Kernel(String),
}

/// What a step of the longest path calls, if that is counted with it.
fn called(bounds: &mut Bounds<'_>, address: u64, cost: u64) -> Option<Called> {
    let step = bounds.decode.step(address).ok()?;
    let mut places = step
        .operations()
        .filter_map(|operation| match &operation.flow {
            Flow::Call(to) | Flow::Jump(to) | Flow::Branch(to) => Some(to),
            _ => None,
        });
    match places.next()? {
        Place::Here(to) => {
            bounds.image.function_at(*to)?;
            let known = bounds.of(*to).ok()?.instructions?;
            (known <= cost).then_some(Called::Function(*to, known))
        }
        Place::Elsewhere(symbol) => Some(Called::Kernel(crate::image::readable(symbol))),
    }
}
