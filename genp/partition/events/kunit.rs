// SPDX-License-Identifier: GPL-2.0

//! The KUnit tests of the ring of events: in order, and what is lost is counted.

use super::ring::{EventRing, RECORDS};
use crate::genp::sys::abi;
use kernel::prelude::*;

fn record(handle: u64) -> abi::genp_event {
    abi::genp_event {
        type_: abi::GENP_EVENT_REVOKED,
        handle,
        ..Default::default()
    }
}

/// A ring through which `count` records went.
fn ring(count: u64) -> Result<Pin<KBox<EventRing>>> {
    let mut ring = KBox::pin_init(EventRing::new(), GFP_KERNEL)?;
    for handle in 0..count {
        ring.put(record(handle));
    }
    Ok(ring)
}

fn handle_and_lost(record: Option<abi::genp_event>) -> Option<(u64, u32)> {
    record.map(|record| (record.handle, record.lost))
}

#[kunit_tests(genp_events)]
mod tests {
    use super::*;

    const FULL: u64 = RECORDS as u64;

    #[test]
    fn records_come_in_order() -> Result {
        let mut ring = ring(FULL)?;
        for handle in 0..FULL {
            assert_eq!(handle_and_lost(ring.take()), Some((handle, 0)));
        }
        assert!(ring.take().is_none());
        assert_eq!(ring.lost_ever(), 0);
        Ok(())
    }

    #[test]
    fn the_oldest_make_room_and_are_counted() -> Result {
        let mut ring = ring(FULL + 5)?;
        assert_eq!(handle_and_lost(ring.take()), Some((5, 5)));
        assert_eq!(handle_and_lost(ring.take()), Some((6, 0)));
        assert_eq!(ring.lost_ever(), 5);
        Ok(())
    }

    #[test]
    fn an_undelivered_record_comes_again() -> Result {
        let mut ring = ring(FULL + 2)?;
        let taken = ring.take();
        if let Some(record) = taken {
            ring.untake(record);
        }
        assert_eq!(handle_and_lost(ring.take()), Some((2, 2)));
        assert_eq!(handle_and_lost(ring.take()), Some((3, 0)));
        Ok(())
    }

    #[test]
    fn one_that_finds_no_room_any_longer_is_lost() -> Result {
        let mut ring = ring(FULL + 1)?;
        let taken = ring.take();
        ring.put(record(FULL + 1));
        if let Some(record) = taken {
            ring.untake(record);
        }
        assert_eq!(handle_and_lost(ring.take()), Some((2, 2)));
        assert_eq!(ring.lost_ever(), 2);
        Ok(())
    }

    #[test]
    fn the_end_closes_it() -> Result {
        let mut ring = ring(FULL)?;
        assert!(!ring.is_closed());
        ring.put(abi::genp_event {
            type_: abi::GENP_EVENT_DYING,
            ..record(0)
        });
        assert!(ring.is_closed());
        Ok(())
    }
}
