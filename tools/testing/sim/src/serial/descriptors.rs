// SPDX-License-Identifier: GPL-2.0

//! Steps on descriptors.

use genp_sim_model::{
    request,
    step::Step,
    world::{Reply, ACTORS},
};

use super::{Outcome, Serial};

impl Serial {
    pub(super) fn dup(&self, step: &Step) -> Outcome {
        let at = step.actor as usize;
        let (_file, slot, serial) = self.chosen(step)?;
        let to = request::other_slot(step);
        if to == slot {
            return None;
        }
        let fd = self.actors.borrow()[at].fds[slot]?.0;
        let copy = self.processes[at].pass(fd, self.processes[at])?;
        self.keep(at, to, copy, serial);
        Some(Ok(()))
    }

    pub(super) fn close(&self, step: &Step) -> Outcome {
        let (file, slot, _) = self.chosen(step)?;
        drop(file);
        self.empty(step.actor as usize, slot);
        Some(Ok(()))
    }

    pub(super) fn pass(&self, step: &Step) -> Outcome {
        let (file, _, serial) = self.chosen(step)?;
        file.take();
        self.actors.borrow_mut()[step.a as usize % ACTORS]
            .inbox
            .push((core::ptr::from_ref(&*file), serial));
        Some(Ok(()))
    }

    pub(super) fn receive(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let at = step.actor as usize;
        let mut actors = self.actors.borrow_mut();
        if actors[at].inbox.is_empty() {
            return Some(Err(11));
        }
        let (file, serial) = actors[at].inbox.remove(0);
        drop(actors);
        let fd = self.processes[at].open(file.cast_mut());
        reply.values[0] = serial.into();
        self.keep(at, step.slot as usize, fd, serial);
        Some(Ok(()))
    }

    pub(super) fn read(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let mut room = [0u64; 32];
        let length = match step.a % 4 {
            0 => step.a as usize / 4 % 32,
            _ => step.a as usize / 4 % 256,
        };
        let nowhere = step.b & 15 == 15;
        let at = if nowhere {
            8
        } else {
            room.as_mut_ptr() as usize
        };
        reply.values[1] = length as u64;
        reply.values[2] = u64::from(nowhere);
        let done = file.read(at, length, true);
        Some(match done {
            ..0 => Err(-done as i32),
            _ => {
                reply.values[0] = done as u64;
                Ok(())
            }
        })
    }
}
