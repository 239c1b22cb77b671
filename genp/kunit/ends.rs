// SPDX-License-Identifier: GPL-2.0

//! The queue of leases that are to be ended by force.

use crate::genp::{
    core::accounting::{LeaseId, PartitionId},
    pool::ends::{Ends, OverdueLease},
};
use kernel::prelude::*;

fn lease(handle: u64) -> OverdueLease {
    OverdueLease {
        partition: PartitionId(0),
        handle,
        expires: 0,
    }
}

#[kunit_tests(genp_ends)]
mod tests {
    use super::*;

    #[test]
    fn leases_come_in_their_order_and_once() -> Result {
        let mut ends = Ends::new(3)?;
        // Round the ring, which has three entries.
        for round in 0..5 {
            assert!(!ends.any());
            for id in [2, 0, 1] {
                ends.push(LeaseId(id), lease(10 * round + u64::from(id)));
            }
            // Another lease with the entry of one that is over.
            ends.push(LeaseId(0), lease(999));
            for handle in [10 * round + 2, 999, 10 * round + 1] {
                assert!(ends.any());
                assert_eq!(ends.pop().map(|lease| lease.handle), Some(handle));
            }
            // The last one is not over before the next one is asked for.
            assert!(ends.any());
            assert!(ends.pop().is_none());
        }
        Ok(())
    }

    #[test]
    fn an_entry_that_was_taken_can_be_added_again() -> Result {
        let mut ends = Ends::new(2)?;
        for handle in 1..7 {
            ends.push(LeaseId(1), lease(handle));
            assert_eq!(ends.pop().map(|lease| lease.handle), Some(handle));
        }
        assert!(ends.pop().is_none());
        Ok(())
    }
}
