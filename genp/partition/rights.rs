// SPDX-License-Identifier: GPL-2.0

//! What a descriptor of a partition may be used for.

use kernel::prelude::*;

use super::{create::FILE_HEADROOM, File, Partition};
use crate::genp::sys::{abi, errno::EIDRM, file::RestrictedFile, headroom};

/// A set of rights, bits `GENP_RIGHT_*`.
#[derive(Clone, Copy)]
pub(crate) struct Rights(u32);

impl Rights {
    /// To map for reading, and to read figures, which need no right.
    pub(crate) const NONE: Self = Self(0);
    /// To allocate and free regions.
    pub(crate) const ALLOC: Self = Self(abi::GENP_RIGHT_ALLOC);
    /// To borrow, renew and return.
    pub(crate) const BORROW: Self = Self(abi::GENP_RIGHT_BORROW);
    /// To take records of events, and to have an eventfd signalled.
    pub(crate) const EVENTS: Self = Self(abi::GENP_RIGHT_EVENTS);
    /// To change the partition as a whole, and to reset its figures.
    pub(crate) const MANAGE: Self = Self(abi::GENP_RIGHT_MANAGE);

    /// To make children.
    pub(crate) const CHILDREN: Self = Self(abi::GENP_RIGHT_CHILDREN);

    /// Whether these are all that there are. Context: any.
    pub(crate) fn are_all(self) -> bool {
        self.0 == abi::GENP_RIGHTS_ALL
    }

    /// Those of these bits: EINVAL for others than `GENP_RIGHT_*`. Context: any.
    pub(crate) fn from_bits(bits: u32) -> Result<Self> {
        match bits & !abi::GENP_RIGHTS_ALL {
            0 => Ok(Self(bits)),
            _ => Err(EINVAL),
        }
    }

    /// EACCES unless all of `needed` are among these. Context: any.
    pub(crate) fn require(self, needed: Self) -> Result {
        match needed.0 & !self.0 {
            0 => Ok(()),
            _ => Err(EACCES),
        }
    }
}

impl Partition {
    /// Another file of the partition, which has these rights and keeps it as `file` does.
    /// ENOMEM, ENFILE. Context: thread, may sleep.
    pub(crate) fn restricted(file: &File, rights: Rights) -> Result<RestrictedFile> {
        headroom::check(FILE_HEADROOM)?;
        file.restrict(rights.0)
    }

    /// The same, by way of a descriptor. EIDRM once it was destroyed. Context: a call by a
    /// descriptor of the partition.
    pub(crate) fn restrict(&self, rights: Rights) -> Result<RestrictedFile> {
        self.alive()?;
        let file = self.file().ok_or(EIDRM)?;
        Self::restricted(&file, rights)
    }
}
