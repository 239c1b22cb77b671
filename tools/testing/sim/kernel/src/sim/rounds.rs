// SPDX-License-Identifier: GPL-2.0

//! Rounds: whether those who had something to do had the time to do it.
//!
//! Who sleeps on although he should have been woken is told from who waits for somebody
//! that can run, but does not get a processor, by no length of time: a case may keep any
//! task waiting for any time. In a round every task was at rest once, asleep or between two
//! calls, so what it was doing when the round began is done. What goes on from one to the
//! next, such as an event from who announces it by an irq_work and a thread to the reader,
//! is done after as many rounds.

use core::cell::Cell;

use super::{
    machine,
    task::{task_struct, State},
    Machine,
};

/// The rounds after which everything is done: more than there are steps from anybody to
/// whom it is for.
const SETTLED: usize = 8;

/// The last rounds.
#[derive(Default)]
pub struct Rounds {
    /// Its number.
    number: Cell<u64>,
    /// When it began, and those before.
    begun: Cell<[u64; SETTLED + 1]>,
    /// When everything was last at rest at the same time.
    calm: Cell<u64>,
}

fn is_resting(task: &task_struct) -> bool {
    matches!(
        task.state.get(),
        State::Asleep | State::Joining(_) | State::Gone
    )
}

impl Machine {
    /// A task is at rest now.
    pub(crate) fn rest(&self, task: &task_struct) {
        task.rested.set(self.rounds.number.get());
        self.end_round();
    }

    fn end_round(&self) {
        let rounds = &self.rounds;
        let number = rounds.number.get();
        let has_rested = |task: &task_struct| task.rested.get() == number || is_resting(task);
        if self.interrupts.is_work_pending() || !self.tasks().iter().all(|task| has_rested(task)) {
            return;
        }
        rounds.number.set(number + 1);
        let mut begun = rounds.begun.get();
        begun.rotate_right(1);
        begun[0] = self.now();
        rounds.begun.set(begun);
        for task in self.tasks().iter().filter(|task| is_resting(task)) {
            task.rested.set(number + 1);
        }
    }

    /// Nobody can run: if nobody waits for a lock either, everything is done.
    pub(crate) fn settle(&self) {
        if self.tasks().iter().all(|task| is_resting(task)) {
            self.rounds.calm.set(self.now());
        }
    }

    /// Whatever began before this time is done.
    pub fn settled(&self) -> u64 {
        self.rounds.begun.get()[SETTLED].max(self.rounds.calm.get())
    }
}

/// A state that somebody has to end: that nobody does it is certain when everything was done
/// that had begun when it was first seen.
#[derive(Default)]
pub struct Stuck {
    since: Option<u64>,
}

impl Stuck {
    /// Whether nobody ends it. `is_so`: whether the state is there now.
    pub fn lasts(&mut self, is_so: bool) -> bool {
        if !is_so {
            self.since = None;
            return false;
        }
        *self.since.get_or_insert(machine().now()) < machine().settled()
    }
}
