// SPDX-License-Identifier: GPL-2.0

//! An actor's state: descriptors, mappings, and the workers, which are its threads.

use std::sync::{
    atomic::{AtomicI32, AtomicU32, Ordering::SeqCst},
    Mutex, RwLock,
};

use harness::{abi::genp_info, calls, machine};

use super::argument::ArgumentPages;
use crate::{
    kcov::Trace,
    step::Mode,
    world::{World, ACTORS, FDS, MAPS, THREADS},
};

/// The result of a step: None if it could not be tried.
pub type Outcome = Option<Result<(), i32>>;

/// What all actors of a case start with.
#[derive(Clone, Copy)]
pub struct Setup {
    /// What they share.
    pub world: &'static World,
    /// /dev/genp.
    pub control: i32,
    /// The pool when it was not in use.
    pub pool: genp_info,
    /// By actor: where it receives descriptors, and where others send them.
    pub inboxes: [(i32, i32); ACTORS],
    /// How the case is run.
    pub mode: Mode,
    /// Whether to record code coverage.
    pub traced: bool,
}

/// A slot for a descriptor.
pub struct FdSlot {
    pub fd: AtomicI32,
    pub serial: AtomicU32,
    /// Incremented whenever the slot changes.
    pub age: AtomicU32,
}

/// A descriptor as it was when it was looked up.
#[derive(Clone, Copy)]
pub struct Descriptor {
    pub slot: usize,
    pub fd: i32,
    pub serial: u32,
    pub age: u32,
}

/// An actor: a process.
pub struct Actor {
    pub id: usize,
    pub setup: Setup,
    pub fds: [FdSlot; FDS],
    pub maps: [RwLock<Map>; MAPS],
    pub pinned: Mutex<Vec<i32>>,
    pub user_mode: bool,
}

/// A thread of an actor.
pub struct Worker<'a> {
    pub actor: &'a Actor,
    pub thread: u32,
    pub argument: ArgumentPages,
    pub trace: Option<Trace>,
}

impl Actor {
    pub fn new(id: usize, setup: Setup) -> Self {
        Self {
            id,
            setup,
            fds: std::array::from_fn(|_| FdSlot {
                fd: AtomicI32::new(-1),
                serial: AtomicU32::new(0),
                age: AtomicU32::new(0),
            }),
            maps: std::array::from_fn(|_| RwLock::new(Map::default())),
            pinned: Mutex::new(Vec::new()),
            user_mode: machine::is_user_mode(),
        }
    }

    pub fn world(&self) -> &'static World {
        self.setup.world
    }

    /// The first descriptor in the slots from `slot` on.
    pub fn descriptor(&self, slot: usize) -> Option<Descriptor> {
        (slot..slot + FDS).find_map(|slot| self.descriptor_at(slot % FDS))
    }

    pub fn descriptor_at(&self, slot: usize) -> Option<Descriptor> {
        let entry = &self.fds[slot];
        let age = entry.age.load(SeqCst);
        let serial = entry.serial.load(SeqCst);
        let fd = entry.fd.load(SeqCst);
        (fd >= 0).then_some(Descriptor {
            slot,
            fd,
            serial,
            age,
        })
    }

    /// Whether the slot of a descriptor did not change since it was looked up.
    pub fn still(&self, descriptor: &Descriptor) -> bool {
        self.fds[descriptor.slot].age.load(SeqCst) == descriptor.age
    }

    /// Closes the descriptor in a slot.
    pub fn empty(&self, slot: usize) {
        let entry = &self.fds[slot % FDS];
        entry.age.fetch_add(1, SeqCst);
        let fd = entry.fd.swap(-1, SeqCst);
        if fd >= 0 {
            calls::close(fd);
        }
    }

    /// Puts a descriptor into a slot and closes its old one.
    pub fn keep(&self, slot: usize, fd: i32, serial: u32) {
        let entry = &self.fds[slot % FDS];
        self.empty(slot);
        entry.serial.store(serial, SeqCst);
        let other = entry.fd.swap(fd, SeqCst);
        entry.age.fetch_add(1, SeqCst);
        if other >= 0 {
            calls::close(other);
        }
    }
}

/// A mapping. Its lock is held for reading while it is touched, so that nothing else is
/// mapped there in the meantime.
#[derive(Clone, Copy, Debug, Default)]
pub struct Map {
    /// 0 for none.
    pub address: usize,
    pub length: usize,
    /// Where in the file it begins.
    pub offset: u64,
    /// Whether it is of the lease window; otherwise of the reserve.
    pub window: bool,
    pub serial: u32,
    /// The partition's count of possible shrinks when this was mapped.
    pub shrunk: u32,
    /// Nothing is guaranteed of it, after what was done to it.
    pub odd: bool,
}

impl<'a> Worker<'a> {
    pub fn new(actor: &'a Actor, thread: usize) -> Self {
        let number = actor.id * THREADS + thread;
        // SAFETY: no memory is involved.
        actor.world().threads[number].store(unsafe { libc::gettid() }, SeqCst);
        Self {
            actor,
            thread: number as u32 + 1,
            argument: ArgumentPages::new(),
            trace: actor.setup.traced.then(Trace::begin).flatten(),
        }
    }
}
