// SPDX-License-Identifier: GPL-2.0

//! A pool with every table at its maximum.

use std::thread::{self, JoinHandle};

use harness::{
    abi, calls, now,
    owned::{self, Fd},
    process::{self, pause},
    Errno, MSEC, PAGE, SEC,
};

/// What went wrong, in words.
pub type Result<T> = std::result::Result<T, String>;

/// Says what failed.
pub fn context<T>(what: &str, done: std::result::Result<T, Errno>) -> Result<T> {
    calls::context(what, done)
}

/// Partitions, each of another user: one less than there can be.
const PARTITIONS: usize = 254;
/// Leases of each from the beginning on.
const LEASES: usize = 15;
/// Waiters: one less than there can be.
const WAITERS: usize = 254;
/// Pages that stay free while others wait; each waits for more.
const SPARE: u64 = 70;
/// The term of a lease that expires while it is measured.
pub const SHORT: u64 = 2 * MSEC;
/// What all of them may have on lease.
const LIMIT: u64 = 60 << 20;
/// The partition that has many requests, and the one with the large lease.
const CROWDED: usize = 7;
const RICH: usize = PARTITIONS - 1;

/// The n-th of different numbers below 256, in no order.
fn shuffled(n: usize) -> usize {
    n * 173 % 256
}

/// The pool, its partitions, and who waits.
pub struct Scene {
    /// /dev/genp.
    pub control: Fd,
    partitions: Vec<(Fd, abi::genp_windows)>,
    waiters: Vec<JoinHandle<()>>,
    large: u64,
}

/// Makes `uid` the effective user of this thread.
fn become_user(uid: u32) -> Result<()> {
    // SAFETY: no memory is involved. The system call concerns this thread only.
    let done = unsafe { libc::syscall(libc::SYS_setresuid, -1, uid as libc::c_int, -1) };
    context("setresuid", calls::checked(done)).map(drop)
}

/// Makes this an ordinary thread again.
fn become_ordinary() -> std::result::Result<(), Errno> {
    let param = libc::sched_param { sched_priority: 0 };
    // SAFETY: `param` is there.
    let done = unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &param) };
    calls::checked(done.into()).map(drop)
}

/// The thread: borrows, gives back, and ends.
fn wait(fd: i32, pages: u64, priority: i32) {
    let _ = process::set_fifo(priority);
    if let Ok(lease) = calls::borrow(fd, pages * PAGE, u64::MAX, 0) {
        let _ = calls::give_back(fd, lease.handle);
    }
}

impl Scene {
    /// All partitions, and nearly all leases.
    pub fn set_up() -> Result<Self> {
        let mut scene = Self {
            control: context("/dev/genp", owned::control())?,
            partitions: Vec::new(),
            waiters: Vec::new(),
            large: 0,
        };
        for user in 0..PARTITIONS {
            let made = scene.create_both(1000 + shuffled(user) as u32, PAGE, 0)?;
            scene.partitions.push(made);
        }
        for lease in 0..PARTITIONS * LEASES {
            let term = (lease as u64 * 2_654_435_761 % 1000 + 2000) * SEC;
            scene.borrow(lease % PARTITIONS, 1, 0, term)?;
        }
        Ok(scene)
    }

    fn create_both(&self, uid: u32, reserve: u64, stock: u32) -> Result<(Fd, abi::genp_windows)> {
        let request = abi::genp_create {
            max_regions: 16,
            max_leases: 64,
            stock_pages: stock,
            ..calls::create_request(reserve, LIMIT)
        };
        become_user(uid)?;
        let made = owned::create(&self.control, request);
        become_user(0)?;
        context("GENP_CREATE", made)
    }

    /// Creates a partition of a user.
    pub fn create_as(&self, uid: u32, reserve: u64, stock: u32) -> Result<Fd> {
        self.create_both(uid, reserve, stock).map(|(fd, _)| fd)
    }

    /// The descriptor of a partition.
    pub fn fd(&self, who: usize) -> i32 {
        self.partitions[who % PARTITIONS].0 .0
    }

    /// Where its windows are.
    pub fn windows(&self, who: usize) -> &abi::genp_windows {
        &self.partitions[who].1
    }

    /// Borrows pages.
    pub fn borrow(&self, who: usize, pages: u64, deadline: u64, term: u64) -> Result<u64> {
        let lease = calls::borrow(self.fd(who), pages * PAGE, deadline, term);
        context("GENP_BORROW", lease).map(|lease| lease.handle)
    }

    /// Renews a lease.
    pub fn renew(&self, (who, handle): (usize, u64)) -> Result<()> {
        let mut request = abi::genp_renew {
            size: calls::size_of::<abi::genp_renew>(),
            handle,
            lease_ns: 3000 * SEC,
            ..Default::default()
        };
        let done = calls::call(self.fd(who), abi::GENP_IOCTL_RENEW, &mut request);
        context("GENP_RENEW", done)
    }

    /// Reads a histogram.
    pub fn histogram(&self, who: usize) -> Result<()> {
        let mut request = abi::genp_histogram {
            size: calls::size_of::<abi::genp_histogram>(),
            ..Default::default()
        };
        let done = calls::call(self.fd(who), abi::GENP_IOCTL_GET_HISTOGRAM, &mut request);
        context("GENP_GET_HISTOGRAM", done)
    }

    /// Reads what events there are, and polls.
    pub fn read(&self, who: usize) -> Result<()> {
        let mut poll = libc::pollfd {
            fd: self.fd(who),
            events: libc::POLLIN,
            revents: 0,
        };
        // SAFETY: one entry of ours.
        let done = unsafe { libc::poll(&mut poll, 1, 0) };
        context("poll", calls::checked(done.into()))?;
        let mut records = [0u8; 4096];
        while poll.revents & libc::POLLIN != 0 && poll.revents & libc::POLLHUP == 0 {
            // SAFETY: room for as many bytes, which any are valid for.
            let read = unsafe { libc::read(poll.fd, records.as_mut_ptr().cast(), records.len()) };
            context("read", calls::checked(read as i64))?;
            // SAFETY: one entry of ours.
            unsafe { libc::poll(&mut poll, 1, 0) };
        }
        Ok(())
    }

    /// Grows a reserve by a page and shrinks it again.
    pub fn resize(&self, who: usize) -> Result<()> {
        for reserve in [2 * PAGE, PAGE] {
            let mut request = abi::genp_resize {
                size: calls::size_of::<abi::genp_resize>(),
                reserve,
                borrow_limit: LIMIT,
                ..Default::default()
            };
            let done = calls::call(self.fd(who), abi::GENP_IOCTL_RESIZE, &mut request);
            context("GENP_RESIZE", done)?;
        }
        Ok(())
    }

    fn take_the_rest(&mut self, term: u64) -> Result<()> {
        let info = context("GENP_GET_INFO", calls::info(self.control.0))?;
        let rest = info.free / PAGE;
        self.large = self.borrow(RICH, rest - SPARE, 0, term)?;
        Ok(())
    }

    fn start(&mut self, who: usize, pages: u64, priority: i32) {
        let fd = self.fd(who);
        let waiter = thread::Builder::new().stack_size(64 << 10);
        self.waiters
            .extend(waiter.spawn(move || wait(fd, pages, priority)));
    }

    /// Until as many requests wait.
    fn until_waiting(&self, many: usize) -> Result<()> {
        for _ in 0..10_000 {
            let info = context("GENP_GET_INFO", calls::info(self.control.0))?;
            if info.waiters as usize == many {
                return Ok(());
            }
            pause(1);
        }
        Err(format!("there are not {many} waiters"))
    }

    /// Takes all frames but a few, and has all requests wait that may, of all priorities.
    pub fn let_all_wait(&mut self) -> Result<()> {
        self.take_the_rest(3000 * SEC)?;
        // One partition has as many as it may.
        for waiter in 0..WAITERS {
            let who = if waiter < 64 - LEASES {
                CROWDED
            } else {
                waiter
            };
            let pages = SPARE + 1 + shuffled(waiter) as u64 / 2;
            self.start(who, pages, 1 + shuffled(waiter) as i32 % 60);
        }
        self.until_waiting(WAITERS)
    }

    /// A request that ends with its deadline.
    pub fn wait_in_vain(&self, who: usize, urgent: bool) -> Result<()> {
        if urgent {
            context("sched_setscheduler", process::set_fifo(70))?;
        }
        let asked = calls::borrow(self.fd(100 + who), 200 * PAGE, now() + MSEC, 0);
        if urgent {
            context("sched_setscheduler", become_ordinary())?;
        }
        match asked {
            Err(libc::ETIMEDOUT) => Ok(()),
            other => Err(format!("a request was not in vain: {:?}", other.err())),
        }
    }

    /// Destroys the partition with the most leases and requests.
    pub fn destroy_crowded(&mut self) -> Result<()> {
        context("GENP_DESTROY", calls::destroy(self.fd(CROWDED)))?;
        self.until_waiting(WAITERS - (64 - LEASES))
    }

    /// Returns what all wait for.
    pub fn end_large(&mut self) -> Result<()> {
        let done = calls::give_back(self.fd(RICH), self.large);
        context("GENP_RETURN", done)?;
        self.join();
        Ok(())
    }

    fn join(&mut self) {
        for waiter in self.waiters.drain(..) {
            let _ = waiter.join();
        }
    }

    /// As [`Self::let_all_wait`], for a lease that expires.
    pub fn let_all_wait_again(&mut self) -> Result<()> {
        self.take_the_rest(2 * SEC)?;
        for waiter in 0..WAITERS {
            let who = if waiter == CROWDED { 0 } else { waiter };
            let pages = SPARE + 1 + shuffled(waiter) as u64 / 2;
            self.start(who, pages, 1 + shuffled(waiter) as i32 % 60);
        }
        self.until_waiting(WAITERS)
    }

    /// Waits until it expired and all were served.
    pub fn await_large_end(&mut self) -> Result<()> {
        self.join();
        Ok(())
    }
}
