// SPDX-License-Identifier: GPL-2.0

//! The commands for partitions.

use std::sync::atomic::Ordering::SeqCst;

use harness::{abi, calls, now};

use super::{
    handles::writable,
    worker::{Outcome, Worker},
};
use crate::{
    request::{self, EventFd},
    step::{Mode, Step},
    world::Reply,
};

impl Worker<'_> {
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

    pub(super) fn list(&mut self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let request = request::list(step);
        let mut listed = request;
        let control = self.actor.setup.control;
        self.argument
            .call(control, abi::GENP_IOCTL_LIST, &mut listed, step.layout)?;
        if let Some(text) = request::list_fault(&request, &listed) {
            self.actor.world().violation(&text);
        }
        reply.values[0] = request::number_of(&listed.name).map_or(0, |number| number as u64 + 1);
        reply.values[1] = listed.reserve;
        Ok(())
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

    pub(super) fn set_heap(&mut self, step: &Step) -> Outcome {
        let descriptor = self.descriptor(step)?;
        let mut request = request::set_heap(step);
        Some(self.argument.call(
            descriptor.fd,
            abi::GENP_IOCTL_SET_HEAP,
            &mut request,
            writable(step.layout),
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
