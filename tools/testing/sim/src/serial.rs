// SPDX-License-Identifier: GPL-2.0

//! Cases of the ioctl fuzzer, one step after the other, with its model: the same steps and
//! the same model as on a kernel.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use genp_sim_model::{
    abi::{self, genp_info},
    model::Model,
    program::Program,
    request::{self, EventFd},
    step::{Kind, Layout, Mode, Step},
    world::{Reply, ACTORS, FDS, LEASES, MAPS, ORDINARY, ORDINARY_UID, REGIONS, SKIPPED},
};
use kernel::{
    page::PAGE_SIZE,
    sim::{
        fail,
        files::{file, leave_kernel, Kind as FileKind},
        machine, memory,
        process::{Hold, Process},
        space::How,
        trace,
    },
};

use crate::genp::sys::abi as own;

/// The result of a step: `None` if it could not be tried.
type Outcome = Option<Result<(), i32>>;

#[derive(Clone, Copy)]
struct Entry {
    serial: u32,
    handle: u64,
    offset: u64,
    length: u64,
    marked: bool,
}

#[derive(Clone, Copy, Default)]
struct Map {
    start: usize,
    length: usize,
    window: bool,
    serial: u32,
}

#[derive(Default)]
struct Actor {
    fds: [Option<(i32, u32)>; FDS],
    maps: [Map; MAPS],
    inbox: Vec<(*const file, u32)>,
}

/// All actors of a case, in one task.
pub(crate) struct Serial {
    control: *mut file,
    pool: genp_info,
    processes: [&'static Process; ACTORS],
    actors: RefCell<[Actor; ACTORS]>,
    serials: RefCell<HashMap<usize, u32>>,
    regions: RefCell<[Option<Entry>; REGIONS]>,
    leases: RefCell<[Option<Entry>; LEASES]>,
    pins: RefCell<Vec<*const memory::page>>,
    /// Steps that made a call, and those that failed.
    pub(crate) calls: Rc<Cell<(u64, u64)>>,
}

/// The memory of an argument: as large as the largest that is looked at.
#[repr(C, align(8))]
struct Room([u8; 2 * PAGE_SIZE]);

impl Serial {
    pub(crate) fn new(control: *mut file) -> Rc<Self> {
        let make = |at| {
            machine()
                .processes
                .create(if at == ORDINARY { ORDINARY_UID } else { 0 })
        };
        let serial = Self {
            control,
            pool: genp_info::default(),
            processes: core::array::from_fn(make),
            actors: RefCell::default(),
            serials: RefCell::default(),
            regions: RefCell::new([None; REGIONS]),
            leases: RefCell::new([None; LEASES]),
            pins: RefCell::default(),
            calls: Rc::default(),
        };
        Rc::new(serial)
    }

    /// Does all steps of a program.
    pub(crate) fn run(self: Rc<Self>, seed: u64, count: usize, gone: &[(usize, usize)]) {
        let program = Program {
            mode: Mode::Serial,
            steps: count,
            seeds: vec![seed, seed ^ 0x5555],
        };
        let Some(mut this) = Rc::into_inner(self) else {
            return;
        };
        this.pool = this.info();
        let mut model = Model::new(this.pool, false);
        for (at, step) in program.make().steps.iter().enumerate() {
            if gone.iter().any(|(from, to)| (*from..*to).contains(&at)) {
                continue;
            }
            this.observe(&mut model, step);
            this.step(&mut model, step);
        }
        for at in 0..ACTORS {
            this.end(at);
        }
        for actor in this.actors.borrow_mut().iter_mut() {
            for (file, _) in actor.inbox.drain(..) {
                // SAFETY: the message's reference.
                unsafe { (*file).give() };
            }
        }
        leave_kernel();
        for page in this.pins.take() {
            // SAFETY: pages live as long as the machine.
            memory::drop_reference(unsafe { &*page });
        }
    }

    fn info(&self) -> genp_info {
        let mut info = genp_info {
            size: size_of::<genp_info>() as u32,
            ..Default::default()
        };
        let done = self.hold_control().ioctl(
            own::GENP_NR_GET_INFO,
            core::ptr::from_mut(&mut info) as usize,
        );
        if done != 0 {
            fail(&format!("GENP_GET_INFO: {done}"));
        }
        info
    }

    fn hold_control(&self) -> Hold {
        // SAFETY: files live as long as the machine.
        Hold::of(unsafe { &*self.control })
    }

    /// Compares the pool with the model; background work is given time.
    fn observe(&self, model: &mut Model, step: &Step) {
        let limit = machine().now() + 2_000_000_000;
        while let Err(text) = model.observe(&self.info()) {
            if machine().now() > limit {
                fail(&format!("before {step}: {text}"));
            }
            machine().sleep_for(2_000_000);
        }
    }

    fn step(&self, model: &mut Model, step: &Step) {
        let at = step.actor as usize;
        if let Some(task) = machine().task() {
            task.process.set(self.processes[at]);
        }
        if trace::enabled() {
            trace::line(&step.to_string());
        }
        if step.kind == Kind::Kill {
            self.end(at);
            model.died(at);
            return;
        }
        let mut reply = Reply {
            errno: SKIPPED,
            ..Reply::default()
        };
        let begin = machine().now();
        match self.dispatch(step, &mut reply) {
            Some(Ok(())) => reply.errno = 0,
            Some(Err(errno)) => reply.errno = errno,
            None => {}
        }
        leave_kernel();
        if reply.begin == 0 {
            reply.begin = begin;
        }
        reply.end = machine().now();
        if reply.errno != SKIPPED {
            let (made, refused) = self.calls.get();
            self.calls
                .set((made + 1, refused + u64::from(reply.errno > 0)));
        }
        if trace::enabled() {
            trace::line(&format!(
                "{}: {} {:x?}",
                step.kind.name(),
                reply.errno,
                reply.values
            ));
        }
        if let Err(text) = model.judge(step, &reply) {
            fail(&text);
        }
    }

    /// A process dies.
    fn end(&self, at: usize) {
        if let Some(task) = machine().task() {
            task.process.set(self.processes[at]);
        }
        {
            let mut actors = self.actors.borrow_mut();
            actors[at].fds = Default::default();
            actors[at].maps = Default::default();
        }
        self.processes[at].exit();
        leave_kernel();
    }

    fn dispatch(&self, step: &Step, reply: &mut Reply) -> Outcome {
        match step.kind {
            Kind::Create => Some(self.create(step, reply)),
            Kind::Open => Some(self.open(step, reply)),
            Kind::Info => Some(self.call(
                &self.hold_control(),
                own::GENP_NR_GET_INFO,
                &mut genp_info::default(),
                step.layout,
            )),
            Kind::Alloc => self.alloc(step, step.a, step.b, reply),
            Kind::Largest => self.largest(step, reply),
            Kind::Free => self.by_handle(step, reply, own::GENP_NR_FREE),
            Kind::Borrow => self.borrow(step, reply),
            Kind::Return => self.by_handle(step, reply, own::GENP_NR_RETURN),
            Kind::Renew => self.renew(step, reply),
            Kind::Resize => self.resize(step, reply),
            Kind::Stat => self.stat(step, reply),
            Kind::Bounds => self.bounds(step, reply),
            Kind::Histogram => self.histogram(step),
            Kind::Eventfd => self.eventfd(step),
            Kind::Destroy => {
                let (file, ..) = self.chosen(step)?;
                Some(self.call(
                    &file,
                    own::GENP_NR_DESTROY,
                    &mut abi::genp_destroy::default(),
                    writable(step.layout),
                ))
            }
            Kind::MapReserve | Kind::MapWindow => self.map(step, reply),
            Kind::Unmap => self.unmap(step, reply),
            Kind::Look => self.look(step, reply),
            Kind::Touch => self.touch(step),
            Kind::Dup => self.dup(step),
            Kind::Close => self.close(step),
            Kind::Pass => self.pass(step),
            Kind::Receive => self.receive(step, reply),
            Kind::Poll => {
                let (file, ..) = self.chosen(step)?;
                reply.values[0] = file.poll(machine().now() + step.a % 3 * 1_000_000).into();
                Some(Ok(()))
            }
            Kind::Read => self.read(step, reply),
            Kind::Pin => self.pin(step),
            // What only a kernel has.
            _ => None,
        }
    }

    /// The first descriptor from a slot on: its file, its slot and its partition.
    fn chosen(&self, step: &Step) -> Option<(Hold, usize, u32)> {
        let at = step.actor as usize;
        (0..FDS).find_map(|more| {
            let slot = (step.slot as usize + more) % FDS;
            let (fd, serial) = self.actors.borrow()[at].fds[slot]?;
            Some((self.processes[at].hold(fd)?, slot, serial))
        })
    }

    /// Issues a command with its argument in this layout.
    fn call<T: Copy>(
        &self,
        file: &Hold,
        nr: u32,
        request: &mut T,
        layout: Layout,
    ) -> Result<(), i32> {
        let ours = size_of::<T>();
        let mut room = Box::new(Room([0; 2 * PAGE_SIZE]));
        let size = match layout {
            Layout::Grown | Layout::Dirty => ours + 24,
            Layout::Tiny => 4,
            Layout::Huge => PAGE_SIZE + 1,
            Layout::Edge => ours.max(16),
            _ => ours,
        };
        // SAFETY: plain data, for which there is room.
        unsafe { room.0.as_mut_ptr().cast::<T>().write_unaligned(*request) };
        room.0[..4].copy_from_slice(&(size as u32).to_ne_bytes());
        match layout {
            Layout::Flag => room.0[4..8].copy_from_slice(&(1u32 << 30).to_ne_bytes()),
            Layout::Dirty => room.0[ours + 16] = 1,
            _ => {}
        }
        let address = if layout == Layout::Nowhere {
            4096
        } else {
            room.0.as_ptr() as usize
        };
        if let Some(task) = machine().task() {
            // The size is read first, then the structure; the answer is written last.
            task.fault_in.set(match layout {
                Layout::Edge => 2,
                Layout::ReadOnly => 3,
                _ => 0,
            });
        }
        let done = file.ioctl(nr, address);
        if let Some(task) = machine().task() {
            task.fault_in.set(0);
        }
        if done == 0 && layout != Layout::Edge {
            // SAFETY: plain data.
            *request = unsafe { room.0.as_ptr().cast::<T>().read_unaligned() };
        }
        if done < 0 {
            Err(-done)
        } else {
            Ok(())
        }
    }

    fn keep(&self, at: usize, slot: usize, fd: i32, serial: u32) {
        self.empty(at, slot);
        self.actors.borrow_mut()[at].fds[slot % FDS] = Some((fd, serial));
    }

    fn empty(&self, at: usize, slot: usize) {
        let old = self.actors.borrow_mut()[at].fds[slot % FDS].take();
        if let Some((fd, _)) = old {
            self.processes[at].close(fd);
        }
    }

    fn create(&self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let (at, slot) = (step.actor as usize, step.slot as usize);
        let mut request = request::create(step, &self.pool);
        self.empty(at, slot);
        reply.begin = machine().now();
        self.call(
            &self.hold_control(),
            own::GENP_NR_CREATE,
            &mut request,
            step.layout,
        )?;
        let Some(file) = self.processes[at].hold(request.fd) else {
            fail("a descriptor that was just made is none");
        };
        let mut serials = self.serials.borrow_mut();
        let serial = serials.len() as u32 + 1;
        serials.insert(core::ptr::from_ref(&*file) as usize, serial);
        drop(serials);
        reply.values[0] = serial.into();
        reply.values[1] = request.windows.reserve_length;
        reply.values[2] = request.windows.lease_length;
        if request::maps_at_once(step) {
            let windows = &request.windows;
            let parts = [
                (false, windows.reserve_offset, windows.reserve_length),
                (true, windows.lease_offset, windows.lease_length),
            ];
            for (number, (window, offset, length)) in parts.into_iter().enumerate() {
                let how = How {
                    length,
                    offset,
                    shared: true,
                    exec: false,
                };
                if length == 0 || length > 1 << 26 {
                    continue;
                }
                let Some(slot) = self.free_map(at, 0) else {
                    continue;
                };
                if self.map_whole(at, slot, &file, how, window, serial).is_ok() {
                    reply.values[3 + number] = slot as u64 + 1;
                    if !window {
                        self.check_new(at, slot);
                    }
                }
            }
        }
        self.keep(at, slot, request.fd, serial);
        Ok(())
    }

    fn check_new(&self, at: usize, slot: usize) {
        let map = self.actors.borrow()[at].maps[slot];
        for page in 0..map.length / PAGE_SIZE {
            if self.processes[at]
                .access(map.start, page, |page| page.content.get())
                .unwrap_or(0)
                != 0
            {
                fail("a new reserve is not clean");
            }
        }
    }

    fn open(&self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let (at, slot) = (step.actor as usize, step.slot as usize);
        let mut request = request::open(step);
        self.empty(at, slot);
        self.call(
            &self.hold_control(),
            own::GENP_NR_OPEN,
            &mut request,
            step.layout,
        )?;
        let Some(file) = self.processes[at].hold(request.fd) else {
            fail("a descriptor that was just made is none");
        };
        let serial = self
            .serials
            .borrow()
            .get(&(core::ptr::from_ref(&*file) as usize))
            .copied()
            .unwrap_or(0);
        self.keep(at, slot, request.fd, serial);
        reply.values[0] = serial.into();
        reply.values[1] = request.windows.reserve_length;
        reply.values[2] = request.windows.lease_length;
        Ok(())
    }

    fn alloc(&self, step: &Step, length: u64, align: u64, reply: &mut Reply) -> Outcome {
        let (file, _, serial) = self.chosen(step)?;
        let mut request = abi::genp_alloc {
            length,
            align,
            ..Default::default()
        };
        let layout = if step.kind == Kind::Largest {
            Layout::Exact
        } else {
            step.layout
        };
        let done = self.call(&file, own::GENP_NR_ALLOC, &mut request, layout);
        if done.is_ok() {
            reply.values[..3].copy_from_slice(&[request.handle, request.offset, length]);
            enter(
                &mut *self.regions.borrow_mut(),
                serial,
                request.handle,
                request.offset,
                length,
            );
        }
        Some(done)
    }

    fn largest(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let mut bounds = abi::genp_bounds::default();
        if let Err(errno) = self.call(&file, own::GENP_NR_GET_BOUNDS, &mut bounds, Layout::Exact) {
            return Some(Err(errno));
        }
        if bounds.largest_free == 0 {
            return None;
        }
        self.alloc(step, bounds.largest_free, 0, reply)
    }

    /// A handle and a descriptor of its partition, if there are both; otherwise a descriptor
    /// and perhaps a handle of another partition.
    fn with_handle(
        &self,
        table: &[Option<Entry>],
        step: &Step,
        reply: &mut Reply,
    ) -> Option<(Hold, Option<usize>)> {
        let at = step.actor as usize;
        let own = (0..FDS)
            .filter(|_| !request::is_foreign(step))
            .find_map(|more| {
                let slot = (step.slot as usize + more) % FDS;
                let (fd, serial) = self.actors.borrow()[at].fds[slot]?;
                let entry = (0..table.len())
                    .map(|more| (step.a as usize % table.len() + more) % table.len())
                    .find(|entry| table[*entry].is_some_and(|entry| entry.serial == serial))?;
                Some((self.processes[at].hold(fd)?, slot, Some(entry)))
            });
        let (file, slot, entry) = own.or_else(|| {
            let (file, slot, _) = self.chosen(step)?;
            let other = (0..table.len()).find(|entry| step.b % 4 == 0 && table[*entry].is_some());
            Some((file, slot, other))
        })?;
        reply.values[5] = slot as u64 + 1;
        Some((file, entry))
    }

    fn by_handle(&self, step: &Step, reply: &mut Reply, nr: u32) -> Outcome {
        let lease = nr == own::GENP_NR_RETURN;
        let mut table = if lease {
            self.leases.borrow().to_vec()
        } else {
            self.regions.borrow().to_vec()
        };
        let (file, entry) = self.with_handle(&table, step, reply)?;
        let known = entry.and_then(|entry| table[entry]);
        let handle = known.map_or_else(|| request::foreign_handle(step), |entry| entry.handle);
        reply.values[0] = handle;
        let seen = known
            .filter(|_| lease)
            .and_then(|entry| self.look_at(&entry));
        let mut request = abi::genp_handle {
            handle,
            ..Default::default()
        };
        let done = self.call(&file, nr, &mut request, writable(step.layout));
        if done.is_ok() && seen.is_some_and(|seen| seen != 1) {
            fail(&format!(
                "in a lease that ran until it was returned there is {seen:?}"
            ));
        }
        let over = matches!(done, Ok(())) || lease && done == Err(libc_estale());
        if let (Some(entry), true) = (entry, over) {
            table[entry] = None;
            match lease {
                true => self.leases.borrow_mut().copy_from_slice(&table),
                false => self.regions.borrow_mut().copy_from_slice(&table),
            }
        }
        Some(done)
    }

    fn borrow(&self, step: &Step, reply: &mut Reply) -> Outcome {
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
    fn place(&self, entry: &Entry) -> Option<(usize, usize, usize)> {
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

    fn mark_of(entry: &Entry) -> u64 {
        entry.handle ^ u64::from(entry.serial) << 20 | 1
    }

    fn write_to(&self, entry: &Entry, expires: u64) -> bool {
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
    fn look_at(&self, entry: &Entry) -> Option<u64> {
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

    fn look(&self, step: &Step, reply: &mut Reply) -> Outcome {
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

    fn renew(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let table = self.leases.borrow().to_vec();
        let (file, entry) = self.with_handle(&table, step, reply)?;
        let handle = entry
            .and_then(|entry| table[entry])
            .map_or_else(|| request::foreign_handle(step), |entry| entry.handle);
        let lease_ns = request::term((step.b >> 8) as u8, &self.pool);
        let mut request = abi::genp_renew {
            handle,
            lease_ns,
            ..Default::default()
        };
        reply.begin = machine().now();
        let done = self.call(
            &file,
            own::GENP_NR_RENEW,
            &mut request,
            writable(step.layout),
        );
        reply.values[..2].copy_from_slice(&[handle, request.expires]);
        Some(done)
    }

    fn resize(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let (reserve, borrow_limit) = request::resize(step);
        let mut request = abi::genp_resize {
            reserve,
            borrow_limit,
            ..Default::default()
        };
        let done = self.call(
            &file,
            own::GENP_NR_RESIZE,
            &mut request,
            writable(step.layout),
        );
        reply.values[1] = request.windows.reserve_length;
        Some(done)
    }

    fn stat(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let mut stat = abi::genp_stat {
            flags: u32::from(step.a & 1 == 1),
            ..Default::default()
        };
        let done = self.call(&file, own::GENP_NR_GET_STAT, &mut stat, step.layout);
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
        Some(done)
    }

    fn bounds(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let mut bounds = request::bounds(step);
        let done = self.call(&file, own::GENP_NR_GET_BOUNDS, &mut bounds, step.layout);
        reply.values[0] = bounds.worst_reserve;
        Some(done)
    }

    fn histogram(&self, step: &Step) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let mut histogram = abi::genp_histogram {
            flags: u32::from(step.a & 0x100 != 0),
            op: step.a as u32 & 15,
            reserved: u32::from(step.b & 15 == 15),
            ..Default::default()
        };
        Some(self.call(
            &file,
            own::GENP_NR_GET_HISTOGRAM,
            &mut histogram,
            step.layout,
        ))
    }

    fn eventfd(&self, step: &Step) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let process = self.processes[step.actor as usize];
        let (kind, mask) = request::eventfd(step);
        let other = match kind {
            EventFd::Real => process.open(machine().files.create(FileKind::Event)),
            EventFd::Other => process.open(machine().files.create(FileKind::Other)),
            EventFd::None => -1,
            EventFd::Closed => 9999,
        };
        let mut request = abi::genp_eventfd {
            fd: other,
            mask,
            ..Default::default()
        };
        let done = self.call(
            &file,
            own::GENP_NR_SET_EVENTFD,
            &mut request,
            writable(step.layout),
        );
        process.close(other);
        Some(done)
    }

    fn free_map(&self, at: usize, from: u64) -> Option<usize> {
        let maps = &self.actors.borrow()[at].maps;
        (0..MAPS)
            .map(|more| (from as usize % MAPS + more) % MAPS)
            .find(|slot| maps[*slot].start == 0)
    }

    fn map_whole(
        &self,
        at: usize,
        slot: usize,
        file: &Hold,
        how: How,
        window: bool,
        serial: u32,
    ) -> Result<(), i32> {
        let start = self.processes[at].mmap(file, how).map_err(|error| -error)?;
        self.actors.borrow_mut()[at].maps[slot] = Map {
            start,
            length: how.length as usize,
            window,
            serial,
        };
        Ok(())
    }

    fn map(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let at = step.actor as usize;
        let (file, _, serial) = self.chosen(step)?;
        let slot = self.free_map(at, step.a)?;
        let mut stat = abi::genp_stat::default();
        self.call(&file, own::GENP_NR_GET_STAT, &mut stat, Layout::Exact)
            .ok()?;
        let window = step.kind == Kind::MapWindow;
        let (offset, length) = match window {
            true => (stat.windows.lease_offset, stat.windows.lease_length),
            false => (stat.windows.reserve_offset, stat.windows.reserve_length),
        };
        let asked = request::mapping(step);
        let how = How {
            length: length + asked.longer,
            offset: offset + asked.further,
            shared: asked.flags & 0xf != 2,
            exec: asked.protection & 4 != 0,
        };
        // MAP_LOCKED is for a kernel, as are windows that are larger than all of this.
        if how.length == 0 || how.length > 1 << 26 || asked.flags & 0x2000 != 0 {
            return None;
        }
        reply.values = [slot as u64, length, window.into(), 0, 0, 0, 0, 0];
        Some(self.map_whole(at, slot, &file, how, window, serial))
    }

    fn some_map(&self, step: &Step, fits: impl Fn(&Map) -> bool) -> Option<usize> {
        let maps = &self.actors.borrow()[step.actor as usize].maps;
        let slots = (0..MAPS).map(|more| (step.a as usize % MAPS + more) % MAPS);
        slots
            .into_iter()
            .find(|slot| maps[*slot].start != 0 && fits(&maps[*slot]))
    }

    fn unmap(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let at = step.actor as usize;
        let slot = self.some_map(step, |_| true)?;
        let map = core::mem::take(&mut self.actors.borrow_mut()[at].maps[slot]);
        reply.values[0] = slot as u64;
        self.processes[at].munmap(map.start);
        Some(Ok(()))
    }

    fn touch(&self, step: &Step) -> Outcome {
        let at = step.actor as usize;
        let slot = self.some_map(step, |map| !map.window)?;
        let map = self.actors.borrow()[at].maps[slot];
        for page in 0..map.length / PAGE_SIZE {
            self.processes[at].access(map.start, page, |page| page.content.set(step.b | 1));
        }
        Some(Ok(()))
    }

    fn pin(&self, step: &Step) -> Outcome {
        if step.b & 1 == 1 {
            let page = self.pins.borrow_mut().pop()?;
            // SAFETY: pages live as long as the machine.
            memory::drop_reference(unsafe { &*page });
            return Some(Ok(()));
        }
        let at = step.actor as usize;
        let slot = self.some_map(step, |map| !map.window)?;
        let map = self.actors.borrow()[at].maps[slot];
        let page = self.processes[at].access(map.start, 0, |page| {
            memory::take_reference(page);
            core::ptr::from_ref(page)
        })?;
        self.pins.borrow_mut().push(page);
        Some(Ok(()))
    }

    fn dup(&self, step: &Step) -> Outcome {
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

    fn close(&self, step: &Step) -> Outcome {
        let (file, slot, _) = self.chosen(step)?;
        drop(file);
        self.empty(step.actor as usize, slot);
        Some(Ok(()))
    }

    fn pass(&self, step: &Step) -> Outcome {
        let (file, _, serial) = self.chosen(step)?;
        file.take();
        self.actors.borrow_mut()[step.a as usize % ACTORS]
            .inbox
            .push((core::ptr::from_ref(&*file), serial));
        Some(Ok(()))
    }

    fn receive(&self, step: &Step, reply: &mut Reply) -> Outcome {
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

    fn read(&self, step: &Step, reply: &mut Reply) -> Outcome {
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

fn libc_estale() -> i32 {
    116
}

/// A command that changes something and whose result cannot be written leaves the model
/// behind: such a layout is replaced.
fn writable(layout: Layout) -> Layout {
    match layout {
        Layout::ReadOnly => Layout::Exact,
        layout => layout,
    }
}

fn enter(table: &mut [Option<Entry>], serial: u32, handle: u64, offset: u64, length: u64) {
    if let Some(free) = table.iter_mut().find(|entry| entry.is_none()) {
        *free = Some(Entry {
            serial,
            handle,
            offset,
            length,
            marked: false,
        });
    }
}
