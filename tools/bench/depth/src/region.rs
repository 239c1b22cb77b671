// SPDX-License-Identifier: GPL-2.0

//! Regions of a reserve: the TLSF allocator.

use std::hint::black_box;

use genp_core::tlsf::{Node, Nodes, Tlsf};

use crate::sampler::Sampler;

/// Bytes of a unit, as by default.
const UNIT: u64 = 64;
const REGIONS: u32 = 65_536;
/// Of the longest region in [`measure_crowded`].
const LONGEST: u32 = 1024;

type Reserve = Tlsf<Vec<Node>>;

fn take_and_give(reserve: &mut Reserve, units: u32) {
    if let Ok(block) = black_box(reserve.alloc(units, 1)) {
        black_box(reserve.free(block.handle)).expect("a region that is there");
    }
}

/// Everything is free: the smallest region is split off and merged again.
fn measure_whole(sampler: &mut Sampler, reserve: &mut Reserve, pool: u64) {
    let about = sampler
        .about("region", pool, Some(0), "fresh")
        .with("size", UNIT);
    sampler.figure(
        about,
        reserve,
        |_, _| {},
        |reserve| take_and_give(reserve, 1),
    );
}

/// As many regions as fit, of any length, of which every other one was freed; and one
/// more of any length.
fn measure_crowded(sampler: &mut Sampler, reserve: &mut Reserve, pool: u64) {
    let mut handles = Vec::new();
    while let Ok(block) = reserve.alloc(1 + sampler.below(LONGEST), 1) {
        handles.push(block.handle);
    }
    for handle in handles.iter().step_by(2) {
        reserve.free(*handle).expect("a region that is there");
    }
    let about = sampler
        .about("region_random", pool, None, "fragmented")
        .with("size", UNIT);
    let mut world = (reserve, 0);
    sampler.figure(
        about,
        &mut world,
        |world, sampler| world.1 = 1 + sampler.below(LONGEST),
        |world| take_and_give(world.0, world.1),
    );
}

pub fn measure(sampler: &mut Sampler, pool: u64) {
    let units = (pool / UNIT) as u32;
    let nodes = vec![Node::EMPTY; Nodes::<Vec<Node>>::count_for(REGIONS)];
    let mut reserve = Reserve::new(Nodes::new(nodes, REGIONS, 1).expect("a sound table"));
    reserve.grow(units).expect("nothing is there yet");
    measure_whole(sampler, &mut reserve, pool);
    measure_crowded(sampler, &mut reserve, pool);
}
