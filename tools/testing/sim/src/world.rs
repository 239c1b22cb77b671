// SPDX-License-Identifier: GPL-2.0

//! What the actors of a case know and share.

use core::cell::{Cell, RefCell};
use std::{collections::HashMap, rc::Rc};

use kernel::sim::{
    fail,
    files::file,
    machine,
    memory::{drop_reference, page},
    process::Process,
};

use crate::genp::sys::abi;

use crate::case::{Load, DRIVERS, PROCESSES, THREADS};

/// Descriptors of a process.
pub(crate) const FDS: usize = 5;
/// Mappings of a process.
pub(crate) const MAPS: usize = 6;

/// A region that somebody has.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    pub(crate) serial: u32,
    pub(crate) handle: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// A lease that a process has.
#[derive(Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) serial: u32,
    pub(crate) handle: u64,
    /// In the file.
    pub(crate) offset: u64,
    pub(crate) pages: u64,
    pub(crate) expires: u64,
    /// What was written to its pages, by the process that has them mapped; 0 for nothing.
    pub(crate) mark: u64,
    /// That process, and the slot of the mapping.
    pub(crate) place: (usize, usize),
    pub(crate) map_age: u64,
}

/// A mapping of a process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Map {
    /// 0 for none.
    pub(crate) start: usize,
    pub(crate) pages: usize,
    pub(crate) window: bool,
    pub(crate) serial: u32,
    /// Which one it is of all that were ever made.
    pub(crate) age: u64,
}

/// An actor that is a process.
pub(crate) struct Actor {
    pub(crate) process: &'static Process,
    pub(crate) fds: [Cell<Option<i32>>; FDS],
    pub(crate) maps: [Cell<Map>; MAPS],
    /// A thread unmaps, or has unmapped: nobody else touches what is mapped.
    pub(crate) threads: Cell<usize>,
    pub(crate) tasks: RefCell<Vec<usize>>,
}

/// All of it.
pub(crate) struct World {
    pub(crate) load: Load,
    pub(crate) actors: [Actor; PROCESSES],
    pub(crate) regions: RefCell<Vec<Region>>,
    pub(crate) leases: RefCell<Vec<Lease>>,
    /// By the address of the file.
    serials: RefCell<HashMap<usize, u32>>,
    /// By the address of the partition, as drivers have it.
    holders: RefCell<HashMap<usize, u64>>,
    pins: RefCell<Vec<&'static page>>,
    pub(crate) ages: Cell<u64>,
    /// Calls that change the length of a reserve: those that began, and those that are over.
    pub(crate) resizes: (Cell<u64>, Cell<u64>),
    /// Calls so far.
    pub(crate) calls: Cell<u64>,
    /// Calls that failed.
    pub(crate) refused: Cell<u64>,
    pub(crate) deaths: Cell<u64>,
}

impl World {
    pub(crate) fn new(load: Load) -> Rc<Self> {
        let machine = machine();
        Rc::new(Self {
            load,
            actors: core::array::from_fn(|at| Actor {
                process: machine
                    .processes
                    .create(if at == PROCESSES - 1 { 1000 } else { 0 }),
                fds: core::array::from_fn(|_| Cell::new(None)),
                maps: core::array::from_fn(|_| Cell::new(Map::default())),
                threads: Cell::new(THREADS),
                tasks: RefCell::new(Vec::new()),
            }),
            regions: RefCell::new(Vec::new()),
            leases: RefCell::new(Vec::new()),
            serials: RefCell::new(HashMap::new()),
            holders: RefCell::new(HashMap::new()),
            pins: RefCell::new(Vec::new()),
            ages: Cell::new(0),
            resizes: (Cell::new(0), Cell::new(0)),
            calls: Cell::new(0),
            refused: Cell::new(0),
            deaths: Cell::new(0),
        })
    }

    /// The number of the partition of a file.
    pub(crate) fn serial_of(&self, file: *const file) -> u32 {
        // SAFETY: files live as long as the machine.
        let partition = unsafe { (*file).of_partition() };
        let file = partition.map_or(file, |(file, _)| core::ptr::from_ref(file));
        let mut serials = self.serials.borrow_mut();
        let next = serials.len() as u32 + 1;
        *serials.entry(file as usize).or_insert(next)
    }

    /// What marks the pages of a partition's stock; a new one for a new partition.
    pub(crate) fn holder_of(&self, part: usize, new: bool) -> u64 {
        let fresh = 0x80_0000 + self.ages.get();
        self.ages.set(self.ages.get() + 1);
        let mut holders = self.holders.borrow_mut();
        match new {
            true => {
                holders.insert(part, fresh);
                fresh
            }
            false => *holders.entry(part).or_insert(fresh),
        }
    }

    /// Counts a call and its result.
    pub(crate) fn count(&self, error: i32) {
        self.calls.set(self.calls.get() + 1);
        if error < 0 {
            self.refused.set(self.refused.get() + 1);
        }
    }

    /// A new region, which must not meet another one.
    pub(crate) fn add_region(&self, region: Region) {
        let meets = |other: &&Region| {
            other.serial == region.serial
                && other.offset < region.offset + region.length
                && region.offset < other.offset + other.length
        };
        if let Some(other) = self.regions.borrow().iter().find(meets) {
            fail(&format!(
                "a region of {} bytes at {:#x} lies in one of {} at {:#x}",
                region.length, region.offset, other.length, other.offset
            ));
        }
        self.regions.borrow_mut().push(region);
    }

    /// Takes a region of a partition out of the table.
    pub(crate) fn take_region(&self, serial: u32, pick: u32) -> Option<Region> {
        let mut regions = self.regions.borrow_mut();
        let count = regions.len();
        let at = (0..count)
            .map(|at| (at + pick as usize) % count)
            .find(|at| regions[*at].serial == serial)?;
        Some(regions.swap_remove(at))
    }

    /// Takes a lease out of the table, of a partition or of any.
    pub(crate) fn take_lease(&self, serial: Option<u32>, pick: u32) -> Option<Lease> {
        let mut leases = self.leases.borrow_mut();
        let count = leases.len();
        let fits = |lease: &Lease| serial.is_none_or(|serial| lease.serial == serial);
        let at = (0..count)
            .map(|at| (at + pick as usize) % count)
            .find(|at| fits(&leases[*at]))?;
        Some(leases.swap_remove(at))
    }

    /// Forgets what was known of a partition that may have ended.
    pub(crate) fn forget(&self, serial: u32) {
        self.regions
            .borrow_mut()
            .retain(|region| region.serial != serial);
    }

    /// Holds a page, as direct I/O does.
    pub(crate) fn pin(&self, page: &'static page) {
        kernel::sim::memory::take_reference(page);
        self.pins.borrow_mut().push(page);
    }

    /// Lets a page go that was held; false if none is.
    pub(crate) fn unpin(&self) -> bool {
        let page = self.pins.borrow_mut().pop();
        page.map(drop_reference).is_some()
    }
}

/// The number of an actor's process, or of its driver.
pub(crate) fn role(actor: usize) -> Result<usize, usize> {
    let threads = PROCESSES * THREADS;
    match actor < threads {
        true => Ok(actor / THREADS),
        false => Err((actor - threads) % DRIVERS),
    }
}

/// An argument structure with its size.
pub(crate) fn sized<T: abi::IoctlArgument>(mut args: T) -> T {
    args.set_size(size_of::<T>() as u32);
    args
}
