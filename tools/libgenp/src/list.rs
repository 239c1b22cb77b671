// SPDX-License-Identifier: MIT OR Apache-2.0

//! The partitions there are, for whoever may open /dev/genp.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use crate::{
    abi,
    system::{self, ioctl, size_of},
};

/// The partitions, one after the other. One that is created or ends meanwhile may be missing.
#[derive(Debug)]
pub struct Partitions {
    control: OwnedFd,
    cursor: u32,
}

/// All partitions, whoever's they are, as `GENP_LIST` tells of them. ENOENT without the
/// module, EACCES without the right to open /dev/genp; the iterator yields ENOTTY if the
/// module is older than the call.
pub fn partitions() -> io::Result<Partitions> {
    Ok(Partitions {
        control: system::control()?,
        cursor: 0,
    })
}

/// The first partition behind a place in the list, if there is one.
fn behind(control: BorrowedFd<'_>, cursor: u32) -> io::Result<Option<abi::genp_list>> {
    let mut listed = abi::genp_list {
        size: size_of::<abi::genp_list>(),
        cursor,
        ..Default::default()
    };
    // SAFETY: the command's own structure.
    match unsafe { ioctl(control, abi::GENP_IOCTL_LIST, &mut listed) } {
        Ok(()) => Ok(Some(listed)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The first partition behind a place in the list, for who keeps nothing between two calls:
/// 0, or the `cursor` of the one before. As [`partitions`].
pub(crate) fn partition_behind(cursor: u32) -> io::Result<Option<abi::genp_list>> {
    behind(system::control()?.as_fd(), cursor)
}

impl Iterator for Partitions {
    type Item = io::Result<abi::genp_list>;

    fn next(&mut self) -> Option<Self::Item> {
        match behind(self.control.as_fd(), self.cursor).transpose()? {
            Ok(listed) => {
                self.cursor = listed.cursor;
                Some(Ok(listed))
            }
            Err(error) => {
                // There is nothing behind it.
                self.cursor = u32::MAX;
                Some(Err(error))
            }
        }
    }
}
