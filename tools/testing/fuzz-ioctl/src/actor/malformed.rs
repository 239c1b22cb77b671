// SPDX-License-Identifier: GPL-2.0

//! Structures of any size with random contents, for known and unknown
//! commands.

use harness::{abi, calls::raw_ioctl, page_bytes, rng::Rng};

use super::worker::{Outcome, Worker};
use crate::step::{Mode, Step};

impl Worker<'_> {
    pub(super) fn malformed(&mut self, step: &Step) -> Outcome {
        let mut rng = Rng::new(step.a);
        let fd = match self.actor.descriptor(step.slot.into()) {
            Some(descriptor) if step.b & 1 == 1 => descriptor.fd,
            _ => self.actor.setup.control,
        };
        let number = match rng.below(4) {
            0 => rng.draw() & 0xff,
            _ => rng.pick(&abi::GENP_COMMANDS) & 0xff,
        };
        let magic = if rng.one_in(8) {
            rng.draw() & 0xff
        } else {
            abi::GENP_IOC_MAGIC.into()
        };
        let rest = rng.draw() & 0xffff_0000;
        let size = match rng.below(4) {
            0 => rng.below(16),
            1 => page_bytes() + rng.below(16),
            2 => rng.draw() & 0xffff_ffff,
            _ => 8 * rng.below(64),
        };
        let at = self.argument.start();
        for word in 0..2 * page_bytes() as usize / 8 {
            // SAFETY: the two pages of the argument.
            unsafe { *((at + word * 8) as *mut u64) = rng.draw() };
        }
        // In a serial case always with an unknown flag, so that the command fails and the
        // model stays right.
        let flags = match self.actor.setup.mode {
            Mode::Serial => 1 << 29,
            Mode::Storm => rng.below(4) as u32 / 3,
        };
        // SAFETY: as above.
        unsafe {
            *(at as *mut u32) = size as u32;
            *((at + 4) as *mut u32) = flags;
        }
        let address = if rng.one_in(10) {
            rng.draw() as usize
        } else {
            at
        };
        let command = rest | (magic << 8) | number;
        // Some types have a meaning for every file, such as closing it on exec.
        if magic != u64::from(abi::GENP_IOC_MAGIC)
            && matches!(magic, 0x54 | 0x66 | 0x58 | 0x00 | 0x94)
        {
            return None;
        }
        Some(raw_ioctl(fd, command, address).map(|_| ()))
    }
}
