// SPDX-License-Identifier: GPL-2.0

//! The module parameters, checked once at load.

use kernel::{page::PAGE_SIZE, prelude::*};

use crate::genp::{
    core::{
        accounting::{Limits, UserLimits, WaitOrder},
        block_counts::{BlockCounts, BlocksError, MAX_BLOCK_PAGES, MAX_ORDER},
        parameters::{self, MAX_EMERGENCY, MAX_POOL_MIB},
        recall_bound::UnitCosts,
        recall_share::RecallShare,
    },
    sys::page::{max_order, FrameTable},
};

const MIB: u64 = 1 << 20;
// The largest pool, emergency stock and blocks: no table of theirs is larger than the 2 GiB that
// the kernel allocates in one piece at most.
const _: () = {
    let others = MAX_EMERGENCY as u64 + MAX_BLOCK_PAGES as u64;
    let frames = (MAX_POOL_MIB as u64 * MIB) / PAGE_SIZE as u64 + others;
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
    pub(crate) recall_base_prio: i32,
    pub(crate) recall_share: u32,
    pub(crate) recall_latency_ns: u32,
    pub(crate) recall_end_ns: u32,
    pub(crate) recall_page_ns: u32,
    pub(crate) recall_zero_ns: u32,
    pub(crate) recall_serve_ns: u32,
    pub(crate) recall_section_ns: u32,
    pub(crate) notify_prio: i32,
    pub(crate) refill_prio: i32,
    pub(crate) wait_order: u32,
    pub(crate) max_waiters: u32,
    pub(crate) max_partitions: u32,
    pub(crate) max_leases: u32,
    pub(crate) uid_ceiling_mib: u32,
    pub(crate) uid_max_partitions: u32,
    pub(crate) uid_max_leases: u32,
    pub(crate) uid_max_waiters: u32,
    pub(crate) emergency_pages: u32,
    pub(crate) keep_free_mib: u32,
    pub(crate) range_base: u64,
    pub(crate) range_mib: u32,
    pub(crate) blocks: &'static [u8],
}

/// The lowest priority and the highest of a thread, SCHED_FIFO.
#[derive(Clone, Copy)]
pub(crate) struct PrioRange {
    pub(crate) base: i32,
    pub(crate) most: i32,
}

/// The module parameters, checked and in the units the code works with.
pub(crate) struct Config {
    /// Frames of the pool.
    pub(crate) capacity: u32,
    pub(crate) max_lease_ns: u64,
    /// A shorter term is raised to this.
    pub(crate) min_lease_ns: u64,
    pub(crate) grace_ns: u64,
    /// SCHED_FIFO priority of the thread that announces the end of leases.
    pub(crate) recall_prio: i32,
    /// SCHED_FIFO priorities of the thread that ends them.
    pub(crate) revoke_prio: PrioRange,
    /// SCHED_FIFO priority of the thread that delivers events.
    pub(crate) notify_prio: i32,
    /// How much work of those threads partitions may cause.
    pub(crate) recall_share: RecallShare,
    /// What the steps of a recall cost, as far as the administrator says so; else 0.
    pub(crate) costs: UnitCosts,
    /// SCHED_FIFO priority of the thread that refills atomic stocks.
    pub(crate) refill_prio: i32,
    pub(crate) order: WaitOrder,
    pub(crate) max_waiters: u32,
    pub(crate) max_partitions: u32,
    pub(crate) max_leases: u32,
    /// Frames one user may have committed, [`u32::MAX`] for no ceiling.
    pub(crate) uid_ceiling: u32,
    /// What else one user may have.
    pub(crate) user_limits: UserLimits,
    /// Frames of the emergency stock, in addition to those of the pool.
    pub(crate) emergency: u32,
    /// Pages that stay available to others at load, if not the usual share.
    pub(crate) keep_free: Option<u64>,
    /// A physical range that partitions can be created in: its address and bytes.
    pub(crate) range: Option<(u64, usize)>,
    /// Contiguous blocks, in addition to the pool.
    pub(crate) blocks: BlockCounts,
}

impl Config {
    /// The size of the pool, and the rules of lending.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            capacity: self.capacity,
            max_waiters: self.max_waiters,
            order: self.order,
            max_lease_ns: self.max_lease_ns,
            grace_ns: self.grace_ns,
            share: self.recall_share,
            users: self.user_limits,
        }
    }
}

/// EINVAL, with a line in the log, unless `value` is within the limits.
fn within(name: &str, value: i64, least: i64, most: i64) -> Result {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    pr_err!("{name}={value}: must be {least} to {most}\n");
    Err(EINVAL)
}

/// As [`within`], with the limits of the parameter of this name.
fn check(name: &str, value: impl Into<i64>) -> Result {
    let parameter = parameters::named(name).ok_or(EINVAL)?;
    within(name, value.into(), parameter.least, parameter.most)
}

/// The costs that were given, 0 for those that were not.
fn costs(params: &Params) -> Result<UnitCosts> {
    let cost = |name, ns: u32| -> Result<u64> {
        check(name, ns)?;
        Ok(ns.into())
    };
    Ok(UnitCosts {
        latency_ns: cost("recall_latency_ns", params.recall_latency_ns)?,
        end_ns: cost("recall_end_ns", params.recall_end_ns)?,
        page_ns: cost("recall_page_ns", params.recall_page_ns)?,
        zero_ns: cost("recall_zero_ns", params.recall_zero_ns)?,
        serve_ns: cost("recall_serve_ns", params.recall_serve_ns)?,
        section_ns: cost("recall_section_ns", params.recall_section_ns)?,
    })
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

/// The blocks that a text names.
fn blocks(text: &[u8]) -> Result<BlockCounts> {
    let most = MAX_ORDER.min(max_order());
    let counts = BlockCounts::parse(text).and_then(|counts| match counts.is_within(most) {
        true => Ok(counts),
        false => Err(BlocksError::Order),
    });
    counts.map_err(|error| {
        match error {
            BlocksError::Malformed => pr_err!("blocks: must be ORDER:COUNT,...\n"),
            BlocksError::Order => pr_err!("blocks: orders are 1 to {most}\n"),
            BlocksError::Twice => pr_err!("blocks: an order is there twice\n"),
            BlocksError::TooMany => pr_err!("blocks: at most {MAX_BLOCK_PAGES} pages\n"),
        }
        EINVAL
    })
}

/// What one user may have; a parameter of 0 is no limit.
fn user_limits(params: &Params) -> Result<UserLimits> {
    let limit = |name, value: u32| -> Result<u32> {
        check(name, value)?;
        Ok(if value == 0 { u32::MAX } else { value })
    };
    Ok(UserLimits {
        partitions: limit("uid_max_partitions", params.uid_max_partitions)?,
        leases: limit("uid_max_leases", params.uid_max_leases)?,
        waiters: limit("uid_max_waiters", params.uid_max_waiters)?,
    })
}

/// Frames in `mib` MiB; the caller has limited `mib`.
fn frames(mib: u32) -> u32 {
    let frames = u64::from(mib).saturating_mul(MIB) / PAGE_SIZE as u64;
    u32::try_from(frames).unwrap_or(u32::MAX)
}

impl Config {
    /// Checks the parameters. Called once, before anything is allocated.
    pub(crate) fn check(params: &Params) -> Result<Self> {
        check("pool_mib", params.pool_mib)?;
        check("max_lease_ms", params.max_lease_ms)?;
        within(
            "grace_ms",
            params.grace_ms.into(),
            0,
            params.max_lease_ms.into(),
        )?;
        check("min_lease_us", params.min_lease_us)?;
        check("recall_share", params.recall_share)?;
        check("recall_prio", params.recall_prio)?;
        within(
            "recall_base_prio",
            params.recall_base_prio.into(),
            1,
            params.recall_prio.into(),
        )?;
        check("notify_prio", params.notify_prio)?;
        check("refill_prio", params.refill_prio)?;
        check("wait_order", params.wait_order)?;
        check("max_waiters", params.max_waiters)?;
        check("max_partitions", params.max_partitions)?;
        check("max_leases", params.max_leases)?;
        check("uid_ceiling_mib", params.uid_ceiling_mib)?;
        check("emergency_pages", params.emergency_pages)?;
        check("keep_free_mib", params.keep_free_mib)?;

        Ok(Self {
            capacity: frames(params.pool_mib),
            max_lease_ns: u64::from(params.max_lease_ms) * NSEC_PER_MSEC,
            min_lease_ns: u64::from(params.min_lease_us) * NSEC_PER_USEC,
            recall_share: RecallShare {
                percent: params.recall_share,
                partitions: params.max_partitions,
            },
            costs: costs(params)?,
            grace_ns: u64::from(params.grace_ms) * NSEC_PER_MSEC,
            recall_prio: params.recall_prio,
            revoke_prio: PrioRange {
                base: params.recall_base_prio,
                most: params.recall_prio,
            },
            notify_prio: params.notify_prio,
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
            user_limits: user_limits(params)?,
            emergency: params.emergency_pages,
            keep_free: match params.keep_free_mib {
                0 => None,
                mib => Some(frames(mib).into()),
            },
            range: range(params.range_base, params.range_mib)?,
            blocks: blocks(params.blocks)?,
        })
    }
}
