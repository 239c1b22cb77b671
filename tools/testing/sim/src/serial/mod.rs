// SPDX-License-Identifier: GPL-2.0

//! Cases of the ioctl fuzzer, one step after the other, with its model: the same steps and
//! the same model as on a kernel.

mod calls;
mod create;
mod descriptors;
mod leases;
mod memory;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use genp_sim_model::{
    abi::{self, genp_info},
    model::Model,
    program::Program,
    request,
    step::{Kind, Layout, Mode, Step},
    world::{Reply, ACTORS, FDS, LEASES, MAPS, ORDINARY, ORDINARY_UID, REGIONS, SKIPPED},
};
use kernel::{
    page::PAGE_SIZE,
    sim::{
        fail,
        files::{file, leave_kernel},
        machine,
        process::{Hold, Process},
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
    pins: RefCell<Vec<*const kernel::sim::memory::page>>,
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
            kernel::sim::memory::drop_reference(unsafe { &*page });
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
            Kind::List => Some(self.list(step, reply)),
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
            Kind::SetHeap => {
                let (file, ..) = self.chosen(step)?;
                Some(self.call(
                    &file,
                    own::GENP_NR_SET_HEAP,
                    &mut request::set_heap(step),
                    writable(step.layout),
                ))
            }
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
}

/// As positive numbers.
const ESTALE: i32 = 116;

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
