// SPDX-License-Identifier: GPL-2.0

//! The histogram against plain lists, and the worst reserve against the arithmetic
//! and against requests that try to break it.

use genp_core::{
    bounds::worst_reserve,
    histogram::{Histogram, BUCKETS},
    tlsf::{class_ceiling, Node, Nodes, Tlsf},
};

use crate::input::Input;

fn histogram(input: &mut Input<'_>) {
    let mut histogram = Histogram::new();
    let (mut counted, mut longest) = (Vec::new(), 0);
    for _ in 0..input.byte() {
        match input.byte() {
            0 => {
                histogram.reset_counts();
                counted.clear();
            }
            1 => {
                histogram.reset_longest();
                longest = 0;
            }
            _ => {
                let ns = input.number();
                histogram.record(ns);
                counted.push(ns);
                longest = longest.max(ns);
            }
        }
    }
    assert_eq!(histogram.longest(), longest);
    for (class, count) in histogram.counts().iter().enumerate() {
        let from = if class == 0 { 0 } else { 1u64 << class };
        let fits = |ns: &&u64| **ns >= from && (class == BUCKETS - 1 || **ns < 2 << class);
        assert_eq!(counted.iter().filter(fits).count() as u64, *count);
    }
}

/// The least value from `units` on of which only the five highest bits may be set.
fn ceiling(units: u32) -> Option<u32> {
    let size = 32 - units.leading_zeros();
    let step = 1u64 << size.saturating_sub(5);
    u32::try_from(u64::from(units).div_ceil(step) * step).ok()
}

fn arithmetic(input: &mut Input<'_>) {
    let (live, largest) = (input.number(), input.number());
    let expected = u32::try_from(largest.max(1))
        .ok()
        .and_then(ceiling)
        .map(|class| u128::from(live) * u128::from(class))
        .and_then(|product| u64::try_from(product).ok());
    assert_eq!(worst_reserve(live, largest), expected);
    let units = largest as u32;
    assert_eq!(class_ceiling(units), ceiling(units));
}

/// What the bound says suffices does.
fn never_fails(input: &mut Input<'_>) {
    let largest = 1 + input.below(40);
    let live = largest + input.below(200);
    let reserve = worst_reserve(live.into(), largest.into()).expect("small numbers") as u32;
    let nodes = vec![Node::EMPTY; Nodes::<Vec<Node>>::count_for(live)];
    let mut heap = Tlsf::new(Nodes::new(nodes, live, 7).expect("a sound table"));
    heap.grow(reserve).expect("nothing is there yet");
    let mut blocks = Vec::new();
    while input.goes_on() && blocks.len() < 4096 {
        let choice = input.byte();
        if choice & 1 != 0 && !blocks.is_empty() {
            let handle = blocks.swap_remove(usize::from(choice >> 1) % blocks.len());
            heap.free(handle).expect("it is there");
            continue;
        }
        let units = 1 + u32::from(choice >> 1) % largest;
        // An alignment of a takes up to a - 1 units more of the largest request.
        let logs = (largest - units + 1).ilog2() + 1;
        let align = 1 << input.below(logs);
        if heap.used_units() + units <= live {
            let block = heap.alloc(units, align).expect("below the bound");
            blocks.push(block.handle);
        }
    }
}

/// The target.
pub fn run(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() % 3 {
        0 => histogram(&mut input),
        1 => arithmetic(&mut input),
        _ => never_fails(&mut input),
    }
}
