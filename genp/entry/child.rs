// SPDX-License-Identifier: GPL-2.0

//! `GENP_CREATE_CHILD`: a partition of a partition.

use kernel::prelude::*;

use super::hand_out::hand_out;
use crate::genp::{
    partition::{source_of, CreateRequest, Partition, Rights},
    sys::{abi, errno::EOPNOTSUPP, user::UserArg},
};

/// Makes a child for a descriptor with these rights. It gets no others by it: neither the
/// child's descriptor, nor its name, which anybody may open with all.
pub(super) fn create_child(partition: &Partition, rights: Rights, arg: &UserArg) -> Result {
    let mut args = arg.read::<abi::genp_create>()?;
    let pool = partition.pool();
    if source_of(pool, &args)?.is_some() {
        return Err(EOPNOTSUPP);
    }
    let request = CreateRequest::check(pool, &args, false)?;
    if !request.name().is_empty() && !rights.are_all() {
        return Err(EACCES);
    }
    let (child, file) = partition.create_child(request)?;
    args.windows = child.windows();
    let answer = |fd| {
        args.fd = fd;
        arg.write(&args)
    };
    // If the answer fails the child goes with its file.
    match rights.are_all() {
        true => hand_out(file, answer),
        false => hand_out(Partition::restricted(&file, rights)?, answer),
    }
}
