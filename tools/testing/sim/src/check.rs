// SPDX-License-Identifier: GPL-2.0

//! What must hold at any time, and when everything has ended.

use core::cell::Cell;

use kernel::{
    page::PAGE_SIZE,
    sim::{fail, machine, process::Hold},
};

use crate::{
    genp::{
        pool::Pool,
        registry::Registry,
        sys::abi::{self, genp_info, genp_list, genp_stat},
    },
    world::sized,
};

/// Asks for the state of the pool; what it says must add up.
pub(crate) fn pool(control: &Hold) -> Option<genp_info> {
    let mut info = sized(genp_info::default());
    if control.ioctl(
        abi::GENP_NR_GET_INFO,
        core::ptr::from_mut(&mut info) as usize,
    ) != 0
    {
        return None;
    }
    let sum = info.committed + info.lent + info.overdue + info.poisoned + info.free;
    if sum != info.capacity {
        fail(&format!(
            "committed {} + lent {} + overdue {} + poisoned {} + free {} is not the capacity {}",
            info.committed, info.lent, info.overdue, info.poisoned, info.free, info.capacity
        ));
    }
    Some(info)
}

/// The figures of a partition.
pub(crate) fn stat(stat: &genp_stat) {
    if stat.used > stat.reserve {
        // Both change while it is asked for, but not so often.
        machine().pass(1);
    }
    if stat.stock_limit != 0 && stat.stock_owned > stat.stock_limit {
        fail(&format!(
            "a stock of {} has {} pages",
            stat.stock_limit, stat.stock_owned
        ));
    }
}

/// What is told of a partition by a list from number `from` on.
pub(crate) fn listed(from: u32, listed: &genp_list) {
    let sound =
        listed.id >= from && listed.cursor == listed.id + 1 && listed.waiters <= listed.leases;
    if !sound {
        fail(&format!(
            "partition {} is listed from {from} on: {} of {} leases wait",
            listed.id, listed.waiters, listed.leases
        ));
    }
}

/// Whether nothing is in use any longer.
fn is_idle(info: &genp_info) -> bool {
    let used = info.committed + info.lent + info.overdue + info.quarantined;
    // Pages of the emergency stock with memory errors stay taken, by nobody.
    let lost = u64::from(machine().memory.errors.get()) * PAGE_SIZE as u64;
    let whole = info.emergency_free + lost >= info.emergency && info.range_free == info.range;
    // Those in quarantine are looked at when somebody wants some, those with errors are lost.
    let blocks = machine().memory.errors.get() != 0 || info.blocks_free == info.blocks;
    blocks && used == 0 && info.partitions == 0 && info.leases == 0 && info.waiters == 0 && whole
}

/// Waits until everything is back; complains if that takes too long.
pub(crate) fn all_back(registry: &Registry, control: &Hold) {
    /// Of virtual time.
    const PATIENCE: u64 = 3_000_000_000;

    let limit = machine().now() + PATIENCE;
    loop {
        let info = pool(control);
        if info.is_some_and(|info| is_idle(&info)) {
            break;
        }
        if machine().now() > limit {
            let Some(info) = info else {
                fail("the pool does not answer");
            };
            fail(&format!(
                "not all is back: committed {} lent {} overdue {} quarantined {} partitions {} leases {} waiters {} emergency {} of {} range {} of {}",
                info.committed, info.lent, info.overdue, info.quarantined, info.partitions, info.leases,
                info.waiters, info.emergency_free, info.emergency, info.range_free, info.range
            ));
        }
        machine().sleep_for(5_000_000);
    }
    accounting(registry);
}

/// The invariants of the accounting.
pub(crate) fn accounting(registry: &Registry) {
    let found = registry
        .pool()
        .lending
        .with(|state| state.accounting.check());
    if let Err(text) = found {
        fail(&format!("the accounting is wrong: {text}"));
    }
}

/// Whether a page of a reserve has a memory error of which its owner was not told, though all
/// were looked for: then nobody tells, unless there is another report. Each is found once.
pub(crate) fn error_untold(registry: &Registry) -> bool {
    let (memory, reports) = (&machine().memory, &registry.pool().errors);
    let errors = memory.known_errors();
    let all_found = || memory.known_errors() == errors && !reports.pending();
    let untold = Cell::new(false);
    errors.is_some()
        && all_found()
        && registry.iter().any(|partition| {
            let reserve = partition.reserve();
            reserve.find_errors(|| {}, |_| untold.set(true));
            untold.get() && all_found()
        })
}

/// Takes all free frames: each must be there once, and nobody refer to it.
pub(crate) fn frames(pool: &Pool) {
    let free = &pool.free_frames;
    let mut seen = vec![false; free.frames().len() as usize];
    let (retired, owed) = pool.lending.with(|state| {
        let accounting = &state.accounting;
        (accounting.totals().poisoned, accounting.owed())
    });
    if owed != 0 {
        fail(&format!("{owed} frames with memory errors are owed still"));
    }
    let mut left = pool.config.capacity - retired;
    while left > 0 {
        let taken = free.take(left, 0, true);
        left -= taken.poisoned;
        let mut list = taken.list;
        if list.is_empty() && taken.poisoned == 0 {
            fail(&format!("{left} frames of the pool are lost"));
        }
        while let Some(frame) = free.pop(&mut list) {
            if core::mem::replace(&mut seen[frame as usize], true) {
                fail(&format!("the frame {frame} is free twice"));
            }
            // SAFETY: a page of the machine.
            let page = unsafe { &*free.frames().page(frame) };
            if page.content.get() != 0 {
                fail(&format!("the frame {frame} was taken with something in it"));
            }
            left -= 1;
        }
    }
}
