// SPDX-License-Identifier: GPL-2.0

//! The ioctls of a partition: from argument structures to calls and back. Each is a function of
//! its own in the machine code, of which tools/wcet finds the longest path.

use kernel::{
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
};

use super::{child::create_child, hand_out::hand_out};
use crate::genp::{
    core::accounting::WaitReasons,
    core::owner::Owner,
    partition::{BorrowRequest, Operation, Partition, Rights},
    sys::{abi, time, user::UserArg},
};

/// EINVAL unless all of these are zero.
fn all_zero(fields: &[u32]) -> Result {
    if fields.iter().any(|&field| field != 0) {
        return Err(EINVAL);
    }
    Ok(())
}

/// What a borrower waits for, from bits `GENP_WAIT_*`, 0 for all of them: EINVAL for
/// other bits.
pub(super) fn reasons_of(bits: u32) -> Result<WaitReasons> {
    const KNOWN: u32 = abi::GENP_WAIT_BUDGET | abi::GENP_WAIT_POOL;

    all_zero(&[bits & !KNOWN])?;
    let bits = if bits == 0 { KNOWN } else { bits };
    Ok(WaitReasons {
        budget: bits & abi::GENP_WAIT_BUDGET != 0,
        pool: bits & abi::GENP_WAIT_POOL != 0,
    })
}

/// The rights that a command needs, whatever its argument is.
fn needed(nr: u32) -> Rights {
    match nr {
        abi::GENP_NR_ALLOC | abi::GENP_NR_FREE => Rights::ALLOC,
        abi::GENP_NR_BORROW | abi::GENP_NR_RETURN | abi::GENP_NR_RENEW => Rights::BORROW,
        abi::GENP_NR_SET_EVENTFD => Rights::EVENTS,
        abi::GENP_NR_RESIZE | abi::GENP_NR_DESTROY | abi::GENP_NR_SET_HEAP => Rights::MANAGE,
        abi::GENP_NR_CREATE_CHILD => Rights::CHILDREN,
        _ => Rights::NONE,
    }
}

/// Carries out the command `nr` for a descriptor with these rights. ENOTTY if there is none,
/// EACCES if the descriptor has too few. Context: thread, may sleep.
pub(super) fn ioctl(partition: &Partition, rights: Rights, nr: u32, arg: &UserArg) -> Result {
    rights.require(needed(nr))?;
    match nr {
        abi::GENP_NR_ALLOC => timed(partition, Operation::Alloc, || alloc(partition, arg)),
        abi::GENP_NR_FREE => timed(partition, Operation::Free, || free(partition, arg)),
        abi::GENP_NR_BORROW => borrow(partition, arg),
        abi::GENP_NR_RETURN => timed(partition, Operation::Return, || {
            return_lease(partition, arg)
        }),
        abi::GENP_NR_RENEW => timed(partition, Operation::Renew, || renew(partition, arg)),
        abi::GENP_NR_RESIZE => resize(partition, arg),
        abi::GENP_NR_GET_STAT => stat(partition, rights, arg),
        abi::GENP_NR_GET_BOUNDS => bounds(partition, rights, arg),
        abi::GENP_NR_GET_HISTOGRAM => histogram(partition, rights, arg),
        abi::GENP_NR_SET_EVENTFD => eventfd(partition, arg),
        abi::GENP_NR_DESTROY => destroy(partition, arg),
        abi::GENP_NR_SET_HEAP => set_heap(partition, arg),
        abi::GENP_NR_RESTRICT => restrict(partition, rights, arg),
        abi::GENP_NR_CREATE_CHILD => create_child(partition, rights, arg),
        _ => Err(ENOTTY),
    }
}

/// Records how long `work` took, whether it succeeded or not.
fn timed(partition: &Partition, op: Operation, work: impl FnOnce() -> Result) -> Result {
    let begin = time::now();
    let answer = work();
    partition
        .timing()
        .record(op, time::now().saturating_sub(begin));
    answer
}

#[inline(never)]
fn alloc(partition: &Partition, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_alloc>()?;
    all_zero(&[args.flags])?;
    partition.alive()?;
    let region = partition
        .regions()
        .alloc(Owner::Process, args.length, args.align)?;
    args.offset = region.offset;
    args.handle = region.handle;
    arg.write(&args).inspect_err(|_| {
        // The caller did not get the handle, so nobody could give it back.
        let _ = partition.regions().free(Owner::Process, region.handle);
    })
}

#[inline(never)]
fn free(partition: &Partition, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_handle>()?;
    all_zero(&[args.flags])?;
    partition.alive()?;
    partition.regions().free(Owner::Process, args.handle)
}

/// The deadline of a request on the host's clock: `GENP_NO_WAIT` and a time that has
/// passed in the caller's time namespace stay different.
fn host_deadline(deadline: u64) -> u64 {
    const NO_WAIT: u64 = abi::GENP_NO_WAIT as u64;

    match deadline {
        NO_WAIT => NO_WAIT,
        deadline => time::to_host(deadline).max(NO_WAIT + 1),
    }
}

#[inline(never)]
fn borrow(partition: &Partition, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_borrow>()?;
    all_zero(&[args.flags, args.reserved])?;
    partition.alive()?;
    let pages = args.length.div_ceil(PAGE_SIZE as u64);
    let borrowed = partition.borrow(&BorrowRequest {
        pages: u32::try_from(pages).map_err(|_| E2BIG)?,
        deadline: host_deadline(args.deadline),
        term: partition.leases().term(args.lease_ns)?,
        reasons: reasons_of(args.reasons)?,
        owner: Owner::Process,
    })?;
    args.offset = borrowed.offset;
    args.handle = borrowed.handle;
    args.expires = time::from_host(borrowed.expires);
    arg.write(&args).inspect_err(|_| {
        // The caller did not get the handle, so nobody could give it back.
        let _ = partition.return_lease(borrowed.handle);
    })
}

#[inline(never)]
fn return_lease(partition: &Partition, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_handle>()?;
    all_zero(&[args.flags])?;
    partition.return_lease(args.handle)
}

#[inline(never)]
fn renew(partition: &Partition, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_renew>()?;
    all_zero(&[args.flags])?;
    partition.alive()?;
    let expires = partition.leases().renew(
        args.handle,
        partition.leases().term(args.lease_ns)?,
        Owner::Process,
    )?;
    args.expires = time::from_host(expires);
    arg.write(&args)
}

#[inline(never)]
fn resize(partition: &Partition, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_resize>()?;
    all_zero(&[args.flags & !abi::GENP_RESIZE_QUOTA])?;
    let quota = (args.flags != 0).then_some(args.quota);
    partition.alive()?;
    partition.resize(args.reserve, args.borrow_limit, quota)?;
    args.windows = partition.windows();
    args.quota = u64::from(partition.quota()) << PAGE_SHIFT;
    arg.write(&args)
}

/// EINVAL for flags other than `reset`, and EACCES for that if the descriptor may not reset
/// figures. Whether they are to be reset.
fn resets(flags: u32, reset: u32, rights: Rights) -> Result<bool> {
    all_zero(&[flags & !reset])?;
    if flags != 0 {
        rights.require(Rights::MANAGE)?;
    }
    Ok(flags != 0)
}

#[inline(never)]
fn stat(partition: &Partition, rights: Rights, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_stat>()?;
    let resets = resets(args.flags, abi::GENP_STAT_RESET_PEAKS, rights)?;
    let mut stat = partition.stat();
    stat.size = args.size;
    stat.flags = args.flags;
    arg.write(&stat)?;
    if resets {
        partition.reset_peaks();
    }
    Ok(())
}

#[inline(never)]
fn bounds(partition: &Partition, rights: Rights, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_bounds>()?;
    let resets = resets(args.flags, abi::GENP_BOUNDS_RESET, rights)?;
    partition.bounds(&mut args)?;
    arg.write(&args)?;
    if resets {
        partition.timing().reset_longest();
    }
    Ok(())
}

#[inline(never)]
fn histogram(partition: &Partition, rights: Rights, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_histogram>()?;
    all_zero(&[args.reserved])?;
    let resets = resets(args.flags, abi::GENP_BOUNDS_RESET, rights)?;
    args.count = partition.timing().counts(args.op)?;
    arg.write(&args)?;
    if resets {
        partition.timing().reset_counts(args.op);
    }
    Ok(())
}

#[inline(never)]
fn eventfd(partition: &Partition, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_eventfd>()?;
    all_zero(&[args.flags])?;
    partition.alive()?;
    partition.events().listen(args.fd, args.mask)
}

#[inline(never)]
fn destroy(partition: &Partition, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_destroy>()?;
    all_zero(&[args.flags])?;
    partition.destroy()
}

#[inline(never)]
fn set_heap(partition: &Partition, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_heap>()?;
    all_zero(&[args.flags])?;
    partition.alive()?;
    partition.set_heap(args.offset)
}

#[inline(never)]
fn restrict(partition: &Partition, rights: Rights, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_restrict>()?;
    all_zero(&[args.flags])?;
    let wanted = Rights::from_bits(args.rights)?;
    rights.require(wanted)?;
    hand_out(partition.restrict(wanted)?, |fd| {
        args.fd = fd;
        arg.write(&args)
    })
}
