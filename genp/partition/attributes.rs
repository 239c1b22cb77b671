// SPDX-License-Identifier: GPL-2.0

//! Whose a partition is, what it is called, and who may open it.

use crate::genp::sys::{
    abi,
    task::{self, Creator},
};

/// The field of a name in the ABI.
pub(super) type NameField = [u8; abi::GENP_NAME_SIZE as usize];

/// Bits of a mode.
pub(super) const READ: u32 = 0o4;
pub(super) const WRITE: u32 = 0o2;

/// What is set at create and never changes.
pub(crate) struct Attributes {
    pub(super) name: NameField,
    pub(super) name_len: usize,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) creator: Creator,
    pub(super) mode: u32,
    /// The preferred node as the kernel numbers it, or `GENP_ANY_NODE`.
    pub(super) node: i32,
}

impl Attributes {
    /// The name without what follows it in its field. It may be empty.
    pub(super) fn name(&self) -> &[u8] {
        self.name.get(..self.name_len).unwrap_or(&[])
    }

    /// Whether the mode gives the current task all of these bits, [`READ`] and [`WRITE`].
    /// Context: thread.
    pub(super) fn allows(&self, wanted: u32) -> bool {
        let bits = if task::current_euid() == self.uid {
            // As with files, the owner's own bits count even if the others are
            // wider; a mode of 0 means 0600.
            self.mode >> 6
        } else if task::in_group(self.gid) {
            self.mode >> 3
        } else {
            self.mode
        };
        bits & wanted == wanted || task::may_override_modes()
    }
}
