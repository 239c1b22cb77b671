// SPDX-License-Identifier: GPL-2.0

//! What drivers do in threads: partitions, regions, leases with callbacks, caches and
//! element pools.

use core::{
    cell::{Cell, RefCell},
    ffi::c_void,
};
use std::rc::Rc;

use kernel::{
    bindings::page,
    page::PAGE_SIZE,
    sim::{fail, files::leave_kernel, machine, memory::page as Page, trace},
};

use crate::{
    case::Op,
    genp::sys::{
        abi::{
            genp_cache, genp_elements, genp_lease, genp_outstanding, genp_partition, genp_region,
            genp_request, genp_spec, genp_stat, GENP_ANY_NODE,
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
    pages: RefCell<Option<Rc<Pages>>>,
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
            pages: RefCell::new(None),
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
        let kind = op.kind as usize % KINDS.len();
        let (name, call) = KINDS[kind];
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
            self.world.count(40 + kind, answer);
        }
    }

    /// Creates a partition, or finds one of a process.
    fn begin(&self, a: u32, b: u32) {
        // SAFETY: arguments of ours.
        let part = unsafe {
            if a & 7 == 0 {
                let mut name = *b"sim.0\0";
                name[4] += (b % 3) as u8;
                glue::genp_partition_find(name.as_ptr().cast())
            } else {
                let stock = [0, 1, 3, 8, 16, 24][(a >> 3) as usize % 6];
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
                };
                glue::genp_partition_create(&spec)
            }
        };
        leave_kernel();
        self.world.count(
            40,
            if is_error(part) {
                part as isize as i32
            } else {
                0
            },
        );
        if is_error(part) {
            return;
        }
        self.part.set(part);
        self.creator.set(a & 7 != 0);
        let serial = self.world.holder_of(part as usize, self.creator.get());
        let pages = Rc::new(Pages::new(part, serial, self.world.clone()));
        *self.pages.borrow_mut() = Some(pages.clone());
        if b & 0x100 != 0 {
            let handler = move |nmi| pages.interrupt(nmi);
            machine()
                .handlers()
                .add_handler(self.number as u64, Rc::new(handler));
        }
    }

    fn pages(&self) -> Option<Rc<Pages>> {
        self.pages.borrow().clone()
    }

    fn page(&self, a: u32, _b: u32) -> Option<i32> {
        self.pages()?.step(a);
        Some(0)
    }

    fn alloc(&self, a: u32, b: u32) -> Option<i32> {
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
            let (from, to) = (region.addr as usize, region.addr as usize + region.size);
            let meets =
                self.regions.borrow().iter().any(|other| {
                    (other.addr as usize) < to && from < other.addr as usize + other.size
                });
            if meets || align > 0 && from % align != 0 {
                fail("a region of a driver meets another one, or is not aligned");
            }
            self.regions.borrow_mut().push(region);
        }
        Some(done)
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

    fn borrow(&self, a: u32, b: u32) -> Option<i32> {
        let count = [1, 2, 8, 20, 40][a as usize % 5];
        let mut pages = vec![core::ptr::null_mut(); count as usize];
        let request = genp_request {
            nr_pages: count,
            reasons: a >> 8 & 3,
            deadline: if b & 3 == 0 {
                machine().now() + 200_000
            } else {
                0
            },
            lease_ns: [0, 1_000_000, 2_000_000][(b >> 2) as usize % 3],
            recall: (b & 0x10 == 0).then_some(recalled),
            data: (&raw const self.asked).cast_mut().cast(),
        };
        let mut lease = genp_lease {
            handle: 0,
            expires: 0,
        };
        // SAFETY: there is room for the pages.
        let done =
            unsafe { glue::genp_borrow(self.part.get(), &request, pages.as_mut_ptr(), &mut lease) };
        if done == 0 {
            for page in &pages {
                claim(*page, lease.handle | 1 << 63, true);
            }
            self.leases.borrow_mut().push(Lease {
                handle: lease.handle,
                pages,
            });
        }
        Some(done)
    }

    fn give_back(&self, a: u32, _b: u32) -> Option<i32> {
        let count = self.leases.borrow().len();
        if count == 0 {
            return None;
        }
        let lease = self.leases.borrow_mut().swap_remove(a as usize % count);
        self.return_lease(lease, a & 0x700 == 0)
    }

    fn return_lease(&self, lease: Lease, pinned: bool) -> Option<i32> {
        for page in &lease.pages {
            release(*page, lease.handle | 1 << 63);
        }
        if pinned {
            // A device still has one of the pages: it cannot be returned then.
            // SAFETY: a page of the machine.
            let page = unsafe { &*lease.pages[0] };
            kernel::sim::memory::take_reference(page);
            // SAFETY: a lease of ours.
            let done = unsafe { glue::genp_return(self.part.get(), lease.handle) };
            kernel::sim::memory::drop_reference(page);
            if done != EBUSY {
                fail(&format!("a lease was returned with a page in use: {done}"));
            }
        }
        // SAFETY: a lease of ours.
        let done = unsafe { glue::genp_return(self.part.get(), lease.handle) };
        if done != 0 {
            fail(&format!("a lease of a driver is not returned: {done}"));
        }
        self.asked.returned.borrow_mut().push(lease.handle);
        // SAFETY: as above.
        let again = unsafe { glue::genp_return(self.part.get(), lease.handle) };
        if again != ESTALE {
            fail(&format!("a lease of a driver is returned twice: {again}"));
        }
        Some(done)
    }

    fn renew(&self, a: u32, _b: u32) -> Option<i32> {
        let handle = self.leases.borrow().last()?.handle;
        let mut lease = genp_lease { handle, expires: 0 };
        // SAFETY: a lease of ours.
        Some(unsafe { glue::genp_renew(self.part.get(), &mut lease, u64::from(a & 0x1f_ffff)) })
    }

    fn stat(&self, _a: u32, _b: u32) -> Option<i32> {
        let mut stat = genp_stat::default();
        // SAFETY: arguments of ours.
        unsafe { glue::genp_partition_stat(self.part.get(), &mut stat) };
        crate::check::stat(&stat);
        Some(0)
    }

    fn cache(&self, a: u32, b: u32) -> Option<i32> {
        if !self.cache.get().is_null() {
            return self.object(a, b);
        }
        let size = 1 + (a as usize & 0xff);
        // SAFETY: arguments of ours.
        let cache = unsafe { glue::genp_cache_create(self.part.get(), size, 0, 1 + (b & 63)) };
        if is_error(cache) {
            return Some(cache as isize as i32);
        }
        self.cache.set(cache);
        // SAFETY: a cache of ours.
        let elements = unsafe { glue::genp_elements_create(cache, 1 + (b >> 8 & 7)) };
        if !is_error(elements) {
            self.elements.set(elements);
        }
        Some(0)
    }

    fn object(&self, a: u32, _b: u32) -> Option<i32> {
        let (cache, elements) = (self.cache.get(), self.elements.get());
        let of_elements = a & 1 == 1 && !elements.is_null();
        let list = if of_elements {
            &self.in_use
        } else {
            &self.objects
        };
        // SAFETY: a cache and elements of ours.
        unsafe {
            if a & 2 == 0 {
                let object = match of_elements {
                    true => glue::genp_element_alloc(elements),
                    false => glue::genp_cache_alloc(cache),
                };
                if object.is_null() {
                    return Some(-12);
                }
                if self.objects.borrow().contains(&object) || self.in_use.borrow().contains(&object)
                {
                    fail("an object has two owners");
                }
                list.borrow_mut().push(object);
                return Some(0);
            }
            let object = list.borrow_mut().pop()?;
            let done = match of_elements {
                true => glue::genp_element_free(elements, object),
                false => glue::genp_cache_free(cache, object),
            };
            if done != 0 {
                fail(&format!("an object is not taken back: {done}"));
            }
            Some(done)
        }
    }

    fn drop_cache(&self) {
        while self.objects.borrow().len() + self.in_use.borrow().len() > 0 {
            let of_elements = u32::from(!self.in_use.borrow().is_empty());
            self.object(2 | of_elements, 0);
        }
        let (cache, elements) = (self.cache.take_pointer(), self.elements.take_pointer());
        // SAFETY: of ours, and nothing of them is in use.
        unsafe {
            if !elements.is_null() && glue::genp_elements_destroy(elements) != 0 {
                fail("an element pool that is not in use is not destroyed");
            }
            if !cache.is_null() && glue::genp_cache_destroy(cache) != 0 {
                fail("a cache that is not in use is not destroyed");
            }
        }
    }

    fn leave(&self, a: u32, _b: u32) -> Option<i32> {
        if a & 7 != 0 {
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

/// Takes a page that the module gave.
pub(crate) fn claim(page: *mut Page, holder: u64, zeroed: bool) {
    // SAFETY: a page of the machine.
    let page = unsafe { &*page };
    if page.holder.get() != 0 {
        fail(&format!(
            "a page has two owners, {:#x} and {holder:#x}",
            page.holder.get()
        ));
    }
    if zeroed && page.content.get() != 0 {
        fail(&format!(
            "a page of {holder:#x} is not zeroed: {:#x}",
            page.content.get()
        ));
    }
    page.holder.set(holder);
    page.content.set(holder);
}

/// Gives a page up again, in which there must be what was written.
pub(crate) fn release(page: *mut Page, holder: u64) {
    // SAFETY: a page of the machine.
    let page = unsafe { &*page };
    if page.holder.get() != holder || page.content.get() != holder {
        fail(&format!(
            "in a page of {holder:#x} there is {:#x}, and {:#x} has it",
            page.content.get(),
            page.holder.get()
        ));
    }
    page.holder.set(0);
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
