// SPDX-License-Identifier: GPL-2.0

//! The module parameters, checked once at load.

use kernel::{page::PAGE_SIZE, prelude::*};

use crate::genp::{
    core::{accounting::WaitOrder, recall_share::RecallShare},
    sys::page::FrameTable,
};

const MIB: u64 = 1 << 20;
/// The largest pool and emergency stock: no table of theirs is larger than the 2 GiB
/// that the kernel allocates in one piece at most.
const MAX_POOL_MIB: u32 = 480 << 10;
const MAX_EMERGENCY: u32 = 1 << 20;
const _: () = {
    let frames = (MAX_POOL_MIB as u64 * MIB) / PAGE_SIZE as u64 + MAX_EMERGENCY as u64;
    assert!(frames * FrameTable::BYTES_A_FRAME as u64 <= i32::MAX as u64);
};
const NSEC_PER_MSEC: u64 = 1_000_000;
const NSEC_PER_USEC: u64 = 1000;

/// The module parameters as given, in the units the administrator uses.
pub(crate) struct Params {
    pub(crate) pool_mib: u32,
    pub(crate) max_lease_ms: u32,
    pub(crate) min_lease_us: u32,
    pub(crate) grace_ms: u32,
    pub(crate) recall_prio: i32,
    pub(crate) recall_share: u32,
    pub(crate) refill_prio: i32,
    pub(crate) wait_order: u32,
    pub(crate) max_waiters: u32,
    pub(crate) max_partitions: u32,
    pub(crate) max_leases: u32,
    pub(crate) uid_ceiling_mib: u32,
    pub(crate) emergency_pages: u32,
    pub(crate) keep_free_mib: u32,
    pub(crate) range_base: u64,
    pub(crate) range_mib: u32,
}

/// The module parameters, checked and in the units the code works with.
pub(crate) struct Config {
    /// Frames of the pool.
    pub(crate) capacity: u32,
    pub(crate) max_lease_ns: u64,
    /// A shorter term is raised to this.
    pub(crate) min_lease_ns: u64,
    pub(crate) grace_ns: u64,
    /// SCHED_FIFO priority of the thread that ends leases.
    pub(crate) recall_prio: i32,
    /// How much work of that thread partitions may cause.
    pub(crate) recall_share: RecallShare,
    /// SCHED_FIFO priority of the thread that refills atomic stocks.
    pub(crate) refill_prio: i32,
    pub(crate) order: WaitOrder,
    pub(crate) max_waiters: u32,
    pub(crate) max_partitions: u32,
    pub(crate) max_leases: u32,
    /// Frames one user may have committed, [`u32::MAX`] for no ceiling.
    pub(crate) uid_ceiling: u32,
    /// Frames of the emergency stock, in addition to those of the pool.
    pub(crate) emergency: u32,
    /// Pages that stay available to others at load, if not the usual share.
    pub(crate) keep_free: Option<u64>,
    /// A physical range that partitions can be created in: its address and bytes.
    pub(crate) range: Option<(u64, usize)>,
}

/// EINVAL, with a line in the log, unless `value` is within the limits.
fn within(name: &str, value: i64, least: i64, most: i64) -> Result {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    pr_err!("{name}={value}: must be {least} to {most}\n");
    Err(EINVAL)
}

/// The address and the bytes of the range, `None` without one.
fn range(base: u64, mib: u32) -> Result<Option<(u64, usize)>> {
    within("range_mib", mib.into(), 0, 4 << 20)?;
    let bytes = u64::from(mib).saturating_mul(MIB);
    let sound = base % PAGE_SIZE as u64 == 0 && base.checked_add(bytes).is_some();
    if !sound || (mib == 0) != (base == 0) {
        pr_err!("range_base={base:#x} range_mib={mib}: both or none, and whole pages\n");
        return Err(EINVAL);
    }
    let bytes = usize::try_from(bytes).map_err(|_| EINVAL)?;
    Ok((bytes > 0).then_some((base, bytes)))
}

/// Frames in `mib` MiB; the caller has limited `mib`.
fn frames(mib: u32) -> u32 {
    let frames = u64::from(mib).saturating_mul(MIB) / PAGE_SIZE as u64;
    u32::try_from(frames).unwrap_or(u32::MAX)
}

impl Config {
    /// Checks the parameters. Called once, before anything is allocated.
    pub(crate) fn check(params: &Params) -> Result<Self> {
        within("pool_mib", params.pool_mib.into(), 1, MAX_POOL_MIB.into())?;
        within("max_lease_ms", params.max_lease_ms.into(), 1, 3_600_000)?;
        within(
            "grace_ms",
            params.grace_ms.into(),
            0,
            params.max_lease_ms.into(),
        )?;
        // At most the least max_lease_ms.
        within("min_lease_us", params.min_lease_us.into(), 1, 1000)?;
        within("recall_share", params.recall_share.into(), 1, 100)?;
        within("recall_prio", params.recall_prio.into(), 2, 99)?;
        within("refill_prio", params.refill_prio.into(), 1, 99)?;
        within("wait_order", params.wait_order.into(), 0, 1)?;
        within("max_waiters", params.max_waiters.into(), 1, 256)?;
        within("max_partitions", params.max_partitions.into(), 1, 256)?;
        within("max_leases", params.max_leases.into(), 1, 4096)?;
        within("uid_ceiling_mib", params.uid_ceiling_mib.into(), 0, 4 << 20)?;
        within(
            "emergency_pages",
            params.emergency_pages.into(),
            0,
            MAX_EMERGENCY.into(),
        )?;
        within("keep_free_mib", params.keep_free_mib.into(), 0, 4 << 20)?;

        Ok(Self {
            capacity: frames(params.pool_mib),
            max_lease_ns: u64::from(params.max_lease_ms) * NSEC_PER_MSEC,
            min_lease_ns: u64::from(params.min_lease_us) * NSEC_PER_USEC,
            recall_share: RecallShare {
                percent: params.recall_share,
                partitions: params.max_partitions,
            },
            grace_ns: u64::from(params.grace_ms) * NSEC_PER_MSEC,
            recall_prio: params.recall_prio,
            refill_prio: params.refill_prio,
            order: if params.wait_order == 0 {
                WaitOrder::Prio
            } else {
                WaitOrder::Fifo
            },
            max_waiters: params.max_waiters,
            max_partitions: params.max_partitions,
            max_leases: params.max_leases,
            uid_ceiling: match params.uid_ceiling_mib {
                0 => u32::MAX,
                mib => frames(mib),
            },
            emergency: params.emergency_pages,
            keep_free: match params.keep_free_mib {
                0 => None,
                mib => Some(frames(mib).into()),
            },
            range: range(params.range_base, params.range_mib)?,
        })
    }
}
