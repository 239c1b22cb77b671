// SPDX-License-Identifier: GPL-2.0

//! The two windows of a partition's file, which user space maps: the reserve and the
//! leases.

use kernel::{mm::virt::VmaNew, page::PAGE_SHIFT, prelude::*};

use super::{leases::LEASE_OFFSET, reserve::RESERVE_OFFSET, Partition, Rights};
use crate::genp::sys::{abi, vma};

impl Partition {
    /// Where in the file they are. Context: thread, may sleep.
    pub(crate) fn windows(&self) -> abi::genp_windows {
        abi::genp_windows {
            reserve_offset: RESERVE_OFFSET,
            reserve_length: u64::from(self.reserve.pages()) << PAGE_SHIFT,
            lease_offset: LEASE_OFFSET,
            lease_length: self.leases.window().length(),
        }
    }

    /// mmap(): one of them, whole. EINVAL, EACCES, EPERM, EBUSY, ENOMEM, EOPNOTSUPP.
    /// Context: thread, under the mmap lock; may sleep.
    pub(crate) fn mmap(&self, rights: Rights, vma: &VmaNew) -> Result {
        match vma::window_offset(vma) {
            RESERVE_OFFSET => self.reserve.map(self, vma),
            // Mappings of leases are counted, so who only reads takes none from the others.
            LEASE_OFFSET => {
                rights.require(Rights::BORROW)?;
                self.leases.window().map(self, vma)
            }
            _ => Err(EINVAL),
        }
    }
}
