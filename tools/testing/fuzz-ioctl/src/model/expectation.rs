// SPDX-License-Identifier: GPL-2.0

//! The results that a call may have.

use std::{collections::BTreeSet, fmt};

use harness::{calls::errno_name, Errno};

/// The allowed results. If several errors apply, any of them is allowed.
pub struct Expectation {
    good: bool,
    errors: BTreeSet<Errno>,
    anything: bool,
}

impl Expectation {
    /// Only success is allowed.
    pub fn new() -> Self {
        Self {
            good: true,
            errors: BTreeSet::new(),
            anything: false,
        }
    }

    /// The call must fail, and may fail with this errno.
    pub fn refuse(&mut self, errno: Errno) {
        self.good = false;
        self.errors.insert(errno);
    }

    /// The call must fail if `never`, and may fail with this errno.
    pub fn refuse_if(&mut self, never: bool, errno: Errno) {
        self.good &= !never;
        self.errors.insert(errno);
    }

    /// The call may fail with this errno.
    pub fn maybe(&mut self, errno: Errno) {
        self.errors.insert(errno);
    }

    /// Any result is allowed.
    pub fn anything(&mut self) {
        self.anything = true;
    }

    /// Whether this result is allowed.
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
