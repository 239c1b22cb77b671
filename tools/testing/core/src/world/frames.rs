// SPDX-License-Identifier: GPL-2.0

//! The frames of the pool behind its accounts, some of which have memory errors.

use genp_core::accounting::PartitionId;

use super::World;

impl World {
    /// Takes frames that were promised; returns how many there were.
    pub(super) fn take_frames(&mut self, frames: u32) -> u32 {
        let mut has = 0;
        while has < frames && self.listed > 0 {
            self.listed -= 1;
            if self.hidden > 0 {
                self.hidden -= 1;
                self.found += 1;
                self.pool.retire(1);
            } else {
                has += 1;
            }
        }
        has
    }

    /// A frame that is free has an error.
    pub(super) fn poison(&mut self, at_take: bool) {
        if self.hidden == self.listed {
            return;
        }
        if at_take {
            self.hidden += 1;
        } else {
            self.listed -= 1;
            self.found += 1;
            self.pool.retire(1);
            self.serve();
        }
    }

    /// Commits more to a partition, if that many frames are found.
    pub(super) fn commit(&mut self, p: PartitionId, frames: u32) {
        if self.pool.commit_more(p, frames, u32::MAX).is_err() {
            return;
        }
        let has = self.take_frames(frames);
        if has < frames {
            self.listed += has;
            self.pool.commit_less(p, frames).unwrap();
            self.serve();
        }
    }

    /// Between two steps whoever did not find what it was promised has given it back.
    pub(super) fn check_found(&self) {
        assert_eq!(self.pool.owed(), 0, "a retired frame was never paid");
        assert_eq!(self.listed, self.pool.totals().free);
    }
}
