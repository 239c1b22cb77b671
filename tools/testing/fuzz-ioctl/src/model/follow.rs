// SPDX-License-Identifier: GPL-2.0

//! How the model changes with a step that succeeded.

use super::{Model, Partition};
use crate::{
    request,
    step::{Kind, Step},
    world::{Reply, ACTORS, FDS, ORDINARY, ORDINARY_UID},
};

impl Model {
    /// Updates the model after a successful step.
    pub(super) fn follow(&mut self, step: &Step, reply: &Reply) -> Result<(), String> {
        let actor = step.actor as usize;
        let slot = step.slot as usize % FDS;
        let held = self.used(step, reply);
        match step.kind {
            Kind::Create => return self.follow_create(step, reply),
            Kind::Open => self.holders[actor].fds[slot] = self.named(&request::open(step).name),
            Kind::Dup => {
                self.holders[actor].fds[request::other_slot(step)] = held;
                self.reap();
            }
            Kind::Close => {
                if let Some(place) = self.place_of(step) {
                    self.holders[actor].fds[place] = None;
                    self.reap();
                }
            }
            Kind::Pass => self.holders[step.a as usize % ACTORS].inbox.extend(held),
            Kind::Receive => {
                let inbox = &mut self.holders[actor].inbox;
                if inbox.is_empty() {
                    return Err("a descriptor was received that was not sent".into());
                }
                let part = inbox.remove(0);
                self.holders[actor].fds[slot] = Some(part);
                self.reap();
            }
            Kind::MapReserve | Kind::MapWindow => {
                let map = reply.values[0] as usize;
                self.holders[actor].maps[map] =
                    held.map(|part| (part, step.kind == Kind::MapWindow));
            }
            Kind::Unmap => {
                self.holders[actor].maps[reply.values[0] as usize] = None;
                self.reap();
            }
            Kind::Look => return self.follow_look(reply),
            Kind::List => return self.follow_list(reply),
            _ => {
                if let Some(part) = held {
                    return self.parts[part].follow(step, reply, &self.pool);
                }
            }
        }
        Ok(())
    }

    fn follow_create(&mut self, step: &Step, reply: &Reply) -> Result<(), String> {
        let actor = step.actor as usize;
        let owner = if actor == ORDINARY { ORDINARY_UID } else { 0 };
        let part = Partition::new(&request::create(step, &self.pool), owner, &self.pool);
        part.check_windows(reply)?;
        let number = self.parts.len();
        self.parts.push(part);
        if reply.values[0] != number as u64 + 1 {
            return Err("the model lost count of the partitions".into());
        }
        self.holders[actor].fds[step.slot as usize % FDS] = Some(number);
        for (at, window) in [(3, false), (4, true)] {
            if let Some(map) = (reply.values[at] as usize).checked_sub(1) {
                self.holders[actor].maps[map] = Some((number, window));
            }
        }
        Ok(())
    }

    /// What is listed is a partition that there is.
    fn follow_list(&self, reply: &Reply) -> Result<(), String> {
        let known = self.parts.iter().any(|part| {
            let number = request::number_of(&part.name).map_or(0, |number| number as u64 + 1);
            !part.gone && (number, part.reserve) == (reply.values[0], reply.values[1])
        });
        known.then_some(()).ok_or_else(|| {
            format!(
                "a partition is listed that is not there: name {}, reserve {}",
                reply.values[0], reply.values[1]
            )
        })
    }

    fn follow_look(&self, reply: &Reply) -> Result<(), String> {
        let part = (reply.values[1] as usize)
            .checked_sub(1)
            .and_then(|part| self.parts.get(part));
        part.map_or(Ok(()), |part| {
            part.leases.check_contents(reply, self.user_mode)
        })
    }
}
