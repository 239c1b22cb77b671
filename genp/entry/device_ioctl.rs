// SPDX-License-Identifier: GPL-2.0

//! The ioctls of /dev/genp: from argument structures to calls and back. Each is a function of
//! its own in the machine code, of which tools/wcet finds the longest path.

use kernel::{prelude::*, sync::Arc};

use super::{hand_out::hand_out, pool_info::info};
use crate::genp::{
    partition::{name_of, source_of, CreateRequest, Partition, Rights},
    registry::Registry,
    sys::{abi, user::UserArg},
};

/// Carries out the command `nr`. ENOTTY if there is none. Context: thread, may
/// sleep.
pub(super) fn ioctl(registry: &Arc<Registry>, nr: u32, arg: &UserArg) -> Result {
    match nr {
        abi::GENP_NR_GET_INFO => get_info(registry, arg),
        abi::GENP_NR_CREATE => create(registry, arg),
        abi::GENP_NR_OPEN => open(registry, arg),
        abi::GENP_NR_LIST => list(registry, arg),
        _ => Err(ENOTTY),
    }
}

#[inline(never)]
fn get_info(registry: &Registry, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_info>()?;
    if args.flags != 0 {
        return Err(EINVAL);
    }
    let mut info = info(registry.pool());
    info.size = args.size;
    arg.write(&info)
}

#[inline(never)]
fn create(registry: &Arc<Registry>, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_create>()?;
    let pool = registry.pool();
    let source = source_of(pool, &args)?;
    let request = CreateRequest::check(pool, &args, source.is_some())?;
    // If the answer fails the partition goes with its file.
    let (partition, file) = registry.create(request, source)?;
    args.windows = partition.windows();
    hand_out(file, |fd| {
        args.fd = fd;
        arg.write(&args)
    })
}

#[inline(never)]
fn open(registry: &Registry, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_open>()?;
    let read_only = args.flags & abi::GENP_OPEN_READ_ONLY != 0;
    if args.flags & !abi::GENP_OPEN_READ_ONLY != 0 || args.reserved != 0 {
        return Err(EINVAL);
    }
    let name = name_of(&args.name)?;
    if name.is_empty() {
        return Err(EINVAL);
    }
    let may = match read_only {
        true => Partition::may_read,
        false => Partition::may_open,
    };
    let (partition, file) = registry.open(name, may)?;
    args.windows = partition.windows();
    let answer = |fd| {
        args.fd = fd;
        arg.write(&args)
    };
    match read_only {
        true => hand_out(Partition::restricted(&file, Rights::NONE)?, answer),
        false => hand_out(file, answer),
    }
}

/// Tells of the next partition. ENOENT if there is none.
#[inline(never)]
fn list(registry: &Registry, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_list>()?;
    if args.flags != 0 {
        return Err(EINVAL);
    }
    let told = registry.first_from(args.cursor, Partition::listed);
    let mut listed = told.ok_or(ENOENT)?;
    listed.size = args.size;
    listed.cursor = listed.id.saturating_add(1);
    arg.write(&listed)
}
