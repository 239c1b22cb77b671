// SPDX-License-Identifier: GPL-2.0

//! Which locks a task holds, and in which order locks are ever taken, by class.

use core::{cell::RefCell, ffi::CStr};

use super::fail;
use crate::ffi::c_char;

/// The most classes.
const CLASSES: usize = 64;

/// A class of locks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class(pub u8);

/// What a task holds, in the order in which it was taken.
#[derive(Default)]
pub struct Held(Vec<(Class, usize, bool)>);

/// What was seen, in all cases of this thread of the host.
struct Seen {
    names: Vec<(usize, String)>,
    /// For each class those that were taken while it was held, also by way of others.
    behind: [u64; CLASSES],
    direct: [u64; CLASSES],
}

thread_local! {
    static SEEN: RefCell<Seen> = const { RefCell::new(Seen {
        names: Vec::new(),
        behind: [0; CLASSES],
        direct: [0; CLASSES],
    }) };
}

/// The class of a name.
pub fn class(name: *const c_char) -> Class {
    SEEN.with_borrow_mut(|seen| {
        if let Some(at) = seen.names.iter().position(|(at, _)| *at == name as usize) {
            return Class(at as u8);
        }
        // SAFETY: names are strings of the program.
        let text = unsafe { CStr::from_ptr(name.cast()) };
        let text = text.to_string_lossy().into_owned();
        // One name, however many copies of it the compiler made.
        if let Some(at) = seen.names.iter().position(|(_, known)| *known == text) {
            return Class(at as u8);
        }
        assert!(seen.names.len() < CLASSES, "too many classes of locks");
        seen.names.push((name as usize, text));
        Class((seen.names.len() - 1) as u8)
    })
}

/// The name of a class.
pub fn name(class: Class) -> String {
    SEEN.with_borrow(|seen| {
        seen.names
            .get(class.0 as usize)
            .map_or("?".into(), |(_, name)| name.clone())
    })
}

impl Seen {
    fn add(&mut self, first: Class, then: Class) -> bool {
        let (first, then) = (first.0 as usize, then.0 as usize);
        if (self.direct[first] >> then) & 1 == 1 {
            return true;
        }
        if first == then || (self.behind[then] >> first) & 1 == 1 {
            return false;
        }
        self.direct[first] |= 1 << then;
        // Whoever reaches `first` reaches what `then` does.
        let more = self.behind[then] | (1 << then);
        for at in 0..CLASSES {
            if at == first || (self.behind[at] >> first) & 1 == 1 {
                self.behind[at] |= more;
            }
        }
        true
    }
}

impl Held {
    /// Is about to take a lock. Complains if that is in a wrong order.
    pub fn before(&self, class: Class, lock: usize, raw: bool) {
        for &(other, at, other_raw) in &self.0 {
            if at == lock {
                fail(&format!("{} is taken twice by one task", name(class)));
            }
            if raw && other_raw {
                fail(&format!(
                    "the raw lock {} is taken under the raw lock {}",
                    name(class),
                    name(other)
                ));
            }
            if !SEEN.with_borrow_mut(|seen| seen.add(other, class)) {
                fail(&format!(
                    "{} is taken under {}, elsewhere it is the other way round",
                    name(class),
                    name(other)
                ));
            }
        }
    }

    /// Has taken a lock.
    pub fn push(&mut self, class: Class, lock: usize, raw: bool) {
        self.0.push((class, lock, raw));
    }

    /// Gives a lock up; false if it does not have it.
    pub fn pop(&mut self, lock: usize) -> bool {
        match self.0.iter().rposition(|(_, at, _)| *at == lock) {
            Some(at) => {
                self.0.remove(at);
                true
            }
            None => false,
        }
    }

    /// Whether it has a lock.
    pub fn has(&self, lock: usize) -> bool {
        self.0.iter().any(|(_, at, _)| *at == lock)
    }

    /// What it holds.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|(class, ..)| name(*class)).collect()
    }
}
