// SPDX-License-Identifier: GPL-2.0

//! What the commands for regions and for leases share: handles and their table.

use std::sync::atomic::Ordering::SeqCst;

use harness::abi;

use super::worker::{Descriptor, Worker};
use crate::{
    request,
    step::{Layout, Step},
    world::{Entry, Reply, FDS},
};

/// If a command changes something but its result cannot be written, the model does
/// not know what changed: such a layout is replaced.
pub(super) fn writable(layout: Layout) -> Layout {
    match layout {
        Layout::ReadOnly => Layout::Exact,
        layout => layout,
    }
}

/// Takes an entry with a handle of the partition.
fn take_some<'a>(table: &'a [Entry], step: &Step, descriptor: &Descriptor) -> Option<&'a Entry> {
    let first = step.a as usize % table.len();
    (first..first + table.len()).find_map(|at| {
        let entry = &table[at % table.len()];
        let fits = entry.serial.load(SeqCst) == descriptor.serial;
        (fits && entry.take()).then_some(entry)
    })
}

impl Worker<'_> {
    /// The descriptor of a step.
    pub(super) fn descriptor(&self, step: &Step) -> Option<Descriptor> {
        self.actor.descriptor(step.slot.into())
    }

    /// Fills an entry that the caller took.
    pub(super) fn enter(&self, entry: &Entry, serial: u32, handle: u64, offset: u64, length: u64) {
        entry.serial.store(serial, SeqCst);
        entry.handle.store(handle, SeqCst);
        entry.offset.store(offset, SeqCst);
        entry.length.store(length, SeqCst);
        entry.marked.store(0, SeqCst);
    }

    /// GENP_FREE and GENP_RETURN.
    pub(super) fn by_handle(
        &mut self,
        fd: i32,
        command: u64,
        handle: u64,
        layout: Layout,
    ) -> Result<(), i32> {
        let mut request = abi::genp_handle {
            handle,
            ..Default::default()
        };
        self.argument
            .call(fd, command, &mut request, writable(layout))
    }

    /// Takes an entry and a descriptor of its partition, if there are both; otherwise a
    /// descriptor and perhaps an entry of another partition.
    pub(super) fn with_handle(
        &self,
        table: &'static [Entry],
        step: &Step,
        reply: &mut Reply,
    ) -> Option<(Descriptor, Option<&'static Entry>)> {
        let first = step.slot as usize;
        let fds = (first..first + FDS).filter_map(|slot| self.actor.descriptor_at(slot % FDS));
        let own = fds
            .filter(|_| !request::is_foreign(step))
            .find_map(|descriptor| Some((descriptor, Some(take_some(table, step, &descriptor)?))));
        let found = own.or_else(|| {
            let descriptor = self.descriptor(step)?;
            let other = table.iter().find(|entry| step.b % 4 == 0 && entry.take());
            Some((descriptor, other))
        });
        reply.values[5] = found.as_ref()?.0.slot as u64 + 1;
        found
    }
}
