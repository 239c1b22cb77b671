// SPDX-License-Identifier: GPL-2.0

//! A process that takes its part in a case.

mod around;
mod garbage;
mod marks;
mod memory;
mod paper;
mod partition;
mod pass;

use std::sync::{
    atomic::{AtomicI32, AtomicU32, Ordering::SeqCst},
    Mutex, RwLock,
};

use harness::{abi::genp_info, calls, machine, now};

use crate::{
    kcov::Trace,
    step::{Kind, Mode, Step},
    world::{Reply, World, ACTORS, FDS, MAPS, SKIPPED, THREADS},
};
use memory::Map;
use paper::Paper;

/// What all actors of a case are born with.
#[derive(Clone, Copy)]
pub struct Birth {
    /// What they share.
    pub world: &'static World,
    /// /dev/genp.
    pub control: i32,
    /// The pool when nobody used it.
    pub pool: genp_info,
    /// By actor: where it receives descriptors, and where others send them.
    pub inboxes: [(i32, i32); ACTORS],
    /// How the case is run.
    pub mode: Mode,
    /// Whether to note what the kernel reaches.
    pub traced: bool,
}

/// A place for a descriptor.
struct Place {
    fd: AtomicI32,
    serial: AtomicU32,
    /// Changes whenever the place does.
    age: AtomicU32,
}

/// A descriptor as it was when it was looked up.
#[derive(Clone, Copy)]
struct Held {
    slot: usize,
    fd: i32,
    serial: u32,
    age: u32,
}

/// A process.
struct Actor {
    id: usize,
    birth: Birth,
    places: [Place; FDS],
    maps: [RwLock<Map>; MAPS],
    pinned: Mutex<Vec<i32>>,
    user_mode: bool,
}

/// A thread of it.
struct Hand<'a> {
    actor: &'a Actor,
    thread: u32,
    paper: Paper,
    trace: Option<Trace>,
}

impl Actor {
    fn new(id: usize, birth: Birth) -> Self {
        Self {
            id,
            birth,
            places: std::array::from_fn(|_| Place {
                fd: AtomicI32::new(-1),
                serial: AtomicU32::new(0),
                age: AtomicU32::new(0),
            }),
            maps: std::array::from_fn(|_| RwLock::new(Map::default())),
            pinned: Mutex::new(Vec::new()),
            user_mode: machine::is_user_mode(),
        }
    }

    fn world(&self) -> &'static World {
        self.birth.world
    }

    /// The first descriptor there is from a place on, if there is one.
    fn held(&self, slot: usize) -> Option<Held> {
        (slot..slot + FDS).find_map(|slot| self.held_at(slot % FDS))
    }

    fn held_at(&self, slot: usize) -> Option<Held> {
        let place = &self.places[slot];
        let age = place.age.load(SeqCst);
        let serial = place.serial.load(SeqCst);
        let fd = place.fd.load(SeqCst);
        (fd >= 0).then_some(Held {
            slot,
            fd,
            serial,
            age,
        })
    }

    /// Whether the descriptor was the same all the time.
    fn still(&self, held: &Held) -> bool {
        self.places[held.slot].age.load(SeqCst) == held.age
    }

    /// Closes what is in a place.
    fn empty(&self, slot: usize) {
        let place = &self.places[slot % FDS];
        place.age.fetch_add(1, SeqCst);
        let fd = place.fd.swap(-1, SeqCst);
        if fd >= 0 {
            calls::close(fd);
        }
    }

    /// Puts a descriptor into a place; what was there is closed.
    fn keep(&self, slot: usize, fd: i32, serial: u32) {
        let place = &self.places[slot % FDS];
        self.empty(slot);
        place.serial.store(serial, SeqCst);
        let other = place.fd.swap(fd, SeqCst);
        place.age.fetch_add(1, SeqCst);
        if other >= 0 {
            calls::close(other);
        }
    }
}

impl<'a> Hand<'a> {
    fn new(actor: &'a Actor, thread: usize) -> Self {
        let number = actor.id * THREADS + thread;
        // SAFETY: no memory is involved.
        actor.world().threads[number].store(unsafe { libc::gettid() }, SeqCst);
        Self {
            actor,
            thread: number as u32 + 1,
            paper: Paper::new(),
            trace: actor.birth.traced.then(Trace::begin).flatten(),
        }
    }

    /// Does a step.
    fn perform(&mut self, step: &Step) -> Reply {
        let begin = now();
        let mut reply = Reply {
            errno: SKIPPED,
            ..Reply::default()
        };
        match self.dispatch(step, &mut reply) {
            Some(Ok(())) => reply.errno = 0,
            Some(Err(errno)) => reply.errno = errno,
            None => {}
        }
        if reply.begin == 0 {
            reply.begin = begin;
        }
        reply.end = now();
        let world = self.actor.world();
        if reply.errno != SKIPPED {
            world.tried[step.kind as usize].fetch_add(1, SeqCst);
        }
        if reply.errno > 0 {
            world.refused[step.kind as usize].fetch_add(1, SeqCst);
        }
        if let Some(trace) = &self.trace {
            trace.collect(world);
        }
        reply
    }

    fn dispatch(&mut self, step: &Step, reply: &mut Reply) -> Option<Result<(), i32>> {
        match step.kind {
            Kind::Create => Some(self.create(step, reply)),
            Kind::Open => Some(self.open(step, reply)),
            Kind::Info => Some(self.info(step)),
            Kind::Alloc => self.alloc(step, reply),
            Kind::Largest => self.largest(step, reply),
            Kind::Free => self.free(step, reply),
            Kind::Borrow => self.borrow(step, reply),
            Kind::Return => self.give_back(step, reply),
            Kind::Renew => self.renew(step, reply),
            Kind::Resize => self.resize(step, reply),
            Kind::Stat => self.stat(step, reply),
            Kind::Bounds => self.bounds(step, reply),
            Kind::Histogram => self.histogram(step),
            Kind::Eventfd => self.eventfd(step),
            Kind::Destroy => self.destroy(step),
            Kind::MapReserve | Kind::MapWindow => self.map(step, reply),
            Kind::Unmap => self.unmap(step, reply),
            Kind::Remap => self.remap(step, reply),
            Kind::Protect => self.protect(step, reply),
            Kind::Advise => self.advise(step, reply),
            Kind::Touch => self.touch(step),
            Kind::Look => self.look(step, reply),
            Kind::Fork => self.fork(step),
            Kind::Dup => self.dup(step),
            Kind::Close => self.close(step),
            Kind::Pass => self.pass(step),
            Kind::Receive => self.receive(step, reply),
            Kind::Kill => self.kill(step),
            Kind::Trace => self.ptrace(step),
            Kind::Signal => self.signal(step),
            Kind::Poll => self.poll(step, reply),
            Kind::Read => self.read(step, reply),
            Kind::Nonblock => self.nonblock(step),
            Kind::File => self.file(step),
            Kind::Pin => self.pin(step),
            Kind::Garbage => self.garbage(step),
        }
    }
}

extern "C" fn ignore(_signal: i32) {}

fn get_ready(actor: &Actor) {
    harness::memory::catch_faults();
    // SAFETY: a handler that does nothing.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as extern "C" fn(i32) as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut());
        action.sa_flags = 0;
        libc::sigaction(libc::SIGUSR2, &action, std::ptr::null_mut());
    }
    actor.world().pids[actor.id].store(std::process::id() as i32, SeqCst);
}

/// Gives up all rights. The trace was begun before.
fn become_ordinary(id: usize) {
    if id == crate::world::ORDINARY {
        // SAFETY: no memory is involved. The system calls, so that it is only this
        // thread's rights; it has no others yet.
        unsafe {
            libc::setgroups(0, std::ptr::null());
            libc::setresgid(1000, 1000, 1000);
            libc::setresuid(1000, 1000, 1000);
            libc::prctl(libc::PR_SET_DUMPABLE, 1);
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        }
    }
}

/// Does the steps it is told, one by one, until there are no more.
pub fn serve(id: usize, birth: Birth, steps: &[Step], orders: i32, answers: i32) -> i32 {
    let actor = Actor::new(id, birth);
    get_ready(&actor);
    let mut hand = Hand::new(&actor, 0);
    become_ordinary(id);
    while let Some(at) = crate::wire::take(orders) {
        let Some(step) = steps.get(at as usize) else {
            return 0;
        };
        let reply = hand.perform(step);
        birth.world.replies[id].set(&reply);
        if !crate::wire::put(answers, at) {
            return 0;
        }
    }
    0
}

/// Does all of its steps, with several threads, at the same time as the others.
pub fn rush(id: usize, birth: Birth, steps: &[Step]) -> i32 {
    let actor = Actor::new(id, birth);
    get_ready(&actor);
    become_ordinary(id);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let actor = &actor;
            scope.spawn(move || {
                let mut hand = Hand::new(actor, thread);
                for (at, step) in steps.iter().enumerate() {
                    if step.actor as usize == id && at % THREADS == thread {
                        hand.perform(step);
                    }
                }
            });
        }
    });
    0
}
