// SPDX-License-Identifier: GPL-2.0

//! The table of leases and the slices of partitions: entries taken and released.

use super::{
    super::count::Count, lease, Accounting, Frames, Lease, Memory, PartitionId, WaitReasons,
    MAX_LEASES_PER_PARTITION, NONE,
};

impl<M: Memory> Accounting<M> {
    /// Takes an unused lease for a request. The caller has checked that there is one, and
    /// a slice.
    pub(super) fn take_lease(
        &mut self,
        p: PartitionId,
        frames: Frames,
        reasons: WaitReasons,
    ) -> u32 {
        let index = self.unused;
        self.unused = self.entry(index).next;
        let account = self.account_of(p);
        let slice = (!account.slices)
            .trailing_zeros()
            .min(MAX_LEASES_PER_PARTITION - 1);
        account.slices |= 1u64.wrapping_shl(slice);
        if let Some(lease) = account.slice_leases.get_mut(slice as usize) {
            *lease = index;
        }
        self.totals.leases.raise(1);
        let generation = self.entry(index).generation;
        *self.lease_mut(index) = Lease {
            partition: p,
            frames,
            slice,
            handle: lease::handle(index, generation),
            generation,
            reasons,
            ..Lease::EMPTY
        };
        index
    }

    /// Releases the slice of a lease.
    pub(super) fn release_slice(&mut self, index: u32) {
        let Lease {
            partition, slice, ..
        } = *self.entry(index);
        let account = self.account_of(partition);
        account.slices &= !1u64.wrapping_shl(slice);
        self.totals.leases.lower(1);
    }

    /// Makes a lease an unused one, with the next generation.
    pub(super) fn release_lease(&mut self, index: u32) {
        let unused = self.unused;
        let lease = self.lease_mut(index);
        let generation = lease.next_generation();
        *lease = Lease {
            generation,
            next: unused,
            heap_at: NONE,
            ..Lease::EMPTY
        };
        self.unused = index;
    }
}
