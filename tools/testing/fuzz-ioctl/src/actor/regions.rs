// SPDX-License-Identifier: GPL-2.0

//! The commands for regions.

use std::sync::atomic::Ordering::SeqCst;

use harness::{abi, calls};

use super::worker::{Descriptor, Outcome, Worker};
use crate::{
    request,
    step::{Layout, Step},
    world::{claim, Reply},
};

impl Worker<'_> {
    pub(super) fn alloc(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.descriptor(step)?;
        Some(self.alloc_from(&descriptor, step.a, step.b, step.layout, reply))
    }

    fn alloc_from(
        &mut self,
        descriptor: &Descriptor,
        length: u64,
        align: u64,
        layout: Layout,
        reply: &mut Reply,
    ) -> Result<(), i32> {
        let mut request = abi::genp_alloc {
            length,
            align,
            ..Default::default()
        };
        self.argument
            .call(descriptor.fd, abi::GENP_IOCTL_ALLOC, &mut request, layout)?;
        reply.values = [request.handle, request.offset, length, 0, 0, 0, 0, 0];
        let Some(entry) = claim(&self.actor.world().regions) else {
            return Ok(());
        };
        if descriptor.serial == 0 || !self.actor.still(descriptor) {
            // Its partition is not known: the region stays until the partition ends.
            entry.clear();
            return Ok(());
        }
        self.enter(
            entry,
            descriptor.serial,
            request.handle,
            request.offset,
            length,
        );
        self.mark_region(entry);
        entry.put_back();
        Ok(())
    }

    /// The largest free block that GENP_GET_BOUNDS reports can be allocated.
    pub(super) fn largest(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.descriptor(step)?;
        let bounds = match calls::bounds(descriptor.fd) {
            Ok(bounds) => bounds,
            Err(errno) => return Some(Err(errno)),
        };
        if bounds.largest_free == 0 {
            return None;
        }
        Some(self.alloc_from(&descriptor, bounds.largest_free, 0, Layout::Exact, reply))
    }

    pub(super) fn free(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let (descriptor, entry) = self.with_handle(&self.actor.world().regions, step, reply)?;
        let handle = match entry {
            Some(entry) => {
                self.check_region(entry);
                entry.handle.load(SeqCst)
            }
            None => request::foreign_handle(step),
        };
        reply.values[0] = handle;
        let done = self.by_handle(descriptor.fd, abi::GENP_IOCTL_FREE, handle, step.layout);
        if let Some(entry) = entry {
            match done {
                Ok(()) => entry.clear(),
                Err(_) => entry.put_back(),
            }
        }
        Some(done)
    }
}
