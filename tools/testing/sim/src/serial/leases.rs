// SPDX-License-Identifier: GPL-2.0

//! Steps that borrow, and what is found in leases.

use genp_sim_model::{
    request,
    step::Step,
    world::{Reply, LEASES},
};
use kernel::{
    page::PAGE_SIZE,
    sim::{fail, machine},
};

use super::{Entry, Outcome, Serial};
use crate::genp::sys::abi as own;

impl Serial {
    pub(super) fn borrow(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, _, serial) = self.chosen(step)?;
        reply.begin = machine().now();
        let mut request = request::borrow(step, &self.pool, reply.begin);
        let length = request.length;
        if let Err(errno) = self.call(&file, own::GENP_NR_BORROW, &mut request, step.layout) {
            return Some(Err(errno));
        }
        reply.values[..4].copy_from_slice(&[
            request.handle,
            request.offset,
            length,
            request.expires,
        ]);
        let length = length.div_ceil(PAGE_SIZE as u64) * PAGE_SIZE as u64;
        let mut entry = Entry {
            serial,
            handle: request.handle,
            offset: request.offset,
            length,
            marked: false,
        };
        entry.marked = self.write_to(&entry, request.expires);
        let mut leases = self.leases.borrow_mut();
        if let Some(free) = leases.iter_mut().find(|entry| entry.is_none()) {
            *free = Some(entry);
        }
        Some(Ok(()))
    }

    /// Where a lease is mapped: the process, the mapping and the first page.
    pub(super) fn place(&self, entry: &Entry) -> Option<(usize, usize, usize)> {
        let actors = self.actors.borrow();
        let found = actors.iter().enumerate().find_map(|(at, actor)| {
            let map = actor
                .maps
                .iter()
                .find(|map| map.start != 0 && map.window && map.serial == entry.serial)?;
            Some((at, map.start))
        });
        let (at, start) = found?;
        Some((at, start, (entry.offset - (1 << 42)) as usize / PAGE_SIZE))
    }

    pub(super) fn mark_of(entry: &Entry) -> u64 {
        // Odd, and so never 0; another one for each handle.
        ((entry.handle ^ (u64::from(entry.serial) << 20)) << 1) | 1
    }

    pub(super) fn write_to(&self, entry: &Entry, expires: u64) -> bool {
        let Some((at, start, first)) = self.place(entry) else {
            return false;
        };
        (first..first + entry.length as usize / PAGE_SIZE).all(|page| {
            let written = self.processes[at].access(start, page, |page| {
                let runs = machine().now() < expires;
                if runs {
                    if page.content.get() != 0 {
                        fail(&format!("a new lease has {:#x} in it", page.content.get()));
                    }
                    page.content.set(Self::mark_of(entry));
                }
                runs
            });
            written == Some(true)
        })
    }

    /// What is in a lease: 1 its mark, 2 nothing, 3 something else.
    pub(super) fn look_at(&self, entry: &Entry) -> Option<u64> {
        if !entry.marked {
            return None;
        }
        let (at, start, first) = self.place(entry)?;
        let pages = first..first + entry.length as usize / PAGE_SIZE;
        let worst = pages.map(|page| {
            match self.processes[at].access(start, page, |page| page.content.get()) {
                Some(content) if content == Self::mark_of(entry) => 1,
                None => 2,
                Some(_) => 3,
            }
        });
        worst.max()
    }

    pub(super) fn look(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let first = step.a as usize % LEASES;
        let leases = *self.leases.borrow();
        (0..LEASES).find_map(|more| {
            let entry = leases[(first + more) % LEASES]?;
            reply.values[0] = entry.handle;
            reply.values[1] = entry.serial.into();
            reply.begin = machine().now();
            reply.values[2] = self.look_at(&entry)?;
            Some(Ok(()))
        })
    }
}
