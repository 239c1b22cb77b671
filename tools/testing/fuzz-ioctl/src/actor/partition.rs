// SPDX-License-Identifier: GPL-2.0

//! The commands of GenP.

use std::sync::atomic::Ordering::SeqCst;

use harness::{abi, calls, memory::Found, now, PAGE};

use super::{marks, Hand, Held};
use crate::{
    ask::{self, EventFd},
    step::{Mode, Shape, Step},
    world::{claim, Entry, Reply, FDS, LEASES},
};

/// What a step came to: None if it could not be tried.
type Outcome = Option<Result<(), i32>>;

/// A command that changes something even if the answer cannot be written would
/// leave the model in the dark.
fn writable(shape: Shape) -> Shape {
    match shape {
        Shape::ReadOnly => Shape::Exact,
        shape => shape,
    }
}

/// A handle of the partition's, taken.
fn take_some<'a>(table: &'a [Entry], step: &Step, held: &Held) -> Option<&'a Entry> {
    let first = step.a as usize % table.len();
    (first..first + table.len()).find_map(|at| {
        let entry = &table[at % table.len()];
        let fits = entry.serial.load(SeqCst) == held.serial;
        (fits && entry.take()).then_some(entry)
    })
}

impl Hand<'_> {
    fn held(&self, step: &Step) -> Option<Held> {
        self.actor.held(step.slot.into())
    }

    pub(super) fn create(&mut self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let mut ask = ask::create(step, &self.actor.birth.pool);
        let control = self.actor.birth.control;
        // So that what is closed here does not count as there.
        self.actor.empty(step.slot.into());
        reply.begin = now();
        self.paper
            .call(control, abi::GENP_IOCTL_CREATE, &mut ask, step.shape)?;
        let serial = self.actor.world().serials.fetch_add(1, SeqCst) + 1;
        let note = self.actor.world().note(serial);
        note.home.store(self.thread, SeqCst);
        if let Some(number) = ask::number_of(&ask.name) {
            self.actor.world().named[number].store(serial, SeqCst);
        }
        reply.values = [
            serial.into(),
            ask.windows.reserve_length,
            ask.windows.lease_length,
            0,
            0,
            0,
            0,
            0,
        ];
        // As long as no other thread knows of it.
        if ask::maps_at_once(step) {
            self.map_new(&ask, serial, reply);
        }
        self.actor.keep(step.slot.into(), ask.fd, serial);
        Ok(())
    }

    pub(super) fn open(&mut self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let mut ask = ask::open(step);
        let control = self.actor.birth.control;
        self.actor.empty(step.slot.into());
        self.paper
            .call(control, abi::GENP_IOCTL_OPEN, &mut ask, step.shape)?;
        // In a storm nobody knows which one it is.
        let serial = match self.actor.birth.mode {
            Mode::Serial => ask::number_of(&ask.name)
                .map_or(0, |number| self.actor.world().named[number].load(SeqCst)),
            Mode::Storm => 0,
        };
        self.actor.keep(step.slot.into(), ask.fd, serial);
        reply.values[0] = serial.into();
        reply.values[1] = ask.windows.reserve_length;
        reply.values[2] = ask.windows.lease_length;
        Ok(())
    }

    pub(super) fn info(&mut self, step: &Step) -> Result<(), i32> {
        let mut info = abi::genp_info::default();
        let control = self.actor.birth.control;
        self.paper
            .call(control, abi::GENP_IOCTL_GET_INFO, &mut info, step.shape)?;
        if let Some(text) = harness::pool::disagreement(&info) {
            self.actor.world().violation(&text);
        }
        Ok(())
    }

    pub(super) fn alloc(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let held = self.held(step)?;
        Some(self.alloc_from(&held, step.a, step.b, step.shape, reply))
    }

    fn alloc_from(
        &mut self,
        held: &Held,
        length: u64,
        align: u64,
        shape: Shape,
        reply: &mut Reply,
    ) -> Result<(), i32> {
        let mut ask = abi::genp_alloc {
            length,
            align,
            ..Default::default()
        };
        self.paper
            .call(held.fd, abi::GENP_IOCTL_ALLOC, &mut ask, shape)?;
        reply.values = [ask.handle, ask.offset, length, 0, 0, 0, 0, 0];
        let Some(entry) = claim(&self.actor.world().regions) else {
            return Ok(());
        };
        if held.serial == 0 || !self.actor.still(held) {
            // Whose it is is not known: it stays until the partition goes.
            entry.clear();
            return Ok(());
        }
        self.enter(entry, held.serial, ask.handle, ask.offset, length);
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

    /// What is said to be free can be allocated.
    pub(super) fn largest(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let held = self.held(step)?;
        let bounds = match calls::bounds(held.fd) {
            Ok(bounds) => bounds,
            Err(errno) => return Some(Err(errno)),
        };
        if bounds.largest_free == 0 {
            return None;
        }
        Some(self.alloc_from(&held, bounds.largest_free, 0, Shape::Exact, reply))
    }

    pub(super) fn free(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let (held, entry) = self.with_handle(&self.actor.world().regions, step, reply)?;
        let handle = match entry {
            Some(entry) => {
                self.check_region(entry);
                entry.handle.load(SeqCst)
            }
            None => ask::foreign_handle(step),
        };
        reply.values[0] = handle;
        let done = self.by_handle(held.fd, abi::GENP_IOCTL_FREE, handle, step.shape);
        if let Some(entry) = entry {
            match done {
                Ok(()) => entry.clear(),
                Err(_) => entry.put_back(),
            }
        }
        Some(done)
    }

    fn by_handle(&mut self, fd: i32, command: u64, handle: u64, shape: Shape) -> Result<(), i32> {
        let mut ask = abi::genp_handle {
            handle,
            ..Default::default()
        };
        self.paper.call(fd, command, &mut ask, writable(shape))
    }

    pub(super) fn borrow(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let held = self.held(step)?;
        reply.begin = now();
        let mut ask = ask::borrow(step, &self.actor.birth.pool, reply.begin);
        let done = self
            .paper
            .call(held.fd, abi::GENP_IOCTL_BORROW, &mut ask, step.shape);
        if done.is_err() {
            return Some(done);
        }
        reply.values = [ask.handle, ask.offset, ask.length, ask.expires, 0, 0, 0, 0];
        let Some(entry) = claim(&self.actor.world().leases) else {
            return Some(Ok(()));
        };
        if held.serial == 0 || !self.actor.still(&held) {
            entry.clear();
            return Some(Ok(()));
        }
        let length = ask.length.div_ceil(PAGE) * PAGE;
        self.enter(entry, held.serial, ask.handle, ask.offset, length);
        entry.expires.store(ask.expires, SeqCst);
        self.mark_lease(entry, held.fd);
        entry.put_back();
        Some(Ok(()))
    }

    /// A handle, taken, and a descriptor of its partition, if there are such two;
    /// or some descriptor, and perhaps a handle of another partition.
    fn with_handle(
        &self,
        table: &'static [Entry],
        step: &Step,
        reply: &mut Reply,
    ) -> Option<(Held, Option<&'static Entry>)> {
        let first = step.slot as usize;
        let places = (first..first + FDS).filter_map(|slot| self.actor.held_at(slot % FDS));
        let own = places
            .filter(|_| !ask::is_foreign(step))
            .find_map(|held| Some((held, Some(take_some(table, step, &held)?))));
        let found = own.or_else(|| {
            let held = self.held(step)?;
            let other = table.iter().find(|entry| step.b % 4 == 0 && entry.take());
            Some((held, other))
        });
        reply.values[5] = found.as_ref()?.0.slot as u64 + 1;
        found
    }

    /// The lease of a step, taken, or a made up handle.
    fn some_lease(
        &self,
        step: &Step,
        reply: &mut Reply,
    ) -> Option<(Held, Option<&'static Entry>, u64)> {
        let (held, entry) = self.with_handle(&self.actor.world().leases, step, reply)?;
        let handle = match entry {
            Some(entry) => entry.handle.load(SeqCst),
            None => ask::foreign_handle(step),
        };
        Some((held, entry, handle))
    }

    pub(super) fn give_back(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let (held, entry, handle) = self.some_lease(step, reply)?;
        reply.values[0] = handle;
        let seen = entry.and_then(|entry| self.look_at_lease(entry));
        let done = self.by_handle(held.fd, abi::GENP_IOCTL_RETURN, handle, step.shape);
        if let Some(entry) = entry {
            if done.is_ok() {
                // It ran until now, so all of it must have been there.
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
        let (held, entry, handle) = self.some_lease(step, reply)?;
        let mut ask = abi::genp_renew {
            handle,
            lease_ns: ask::term((step.b >> 8) as u8, &self.actor.birth.pool),
            ..Default::default()
        };
        let done = self.paper.call(
            held.fd,
            abi::GENP_IOCTL_RENEW,
            &mut ask,
            writable(step.shape),
        );
        reply.values[..2].copy_from_slice(&[handle, ask.expires]);
        if let Some(entry) = entry {
            if done.is_ok() {
                entry.expires.store(ask.expires, SeqCst);
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
            reply.values[2] = marks::code(seen?);
            Some(Ok(()))
        })
    }

    pub(super) fn resize(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let held = self.held(step)?;
        let (reserve, borrow_limit) = ask::resize(step);
        let mut ask = abi::genp_resize {
            reserve,
            borrow_limit,
            ..Default::default()
        };
        let note = self.actor.world().note(held.serial);
        note.shrinking.fetch_add(1, SeqCst);
        let done = self.paper.call(
            held.fd,
            abi::GENP_IOCTL_RESIZE,
            &mut ask,
            writable(step.shape),
        );
        note.shrunk.fetch_add(1, SeqCst);
        note.shrinking.fetch_sub(1, SeqCst);
        reply.values[1] = ask.windows.reserve_length;
        Some(done)
    }

    pub(super) fn stat(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let held = self.held(step)?;
        let mut stat = abi::genp_stat {
            flags: u32::from(step.a & 1 == 1),
            ..Default::default()
        };
        let done = self
            .paper
            .call(held.fd, abi::GENP_IOCTL_GET_STAT, &mut stat, step.shape);
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

    /// Only drivers take of a stock, and there is none.
    fn check_stock(&self, stat: &abi::genp_stat) {
        let used = stat.stock_takes + stat.stock_gives + stat.stock_misses;
        let moved = stat.stock_refills + stat.stock_drains + stat.emergency_takes + stat.overdues;
        let whole = stat.stock_owned == stat.stock_pages && stat.stock_free == stat.stock_pages;
        if !whole || stat.stock_out != 0 || used + moved != 0 {
            self.actor.world().violation(&format!(
                "a stock of {} that nobody uses has {} and {} free, {} out; {used} used, {moved} moved",
                stat.stock_pages, stat.stock_owned, stat.stock_free, stat.stock_out
            ));
        }
    }

    pub(super) fn bounds(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let held = self.held(step)?;
        let mut bounds = ask::bounds(step);
        let done = self
            .paper
            .call(held.fd, abi::GENP_IOCTL_GET_BOUNDS, &mut bounds, step.shape);
        reply.values[0] = bounds.worst_reserve;
        Some(done)
    }

    pub(super) fn histogram(&mut self, step: &Step) -> Outcome {
        let held = self.held(step)?;
        let mut histogram = abi::genp_histogram {
            flags: u32::from(step.a & 0x100 != 0),
            op: step.a as u32 & 15,
            reserved: u32::from(step.b & 15 == 15),
            ..Default::default()
        };
        Some(self.paper.call(
            held.fd,
            abi::GENP_IOCTL_GET_HISTOGRAM,
            &mut histogram,
            step.shape,
        ))
    }

    pub(super) fn eventfd(&mut self, step: &Step) -> Outcome {
        let held = self.held(step)?;
        let (kind, mask) = ask::eventfd(step);
        // SAFETY: no memory is involved.
        let eventfd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
        let fd = match kind {
            EventFd::Real => eventfd,
            EventFd::None => -1,
            EventFd::Closed => 9999,
            EventFd::Other => self.actor.birth.control,
        };
        let mut ask = abi::genp_eventfd {
            fd,
            mask,
            ..Default::default()
        };
        let done = self.paper.call(
            held.fd,
            abi::GENP_IOCTL_SET_EVENTFD,
            &mut ask,
            writable(step.shape),
        );
        calls::close(eventfd);
        Some(done)
    }

    pub(super) fn destroy(&mut self, step: &Step) -> Outcome {
        let held = self.held(step)?;
        let mut ask = abi::genp_destroy::default();
        Some(self.paper.call(
            held.fd,
            abi::GENP_IOCTL_DESTROY,
            &mut ask,
            writable(step.shape),
        ))
    }
}
