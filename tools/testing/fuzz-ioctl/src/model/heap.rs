// SPDX-License-Identifier: GPL-2.0

//! Where a heap may tell of itself.

use super::{expectation::Expectation, partition::Partition};
use crate::{request, step::Step};

impl Partition {
    /// In the reserve, if that is in the pool, or nowhere.
    pub(super) fn expect_heap(&self, step: &Step, expected: &mut Expectation) {
        let offset = request::set_heap(step).offset;
        if offset == u64::MAX {
            return;
        }
        if self.external() > 0 {
            expected.refuse(libc::EOPNOTSUPP);
        } else if offset % 16 != 0 || offset >= self.reserve {
            expected.refuse(libc::EINVAL);
        }
    }
}
