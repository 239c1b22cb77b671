// SPDX-License-Identifier: GPL-2.0

//! No ring of a bell is lost, a parked thread wakes at its time, and a thread can
//! be stopped wherever it is.

use super::locks::eventually;
use crate::genp::sys::{
    kunit::in_hard_interrupt,
    thread::{self, Thread, ThreadContext, Waker, Worker},
    time,
};
use kernel::{
    c_str,
    prelude::*,
    sync::{
        atomic::{Acquire, Atomic, Release},
        Arc,
    },
};

const MSEC: u64 = 1_000_000;

/// What a thread does and has done.
struct Log {
    /// It parks as often as this allows.
    allowed: Atomic<u32>,
    parked: Atomic<u32>,
    woken: Atomic<u32>,
    /// For how long it parks, from when it does.
    term: u64,
    /// The last time it woke before its deadline.
    early: Atomic<u32>,
}

struct Sleeper(Arc<Log>);

impl Worker for Sleeper {
    fn run(&self, context: &ThreadContext) {
        let log = &self.0;
        loop {
            while log.parked.load(Acquire) >= log.allowed.load(Acquire) {
                if context.stopping() {
                    return;
                }
                context.yield_now();
            }
            log.parked.fetch_add(1, kernel::sync::atomic::Full);
            let deadline = match log.term {
                u64::MAX => u64::MAX,
                term => time::now() + term,
            };
            let goes_on = context.sleep_until(deadline);
            if time::now() < deadline {
                log.early.store(1, Release);
            }
            if !goes_on {
                return;
            }
            log.woken.fetch_add(1, kernel::sync::atomic::Full);
        }
    }
}

fn start(term: u64, waker: &Arc<Waker>) -> Result<(Arc<Log>, Thread)> {
    let log = Arc::new(
        Log {
            allowed: Atomic::new(0),
            parked: Atomic::new(0),
            woken: Atomic::new(0),
            term,
            early: Atomic::new(0),
        },
        GFP_KERNEL,
    )?;
    let thread = Thread::spawn(
        c_str!("genp_kunit"),
        None,
        Arc::new(Sleeper(log.clone()), GFP_KERNEL)?,
        waker.clone(),
    )?;
    Ok((log, thread))
}

fn has_woken(log: &Log, times: u32) -> bool {
    eventually(|| log.woken.load(Acquire) == times)
}

#[kunit_tests(genp_threads)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_before_the_start_is_not_lost() -> Result {
        let waker = Waker::new()?;
        waker.wake();
        let (log, thread) = start(u64::MAX, &waker)?;
        log.allowed.store(1, Release);
        assert!(has_woken(&log, 1));
        drop(thread);
        Ok(())
    }

    #[test]
    fn a_ring_before_parking_is_not_lost() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(u64::MAX, &waker)?;
        for round in 1..100 {
            // The thread runs and does not park before it is allowed to.
            waker.wake();
            log.allowed.store(round, Release);
            assert!(has_woken(&log, round));
        }
        drop(thread);
        Ok(())
    }

    #[test]
    fn a_ring_while_parking_is_not_lost() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(u64::MAX, &waker)?;
        for round in 1..300 {
            // Somewhere on its way to sleep, or asleep.
            log.allowed.store(round, Release);
            while log.parked.load(Acquire) < round {
                crate::genp::sys::task::yield_now();
            }
            waker.wake();
            assert!(has_woken(&log, round));
        }
        drop(thread);
        Ok(())
    }

    #[test]
    fn several_rings_are_one() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(u64::MAX, &waker)?;
        for _ in 0..5 {
            waker.wake();
        }
        log.allowed.store(2, Release);
        assert!(has_woken(&log, 1));
        assert!(eventually(|| log.parked.load(Acquire) == 2));
        assert_eq!(log.woken.load(Acquire), 1);
        // Parked for ever: it is stopped all the same.
        drop(thread);
        assert_eq!(log.woken.load(Acquire), 1);
        Ok(())
    }

    #[test]
    fn a_hard_interrupt_may_ring() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(u64::MAX, &waker)?;
        log.allowed.store(1, Release);
        assert!(eventually(|| log.parked.load(Acquire) == 1));
        assert!(in_hard_interrupt(|| waker.wake()).is_some());
        assert!(has_woken(&log, 1));
        drop(thread);
        Ok(())
    }

    #[test]
    fn a_deadline_wakes_and_never_early() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(5 * MSEC, &waker)?;
        log.allowed.store(10, Release);
        assert!(has_woken(&log, 10));
        assert_eq!(log.early.load(Acquire), 0);
        drop(thread);
        Ok(())
    }

    #[test]
    fn threads_that_ring_each_other_can_be_stopped() -> Result {
        let (one, two) = (Waker::new()?, Waker::new()?);
        let (first_log, first) = start(u64::MAX, &one)?;
        let (_, second) = start(u64::MAX, &two)?;
        first_log.allowed.store(1, Release);
        let mut both = [first, second];
        thread::stop_all(both.iter_mut());
        // Nobody is there to be woken any longer.
        one.wake();
        two.wake();
        assert_eq!(first_log.woken.load(Acquire), 0);
        drop(both);
        Ok(())
    }
}
