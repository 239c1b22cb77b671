// SPDX-License-Identifier: GPL-2.0

//! What the threads of processes do.

mod children;
mod handles;
mod memory;
mod others;
mod partitions;
mod shown;

use std::rc::Rc;

use kernel::{
    page::PAGE_SIZE,
    sim::{files::leave_kernel, machine, process::Hold, trace},
};

use crate::{
    case::Op,
    check,
    genp::sys::abi,
    world::{role, Actor, World, FDS},
};

/// EBADF and so on, as far as they are looked at.
pub(crate) mod errno {
    pub(crate) const EINVAL: i32 = -22;
    pub(crate) const ESTALE: i32 = -116;
    pub(crate) const EIDRM: i32 = -43;
    pub(crate) const RESTART: isize = -512;
}

/// A thread of a process.
pub(crate) struct Thread {
    pub(crate) world: Rc<World>,
    pub(crate) actor: usize,
    pub(crate) number: usize,
    control: i32,
}

const PAGE: u64 = PAGE_SIZE as u64;
impl Thread {
    pub(crate) fn new(world: Rc<World>, number: usize, control: i32) -> Self {
        let actor = role(number).expect("a process");
        Self {
            world,
            actor,
            number,
            control,
        }
    }

    pub(crate) fn me(&self) -> &Actor {
        &self.world.actors[self.actor]
    }

    /// Does all of its steps, unless it is killed, and ends its process if it is the last.
    pub(crate) fn run(&self, ops: &[Op]) {
        for op in ops.iter().filter(|op| op.actor as usize == self.number) {
            if self.me().process.killed.get() {
                break;
            }
            let (name, call) = KINDS[op.kind as usize % KINDS.len()];
            if let Some(task) = machine().task() {
                task.doing.set(name);
                // Now and then an access to the arguments fails.
                task.fault_in
                    .set(if op.b >> 25 == 0 { 1 + (op.b & 3) } else { 0 });
            }
            if trace::enabled() {
                trace::line(&format!("{name} {:#x} {:#x}", op.a, op.b));
            }
            let answer = call(self, op.a, op.b);
            if let (Some(answer), true) = (answer, trace::enabled()) {
                trace::line(&format!("{name}: {answer}"));
            }
            leave_kernel();
            if let Some(task) = machine().task() {
                task.doing.set("");
            }
            if let Some(answer) = answer {
                self.world.count(answer);
            }
            if op.b >> 29 == 1 {
                check::pool(&self.control());
            }
        }
        let left = self.me().threads.get() - 1;
        self.me().threads.set(left);
        if left == 0 {
            self.me().process.exit();
        }
    }

    pub(crate) fn ioctl<T: abi::IoctlArgument>(&self, file: &Hold, nr: u32, args: &mut T) -> i32 {
        args.set_size(size_of::<T>() as u32);
        file.ioctl(nr, core::ptr::from_mut(args) as usize)
    }

    fn control(&self) -> Hold {
        self.me().process.hold(self.control).expect("it is open")
    }

    pub(crate) fn fd(&self, pick: u32) -> Option<i32> {
        let fds = &self.me().fds;
        (0..FDS).find_map(|at| fds[(at + pick as usize) % FDS].get())
    }

    /// The file of some descriptor.
    fn file(&self, pick: u32) -> Option<Hold> {
        self.me().process.hold(self.fd(pick)?)
    }

    /// That of a descriptor, and the number of its partition.
    pub(crate) fn part_of(&self, fd: i32) -> Option<(Hold, u32)> {
        let file = self.me().process.hold(fd)?;
        let serial = self.world.serial_of(&*file);
        Some((file, serial))
    }

    /// That of some descriptor, and the number of its partition.
    pub(crate) fn part(&self, pick: u32) -> Option<(Hold, u32)> {
        self.part_of(self.fd(pick)?)
    }

    fn keep(&self, slot: u32, fd: i32) {
        let old = self.me().fds[slot as usize % FDS].replace(Some(fd));
        if let Some(old) = old {
            self.me().process.close(old);
        }
    }
}

type Call = fn(&Thread, u32, u32) -> Option<i32>;

/// The kinds of calls, the frequent ones several times.
pub(crate) const KINDS: [(&str, Call); 46] = [
    ("create", Thread::create),
    ("create", Thread::create),
    ("create", Thread::create),
    ("create child", Thread::create_child),
    ("create child", Thread::create_child),
    ("open", Thread::open),
    ("restrict", Thread::restrict),
    ("alloc", Thread::alloc),
    ("alloc", Thread::alloc),
    ("alloc", Thread::alloc),
    ("free", Thread::free),
    ("free", Thread::free),
    ("borrow", Thread::borrow),
    ("borrow", Thread::borrow),
    ("borrow", Thread::borrow),
    ("borrow", Thread::borrow),
    ("return", Thread::give_back),
    ("return", Thread::give_back),
    ("return", Thread::give_back),
    ("renew", Thread::renew),
    ("resize", Thread::resize),
    ("stat", Thread::stat),
    ("list", Thread::list),
    ("heap", Thread::heap),
    ("bounds", Thread::bounds),
    ("histogram", Thread::histogram),
    ("eventfd", Thread::eventfd),
    ("destroy", Thread::destroy),
    ("close", Thread::close),
    ("pass", Thread::pass),
    ("poll", Thread::poll),
    ("read", Thread::read),
    ("signal", Thread::signal),
    ("kill", Thread::kill),
    ("info", Thread::info),
    ("malformed", Thread::malformed),
    ("map", Thread::map_a),
    ("map", Thread::map_a),
    ("unmap", memory::unmap),
    ("touch", memory::touch),
    ("touch", memory::touch),
    ("look", memory::look),
    ("look", memory::look),
    ("forget", memory::forget),
    ("pin", memory::pin),
    ("memory error", Thread::memory_error),
];
