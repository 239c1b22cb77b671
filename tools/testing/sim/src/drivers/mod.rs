// SPDX-License-Identifier: GPL-2.0

//! What drivers do in threads: partitions, regions, leases with callbacks, caches and
//! element pools.

mod leases;
mod misuse;
mod objects;
mod placement;

use core::{
    cell::{Cell, RefCell},
    ffi::c_void,
};
use std::rc::Rc;

use kernel::{
    bindings::page,
    page::PAGE_SIZE,
    sim::{fail, files::leave_kernel, machine, trace},
};

use crate::{
    blocks::Blocks,
    case::Op,
    genp::core::block_counts::ORDERS,
    genp::sys::{
        abi::{
            genp_cache, genp_elements, genp_outstanding, genp_partition, genp_region, genp_spec,
            genp_stat, GENP_ANY_NODE,
        },
        glue,
    },
    handler::Pages,
    world::World,
};

const PAGE: u64 = PAGE_SIZE as u64;
const EBUSY: i32 = -16;
const ESTALE: i32 = -116;

/// A lease of a driver.
struct Lease {
    handle: u64,
    pages: Vec<*mut page>,
}

/// What a callback is called with.
pub(crate) struct Asked {
    /// How often it was called.
    count: Cell<u64>,
    /// Leases that were returned: no callback is for them any more.
    returned: RefCell<Vec<u64>>,
    /// Whether a callback runs.
    running: Cell<bool>,
}

/// A driver.
pub(crate) struct Driver {
    world: Rc<World>,
    number: usize,
    actor: usize,
    part: Cell<*mut genp_partition>,
    creator: Cell<bool>,
    /// Whether its memory is not the pool's.
    elsewhere: Cell<bool>,
    pages: RefCell<Option<Rc<Pages>>>,
    blocks: RefCell<Option<Rc<Blocks>>>,
    regions: RefCell<Vec<genp_region>>,
    leases: RefCell<Vec<Lease>>,
    cache: Cell<*mut genp_cache>,
    objects: RefCell<Vec<*mut c_void>>,
    elements: Cell<*mut genp_elements>,
    in_use: RefCell<Vec<*mut c_void>>,
    asked: Asked,
}

fn is_error<T>(pointer: *mut T) -> bool {
    (-4095..0).contains(&(pointer as isize))
}

/// A driver's callback.
unsafe extern "C" fn recalled(data: *mut c_void, handle: u64, _expires: u64) {
    // SAFETY: the driver outlives its leases.
    let asked = unsafe { &*data.cast::<Asked>() };
    asked.running.set(true);
    asked.count.set(asked.count.get() + 1);
    machine().sleep_for(500);
    if asked.returned.borrow().contains(&handle) {
        fail("a callback runs for a lease that was returned");
    }
    asked.running.set(false);
}

impl Driver {
    pub(crate) fn new(world: Rc<World>, number: usize, actor: usize) -> Self {
        Self {
            world,
            number,
            actor,
            part: Cell::new(core::ptr::null_mut()),
            creator: Cell::new(false),
            elsewhere: Cell::new(false),
            pages: RefCell::new(None),
            blocks: RefCell::new(None),
            regions: RefCell::new(Vec::new()),
            leases: RefCell::new(Vec::new()),
            cache: Cell::new(core::ptr::null_mut()),
            objects: RefCell::new(Vec::new()),
            elements: Cell::new(core::ptr::null_mut()),
            in_use: RefCell::new(Vec::new()),
            asked: Asked {
                count: Cell::new(0),
                returned: RefCell::new(Vec::new()),
                running: Cell::new(false),
            },
        }
    }

    /// Does all of its steps, and gives everything back.
    pub(crate) fn run(&self, ops: &[Op]) {
        for op in ops.iter().filter(|op| op.actor as usize == self.actor) {
            self.step(op);
        }
        self.finish();
    }

    fn step(&self, op: &Op) {
        if self.part.get().is_null() {
            self.begin(op.a, op.b);
            return;
        }
        let (name, call) = KINDS[op.kind as usize % KINDS.len()];
        if let Some(task) = machine().task() {
            task.doing.set(name);
        }
        if trace::enabled() {
            trace::line(&format!("driver: {name} {:#x} {:#x}", op.a, op.b));
        }
        let answer = call(self, op.a, op.b);
        if let (Some(answer), true) = (answer, trace::enabled()) {
            trace::line(&format!("driver: {name}: {answer}"));
        }
        leave_kernel();
        if let Some(answer) = answer {
            self.world.count(answer);
        }
    }

    /// Creates a partition, or finds one of a process.
    fn begin(&self, a: u32, b: u32) {
        let mut blocks = [0; ORDERS];
        if self.world.load.blocks {
            blocks[1] = [0, 1, 3, 6][(a >> 14) as usize % 4];
            blocks[3] = [0, 0, 1, 2][(a >> 16) as usize % 4];
        }
        // SAFETY: arguments of ours.
        let part = unsafe {
            if a & 7 == 0 {
                blocks = [0; ORDERS];
                let mut name = *b"sim.0\0";
                name[4] += (b % 3) as u8;
                self.elsewhere.set(false);
                glue::genp_partition_find(name.as_ptr().cast())
            } else {
                let stock = [0, 1, 3, 8, 16, 70][(a >> 3) as usize % 6];
                let spec = genp_spec {
                    name: core::ptr::null(),
                    reserve: PAGE * [0, 1, 4, 16][(a >> 6) as usize % 4],
                    borrow_limit: PAGE * [0, 4, 32, 64][(a >> 8) as usize % 4],
                    lease_default_ns: 0,
                    min_alloc_order: 0,
                    node: GENP_ANY_NODE,
                    max_regions: 0,
                    max_leases: [0, 1, 3, 64][(a >> 10) as usize % 4],
                    mode: 0,
                    stock_pages: stock,
                    stock_limit: if stock > 0 {
                        stock + [0, 0, 4, 20][(a >> 12) as usize % 4]
                    } else {
                        0
                    },
                    stock_low: 0,
                    blocks,
                };
                self.create(&spec, b >> 16)
            }
        };
        leave_kernel();
        let error = if is_error(part) { part as isize } else { 0 };
        self.world.count(error as i32);
        if is_error(part) {
            return;
        }
        self.part.set(part);
        self.creator.set(a & 7 != 0);
        let serial = self.world.holder_of(part as usize, self.creator.get());
        let pages = Rc::new(Pages::new(part, serial, self.world.clone()));
        *self.pages.borrow_mut() = Some(pages.clone());
        let blocks = Rc::new(Blocks::new(part, serial, self.world.clone(), blocks));
        *self.blocks.borrow_mut() = Some(blocks.clone());
        if b & 0x100 != 0 {
            let handler = move |nmi| {
                pages.interrupt(nmi);
                if machine().rng().one_in(4) {
                    blocks.step(machine().rng().draw() as u32);
                }
            };
            machine()
                .handlers()
                .add_handler(self.number as u64, Rc::new(handler));
        }
    }

    fn blocks(&self) -> Option<Rc<Blocks>> {
        self.blocks.borrow().clone()
    }

    fn pages(&self) -> Option<Rc<Pages>> {
        self.pages.borrow().clone()
    }

    fn page(&self, a: u32, _b: u32) -> Option<i32> {
        match (a >> 24) & 3 {
            0 => self.blocks()?.step(a),
            _ => self.pages()?.step(a),
        }
        Some(0)
    }

    fn alloc(&self, a: u32, b: u32) -> Option<i32> {
        if b & 0x1_0000 != 0 {
            return self.place(a, b >> 17);
        }
        let mut region = genp_region {
            addr: core::ptr::null_mut(),
            size: 0,
            handle: 0,
        };
        let align = [0, 8, 64, 4096, 8192][b as usize % 5];
        // SAFETY: arguments of ours.
        let done = unsafe {
            glue::genp_alloc(
                self.part.get(),
                (a as usize & 0x3fff) + 1,
                align,
                &mut region,
            )
        };
        if done == 0 {
            if align > 0 && region.addr as usize % align != 0 {
                fail("a region of a driver is not aligned");
            }
            self.keep_region(region);
        }
        Some(done)
    }

    fn keep_region(&self, region: genp_region) {
        let (from, to) = (region.addr as usize, region.addr as usize + region.size);
        let meets = self
            .regions
            .borrow()
            .iter()
            .any(|other| (other.addr as usize) < to && from < other.addr as usize + other.size);
        if meets {
            fail("a region of a driver meets another one");
        }
        self.regions.borrow_mut().push(region);
    }

    fn free(&self, _a: u32, _b: u32) -> Option<i32> {
        let region = self.regions.borrow_mut().pop()?;
        // SAFETY: allocated above.
        let done = unsafe { glue::genp_free(self.part.get(), &region) };
        if done != 0 {
            fail(&format!("a region of a driver is not freed: {done}"));
        }
        // SAFETY: it is not there any more, which is found out.
        if unsafe { glue::genp_free(self.part.get(), &region) } == 0 {
            fail("a region of a driver is freed twice");
        }
        Some(done)
    }

    fn stat(&self, a: u32, b: u32) -> Option<i32> {
        self.ask(a, b);
        let mut stat = genp_stat::default();
        // SAFETY: arguments of ours.
        unsafe { glue::genp_partition_stat(self.part.get(), &mut stat) };
        crate::check::stat(&stat);
        Some(0)
    }

    fn leave(&self, a: u32, _b: u32) -> Option<i32> {
        if a & 7 != 0 {
            self.misuse(a);
            return None;
        }
        self.finish();
        Some(0)
    }

    /// Gives everything back, and the partition up.
    fn finish(&self) {
        let part = self.part.get();
        if part.is_null() {
            return;
        }
        machine().handlers().remove_handler(self.number as u64);
        self.drop_cache();
        while self.free(0, 0).is_some() {}
        loop {
            let lease = self.leases.borrow_mut().pop();
            let Some(lease) = lease else { break };
            self.return_lease(lease, false);
        }
        if let Some(pages) = self.pages.take() {
            pages.give_all();
        }
        if let Some(blocks) = self.blocks.take() {
            blocks.give_all();
        }
        let mut left = genp_outstanding::default();
        // SAFETY: a partition of ours, which is not used afterwards.
        let done = unsafe {
            match self.creator.get() {
                true => glue::genp_partition_destroy(part, &mut left),
                false => glue::genp_partition_put(part, &mut left),
            }
        };
        // Another driver's may be outstanding, in a partition that both have.
        if done != 0 {
            fail(&format!(
                "a driver cannot leave: {done}; {} regions, {} pages, {} leases",
                left.regions, left.pages, left.leases
            ));
        }
        leave_kernel();
        if self.asked.running.get() {
            fail("a callback runs after its driver left");
        }
        self.part.set(core::ptr::null_mut());
    }
}

trait TakePointer {
    type To;
    fn take_pointer(&self) -> *mut Self::To;
}

impl<T> TakePointer for Cell<*mut T> {
    type To = T;

    fn take_pointer(&self) -> *mut T {
        self.replace(core::ptr::null_mut())
    }
}

type Call = fn(&Driver, u32, u32) -> Option<i32>;

/// The kinds of calls, the frequent ones several times.
pub(crate) const KINDS: [(&str, Call); 16] = [
    ("page", Driver::page),
    ("page", Driver::page),
    ("page", Driver::page),
    ("page", Driver::page),
    ("alloc", Driver::alloc),
    ("alloc", Driver::alloc),
    ("free", Driver::free),
    ("borrow", Driver::borrow),
    ("borrow", Driver::borrow),
    ("return", Driver::give_back),
    ("return", Driver::give_back),
    ("renew", Driver::renew),
    ("stat", Driver::stat),
    ("cache", Driver::cache),
    ("cache", Driver::cache),
    ("leave", Driver::leave),
];
