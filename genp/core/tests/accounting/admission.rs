// SPDX-License-Identifier: GPL-2.0

//! The rule of admission, asked by someone who does not know what waiters want.

use genp_core::accounting::{
    admission::{judge, Admission, User, Waiter},
    AccountingError, Totals,
};
use proptest::{prelude::*, test_runner::RngSeed};

fn totals(committed: u32, lent: u32, overdue: u32, free: u32) -> Totals {
    Totals {
        capacity: committed + lent + overdue + free,
        committed,
        lent,
        overdue,
        free,
        partitions: 1,
        ..Totals::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        rng_seed: RngSeed::Fixed(20_261_129),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Without knowing what is wanted the answer is the same or none, and none only if
    /// what is wanted matters.
    #[test]
    fn unknown_waiters_never_make_it_wrong(
        (lent, overdue, free) in (0u32..40, 0u32..40, 0u32..40),
        wants in prop::collection::vec(1u32..120, 0..4),
        frames in 0u32..50,
        (charged, ceiling) in (0u64..30, 0u32..60),
        slots in 1u32..3,
    ) {
        let totals = totals(3, lent, overdue, free);
        // What waits can be served if drivers return what is overdue.
        let most = totals.lendable() + overdue;
        let wants: Vec<u32> = wants.iter().map(|wanted| wanted % (most + 1)).collect();
        let user = User { charged, ceiling };
        let known = wants.iter().map(|&wanted| Waiter::Wants(wanted));
        let known = judge(&totals, Some(slots), user, frames, known);
        let unknown = wants.iter().map(|_| Waiter::Unknown);
        match judge(&totals, Some(slots), user, frames, unknown) {
            Admission::Admitted => prop_assert_eq!(known, Admission::Admitted),
            Admission::Refused(_) => prop_assert!(matches!(known, Admission::Refused(_))),
            Admission::Undecided => prop_assert!(frames > 0 && !wants.is_empty()),
        }
        prop_assert_ne!(known, Admission::Undecided);
    }
}

#[test]
fn refusals_come_in_their_order() {
    let totals = totals(0, 10, 0, 20);
    let poor = User {
        charged: 5,
        ceiling: 10,
    };
    let ask = |slots, user, frames, wanted| {
        let waiter = [Waiter::Wants(wanted)].into_iter();
        judge(&totals, Some(slots), user, frames, waiter)
    };
    let refused = Admission::Refused;
    assert_eq!(ask(1, poor, 21, 1), refused(AccountingError::NoSpace));
    assert_eq!(ask(1, poor, 6, 25), refused(AccountingError::NoSpace));
    assert_eq!(ask(1, poor, 6, 24), refused(AccountingError::Ceiling));
    assert_eq!(
        ask(1, poor, 5, 25),
        refused(AccountingError::NoPartitionSlot)
    );
    assert_eq!(ask(2, poor, 5, 25), Admission::Admitted);
    assert_eq!(ask(2, User::UNLIMITED, 20, 10), Admission::Admitted);
}
