// SPDX-License-Identifier: GPL-2.0

//! Waiting, signals, deaths, and calls that are wrong.

use kernel::sim::{fail, machine};

use super::{errno, Thread};
use crate::{case::PROCESSES, check};

impl Thread {
    pub(super) fn poll(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let until = machine().now() + u64::from(a & 0xf_ffff);
        file.poll(until);
        Some(0)
    }

    pub(super) fn read(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let mut room = [0u64; 16];
        let size = if a & 7 == 0 { 7 } else { 32 * 4 };
        let done = file.read(room.as_mut_ptr() as usize, size, a & 0x70 != 0);
        self.clear_signal();
        if done == errno::RESTART {
            // Was there something of which nobody was about to tell it before the signal?
            let overslept = machine().task().map_or(0, |task| task.overslept.get());
            let found = file.read(room.as_mut_ptr() as usize, size, true);
            if found > 0 && room[1] < overslept {
                fail("an event was announced, and its reader slept on");
            }
        }
        Some(done.min(0) as i32)
    }

    pub(super) fn clear_signal(&self) {
        if let (Some(task), false) = (machine().task(), self.me().process.killed.get()) {
            task.clear_signal();
        }
    }

    pub(super) fn signal(&self, a: u32, _b: u32) -> Option<i32> {
        let there = &self.world.actors[a as usize % PROCESSES];
        for task in there.tasks.borrow().iter() {
            machine().signal(*task as *mut _);
        }
        Some(0)
    }

    pub(super) fn kill(&self, a: u32, b: u32) -> Option<i32> {
        if b & 63 != 0 {
            return None;
        }
        let there = &self.world.actors[a as usize % PROCESSES];
        there.process.killed.set(true);
        self.world.deaths.set(self.world.deaths.get() + 1);
        self.signal(a, b)
    }

    /// A memory error in some page.
    pub(super) fn memory_error(&self, a: u32, b: u32) -> Option<i32> {
        let one_in = self.world.load.memory_errors;
        if one_in == 0 || a % one_in != 0 {
            return None;
        }
        machine().memory.poison(b as usize).then_some(0)
    }

    pub(super) fn info(&self, a: u32, b: u32) -> Option<i32> {
        check::pool(&self.control());
        self.read_about(a, b);
        Some(0)
    }

    /// Any number of a command with any size and flags.
    pub(super) fn malformed(&self, a: u32, b: u32) -> Option<i32> {
        let file = if a & 1 == 0 {
            self.control()
        } else {
            self.file(b)?
        };
        let mut room = [0u32; 1026];
        room[0] = [0, 4, 7, 4097, u32::MAX, 64][(a >> 1) as usize % 6];
        room[1] = (1 << ((a >> 8) & 31)) | (1 << 31);
        let at = if (a >> 13) & 7 == 0 {
            a as usize & 0xffff
        } else {
            room.as_mut_ptr() as usize
        };
        let done = file.ioctl(b & 31, at);
        if done >= 0 {
            fail(&format!("command {} with unknown flags succeeded", b & 31));
        }
        Some(done)
    }

    pub(super) fn map_a(&self, a: u32, b: u32) -> Option<i32> {
        self.map(a, b, a & 1 == 0)
    }
}
