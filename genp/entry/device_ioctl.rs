// SPDX-License-Identifier: GPL-2.0

//! The ioctls of /dev/genp: from argument structures to calls and back.

use kernel::{bindings, fs::file::FileDescriptorReservation, prelude::*, sync::Arc};

use super::pool_info::info;
use crate::genp::{
    partition::{name_of, source_of, CreateRequest, Partition},
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
        _ => Err(ENOTTY),
    }
}

fn get_info(registry: &Registry, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_info>()?;
    if args.flags != 0 {
        return Err(EINVAL);
    }
    let mut info = info(registry.pool());
    info.size = args.size;
    arg.write(&info)
}

fn create(registry: &Arc<Registry>, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_create>()?;
    let pool = registry.pool();
    let source = source_of(pool, &args)?;
    let request = CreateRequest::check(pool, &args, source.is_some())?;
    let (partition, file) = registry.create(request, source)?;
    let fd = FileDescriptorReservation::get_unused_fd_flags(bindings::O_CLOEXEC)?;
    args.fd = fd.reserved_fd() as i32;
    args.windows = partition.windows();
    // If this fails the file is dropped, and with it the partition.
    arg.write(&args)?;
    file.install(fd);
    Ok(())
}

fn open(registry: &Registry, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_open>()?;
    if args.flags != 0 || args.reserved != 0 {
        return Err(EINVAL);
    }
    let name = name_of(&args.name)?;
    if name.is_empty() {
        return Err(EINVAL);
    }
    let (partition, file) = registry.open(name, Partition::may_open)?;
    let fd = FileDescriptorReservation::get_unused_fd_flags(bindings::O_CLOEXEC)?;
    args.fd = fd.reserved_fd() as i32;
    args.windows = partition.windows();
    arg.write(&args)?;
    file.install(fd);
    Ok(())
}
