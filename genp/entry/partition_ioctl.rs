// SPDX-License-Identifier: GPL-2.0

//! The commands of a partition: from argument structures to calls and back.

use kernel::{page::PAGE_SIZE, prelude::*};

use crate::genp::{
    core::books::Reasons,
    partition::{Ask, Borrower, Op, Partition, Tenant},
    sys::{
        abi,
        errno::{E2BIG, ENOTTY},
        time,
        user::UserArg,
    },
};

/// EINVAL unless all of these are zero.
fn none_of(fields: &[u32]) -> Result {
    if fields.iter().any(|&field| field != 0) {
        return Err(EINVAL);
    }
    Ok(())
}

/// What a borrower waits for, by `GENP_WAIT_*`, 0 for everything: EINVAL for other
/// bits.
pub(super) fn reasons_of(bits: u32) -> Result<Reasons> {
    const KNOWN: u32 = abi::GENP_WAIT_BUDGET | abi::GENP_WAIT_POOL;

    none_of(&[bits & !KNOWN])?;
    let bits = if bits == 0 { KNOWN } else { bits };
    Ok(Reasons {
        budget: bits & abi::GENP_WAIT_BUDGET != 0,
        pool: bits & abi::GENP_WAIT_POOL != 0,
    })
}

/// Carries out the command `nr`. ENOTTY if there is none. Context: thread,
/// may sleep.
pub(super) fn ioctl(partition: &Partition, nr: u32, arg: &UserArg) -> Result {
    match nr {
        abi::GENP_NR_ALLOC => timed(partition, Op::Alloc, || alloc(partition, arg)),
        abi::GENP_NR_FREE => timed(partition, Op::Free, || free(partition, arg)),
        abi::GENP_NR_BORROW => borrow(partition, arg),
        abi::GENP_NR_RETURN => timed(partition, Op::Return, || give_back(partition, arg)),
        abi::GENP_NR_RENEW => timed(partition, Op::Renew, || renew(partition, arg)),
        abi::GENP_NR_RESIZE => resize(partition, arg),
        abi::GENP_NR_GET_STAT => stat(partition, arg),
        abi::GENP_NR_GET_BOUNDS => bounds(partition, arg),
        abi::GENP_NR_GET_HISTOGRAM => histogram(partition, arg),
        abi::GENP_NR_SET_EVENTFD => eventfd(partition, arg),
        abi::GENP_NR_DESTROY => destroy(partition, arg),
        _ => Err(ENOTTY),
    }
}

/// Notes how long `work` took, whether it succeeded or not.
fn timed(partition: &Partition, op: Op, work: impl FnOnce() -> Result) -> Result {
    let begin = time::now();
    let answer = work();
    partition.note(op, time::now().saturating_sub(begin));
    answer
}

fn alloc(partition: &Partition, arg: &UserArg) -> Result {
    let mut ask = arg.read::<abi::genp_alloc>()?;
    none_of(&[ask.flags])?;
    partition.alive()?;
    let region = partition.alloc_region(Tenant::User, ask.length, ask.align)?;
    ask.offset = region.offset;
    ask.handle = region.handle;
    arg.write(&ask, ask.size).inspect_err(|_| {
        // The caller cannot name what it did not learn of.
        let _ = partition.free_region(Tenant::User, region.handle);
    })
}

fn free(partition: &Partition, arg: &UserArg) -> Result {
    let ask = arg.read::<abi::genp_handle>()?;
    none_of(&[ask.flags])?;
    partition.alive()?;
    partition.free_region(Tenant::User, ask.handle)
}

fn borrow(partition: &Partition, arg: &UserArg) -> Result {
    let mut ask = arg.read::<abi::genp_borrow>()?;
    none_of(&[ask.flags, ask.reserved])?;
    partition.alive()?;
    let pages = ask.length.div_ceil(PAGE_SIZE as u64);
    let borrowed = partition.borrow(&Ask {
        pages: u32::try_from(pages).map_err(|_| E2BIG)?,
        deadline: ask.deadline,
        term: partition.term(ask.lease_ns)?,
        reasons: reasons_of(ask.reasons)?,
        borrower: Borrower::Process,
    })?;
    ask.offset = borrowed.offset;
    ask.handle = borrowed.handle;
    ask.expires = borrowed.expires;
    arg.write(&ask, ask.size).inspect_err(|_| {
        // The caller cannot name what it did not learn of.
        let _ = partition.give_back(borrowed.handle);
    })
}

fn give_back(partition: &Partition, arg: &UserArg) -> Result {
    let ask = arg.read::<abi::genp_handle>()?;
    none_of(&[ask.flags])?;
    partition.give_back(ask.handle)
}

fn renew(partition: &Partition, arg: &UserArg) -> Result {
    let mut ask = arg.read::<abi::genp_renew>()?;
    none_of(&[ask.flags])?;
    partition.alive()?;
    ask.expires = partition.renew(ask.handle, partition.term(ask.lease_ns)?, Borrower::Process)?;
    arg.write(&ask, ask.size)
}

fn resize(partition: &Partition, arg: &UserArg) -> Result {
    let mut ask = arg.read::<abi::genp_resize>()?;
    none_of(&[ask.flags])?;
    partition.alive()?;
    partition.resize(ask.reserve, ask.borrow_limit)?;
    ask.windows = partition.places();
    arg.write(&ask, ask.size)
}

fn stat(partition: &Partition, arg: &UserArg) -> Result {
    let ask = arg.read::<abi::genp_stat>()?;
    none_of(&[ask.flags & !abi::GENP_STAT_RESET_PEAKS])?;
    let mut stat = partition.stat();
    stat.size = ask.size;
    stat.flags = ask.flags;
    arg.write(&stat, ask.size)?;
    if ask.flags & abi::GENP_STAT_RESET_PEAKS != 0 {
        partition.reset_peaks();
    }
    Ok(())
}

fn bounds(partition: &Partition, arg: &UserArg) -> Result {
    let mut ask = arg.read::<abi::genp_bounds>()?;
    none_of(&[ask.flags & !abi::GENP_BOUNDS_RESET])?;
    partition.bounds(&mut ask)?;
    arg.write(&ask, ask.size)?;
    if ask.flags & abi::GENP_BOUNDS_RESET != 0 {
        partition.reset_longest();
    }
    Ok(())
}

fn histogram(partition: &Partition, arg: &UserArg) -> Result {
    let mut ask = arg.read::<abi::genp_histogram>()?;
    none_of(&[ask.flags & !abi::GENP_BOUNDS_RESET, ask.reserved])?;
    ask.count = partition.histogram(ask.op)?;
    arg.write(&ask, ask.size)?;
    if ask.flags & abi::GENP_BOUNDS_RESET != 0 {
        partition.reset_histogram(ask.op);
    }
    Ok(())
}

fn eventfd(partition: &Partition, arg: &UserArg) -> Result {
    let ask = arg.read::<abi::genp_eventfd>()?;
    none_of(&[ask.flags])?;
    partition.alive()?;
    partition.listen(ask.fd, ask.mask)
}

fn destroy(partition: &Partition, arg: &UserArg) -> Result {
    let ask = arg.read::<abi::genp_destroy>()?;
    none_of(&[ask.flags])?;
    partition.destroy()
}
