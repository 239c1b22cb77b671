// SPDX-License-Identifier: GPL-2.0

//! A process that waits for frames on request, and reports when it had them.

use std::mem;

use harness::{
    calls, now,
    owned::{self, Fd, Mapped},
    process, PAGE, SEC,
};

use crate::priority::WAITER;

/// What went wrong, in words.
pub type Result<T> = std::result::Result<T, String>;

/// Longer than any lease. Only there to end a broken run.
const PATIENCE: u64 = 60 * SEC;

/// The begin and the end of a borrow, or 0 and an errno.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Reply {
    began: u64,
    ended: u64,
}

/// A waiter; ended when dropped.
pub struct Waiter {
    pid: i32,
    orders: Fd,
    answers: Fd,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        process::end(self.pid);
    }
}

fn named(what: &str, errno: i32) -> String {
    format!("{what}: {}", calls::errno_name(errno))
}

/// Writes a value; false if the other end is closed.
fn send<T: Copy>(fd: &Fd, value: &T) -> bool {
    let size = mem::size_of::<T>();
    // SAFETY: reads a value that is there; far fewer bytes than a pipe takes at once.
    unsafe { libc::write(fd.0, std::ptr::from_ref(value).cast(), size) == size as isize }
}

/// Waits for a value; None if the other end is closed. T consists of numbers.
fn receive<T: Copy + Default>(fd: &Fd) -> Option<T> {
    let mut value = T::default();
    let size = mem::size_of::<T>();
    // SAFETY: fills a value of numbers, for which any bytes are valid.
    let read = unsafe { libc::read(fd.0, std::ptr::from_mut(&mut value).cast(), size) };
    (read == size as isize).then_some(value)
}

/// The process: borrows, reports and returns on each order, until the pipe is closed.
fn live(pages: usize, orders: &Fd, answers: &Fd) -> std::result::Result<(), i32> {
    let length = pages as u64 * PAGE;
    let control = owned::control()?;
    let mut request = calls::create_request(0, length);
    request.max_leases = 1;
    let (partition, windows) = owned::create(&control, request)?;
    let size = windows.lease_length as usize;
    let _window = Mapped::new(size, libc::MAP_SHARED, partition.0, windows.lease_offset)?;
    process::set_fifo(WAITER)?;
    // Ready.
    send(answers, &Reply::default());
    while receive::<u64>(orders).is_some() {
        let limit = now() + PATIENCE;
        let (began, lease) = loop {
            let began = now();
            match calls::borrow(partition.0, length, limit, 0) {
                // It caused as much work as it may; later it may again.
                Err(libc::EAGAIN) if began < limit => process::pause(1),
                other => break (began, other?),
            }
        };
        let ended = now();
        calls::give_back(partition.0, lease.handle)?;
        send(answers, &Reply { began, ended });
    }
    Ok(())
}

impl Waiter {
    /// Starts a waiter for this number of pages.
    pub fn start(pages: usize) -> Result<Self> {
        let pipe = || owned::pipe().map_err(|errno| named("pipe", errno));
        let ((orders_in, orders), (answers, answers_out)) = (pipe()?, pipe()?);
        let pid = process::child(|| {
            if let Err(errno) = live(pages, &orders_in, &answers_out) {
                let ended = errno as u64;
                send(&answers_out, &Reply { began: 0, ended });
                return 1;
            }
            0
        });
        let waiter = Self {
            pid,
            orders,
            answers,
        };
        match receive::<Reply>(&waiter.answers) {
            Some(Reply { ended: 0, .. }) => Ok(waiter),
            Some(reply) => Err(named("a waiter", reply.ended as i32)),
            None => Err("a waiter ended".into()),
        }
    }

    /// Orders it to borrow.
    pub fn order(&self) -> Result<()> {
        send(&self.orders, &1u64)
            .then_some(())
            .ok_or_else(|| "a waiter ended".into())
    }

    /// Waits until it has returned its lease: when it began to wait and when it had it.
    pub fn answer(&self) -> Result<(u64, u64)> {
        match receive::<Reply>(&self.answers) {
            Some(Reply { began: 0, ended }) => Err(named("a waiter's GENP_BORROW", ended as i32)),
            Some(reply) => Ok((reply.began, reply.ended)),
            None => Err("a waiter ended".into()),
        }
    }
}
