// SPDX-License-Identifier: GPL-2.0

//! A crowd is woken in pieces: each who waits once, and nobody who comes meanwhile.

use crate::genp::sys::kunit::{walk_queue, Woken};
use kernel::prelude::*;

#[kunit_tests(genp_queues)]
mod tests {
    use super::*;

    #[test]
    fn all_who_wait_are_woken_in_pieces() {
        let expected = Woken {
            first: 64,
            // But for the one who went.
            before: 149,
            meanwhile: 0,
            most: 1,
            left: 2,
        };
        assert_eq!(walk_queue(150, 64, false), expected);
    }

    #[test]
    fn two_can_wake_one_queue() {
        let expected = Woken {
            first: 64,
            before: 149,
            meanwhile: 2,
            most: 1,
            left: 0,
        };
        assert_eq!(walk_queue(150, 64, true), expected);
    }

    #[test]
    fn one_piece_may_be_enough() {
        let expected = Woken {
            first: 3,
            before: 3,
            meanwhile: 0,
            most: 1,
            left: 2,
        };
        assert_eq!(walk_queue(3, 3, false), expected);
    }
}
