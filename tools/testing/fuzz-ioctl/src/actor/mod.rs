// SPDX-License-Identifier: GPL-2.0

//! A process that executes steps of a case.

mod argument;
mod environment;
mod fd_passing;
mod handles;
mod leases;
mod malformed;
mod memory;
mod partition;
mod patterns;
mod regions;
mod worker;

use std::sync::atomic::Ordering::SeqCst;

use harness::now;

use crate::{
    step::{Kind, Step},
    world::{Reply, SKIPPED, THREADS},
};
pub use worker::Setup;
use worker::{Actor, Outcome, Worker};

impl Worker<'_> {
    /// Executes a step.
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

    fn dispatch(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        match step.kind {
            Kind::Create => Some(self.create(step, reply)),
            Kind::Open => Some(self.open(step, reply)),
            Kind::Info => Some(self.info(step)),
            Kind::List => Some(self.list(step, reply)),
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
            Kind::SetHeap => self.set_heap(step),
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
            Kind::Malformed => self.malformed(step),
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

/// Drops all privileges. Tracing was begun before.
fn become_ordinary(id: usize) {
    if id == crate::world::ORDINARY {
        // SAFETY: no memory is involved. The system calls, so that it is only this
        // thread's privileges; it has no other threads yet.
        unsafe {
            libc::setgroups(0, std::ptr::null());
            libc::setresgid(1000, 1000, 1000);
            libc::setresuid(1000, 1000, 1000);
            libc::prctl(libc::PR_SET_DUMPABLE, 1);
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        }
    }
}

/// Executes the steps that it is sent, one by one.
pub fn serve(id: usize, setup: Setup, steps: &[Step], orders: i32, answers: i32) -> i32 {
    let actor = Actor::new(id, setup);
    get_ready(&actor);
    let mut worker = Worker::new(&actor, 0);
    become_ordinary(id);
    while let Some(at) = crate::wire::take(orders) {
        let Some(step) = steps.get(at as usize) else {
            return 0;
        };
        let reply = worker.perform(step);
        setup.world.replies[id].set(&reply);
        if !crate::wire::put(answers, at) {
            return 0;
        }
    }
    0
}

/// Executes all of its steps, with several threads, in parallel to the other actors.
pub fn rush(id: usize, setup: Setup, steps: &[Step]) -> i32 {
    let actor = Actor::new(id, setup);
    get_ready(&actor);
    become_ordinary(id);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let actor = &actor;
            scope.spawn(move || {
                let mut worker = Worker::new(actor, thread);
                for (at, step) in steps.iter().enumerate() {
                    if step.actor as usize == id && at % THREADS == thread {
                        worker.perform(step);
                    }
                }
            });
        }
    });
    0
}
