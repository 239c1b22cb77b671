// SPDX-License-Identifier: GPL-2.0

//! The answers a call may have.

use std::{collections::BTreeSet, fmt};

use harness::{calls::errno_name, Errno};

/// Which answers are right. Several errors may be due at a time; any of them is.
pub struct Expectation {
    good: bool,
    errors: BTreeSet<Errno>,
    anything: bool,
}

impl Expectation {
    /// Nothing speaks against it.
    pub fn new() -> Self {
        Self {
            good: true,
            errors: BTreeSet::new(),
            anything: false,
        }
    }

    /// It must fail, and this is a reason.
    pub fn refuse(&mut self, errno: Errno) {
        self.good = false;
        self.errors.insert(errno);
    }

    /// It must fail for this reason if `never`; otherwise it may.
    pub fn refuse_if(&mut self, never: bool, errno: Errno) {
        self.good &= !never;
        self.errors.insert(errno);
    }

    /// It may fail for this reason.
    pub fn maybe(&mut self, errno: Errno) {
        self.errors.insert(errno);
    }

    /// Nothing is promised.
    pub fn anything(&mut self) {
        self.anything = true;
    }

    /// Whether this answer is right.
    pub fn allows(&self, errno: Errno) -> bool {
        self.anything || (errno == 0 && self.good) || self.errors.contains(&errno)
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let good = self.good.then(|| "0".to_string());
        let names: Vec<_> = good
            .into_iter()
            .chain(self.errors.iter().map(|&errno| errno_name(errno)))
            .collect();
        write!(f, "{}", names.join(" or "))
    }
}
