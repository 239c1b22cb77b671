// SPDX-License-Identifier: GPL-2.0

//! Memory errors that strike while a partition is made, also in what is on its way into it:
//! its owner is told of each in the reserve, and no block with one is given out.

use kernel::{
    bindings::page,
    sim::{fail, files::leave_kernel, machine},
};

use super::{
    case::Case,
    check,
    genp::sys::{
        abi::{genp_outstanding, genp_partition, genp_spec, GENP_ANY_NODE},
        glue,
    },
    handler::check_sound,
    load::Module,
    scene,
};

/// The order of the partition's blocks, and how many it has of those that the pool took.
const ORDER: u32 = 1;
const BLOCKS: u32 = 8;

/// Makes a partition, if there are frames and blocks without errors for it.
fn make() -> Option<*mut genp_partition> {
    let mut spec = genp_spec {
        reserve: 16 << 12,
        node: GENP_ANY_NODE,
        ..genp_spec::default()
    };
    spec.blocks[ORDER as usize] = BLOCKS;
    // SAFETY: arguments of ours.
    let part = unsafe { glue::genp_partition_create(&spec) };
    // An address, or an error.
    (part as isize > 0).then_some(part)
}

/// Takes all blocks, and gives them back.
fn look_at_blocks(part: *mut genp_partition) {
    let mut blocks = Vec::new();
    for _ in 0..BLOCKS {
        let errors = machine().memory.known_errors();
        // SAFETY: of ours.
        let block: *mut page = unsafe { glue::genp_alloc_pages(part, ORDER, 0) }.cast();
        if block.is_null() {
            break;
        }
        (0..1usize << ORDER).for_each(|number| check_sound(block.wrapping_add(number), errors));
        blocks.push(block);
    }
    for block in blocks {
        // SAFETY: what was just taken.
        if unsafe { glue::genp_free_pages(part, block.cast(), ORDER) } != 0 {
            fail("a block is not taken back");
        }
    }
}

/// Waits until all reports were looked into.
fn settle(module: &Module) {
    let errors = &module.registry.pool().errors;
    while machine().memory.known_errors().is_none() || errors.pending() {
        machine().sleep_for(1_000_000);
    }
}

fn strife(module: &Module) {
    let rng = machine().rng();
    let pages = 1 + rng.below(4);
    let poisoner = machine().spawn("errors", false, move || {
        for _ in 0..pages {
            machine().memory.poison(machine().rng().draw() as usize);
            machine().sleep_for(machine().rng().below(20_000));
        }
    });
    machine().start(poisoner);
    let part = make();
    if let Some(part) = part {
        look_at_blocks(part);
    }
    machine().join(poisoner);
    settle(module);
    if check::error_untold(&module.registry) {
        fail("a memory error was looked for, and its owner was not told");
    }
    if let Some(part) = part {
        look_at_blocks(part);
        let mut left = genp_outstanding::default();
        // SAFETY: of ours, and nothing of it is in use.
        if unsafe { glue::genp_partition_destroy(part, &mut left) } != 0 {
            fail("what is not in use is not destroyed");
        }
    }
    leave_kernel();
}

/// Runs a case. A violation does not return.
pub fn run(seed: u64) {
    let mut case = Case::new(seed);
    case.load.blocks = true;
    case.load.untold = false;
    scene::run(case, |module| (0..10).for_each(|_| strife(module)));
}
