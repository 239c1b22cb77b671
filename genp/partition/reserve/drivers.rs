// SPDX-License-Identifier: GPL-2.0

//! The reserve as drivers have it: where it is in the kernel's address space and in
//! physical memory.

use kernel::prelude::*;

use super::{frames::Backing, Reserve, ReserveFrames};
use crate::genp::sys::{genalloc::Carveout, vmap::Vmap};

/// What is known of a reserve that is not of the pool; it stays where it is.
pub(crate) struct ExternalBacking {
    /// Its physical address.
    pub(crate) phys: u64,
    /// The tag of the memory it is in.
    pub(crate) owner: usize,
    /// Whether that memory is a driver's.
    is_drivers: bool,
}

impl ExternalBacking {
    pub(super) fn of(carveout: &Carveout) -> Self {
        Self {
            phys: carveout.phys(),
            owner: carveout.owner(),
            is_drivers: carveout.is_drivers(),
        }
    }
}

impl Reserve {
    /// Where the reserve is, if not in the pool. Context: any.
    pub(crate) fn external(&self) -> Option<&ExternalBacking> {
        self.external.as_ref()
    }

    /// Whether the reserve is in a pool of genalloc's that a driver brought. Context: any.
    pub(crate) fn is_in_driver_memory(&self) -> bool {
        self.external().is_some_and(|external| external.is_drivers)
    }

    /// Lets one more driver have the partition, and maps the reserve for the kernel if
    /// that was not done before. ENOMEM. Context: thread, may sleep.
    pub(crate) fn admit_driver(&self) -> Result {
        let mut frames = self.lock();
        if frames.vmap.is_none() && frames.pages() > 0 {
            let base = match &frames.backing {
                Backing::Carveout(carveout) => carveout.start(),
                Backing::Frames(table) => {
                    let vmap = Vmap::map(self.account.pool().free_frames.frames(), table)?;
                    let base = vmap.start();
                    frames.vmap = Some(vmap);
                    base
                }
            };
            // ORDERING: pairs with `driver_address`.
            self.driver_base.store(base as u64);
        }
        frames.drivers = frames.drivers.saturating_add(1);
        Ok(())
    }

    /// Ends a driver's use of the reserve: EBUSY for the last driver while anything is
    /// `outstanding`. With the last one the mapping for the kernel goes too, so that the
    /// reserve can be resized. Context: thread, may sleep.
    pub(crate) fn dismiss_driver(&self, outstanding: impl FnOnce() -> bool) -> Result {
        let mut frames = self.lock();
        if frames.drivers <= 1 && outstanding() {
            return Err(EBUSY);
        }
        frames.drivers = frames.drivers.saturating_sub(1);
        if frames.drivers == 0 && !frames.is_fixed() {
            self.driver_base.store(0);
            frames.vmap = None;
        }
        Ok(())
    }

    /// The kernel address of a byte of the reserve, for drivers; `None` if it is not mapped
    /// for them. Context: any.
    pub(crate) fn driver_address(&self, offset: u64) -> Option<usize> {
        // ORDERING: pairs with `admit_driver`.
        match self.driver_base.load() {
            0 => None,
            base => base.checked_add(offset).map(|address| address as usize),
        }
    }

    /// Unmaps the reserve for drivers, none of which has it any longer, and gives back what
    /// is not of the pool. Context: thread, may sleep.
    pub(in crate::genp::partition) fn unmap_for_drivers(&self, frames: &mut ReserveFrames) {
        self.driver_base.store(0);
        frames.vmap = None;
        if frames.is_fixed() {
            frames.backing = Backing::Frames(KVVec::new());
        }
    }
}
