// SPDX-License-Identifier: GPL-2.0

//! The commands of GenP.

use std::sync::atomic::Ordering::SeqCst;

use harness::{abi, calls, memory::Found, now, PAGE};

use super::{
    patterns,
    worker::{Descriptor, Worker},
};
use crate::{
    request::{self, EventFd},
    step::{Layout, Mode, Step},
    world::{claim, Entry, Reply, FDS, LEASES},
};

/// The result of a step: None if it could not be tried.
type Outcome = Option<Result<(), i32>>;

/// If a command changes something but its result cannot be written, the model does
/// not know what changed: such a layout is replaced.
fn writable(layout: Layout) -> Layout {
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
    fn descriptor(&self, step: &Step) -> Option<Descriptor> {
        self.actor.descriptor(step.slot.into())
    }

    pub(super) fn create(&mut self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let mut request = request::create(step, &self.actor.setup.pool);
        let control = self.actor.setup.control;
        // First, so that a partition that is closed by this does not count.
        self.actor.empty(step.slot.into());
        reply.begin = now();
        self.argument
            .call(control, abi::GENP_IOCTL_CREATE, &mut request, step.layout)?;
        let serial = self.actor.world().serials.fetch_add(1, SeqCst) + 1;
        let note = self.actor.world().note(serial);
        note.home.store(self.thread, SeqCst);
        if let Some(number) = request::number_of(&request.name) {
            self.actor.world().named[number].store(serial, SeqCst);
        }
        reply.values = [
            serial.into(),
            request.windows.reserve_length,
            request.windows.lease_length,
            0,
            0,
            0,
            0,
            0,
        ];
        // Before another thread can use it.
        if request::maps_at_once(step) {
            self.map_new(&request, serial, reply);
        }
        self.actor.keep(step.slot.into(), request.fd, serial);
        Ok(())
    }

    pub(super) fn open(&mut self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let mut request = request::open(step);
        let control = self.actor.setup.control;
        self.actor.empty(step.slot.into());
        self.argument
            .call(control, abi::GENP_IOCTL_OPEN, &mut request, step.layout)?;
        // In a storm it is not known which partition has the name.
        let serial = match self.actor.setup.mode {
            Mode::Serial => request::number_of(&request.name)
                .map_or(0, |number| self.actor.world().named[number].load(SeqCst)),
            Mode::Storm => 0,
        };
        self.actor.keep(step.slot.into(), request.fd, serial);
        reply.values[0] = serial.into();
        reply.values[1] = request.windows.reserve_length;
        reply.values[2] = request.windows.lease_length;
        Ok(())
    }

    pub(super) fn info(&mut self, step: &Step) -> Result<(), i32> {
        let mut info = abi::genp_info::default();
        let control = self.actor.setup.control;
        self.argument
            .call(control, abi::GENP_IOCTL_GET_INFO, &mut info, step.layout)?;
        if let Some(text) = harness::pool::inconsistency(&info) {
            self.actor.world().violation(&text);
        }
        Ok(())
    }

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

    fn enter(&self, entry: &Entry, serial: u32, handle: u64, offset: u64, length: u64) {
        entry.serial.store(serial, SeqCst);
        entry.handle.store(handle, SeqCst);
        entry.offset.store(offset, SeqCst);
        entry.length.store(length, SeqCst);
        entry.marked.store(0, SeqCst);
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

    fn by_handle(&mut self, fd: i32, command: u64, handle: u64, layout: Layout) -> Result<(), i32> {
        let mut request = abi::genp_handle {
            handle,
            ..Default::default()
        };
        self.argument
            .call(fd, command, &mut request, writable(layout))
    }

    pub(super) fn borrow(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.descriptor(step)?;
        reply.begin = now();
        let mut request = request::borrow(step, &self.actor.setup.pool, reply.begin);
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
        let length = request.length.div_ceil(PAGE) * PAGE;
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

    /// Takes an entry and a descriptor of its partition, if there are both; otherwise a
    /// descriptor and perhaps an entry of another partition.
    fn with_handle(
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
                    self.bad_lease(entry, wrong, "returned");
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

    pub(super) fn resize(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.descriptor(step)?;
        let (reserve, borrow_limit) = request::resize(step);
        let mut request = abi::genp_resize {
            reserve,
            borrow_limit,
            ..Default::default()
        };
        let note = self.actor.world().note(descriptor.serial);
        note.shrinking.fetch_add(1, SeqCst);
        let done = self.argument.call(
            descriptor.fd,
            abi::GENP_IOCTL_RESIZE,
            &mut request,
            writable(step.layout),
        );
        note.shrunk.fetch_add(1, SeqCst);
        note.shrinking.fetch_sub(1, SeqCst);
        reply.values[1] = request.windows.reserve_length;
        Some(done)
    }

    pub(super) fn stat(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.descriptor(step)?;
        let mut stat = abi::genp_stat {
            flags: u32::from(step.a & 1 == 1),
            ..Default::default()
        };
        let done = self.argument.call(
            descriptor.fd,
            abi::GENP_IOCTL_GET_STAT,
            &mut stat,
            step.layout,
        );
        reply.values = [
            stat.reserve,
            stat.borrow_limit,
            stat.used,
            stat.regions.into(),
            stat.lent,
            stat.dying.into(),
            u64::from(stat.stock_pages) | (u64::from(stat.stock_limit) << 32),
            stat.stock_low.into(),
        ];
        if done.is_ok() {
            self.check_stock(&stat);
        }
        Some(done)
    }

    /// Only drivers take pages from a stock, and there are none.
    fn check_stock(&self, stat: &abi::genp_stat) {
        let used = stat.stock_takes + stat.stock_gives + stat.stock_misses;
        let moved = stat.stock_refills + stat.stock_drains + stat.emergency_takes + stat.overdues;
        let whole = stat.stock_owned == stat.stock_pages && stat.stock_free == stat.stock_pages;
        if !whole || stat.stock_out != 0 || used + moved != 0 {
            self.actor.world().violation(&format!(
                "an unused stock of {} has {} and {} free, {} out; {used} used, {moved} moved",
                stat.stock_pages, stat.stock_owned, stat.stock_free, stat.stock_out
            ));
        }
    }

    pub(super) fn bounds(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.descriptor(step)?;
        let mut bounds = request::bounds(step);
        let done = self.argument.call(
            descriptor.fd,
            abi::GENP_IOCTL_GET_BOUNDS,
            &mut bounds,
            step.layout,
        );
        reply.values[0] = bounds.worst_reserve;
        Some(done)
    }

    pub(super) fn histogram(&mut self, step: &Step) -> Outcome {
        let descriptor = self.descriptor(step)?;
        let mut histogram = abi::genp_histogram {
            flags: u32::from(step.a & 0x100 != 0),
            op: step.a as u32 & 15,
            reserved: u32::from(step.b & 15 == 15),
            ..Default::default()
        };
        Some(self.argument.call(
            descriptor.fd,
            abi::GENP_IOCTL_GET_HISTOGRAM,
            &mut histogram,
            step.layout,
        ))
    }

    pub(super) fn eventfd(&mut self, step: &Step) -> Outcome {
        let descriptor = self.descriptor(step)?;
        let (kind, mask) = request::eventfd(step);
        // SAFETY: no memory is involved.
        let eventfd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        let fd = match kind {
            EventFd::Real => eventfd,
            EventFd::None => -1,
            EventFd::Closed => 9999,
            EventFd::Other => self.actor.setup.control,
        };
        let mut request = abi::genp_eventfd {
            fd,
            mask,
            ..Default::default()
        };
        let done = self.argument.call(
            descriptor.fd,
            abi::GENP_IOCTL_SET_EVENTFD,
            &mut request,
            writable(step.layout),
        );
        calls::close(eventfd);
        Some(done)
    }

    pub(super) fn destroy(&mut self, step: &Step) -> Outcome {
        let descriptor = self.descriptor(step)?;
        let mut request = abi::genp_destroy::default();
        Some(self.argument.call(
            descriptor.fd,
            abi::GENP_IOCTL_DESTROY,
            &mut request,
            writable(step.layout),
        ))
    }
}
