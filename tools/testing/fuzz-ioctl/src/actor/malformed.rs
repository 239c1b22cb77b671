// SPDX-License-Identifier: GPL-2.0

//! Structures of any size with anything in them, for commands there are and
//! commands there are not.

use harness::{calls::raw_ioctl, chance::Chance, PAGE};

use super::Hand;
use crate::step::{Mode, Step};

/// The type of GenP's commands.
const MAGIC: u64 = 0xe6;

impl Hand<'_> {
    pub(super) fn garbage(&mut self, step: &Step) -> Option<Result<(), i32>> {
        let mut chance = Chance::new(step.a);
        let fd = match self.actor.held(step.slot.into()) {
            Some(held) if step.b & 1 == 1 => held.fd,
            _ => self.actor.birth.control,
        };
        let number = match chance.below(4) {
            0 => chance.draw() & 0xff,
            _ => chance.pick(&[
                0, 1, 2, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a,
            ]),
        };
        let magic = if chance.one_in(8) {
            chance.draw() & 0xff
        } else {
            MAGIC
        };
        let rest = chance.draw() & 0xffff_0000;
        let size = match chance.below(4) {
            0 => chance.below(16),
            1 => PAGE + chance.below(16),
            2 => chance.draw() & 0xffff_ffff,
            _ => 8 * chance.below(64),
        };
        let at = self.paper.start();
        for word in 0..2 * PAGE as usize / 8 {
            // SAFETY: the two pages of the paper.
            unsafe { *((at + word * 8) as *mut u64) = chance.draw() };
        }
        // One after the other only with a flag, so that it is refused and the model
        // knows what there is.
        let flags = match self.actor.birth.mode {
            Mode::Serial => 1 << 29,
            Mode::Storm => chance.below(4) as u32 / 3,
        };
        // SAFETY: as above.
        unsafe {
            *(at as *mut u32) = size as u32;
            *((at + 4) as *mut u32) = flags;
        }
        let place = if chance.one_in(10) {
            chance.draw() as usize
        } else {
            at
        };
        let command = rest | (magic << 8) | number;
        // Other types have meanings for every file, such as closing it on exec.
        if magic != MAGIC && matches!(magic, 0x54 | 0x66 | 0x58 | 0x00 | 0x94) {
            return None;
        }
        Some(raw_ioctl(fd, command, place).map(|_| ()))
    }
}
