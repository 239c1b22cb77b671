// SPDX-License-Identifier: GPL-2.0

//! The commands for leases.

use std::sync::atomic::Ordering::SeqCst;

use harness::{abi, memory::Found, now, page_bytes, SEC};

use super::{
    handles::writable,
    patterns,
    worker::{Descriptor, Outcome, Worker},
};
use crate::{
    request,
    step::{Mode, Step},
    world::{claim, Entry, Reply, LEASES},
};

const FOREVER: u64 = abi::GENP_WAIT_FOREVER as u64;

impl Worker<'_> {
    pub(super) fn borrow(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.descriptor(step)?;
        reply.begin = now();
        let mut request = request::borrow(step, &self.actor.setup.pool, reply.begin);
        // In a storm somebody may lower the limit below it, and nobody raise that again.
        if self.actor.setup.mode == Mode::Storm && request.deadline == FOREVER {
            request.deadline = reply.begin + 5 * SEC;
        }
        let done = self.argument.call(
            descriptor.fd,
            abi::GENP_IOCTL_BORROW,
            &mut request,
            step.layout,
        );
        if done.is_err() {
            return Some(done);
        }
        reply.values = [
            request.handle,
            request.offset,
            request.length,
            request.expires,
            0,
            0,
            0,
            0,
        ];
        let Some(entry) = claim(&self.actor.world().leases) else {
            return Some(Ok(()));
        };
        if descriptor.serial == 0 || !self.actor.still(&descriptor) {
            entry.clear();
            return Some(Ok(()));
        }
        let length = request.length.div_ceil(page_bytes()) * page_bytes();
        self.enter(
            entry,
            descriptor.serial,
            request.handle,
            request.offset,
            length,
        );
        entry.expires.store(request.expires, SeqCst);
        self.mark_lease(entry, descriptor.fd);
        entry.put_back();
        Some(Ok(()))
    }

    /// Takes the lease of a step, or makes up a handle.
    fn some_lease(
        &self,
        step: &Step,
        reply: &mut Reply,
    ) -> Option<(Descriptor, Option<&'static Entry>, u64)> {
        let (descriptor, entry) = self.with_handle(&self.actor.world().leases, step, reply)?;
        let handle = match entry {
            Some(entry) => entry.handle.load(SeqCst),
            None => request::foreign_handle(step),
        };
        Some((descriptor, entry, handle))
    }

    pub(super) fn give_back(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let (descriptor, entry, handle) = self.some_lease(step, reply)?;
        reply.values[0] = handle;
        let seen = entry.and_then(|entry| self.look_at_lease(entry));
        let done = self.by_handle(descriptor.fd, abi::GENP_IOCTL_RETURN, handle, step.layout);
        if let Some(entry) = entry {
            if done.is_ok() {
                // It was active until now, so all of it must have been there.
                if let Some(wrong) = seen.filter(|&found| found != Found::Same) {
                    self.bad_lease(entry, &format!("{wrong:?}"), "returned");
                }
            }
            match done {
                Ok(()) | Err(libc::ESTALE) => entry.clear(),
                Err(_) => entry.put_back(),
            }
        }
        Some(done)
    }

    pub(super) fn renew(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let (descriptor, entry, handle) = self.some_lease(step, reply)?;
        let mut request = abi::genp_renew {
            handle,
            lease_ns: request::term((step.b >> 8) as u8, &self.actor.setup.pool),
            ..Default::default()
        };
        let done = self.argument.call(
            descriptor.fd,
            abi::GENP_IOCTL_RENEW,
            &mut request,
            writable(step.layout),
        );
        reply.values[..2].copy_from_slice(&[handle, request.expires]);
        if let Some(entry) = entry {
            if done.is_ok() {
                entry.expires.store(request.expires, SeqCst);
            }
            entry.put_back();
        }
        Some(done)
    }

    pub(super) fn look(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let leases = &self.actor.world().leases;
        let first = step.a as usize % LEASES;
        (first..first + LEASES).find_map(|at| {
            let entry = &leases[at % LEASES];
            if !entry.take() {
                return None;
            }
            reply.values[0] = entry.handle.load(SeqCst);
            reply.values[1] = entry.serial.load(SeqCst).into();
            reply.begin = now();
            let seen = self.look_at_lease(entry);
            entry.put_back();
            reply.values[2] = patterns::code(seen?);
            Some(Ok(()))
        })
    }
}
