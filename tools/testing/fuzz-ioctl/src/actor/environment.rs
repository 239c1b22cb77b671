// SPDX-License-Identifier: GPL-2.0

//! The environment of the ioctls: fork, signals, ptrace, poll, read, pinned pages.

use std::{mem, sync::atomic::Ordering::SeqCst};

use harness::{
    calls::{self, checked, errno},
    memory::{Found, Pattern},
    now, page_bytes,
};

use super::worker::{Outcome, Worker};
use crate::{
    request,
    step::{Mode, Step},
    wire,
    world::{Reply, ACTORS, THREADS},
};

impl Worker<'_> {
    /// A child has the descriptors, but none of the mappings.
    pub(super) fn fork(&mut self, step: &Step) -> Outcome {
        let descriptor = self.actor.descriptor(step.slot.into())?;
        let maps: Vec<_> = self
            .actor
            .maps
            .iter()
            .filter_map(|m| m.read().ok())
            .collect();
        // SAFETY: the child allocates nothing and takes no lock.
        let pid = unsafe { libc::fork() };
        if pid < 0 {
            return Some(Err(errno()));
        }
        if pid == 0 {
            let inherited = maps.iter().any(|map| {
                map.address != 0 && Pattern::ZERO.check(map.address, 1) != Found::Nothing
            });
            if let Ok(region) = calls::alloc(descriptor.fd, 64, 0) {
                let _ =
                    calls::by_handle(descriptor.fd, harness::abi::GENP_IOCTL_FREE, region.handle);
            }
            let _ = calls::stat(descriptor.fd);
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(inherited)) };
        }
        drop(maps);
        let status = harness::process::reap(pid);
        if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 1 {
            self.actor.world().violation("a child inherited a mapping");
        }
        Some(Ok(()))
    }

    /// A thread of an actor with a higher number, so that no two threads wait for
    /// each other.
    fn later_thread(&self, step: &Step) -> Option<i32> {
        let number = self.thread as u64 - 1;
        let there = step.a % (ACTORS * THREADS) as u64;
        if there / THREADS as u64 <= number / THREADS as u64 {
            return None;
        }
        let thread = self.actor.world().threads[there as usize].load(SeqCst);
        (thread > 0).then_some(thread)
    }

    pub(super) fn kill(&mut self, step: &Step) -> Outcome {
        // In a serial case the runner does this.
        let there = step.a as usize % ACTORS;
        if self.actor.setup.mode == Mode::Serial || there == self.actor.id {
            return None;
        }
        let pid = self.actor.world().pids[there].load(SeqCst);
        if pid <= 0 {
            return None;
        }
        self.actor.world().killed[there].store(1, SeqCst);
        Some(harness::process::send(pid, libc::SIGKILL))
    }

    /// Stops a thread, reads its memory, and continues it.
    pub(super) fn ptrace(&mut self, step: &Step) -> Outcome {
        let thread = self.later_thread(step)?;
        // SAFETY: no memory of ours is involved.
        let seized = unsafe { libc::ptrace(libc::PTRACE_SEIZE, thread, 0, 0) };
        if let Err(errno) = checked(seized) {
            return Some(Err(errno));
        }
        // SAFETY: as above.
        unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, thread, 0, 0) };
        let mut status = 0;
        let limit = now() + request::LIMIT;
        loop {
            // SAFETY: `status` is ours.
            let done = unsafe { libc::waitpid(thread, &mut status, libc::WNOHANG | libc::__WALL) };
            if done != 0 || now() > limit {
                break;
            }
            harness::process::pause_ns(100_000);
        }
        if libc::WIFSTOPPED(status) {
            for map in self.actor.maps.iter().filter_map(|map| map.read().ok()) {
                // SAFETY: reads memory of another process; the result is not used.
                unsafe { libc::ptrace(libc::PTRACE_PEEKDATA, thread, map.address, 0) };
            }
            // SAFETY: as above.
            unsafe { libc::ptrace(libc::PTRACE_DETACH, thread, 0, 0) };
        }
        Some(Ok(()))
    }

    pub(super) fn signal(&mut self, step: &Step) -> Outcome {
        let there = step.a as usize % (ACTORS * THREADS);
        let world = self.actor.world();
        let thread = world.threads[there].load(SeqCst);
        let pid = world.pids[there / THREADS].load(SeqCst);
        if thread <= 0 || pid <= 0 || there / THREADS == self.actor.id {
            return None;
        }
        let signal = if step.b & 1 == 0 {
            libc::SIGUSR1
        } else {
            libc::SIGUSR2
        };
        // SAFETY: no memory is involved.
        let done = unsafe { libc::syscall(libc::SYS_tgkill, pid, thread, signal) };
        Some(checked(done).map(|_| ()))
    }

    fn events(&self, fd: i32, ms: i32) -> Result<i16, i32> {
        let mut poll = libc::pollfd {
            fd,
            events: libc::POLLIN | libc::POLLPRI,
            revents: 0,
        };
        // SAFETY: one structure of ours.
        checked(unsafe { libc::poll(&mut poll, 1, ms) }.into()).map(|_| poll.revents)
    }

    pub(super) fn poll(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.actor.descriptor(step.slot.into())?;
        let events = self.events(descriptor.fd, (step.a % 3) as i32);
        Some(events.map(|events| reply.values[0] = events as u64))
    }

    /// Never blocks: there is an event, or O_NONBLOCK is set.
    pub(super) fn read(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.actor.descriptor(step.slot.into())?;
        // SAFETY: no memory is involved.
        let flags = unsafe { libc::fcntl(descriptor.fd, libc::F_GETFL) };
        let nonblock = flags & libc::O_NONBLOCK != 0;
        let serial = self.actor.setup.mode == Mode::Serial;
        let there = || {
            serial
                && self
                    .events(descriptor.fd, 0)
                    .is_ok_and(|events| events != 0)
        };
        if !(nonblock || there()) {
            return None;
        }
        let mut room = [0u8; 32 * 8];
        let length = match step.a % 4 {
            0 => step.a as usize / 4 % 32,
            _ => step.a as usize / 4 % room.len(),
        };
        let at = if step.b & 15 == 15 {
            8 as *mut libc::c_void
        } else {
            room.as_mut_ptr().cast()
        };
        reply.values[1] = length as u64;
        reply.values[2] = u64::from(step.b & 15 == 15);
        // SAFETY: `length` bytes are there, or nothing is.
        let done = checked(unsafe { libc::read(descriptor.fd, at, length) } as i64);
        Some(done.map(|bytes| reply.values[0] = bytes as u64))
    }

    /// In a storm it is only set and never cleared, so that no read blocks.
    pub(super) fn nonblock(&mut self, step: &Step) -> Outcome {
        let descriptor = self.actor.descriptor(step.slot.into())?;
        let storm = self.actor.setup.mode == Mode::Storm;
        let set = if storm || step.a & 1 == 1 {
            libc::O_NONBLOCK
        } else {
            0
        };
        // SAFETY: no memory is involved.
        let done = unsafe { libc::fcntl(descriptor.fd, libc::F_SETFL, libc::O_RDWR | set) };
        Some(checked(done.into()).map(|_| ()))
    }

    /// System calls for files, on a partition.
    pub(super) fn file(&mut self, step: &Step) -> Outcome {
        let descriptor = self.actor.descriptor(step.slot.into())?;
        let fd = descriptor.fd;
        let pages = self.argument.start();
        // SAFETY: the calls get numbers, strings that end with zero, or our own pages.
        let done = unsafe {
            match step.a % 12 {
                0 => libc::lseek(fd, 4096, libc::SEEK_SET),
                1 => libc::pread(fd, pages as *mut _, 64, 0) as i64,
                2 => libc::flock(fd, libc::LOCK_EX | libc::LOCK_NB).into(),
                3 => libc::fsync(fd).into(),
                4 => libc::fstat(fd, pages as *mut libc::stat).into(),
                5 => libc::fallocate(fd, 3, 0, 4096).into(),
                6 => self.must_fail("write", libc::write(fd, pages as *const _, 64) as i64),
                7 => self.must_fail("ftruncate", libc::ftruncate(fd, 0).into()),
                8 => self.epoll(fd),
                9 => return self.fdinfo(fd),
                10 => return self.copy_from_window(),
                _ => libc::ioctl(fd, libc::FIONREAD as _, pages).into(),
            }
        };
        Some(checked(done).map(|_| ()))
    }

    fn must_fail(&self, what: &str, done: i64) -> i64 {
        if done > 0 || (done == 0 && what == "ftruncate") {
            self.actor.world().violation(&format!("{what} gave {done}"));
        }
        done
    }

    fn epoll(&self, fd: i32) -> i64 {
        // SAFETY: structures of ours.
        unsafe {
            let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            let mut event: libc::epoll_event = mem::zeroed();
            event.events = (libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLET) as u32;
            let done = libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event);
            libc::epoll_wait(epoll, &mut event, 1, 0);
            calls::close(epoll);
            done.into()
        }
    }

    fn fdinfo(&self, fd: i32) -> Outcome {
        let read = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}"));
        let maps = std::fs::read_to_string("/proc/self/maps");
        Some(match (read, maps) {
            (Ok(_), Ok(_)) => Ok(()),
            _ => Err(libc::EIO),
        })
    }

    /// Pages of a lease cannot be pinned, so no other system call can hold one.
    fn copy_from_window(&self) -> Outcome {
        let map = self
            .actor
            .maps
            .iter()
            .filter_map(|map| map.read().ok())
            .find(|map| map.address != 0 && map.window)?;
        let ours = libc::iovec {
            iov_base: self.argument.start() as *mut _,
            iov_len: 64,
        };
        let theirs = libc::iovec {
            iov_base: map.address as *mut _,
            iov_len: 64,
        };
        // SAFETY: the first is our own page; the other is not written to.
        let done = unsafe { libc::process_vm_readv(libc::getpid(), &ours, 1, &theirs, 1, 0) };
        if done > 0 {
            self.actor
                .world()
                .violation("a page of a window was pinned");
        }
        Some(checked(done as i64).map(|_| ()))
    }

    /// Lets a pipe hold a page, which goes into quarantine if the partition ends.
    pub(super) fn pin(&mut self, step: &Step) -> Outcome {
        let mut pinned = self.actor.pinned.lock().ok()?;
        if step.b & 1 == 1 {
            let fd = pinned.pop()?;
            calls::close(fd);
            return Some(Ok(()));
        }
        let map = self
            .actor
            .maps
            .iter()
            .filter_map(|map| map.read().ok())
            .find(|map| map.address != 0 && !map.odd)?;
        let (read, write) = wire::pipe();
        let data = libc::iovec {
            iov_base: map.address as *mut _,
            iov_len: page_bytes() as usize,
        };
        // SAFETY: a mapping whose lock is held for reading.
        let done = unsafe { libc::vmsplice(write, &data, 1, libc::SPLICE_F_NONBLOCK) };
        let done = checked(done as i64).map(|_| ());
        if done.is_ok() && map.window {
            self.actor
                .world()
                .violation("a pipe holds a page of a window");
        }
        calls::close(write);
        if done.is_ok() && pinned.len() < 8 {
            pinned.push(read);
        } else {
            calls::close(read);
        }
        Some(done)
    }
}
