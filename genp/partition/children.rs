// SPDX-License-Identifier: GPL-2.0

//! Partitions of a partition: made of what it has for them, ended with it.

use kernel::{prelude::*, sync::Arc};

use super::{CreateRequest, File, Partition};
use crate::genp::{core::accounting::PartitionId, sys::errno::EIDRM};

impl Partition {
    /// `GENP_CREATE_CHILD`: EIDRM once it or one that it is part of was destroyed, ENOSPC,
    /// EDQUOT, E2BIG, EOPNOTSUPP, EEXIST, and the errors of [`Self::create`]. On error nothing
    /// is left behind. Context: a call by a descriptor of the partition; may sleep; zeroes
    /// the reserve.
    pub(crate) fn create_child(&self, request: CreateRequest) -> Result<(Arc<Self>, File)> {
        self.alive()?;
        let request = request.into_child_of(self.id())?;
        let registry = self.registry.clone();
        let (child, file) = Self::create(self.account.shared_pool(), registry, request, None)?;
        self.registry.enter(child.clone())?;
        // Who ends one above says so before it looks for its parts: either it found this one,
        // or is seen here. The lock of the table is between the two.
        let ends = self
            .account
            .with_lending(|state, _| state.accounting.ends(child.id()));
        if ends {
            // Somebody may have opened it by its name.
            let _ = child.destroy();
            return Err(EIDRM);
        }
        Ok((child, file))
    }

    /// Whether the partition with this number, which has not been closed, is part of this
    /// one. Context: any but NMI.
    pub(crate) fn has_part(&self, id: PartitionId) -> bool {
        self.account
            .with_lending(|state, above| state.accounting.descends(id, above))
    }
}
