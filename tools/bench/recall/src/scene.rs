// SPDX-License-Identifier: GPL-2.0

//! A pool that has exactly what one borrower keeps and others wait for.

use harness::{
    abi, calls, now,
    owned::{self, Fd, Mapped},
    process::pause,
    PAGE, SEC,
};

use crate::waiter::{Result, Waiter};

/// The borrower's timeout. Only there to end a broken run.
const PATIENCE: u64 = 60 * SEC;

/// The least time from the begin of a wait to the deadline.
const MARGIN: u64 = 200_000;

/// The pool, its borrower, and the waiters.
pub struct Scene {
    waiters: Vec<Waiter>,
    partition: Fd,
    _window: Mapped,
    /// Its reserve is all other frames.
    _rest: Fd,
    length: u64,
    /// The term of the borrower's leases; the longest one at first.
    term: u64,
    longest: u64,
}

fn named(what: &str) -> impl Fn(i32) -> String + '_ {
    move |errno| format!("{what}: {}", calls::errno_name(errno))
}

impl Scene {
    /// Sets it up with `waiters` that borrow `pages` each.
    pub fn set_up(pages: usize, waiters: usize) -> Result<Self> {
        let length = (pages * waiters) as u64 * PAGE;
        let control = owned::control().map_err(named("/dev/genp"))?;
        let create = |request| owned::create(&control, request).map_err(named("GENP_CREATE"));
        let mut request = calls::create_request(0, length);
        request.max_leases = 1;
        let (partition, windows) = create(request)?;
        let size = windows.lease_length as usize;
        let window = Mapped::new(size, libc::MAP_SHARED, partition.0, windows.lease_offset);
        let info = calls::info(control.0).map_err(named("GENP_GET_INFO"))?;
        let rest = info.free.checked_sub(length);
        let rest = rest.ok_or("the pool is too small: load with a larger pool_mib")?;
        let waiters = (0..waiters).map(|_| Waiter::start(pages));
        let mut scene = Self {
            waiters: waiters.collect::<Result<_>>()?,
            _rest: create(calls::create_request(rest, 0))?.0,
            _window: window.map_err(named("mmap"))?,
            partition,
            length,
            term: info.max_lease_ns,
            longest: info.max_lease_ns,
        };
        scene.choose_term()?;
        Ok(scene)
    }

    /// Borrows all that can be lent. A term that was over before the borrower had its
    /// frames, because the machine was busy, is too short: it is doubled.
    fn borrow(&mut self) -> Result<abi::genp_borrow> {
        let (fd, deadline) = (self.partition.0, now() + PATIENCE);
        loop {
            match calls::borrow(fd, self.length, deadline, self.term) {
                Err(libc::ETIMEDOUT) if self.term < self.longest => {
                    self.term = (2 * self.term).min(self.longest);
                }
                // It caused as much work as it may; later it may again.
                Err(libc::EAGAIN) if now() < deadline => pause(1),
                other => return other.map_err(named("GENP_BORROW")),
            }
        }
    }

    /// Chooses a term in which the borrower gets its frames and the waiters begin to wait,
    /// on a machine of any speed: twice the time of borrowing. Extended if it was too short.
    fn choose_term(&mut self) -> Result<()> {
        let begin = now();
        let lease = self.borrow()?;
        let took = now() - begin;
        calls::give_back(self.partition.0, lease.handle).map_err(named("GENP_RETURN"))?;
        self.term = (2 * took).max(2_000_000).min(self.longest);
        Ok(())
    }

    /// Lets a lease expire while all wait: returns how long after its deadline each waiter
    /// had its frames. Waiters that came too late are left out.
    pub fn round(&mut self) -> Result<Vec<u64>> {
        let lease = self.borrow()?;
        for waiter in &self.waiters {
            waiter.order()?;
        }
        let mut took = Vec::new();
        for waiter in &self.waiters {
            let (began, ended) = waiter.answer()?;
            if began + MARGIN < lease.expires && ended >= lease.expires {
                took.push(ended - lease.expires);
            }
        }
        if took.len() < self.waiters.len() {
            self.term = (self.term + self.term / 4).min(self.longest);
        }
        Ok(took)
    }
}
