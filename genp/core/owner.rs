// SPDX-License-Identifier: GPL-2.0

//! Who owns a region or a lease.

/// Who owns a region or a lease, and so who may free or return it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A process, by a file descriptor of the partition. Its memory can be taken back
    /// by force.
    Process,
    /// A driver in the kernel. Nothing takes its memory away: it is asked to return
    /// it.
    Driver,
}
