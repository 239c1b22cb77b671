// SPDX-License-Identifier: GPL-2.0

//! The ioctls of /dev/genp: from argument structures to calls and back.

use kernel::{bindings, fs::file::FileDescriptorReservation, prelude::*, sync::Arc};

use super::pool_info::info;
use crate::genp::{
    partition::{name_of, source_of, CreateRequest, File, Partition},
    registry::Registry,
    sys::{abi, headroom, user::UserArg},
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

fn get_info(registry: &Registry, arg: &UserArg) -> Result {
    let args = arg.read::<abi::genp_info>()?;
    if args.flags != 0 {
        return Err(EINVAL);
    }
    let mut info = info(registry.pool());
    info.size = args.size;
    arg.write(&info)
}

/// Gives the caller a file descriptor of a partition: `answer` writes its number to user
/// memory. If that fails there is none, and the file is dropped. EMFILE, ENOMEM, and the
/// errors of `answer`. Context: thread, may sleep.
fn hand_out(file: File, answer: impl FnOnce(i32) -> Result) -> Result {
    headroom::check_descriptor()?;
    let fd = FileDescriptorReservation::get_unused_fd_flags(bindings::O_CLOEXEC)?;
    // CAST: descriptors are below 2^31.
    answer(fd.reserved_fd() as i32)?;
    file.install(fd);
    Ok(())
}

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
    args.windows = partition.windows();
    hand_out(file, |fd| {
        args.fd = fd;
        arg.write(&args)
    })
}

/// Tells of the next partition. ENOENT if there is none.
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
