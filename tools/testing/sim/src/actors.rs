// SPDX-License-Identifier: GPL-2.0

//! What the threads of processes do.

use std::rc::Rc;

use kernel::{
    page::PAGE_SIZE,
    sim::{
        fail,
        files::{leave_kernel, Kind},
        machine,
        process::Hold,
        trace,
    },
};

use crate::{
    case::{Op, PROCESSES},
    check,
    genp::sys::abi,
    memory,
    world::{role, Actor, Lease, Region, World, FDS},
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
/// One name in so many is in use.
const NAMES: u32 = 3;

/// An argument structure with its size.
pub(crate) fn sized<T: abi::IoctlArgument>(mut args: T) -> T {
    args.set_size(size_of::<T>() as u32);
    args
}

fn name_of(number: u32) -> [u8; 32] {
    let mut field = [0; 32];
    field[..4].copy_from_slice(b"sim.");
    field[4] = b'0' + (number % NAMES) as u8;
    field
}

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
            let kind = op.kind as usize % KINDS.len();
            let (name, call) = KINDS[kind];
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
            if let Some(answer) = answer {
                self.world.count(kind, answer);
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

    fn create(&self, a: u32, b: u32) -> Option<i32> {
        let pages =
            |at: u32| PAGE * [0, 1, 2, 4, 8, 8, 16, 24, 33, 64, 200, 300][(at as usize) % 12];
        let stock = [0, 0, 0, 1, 4, 12][(a >> 8) as usize % 6];
        let mut args = sized(abi::genp_create {
            name: if b & 3 == 0 { name_of(b >> 2) } else { [0; 32] },
            reserve: pages(a),
            borrow_limit: pages(a >> 4),
            stock_pages: stock,
            stock_limit: if stock > 0 && a & 0x1000 != 0 {
                stock + 9
            } else {
                0
            },
            stock_low: 0,
            max_leases: [0, 1, 2, 5, 64][(a >> 13) as usize % 5],
            max_regions: [0, 0, 1, 5][(a >> 16) as usize % 4],
            min_alloc_order: [0, 4, 12][(a >> 18) as usize % 3],
            mode: [0, 0o666][(a >> 20) as usize & 1],
            lease_default_ns: [0, 500_000, 1_000_000][(a >> 21) as usize % 3],
            node: if a >> 24 & 7 == 0 {
                1
            } else {
                abi::GENP_ANY_NODE
            },
            source: u32::from(self.world.load.range && a >> 27 & 3 == 0),
            ..Default::default()
        });
        let done = self.ioctl(&self.control(), abi::GENP_NR_CREATE, &mut args);
        if done == 0 {
            let unnamed = args.name[0] == 0;
            self.map_new(&args, unnamed);
            self.keep(b >> 8, args.fd);
        }
        Some(done)
    }

    fn open(&self, a: u32, b: u32) -> Option<i32> {
        let mut args = sized(abi::genp_open {
            name: name_of(a),
            ..Default::default()
        });
        let done = self.ioctl(&self.control(), abi::GENP_NR_OPEN, &mut args);
        if done == 0 {
            self.keep(b, args.fd);
        }
        Some(done)
    }

    fn alloc(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let length = match a & 7 {
            0 => 0,
            1 => 1 << (a >> 3 & 31),
            2..=4 => u64::from(a >> 3) % (3 * PAGE) + 1,
            _ => PAGE * u64::from(a >> 3 & 15) + 1,
        };
        let align = [0, 0, 0, 64, 4096, 3][(b >> 3) as usize % 6];
        let mut args = sized(abi::genp_alloc {
            length,
            align,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_ALLOC, &mut args);
        if done == 0 {
            if args.offset % align.max(1) != 0 {
                fail(&format!(
                    "a region at {:#x} is not aligned to {align:#x}",
                    args.offset
                ));
            }
            let (handle, offset) = (args.handle, args.offset);
            self.world.add_region(Region {
                serial,
                handle,
                offset,
                length,
            });
        }
        Some(done)
    }

    fn free(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let foreign = a & 15 == 0;
        let region = if foreign {
            None
        } else {
            self.world.take_region(serial, a >> 4)
        };
        let handle = region.map_or(u64::from(a) << 20 | 5, |region| region.handle);
        let done = self.ioctl(
            &file,
            abi::GENP_NR_FREE,
            &mut abi::genp_handle {
                handle,
                ..Default::default()
            },
        );
        match (done, region) {
            (0, None) => fail(&format!(
                "the handle {handle:#x}, which is nobody's, was freed"
            )),
            (errno::EINVAL | errno::ESTALE, Some(_)) => {
                fail(&format!("the region {handle:#x} was not freed: {done}"))
            }
            (0 | errno::EIDRM, _) | (_, None) => {}
            (_, Some(region)) => self.world.regions.borrow_mut().push(region),
        }
        Some(done)
    }

    fn borrow(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let pages: u64 = [1, 1, 2, 3, 8, 16, 20, 33, 64, 0][a as usize % 10];
        let now = machine().now();
        let term = [0, 0, 1_000_000, 3_000_000][(a >> 4) as usize % 4];
        let mut args = sized(abi::genp_borrow {
            length: pages * PAGE,
            deadline: match b >> 8 & 15 {
                0..=7 => 0,
                8 => 1,
                9..=13 => now + u64::from(b >> 12 & 0xfff) * 1_000,
                _ => u64::MAX,
            },
            lease_ns: term,
            reasons: a >> 8 & 3,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_BORROW, &mut args);
        self.clear_signal();
        if done != 0 {
            return Some(done);
        }
        if args.expires < now {
            fail("a lease ended before it began");
        }
        let mut lease = Lease {
            serial,
            handle: args.handle,
            offset: args.offset,
            pages,
            expires: args.expires,
            mark: 0,
            place: (0, 0),
            map_age: 0,
        };
        self.mark(&mut lease);
        self.world.leases.borrow_mut().push(lease);
        Some(done)
    }

    fn give_back(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let foreign = a & 31 == 0;
        let lease = if foreign {
            None
        } else {
            self.world.take_lease(Some(serial), a >> 5)
        };
        let handle = lease.map_or(u64::from(a) << 20 | 5, |lease| lease.handle);
        let seen = lease.and_then(|lease| self.inspect(&lease));
        let done = self.ioctl(
            &file,
            abi::GENP_NR_RETURN,
            &mut abi::genp_handle {
                handle,
                ..Default::default()
            },
        );
        match (done, lease) {
            (0, None) => fail("a lease was returned that is nobody's"),
            (errno::EINVAL, Some(_)) => fail(&format!(
                "the lease {handle:#x} is unknown to its partition"
            )),
            // It ran until now, so it was there.
            (0, Some(_)) if seen == Some(false) => fail(&format!(
                "the lease {handle:#x} was not there, although it ran until it was returned"
            )),
            (errno::ESTALE, Some(lease)) => self.check_over(&lease),
            (0, _) | (_, None) => {}
            (_, Some(lease)) => self.world.leases.borrow_mut().push(lease),
        }
        Some(done)
    }

    fn renew(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let mut lease = self.world.take_lease(Some(serial), a)?;
        let lease_ns = [0, 1_000_000, 3_000_000, u64::MAX][(a >> 8) as usize % 4];
        let mut args = sized(abi::genp_renew {
            handle: lease.handle,
            lease_ns,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_RENEW, &mut args);
        if done == 0 {
            lease.expires = args.expires;
        }
        self.world.leases.borrow_mut().push(lease);
        Some(done)
    }

    fn resize(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let pages = |at: u32| PAGE * [0, 1, 2, 8, 12, 16, 40, 64, 250][at as usize % 9];
        let mut args = sized(abi::genp_resize {
            reserve: pages(a),
            borrow_limit: pages(a >> 8),
            ..Default::default()
        });
        Some(self.ioctl(&file, abi::GENP_NR_RESIZE, &mut args))
    }

    fn stat(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let mut args = sized(abi::genp_stat {
            flags: a & 1,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_GET_STAT, &mut args);
        if done == 0 {
            check::stat(&args);
        }
        Some(done)
    }

    fn bounds(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let mut args = sized(abi::genp_bounds {
            flags: a & 1,
            live_bytes: u64::from(a >> 8),
            largest_request: u64::from(a >> 4) & 0xffff,
            ..Default::default()
        });
        Some(self.ioctl(&file, abi::GENP_NR_GET_BOUNDS, &mut args))
    }

    fn histogram(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let mut args = sized(abi::genp_histogram {
            op: a & 15,
            flags: a >> 4 & 1,
            ..Default::default()
        });
        Some(self.ioctl(&file, abi::GENP_NR_GET_HISTOGRAM, &mut args))
    }

    fn eventfd(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let process = self.me().process;
        let event = match a & 7 {
            0 => -1,
            1 => self.control,
            2 => 4242,
            _ => process.open(machine().files.create(Kind::Event)),
        };
        let mut args = sized(abi::genp_eventfd {
            fd: event,
            mask: a >> 3 & 63,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_SET_EVENTFD, &mut args);
        if a & 7 > 2 {
            process.close(event);
        }
        Some(done)
    }

    fn destroy(&self, a: u32, b: u32) -> Option<i32> {
        // Not so often.
        if a & 7 != 0 {
            return None;
        }
        let (file, serial) = self.part(b)?;
        let done = self.ioctl(
            &file,
            abi::GENP_NR_DESTROY,
            &mut abi::genp_destroy::default(),
        );
        if done == 0 {
            self.world.forget(serial);
        }
        Some(done)
    }

    fn close(&self, a: u32, _b: u32) -> Option<i32> {
        let fd = self.me().fds[a as usize % FDS].take()?;
        self.me().process.close(fd);
        Some(0)
    }

    /// SCM_RIGHTS.
    fn pass(&self, a: u32, b: u32) -> Option<i32> {
        let there = &self.world.actors[a as usize % PROCESSES];
        if there.threads.get() == 0 || there.process.killed.get() {
            return None;
        }
        let fd = self.me().process.pass(self.fd(b)?, there.process)?;
        if there.threads.get() == 0 {
            // It has exited meanwhile.
            there.process.close(fd);
            return None;
        }
        let old = there.fds[(b >> 8) as usize % FDS].replace(Some(fd));
        if let Some(old) = old {
            there.process.close(old);
        }
        Some(0)
    }

    fn poll(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let until = machine().now() + u64::from(a & 0xf_ffff);
        file.poll(until);
        Some(0)
    }

    fn read(&self, a: u32, b: u32) -> Option<i32> {
        /// Nobody learns of an event so late.
        const LATE: u64 = 1_000_000_000;

        let file = self.file(b)?;
        let mut room = [0u64; 16];
        let size = if a & 7 == 0 { 7 } else { 32 * 4 };
        let done = file.read(room.as_mut_ptr() as usize, size, a & 0x70 != 0);
        self.clear_signal();
        if done == errno::RESTART {
            // Was there something all the time?
            let now = machine().now();
            let found = file.read(room.as_mut_ptr() as usize, size, true);
            if found > 0 && room[1] + LATE < now {
                fail("an event was announced, and its reader slept on");
            }
        }
        Some(done.min(0) as i32)
    }

    fn clear_signal(&self) {
        if let (Some(task), false) = (machine().task(), self.me().process.killed.get()) {
            task.clear_signal();
        }
    }

    fn signal(&self, a: u32, _b: u32) -> Option<i32> {
        let there = &self.world.actors[a as usize % PROCESSES];
        for task in there.tasks.borrow().iter() {
            machine().signal(*task as *mut _);
        }
        Some(0)
    }

    fn kill(&self, a: u32, b: u32) -> Option<i32> {
        if b & 63 != 0 {
            return None;
        }
        let there = &self.world.actors[a as usize % PROCESSES];
        there.process.killed.set(true);
        self.world.deaths.set(self.world.deaths.get() + 1);
        self.signal(a, b)
    }

    fn info(&self, _a: u32, _b: u32) -> Option<i32> {
        check::pool(&self.control());
        Some(0)
    }

    /// Any number of a command with any size and flags.
    fn malformed(&self, a: u32, b: u32) -> Option<i32> {
        let file = if a & 1 == 0 {
            self.control()
        } else {
            self.file(b)?
        };
        let mut room = [0u32; 1026];
        room[0] = [0, 4, 7, 4097, u32::MAX, 64][(a >> 1) as usize % 6];
        room[1] = 1 << (a >> 8 & 31) | 1 << 31;
        let at = if a >> 13 & 7 == 0 {
            a as usize & 0xffff
        } else {
            room.as_mut_ptr() as usize
        };
        let done = file.ioctl(b & 31, at);
        if done >= 0 {
            fail(&format!("command {} with unknown flags succeeded", b & 31));
        }
        Some(done)
    }

    fn map_a(&self, a: u32, b: u32) -> Option<i32> {
        self.map(a, b, a & 1 == 0)
    }
}

type Call = fn(&Thread, u32, u32) -> Option<i32>;

/// The kinds of calls, the frequent ones several times.
pub(crate) const KINDS: [(&str, Call); 40] = [
    ("create", Thread::create),
    ("create", Thread::create),
    ("create", Thread::create),
    ("open", Thread::open),
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
];
