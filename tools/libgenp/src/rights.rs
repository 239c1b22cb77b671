// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a descriptor of a partition may be used for: bits `GENP_RIGHT_*`.

use std::{
    fs, io,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
};

use crate::{
    abi,
    descriptor::Descriptor,
    system::{ioctl, size_of},
};

/// The rights that a text of fdinfo tells of: the kernel names them only where some are missing.
fn told(text: &str) -> Option<u32> {
    let Some(line) = text.lines().find_map(|it| it.strip_prefix("genp-rights:")) else {
        return Some(abi::GENP_RIGHTS_ALL);
    };
    u32::from_str_radix(line.trim().strip_prefix("0x")?, 16).ok()
}

impl Descriptor {
    /// Another descriptor of the partition, with these rights, bits `GENP_RIGHT_*`, and
    /// close-on-exec. EACCES for rights that this one has not, EINVAL for unknown ones; EIDRM if
    /// the partition was destroyed; EMFILE, ENFILE, ENOMEM; ENOTTY of an older module.
    pub fn restrict(&self, rights: u32) -> io::Result<Self> {
        let mut request = abi::genp_restrict {
            size: size_of::<abi::genp_restrict>(),
            rights,
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.as_fd(), abi::GENP_IOCTL_RESTRICT, &mut request)? };
        // SAFETY: a file descriptor that the kernel has just made for us.
        Ok(unsafe { OwnedFd::from_raw_fd(request.fd) }.into())
    }

    /// What it may be used for, bits `GENP_RIGHT_*`, as /proc says: ENOENT if that is not there.
    pub fn rights(&self) -> io::Result<u32> {
        let number = self.as_fd().as_raw_fd();
        // Of the thread: its descriptors need not be those of the process.
        let text = fs::read_to_string(format!("/proc/thread-self/fdinfo/{number}"))?;
        told(&text).ok_or_else(|| io::Error::from_raw_os_error(libc::EIO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_those_of_fdinfo_or_all() {
        assert_eq!(told("pos:\t0\ngenp-name:\ta\n"), Some(abi::GENP_RIGHTS_ALL));
        assert_eq!(told("genp-name:\ta\ngenp-rights:\t0x0\n"), Some(0));
        assert_eq!(told("genp-rights:\t0x15\n"), Some(0x15));
        assert_eq!(told("genp-rights:\t21\n"), None);
    }
}
