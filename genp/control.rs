// SPDX-License-Identifier: GPL-2.0

//! The commands of /dev/genp.

use kernel::{
    bindings,
    fs::file::FileDescriptorReservation,
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
    sync::Arc,
};

use super::{
    core::books::Order,
    partition::{self, name_of, Partition},
    pool::Pool,
    stock::Emergency,
    sys::{abi, errno::ENOTTY, user::UserArg},
};

/// Carries out the command `nr`. ENOTTY if there is none. Context: thread, may
/// sleep.
pub(crate) fn ioctl(pool: &Arc<Pool>, nr: u32, arg: &UserArg) -> Result<i64> {
    match nr {
        abi::GENP_NR_GET_INFO => get_info(pool, arg)?,
        abi::GENP_NR_CREATE => create(pool, arg)?,
        abi::GENP_NR_OPEN => open(pool, arg)?,
        _ => return Err(ENOTTY),
    }
    Ok(0)
}

/// The pool as the ABI tells of it.
pub(crate) fn info(pool: &Pool) -> abi::genp_info {
    let totals = pool.totals();
    let config = &pool.config;
    let emergency = pool.emergency.as_ref();
    let range = pool.range.as_ref();
    let bytes = |frames: u32| u64::from(frames) << PAGE_SHIFT;
    abi::genp_info {
        abi_version: abi::GENP_ABI_VERSION,
        page_size: PAGE_SIZE as u32,
        features: u64::from(
            abi::GENP_FEATURE_LEASES
                | abi::GENP_FEATURE_EVENTS
                | abi::GENP_FEATURE_BOUNDS
                | abi::GENP_FEATURE_RESIZE
                | abi::GENP_FEATURE_STOCK
                | range.map_or(0, |_| abi::GENP_FEATURE_RANGE),
        ),
        capacity: bytes(totals.capacity),
        committed: bytes(totals.committed),
        lent: bytes(totals.lent),
        free: bytes(totals.free),
        clean: bytes(pool.store.clean()),
        quarantined: bytes(pool.store.quarantined()),
        max_lease_ns: config.max_lease_ns,
        grace_ns: config.grace_ns,
        recall_worst_ns: pool.recall_worst_ns(),
        wait_order: match config.order {
            Order::Prio => abi::GENP_ORDER_PRIO,
            Order::Fifo => abi::GENP_ORDER_FIFO,
        },
        nodes: pool.store.frames().nodes(),
        partitions: totals.partitions,
        max_partitions: config.max_partitions,
        leases: totals.leases,
        max_leases: config.max_leases,
        waiters: totals.waiters,
        max_waiters: config.max_waiters,
        overdue: bytes(totals.overdue),
        emergency: bytes(emergency.map_or(0, Emergency::pages)),
        emergency_free: bytes(emergency.map_or(0, Emergency::free)),
        range: range.map_or(0, |range| range.bytes() as u64),
        range_free: range.map_or(0, |range| range.free_bytes() as u64),
        ..Default::default()
    }
}

fn get_info(pool: &Pool, arg: &UserArg) -> Result {
    let ask = arg.read::<abi::genp_info>()?;
    if ask.flags != 0 {
        return Err(EINVAL);
    }
    let mut info = info(pool);
    info.size = ask.size;
    arg.write(&info, ask.size)
}

fn create(pool: &Arc<Pool>, arg: &UserArg) -> Result {
    let mut ask = arg.read::<abi::genp_create>()?;
    let (partition, file) = partition::create(pool, &ask, partition::source_of(pool, &ask)?)?;
    let fd = FileDescriptorReservation::get_unused_fd_flags(bindings::O_CLOEXEC)?;
    ask.fd = fd.reserved_fd() as i32;
    ask.windows = partition.places();
    // If this fails the file is dropped, and with it the partition.
    arg.write(&ask, ask.size)?;
    file.install(fd);
    Ok(())
}

fn open(pool: &Pool, arg: &UserArg) -> Result {
    let mut ask = arg.read::<abi::genp_open>()?;
    if ask.flags != 0 || ask.reserved != 0 {
        return Err(EINVAL);
    }
    let name = name_of(&ask.name)?;
    if name.is_empty() {
        return Err(EINVAL);
    }
    let (partition, file) = pool.roster.open(name, Partition::may_open)?;
    let fd = FileDescriptorReservation::get_unused_fd_flags(bindings::O_CLOEXEC)?;
    ask.fd = fd.reserved_fd() as i32;
    ask.windows = partition.places();
    arg.write(&ask, ask.size)?;
    file.install(fd);
    Ok(())
}
