// SPDX-License-Identifier: GPL-2.0

//! The KUnit tests of the ring of events: in order, and what is lost is counted.

use super::*;

fn record(handle: u64) -> abi::genp_event {
    abi::genp_event {
        type_: abi::GENP_EVENT_REVOKED,
        handle,
        ..Default::default()
    }
}

/// A ring through which `count` records went.
fn wake(count: u64) -> EventRing {
    let mut wake = EventRing::new();
    for handle in 0..count {
        wake.put(record(handle));
    }
    wake
}

fn handle_and_lost(record: Option<abi::genp_event>) -> Option<(u64, u32)> {
    record.map(|record| (record.handle, record.lost))
}

#[kunit_tests(genp_events)]
mod tests {
    use super::*;

    const FULL: u64 = RECORDS as u64;

    #[test]
    fn records_come_in_order() {
        let mut wake = wake(FULL);
        for handle in 0..FULL {
            assert_eq!(handle_and_lost(wake.take()), Some((handle, 0)));
        }
        assert!(wake.take().is_none());
        assert_eq!(wake.lost_ever, 0);
    }

    #[test]
    fn the_oldest_make_room_and_are_counted() {
        let mut wake = wake(FULL + 5);
        assert_eq!(handle_and_lost(wake.take()), Some((5, 5)));
        assert_eq!(handle_and_lost(wake.take()), Some((6, 0)));
        assert_eq!(wake.lost_ever, 5);
    }

    #[test]
    fn an_undelivered_record_comes_again() {
        let mut wake = wake(FULL + 2);
        let taken = wake.take();
        if let Some(record) = taken {
            wake.untake(record);
        }
        assert_eq!(handle_and_lost(wake.take()), Some((2, 2)));
        assert_eq!(handle_and_lost(wake.take()), Some((3, 0)));
    }

    #[test]
    fn one_that_finds_no_room_any_longer_is_lost() {
        let mut wake = wake(FULL + 1);
        let taken = wake.take();
        wake.put(record(FULL + 1));
        if let Some(record) = taken {
            wake.untake(record);
        }
        assert_eq!(handle_and_lost(wake.take()), Some((2, 2)));
        assert_eq!(wake.lost_ever, 2);
    }

    #[test]
    fn the_end_closes_it() {
        let mut wake = wake(FULL);
        assert!(!wake.closed);
        wake.put(abi::genp_event {
            type_: abi::GENP_EVENT_DYING,
            ..record(0)
        });
        assert!(wake.closed);
    }
}
