// SPDX-License-Identifier: GPL-2.0

//! The two locks behave as documented, on PREEMPT_RT too.

use crate::genp::sys::{
    kunit::{in_hard_interrupt, in_interrupt, irqs_disabled},
    lock::{new_pi_mutex, new_raw_lock, PiMutex},
    task,
    thread::{Thread, ThreadContext, Waker, Worker},
};
use kernel::{
    c_str,
    prelude::*,
    sync::{
        atomic::{Acquire, Atomic, Relaxed, Release},
        Arc,
    },
    time::{delay::fsleep, Delta},
};

const FIFO: i32 = 40;

/// A lock for which a thread of high priority waits.
#[pin_data]
struct Contended {
    #[pin]
    lock: PiMutex<u32>,
    asked: Atomic<u32>,
}

struct Wanting(Arc<Contended>);

impl Worker for Wanting {
    fn run(&self, _me: &ThreadContext) {
        self.0.asked.store(1, Release);
        *self.0.lock.lock() += 1;
    }
}

/// Waits until the condition holds; gives up after half a minute.
pub(super) fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    for _ in 0..15_000 {
        if holds() {
            return true;
        }
        fsleep(Delta::from_millis(2));
    }
    false
}

#[kunit_tests(genp_locks)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_lock_keeps_interrupts_off() -> Result {
        let lock = KBox::pin_init(new_raw_lock!(0u32, "genp_kunit_raw"), GFP_KERNEL)?;
        assert!(!irqs_disabled());
        {
            let mut value = lock.lock();
            *value += 1;
            assert!(irqs_disabled());
        }
        assert!(!irqs_disabled());
        assert_eq!(*lock.lock(), 1);
        Ok(())
    }

    #[test]
    fn raw_locks_nest() -> Result {
        let outer = KBox::pin_init(new_raw_lock!((), "genp_kunit_outer"), GFP_KERNEL)?;
        let inner = KBox::pin_init(new_raw_lock!((), "genp_kunit_inner"), GFP_KERNEL)?;
        let held = outer.lock();
        drop(inner.lock());
        assert!(irqs_disabled());
        drop(held);
        assert!(!irqs_disabled());
        Ok(())
    }

    #[test]
    fn a_held_raw_lock_is_refused() -> Result {
        let lock = KBox::pin_init(new_raw_lock!((), "genp_kunit_try"), GFP_KERNEL)?;
        let held = lock.lock();
        assert!(lock.try_lock().is_none());
        assert!(irqs_disabled());
        drop(held);
        assert!(!irqs_disabled());
        let again = lock.try_lock();
        assert!(again.is_some() && irqs_disabled());
        drop(again);
        assert!(!irqs_disabled());
        Ok(())
    }

    #[test]
    fn a_raw_lock_works_in_hard_interrupts() -> Result {
        let lock = KBox::pin_init(new_raw_lock!(0u32, "genp_kunit_hard"), GFP_KERNEL)?;
        let hard = in_hard_interrupt(|| {
            *lock.lock() += 1;
            in_interrupt()
        });
        assert_eq!(hard, Some(true));
        assert_eq!(*lock.lock(), 1);
        Ok(())
    }

    #[test]
    fn a_pi_mutex_leaves_interrupts_on() -> Result {
        let lock = KBox::pin_init(new_pi_mutex!(0u32, "genp_kunit_pi"), GFP_KERNEL)?;
        {
            let mut value = lock.lock();
            *value += 1;
            assert!(!irqs_disabled());
            // Its holder may sleep.
            fsleep(Delta::from_millis(1));
        }
        let again = lock.try_lock();
        assert!(again.is_some_and(|value| *value == 1));
        Ok(())
    }

    #[test]
    fn a_pi_mutex_lends_priority() -> Result {
        let contended = Arc::pin_init(
            pin_init!(Contended {
                lock <- new_pi_mutex!(0, "genp_kunit_lend"),
                asked: Atomic::new(0),
            }),
            GFP_KERNEL,
        )?;
        let mine = task::current_prio();
        let held = contended.lock.lock();
        let thread = Thread::spawn(
            c_str!("genp_kunit"),
            Some(FIFO),
            Arc::new(Wanting(contended.clone()), GFP_KERNEL)?,
            Waker::new()?,
        )?;
        assert!(eventually(|| contended.asked.load(Acquire) == 1));
        // The kernel counts priorities down from 99.
        assert!(eventually(|| task::current_prio() == 99 - FIFO));
        drop(held);
        assert_eq!(task::current_prio(), mine);
        drop(thread);
        assert_eq!(*contended.lock.lock(), 1);
        assert_eq!(contended.asked.load(Relaxed), 1);
        Ok(())
    }
}
