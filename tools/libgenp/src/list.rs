// SPDX-License-Identifier: MIT OR Apache-2.0

//! The partitions there are, for whoever may open /dev/genp.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
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

impl Iterator for Partitions {
    type Item = io::Result<abi::genp_list>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut listed = abi::genp_list {
            size: size_of::<abi::genp_list>(),
            cursor: self.cursor,
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        let done = unsafe { ioctl(self.control.as_fd(), abi::GENP_IOCTL_LIST, &mut listed) };
        match done {
            Ok(()) => {
                self.cursor = listed.cursor;
                Some(Ok(listed))
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => None,
            Err(error) => {
                // There is nothing behind it.
                self.cursor = u32::MAX;
                Some(Err(error))
            }
        }
    }
}
