// SPDX-License-Identifier: GPL-2.0

//! What the simulated kernel finds: locks in a wrong order, sleeping where that is not
//! allowed, wake-ups that are lost.

use std::{cell::Cell, rc::Rc};

// The entry points that the simulated kernel calls.
use genp_sim as _;

use kernel::sim::{
    files::leave_kernel,
    lock::{raw_spinlock_t, rt_mutex},
    lockdep::class,
    machine, point,
    rounds::Stuck,
    Machine, Plan,
};

const PLAN: Plan = Plan {
    seed: 1,
    cpus: 2,
    grain: 2,
    strict: false,
    starve: 0,
    interrupts: 0,
    leaps: 0,
    spurious: 0,
};

/// Runs tasks to their end.
fn together(plan: Plan, works: Vec<Box<dyn FnOnce()>>) {
    let machine = Machine::install(plan);
    let tasks: Vec<_> = works
        .into_iter()
        .map(|work| machine.spawn("task", false, work))
        .collect();
    for task in tasks {
        machine.start(task);
    }
    machine.run();
}

fn alone(work: impl FnOnce() + 'static) {
    together(PLAN, vec![Box::new(work)]);
}

fn mutex(name: &'static std::ffi::CStr) -> Rc<rt_mutex> {
    Rc::new(rt_mutex::new(class(name.as_ptr().cast())))
}

fn raw(name: &'static std::ffi::CStr) -> Rc<raw_spinlock_t> {
    Rc::new(raw_spinlock_t::new(class(name.as_ptr().cast())))
}

#[test]
#[should_panic(expected = "elsewhere it is the other way round")]
fn two_orders_of_locks_are_found() {
    alone(|| {
        let (a, b) = (mutex(c"a"), mutex(c"b"));
        for (first, then) in [(&a, &b), (&b, &a)] {
            first.lock_mutex();
            then.lock_mutex();
            then.unlock_mutex();
            first.unlock_mutex();
        }
    });
}

#[test]
#[should_panic(expected = "a mutex, where sleeping is not allowed")]
fn sleeping_under_a_raw_lock_is_found() {
    alone(|| {
        let (raw, mutex) = (raw(c"raw"), mutex(c"sleeps"));
        raw.lock_raw();
        mutex.lock_mutex();
    });
}

#[test]
#[should_panic(expected = "is taken under the raw lock")]
fn two_raw_locks_at_once_are_found() {
    alone(|| {
        let (first, second) = (raw(c"first"), raw(c"second"));
        first.lock_raw();
        second.lock_raw();
    });
}

#[test]
#[should_panic(expected = "nothing can run any more")]
fn a_sleeper_that_nobody_wakes_is_found() {
    alone(|| {
        machine().prepare_sleep(false);
        machine().sleep_until(u64::MAX);
    });
}

#[test]
#[should_panic(expected = "a call returned with locks held")]
fn a_lock_that_is_kept_is_found() {
    alone(|| mutex(c"kept").lock_mutex());
}

/// Two tasks that add to a number without a lock lose something, for some seed.
fn sum_of_two(seed: u64, lock: bool) -> u32 {
    let (number, mutex) = (Rc::new(Cell::new(0)), mutex(c"number"));
    let add = || {
        let (number, mutex) = (number.clone(), mutex.clone());
        let work: Box<dyn FnOnce()> = Box::new(move || {
            for _ in 0..10 {
                if lock {
                    mutex.lock_mutex();
                }
                let value = number.get();
                point();
                number.set(value + 1);
                if lock {
                    mutex.unlock_mutex();
                }
            }
        });
        work
    };
    together(Plan { seed, ..PLAN }, vec![add(), add()]);
    number.get()
}

#[test]
fn a_race_is_found_and_a_lock_ends_it() {
    assert!((0..20).any(|seed| sum_of_two(seed, false) < 20));
    assert!((0..20).all(|seed| sum_of_two(seed, true) == 20));
}

#[test]
fn a_deadline_passes_when_all_sleep() {
    alone(|| {
        let before = machine().now();
        machine().prepare_sleep(false);
        assert!(machine().sleep_until(before + 1_000_000));
        assert!(machine().now() >= before + 1_000_000);
    });
}

/// Runs until it is over, or not at all.
fn busy(at_all: bool, is_over: &Rc<Cell<bool>>) -> impl FnOnce() + 'static {
    let is_over = is_over.clone();
    move || {
        while at_all && !is_over.get() {
            point();
        }
    }
}

/// When something was announced to a sleeper that is signalled long after, and what it
/// should have been woken by then; meanwhile somebody else runs all the time, or nobody.
fn signalled_late(somebody_is_at_it: bool) -> (u64, u64) {
    let (announced, overslept) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (sleeper, is_over) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(false)));
    let sleep = {
        let (sleeper, overslept) = (sleeper.clone(), overslept.clone());
        move || {
            sleeper.set(Some(machine().current()));
            machine().prepare_sleep(true);
            machine().sleep_until(u64::MAX);
            overslept.set(machine().task().map_or(0, |task| task.overslept.get()));
        }
    };
    let be_at_it = busy(somebody_is_at_it, &is_over);
    let signal = {
        let announced = announced.clone();
        move || {
            // SAFETY: tasks live as long as the machine.
            let is_asleep = || {
                sleeper
                    .get()
                    .is_some_and(|task| unsafe { (*task).is_asleep() })
            };
            while !is_asleep() {
                point();
            }
            announced.set(machine().now());
            for _ in 0..20 {
                machine().pass(1_000_000_000);
                leave_kernel();
            }
            machine().signal(sleeper.get().expect("it sleeps"));
            is_over.set(true);
        }
    };
    together(
        PLAN,
        vec![Box::new(sleep), Box::new(be_at_it), Box::new(signal)],
    );
    (announced.get(), overslept.get())
}

#[test]
fn who_sleeps_while_somebody_may_be_about_to_wake_him_did_not_oversleep() {
    let (announced, overslept) = signalled_late(true);
    assert!(overslept < announced, "{overslept} {announced}");
}

#[test]
fn who_sleeps_when_everything_else_is_done_overslept() {
    let (announced, overslept) = signalled_late(false);
    assert!(announced < overslept, "{overslept} {announced}");
}

/// Whether what nobody ends for long is stuck; meanwhile somebody else runs all the time,
/// or nobody.
fn is_stuck(somebody_is_at_it: bool) -> bool {
    let (found, is_over) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let be_at_it = busy(somebody_is_at_it, &is_over);
    let look = {
        let found = found.clone();
        move || {
            let mut stuck = Stuck::default();
            assert!(!stuck.lasts(true));
            for _ in 0..20 {
                machine().pass(1_000_000_000);
                leave_kernel();
            }
            found.set(stuck.lasts(true));
            assert!(!stuck.lasts(false) && !stuck.lasts(true));
            is_over.set(true);
        }
    };
    together(PLAN, vec![Box::new(be_at_it), Box::new(look)]);
    found.get()
}

#[test]
fn what_lasts_is_stuck_unless_somebody_may_be_about_to_end_it() {
    assert!(!is_stuck(true));
    assert!(is_stuck(false));
}
