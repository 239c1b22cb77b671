// SPDX-License-Identifier: GPL-2.0

//! No wake-up is lost, a sleeping thread wakes at its time, and a thread can be stopped
//! whatever it does.

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

/// What a thread may do and has done.
struct Log {
    /// How often it may sleep.
    allowed: Atomic<u32>,
    slept: Atomic<u32>,
    woken: Atomic<u32>,
    /// How long it sleeps each time.
    term: u64,
    /// 1 if it ever woke before its deadline.
    early: Atomic<u32>,
}

struct SleepLoop(Arc<Log>);

impl Worker for SleepLoop {
    fn run(&self, context: &ThreadContext) {
        let log = &self.0;
        loop {
            while log.slept.load(Acquire) >= log.allowed.load(Acquire) {
                if context.stopping() {
                    return;
                }
                context.yield_now();
            }
            log.slept.fetch_add(1, kernel::sync::atomic::Full);
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
            slept: Atomic::new(0),
            woken: Atomic::new(0),
            term,
            early: Atomic::new(0),
        },
        GFP_KERNEL,
    )?;
    let thread = Thread::spawn(
        c_str!("genp_kunit"),
        None,
        Arc::new(SleepLoop(log.clone()), GFP_KERNEL)?,
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
    fn a_wakeup_before_the_start_is_not_lost() -> Result {
        let waker = Waker::new()?;
        waker.wake();
        let (log, thread) = start(u64::MAX, &waker)?;
        log.allowed.store(1, Release);
        assert!(has_woken(&log, 1));
        drop(thread);
        Ok(())
    }

    #[test]
    fn a_wakeup_before_sleeping_is_not_lost() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(u64::MAX, &waker)?;
        for round in 1..100 {
            // The thread runs and does not sleep before it is allowed to.
            waker.wake();
            log.allowed.store(round, Release);
            assert!(has_woken(&log, round));
        }
        drop(thread);
        Ok(())
    }

    #[test]
    fn a_wakeup_while_falling_asleep_is_not_lost() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(u64::MAX, &waker)?;
        for round in 1..300 {
            // The thread is about to sleep, or asleep.
            log.allowed.store(round, Release);
            while log.slept.load(Acquire) < round {
                crate::genp::sys::task::yield_now();
            }
            waker.wake();
            assert!(has_woken(&log, round));
        }
        drop(thread);
        Ok(())
    }

    #[test]
    fn several_wakeups_are_one() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(u64::MAX, &waker)?;
        for _ in 0..5 {
            waker.wake();
        }
        log.allowed.store(2, Release);
        assert!(has_woken(&log, 1));
        assert!(eventually(|| log.slept.load(Acquire) == 2));
        assert_eq!(log.woken.load(Acquire), 1);
        // It sleeps without a deadline, and can be stopped nevertheless.
        drop(thread);
        assert_eq!(log.woken.load(Acquire), 1);
        Ok(())
    }

    /// ... which would be for as long as it has nothing to run on.
    #[test]
    fn a_preempted_waker_silences_nobody() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(u64::MAX, &waker)?;
        log.allowed.store(1, Release);
        assert!(eventually(|| log.slept.load(Acquire) == 1));
        // Asleep for certain, and not on its way there any more.
        assert!(eventually(|| waker.is_asleep()));
        waker.begin_wake();
        waker.wake();
        assert!(has_woken(&log, 1));
        drop(thread);
        Ok(())
    }

    #[test]
    fn a_hard_interrupt_may_wake() -> Result {
        let waker = Waker::new()?;
        let (log, thread) = start(u64::MAX, &waker)?;
        log.allowed.store(1, Release);
        assert!(eventually(|| log.slept.load(Acquire) == 1));
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
    fn threads_that_wake_each_other_can_be_stopped() -> Result {
        let (one, two) = (Waker::new()?, Waker::new()?);
        let (first_log, first) = start(u64::MAX, &one)?;
        let (_, second) = start(u64::MAX, &two)?;
        first_log.allowed.store(1, Release);
        let mut both = [first, second];
        thread::stop_all(both.iter_mut());
        // There is no thread to wake any longer.
        one.wake();
        two.wake();
        assert_eq!(first_log.woken.load(Acquire), 0);
        drop(both);
        Ok(())
    }
}
