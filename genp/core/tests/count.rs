// SPDX-License-Identifier: GPL-2.0

//! What an invariant that does not hold becomes: a wrong count that is told, and no panic.
//! With debug assertions it is a panic, which the other tests rely on.

use genp_core::count::{broken_invariants, Count};

/// What `work` gives, and how many broken invariants it was counted as.
fn counted(work: impl FnOnce() -> u64 + std::panic::UnwindSafe) -> (Option<u64>, u32) {
    let before = broken_invariants();
    let answer = std::panic::catch_unwind(work).ok();
    (answer, broken_invariants() - before)
}

#[test]
fn a_count_beyond_its_range_is_told() {
    assert_eq!(counted(|| 2u64.plus(3).minus(5).times(7)), (Some(0), 0));
    let broken: [fn() -> u64; 3] = [
        || u64::MAX.plus(1),
        || u64::from(4u32.minus(5)),
        || u64::MAX.times(2),
    ];
    for (work, end) in broken.into_iter().zip([u64::MAX, 0, u64::MAX]) {
        let expected = match cfg!(debug_assertions) {
            true => (None, 1),
            false => (Some(end), 1),
        };
        assert_eq!(counted(work), expected);
    }
}
