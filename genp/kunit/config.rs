// SPDX-License-Identifier: GPL-2.0

//! The limits of the module's parameters.

use super::{params, Params};
use crate::genp::pool::config::Config;
use kernel::prelude::*;

/// How to set a parameter, its lowest value and its highest.
struct Limit(fn(&mut Params, i64), i64, i64);

const LIMITS: [Limit; 25] = [
    Limit(|g, v| g.pool_mib = v as u32, 1, 480 << 10),
    Limit(|g, v| g.max_lease_ms = v as u32, 10, 3_600_000),
    Limit(|g, v| g.min_lease_us = v as u32, 1, 1000),
    Limit(|g, v| g.recall_share = v as u32, 1, 100),
    Limit(|g, v| g.recall_latency_ns = v as u32, 0, 1_000_000_000),
    Limit(|g, v| g.recall_end_ns = v as u32, 0, 1_000_000_000),
    Limit(|g, v| g.recall_page_ns = v as u32, 0, 1_000_000_000),
    Limit(|g, v| g.recall_zero_ns = v as u32, 0, 1_000_000_000),
    Limit(|g, v| g.recall_serve_ns = v as u32, 0, 1_000_000_000),
    Limit(|g, v| g.recall_section_ns = v as u32, 0, 1_000_000_000),
    Limit(|g, v| g.grace_ms = v as u32, 0, 1000),
    Limit(|g, v| g.recall_prio = v as i32, 2, 99),
    Limit(|g, v| g.recall_base_prio = v as i32, 1, 90),
    Limit(|g, v| g.notify_prio = v as i32, 1, 99),
    Limit(|g, v| g.refill_prio = v as i32, 1, 99),
    Limit(|g, v| g.emergency_pages = v as u32, 0, 1 << 20),
    Limit(|g, v| g.keep_free_mib = v as u32, 0, 4 << 20),
    Limit(|g, v| g.wait_order = v as u32, 0, 1),
    Limit(|g, v| g.max_waiters = v as u32, 1, 256),
    Limit(|g, v| g.max_partitions = v as u32, 1, 256),
    Limit(|g, v| g.max_leases = v as u32, 1, 4096),
    Limit(|g, v| g.uid_ceiling_mib = v as u32, 0, 4 << 20),
    Limit(|g, v| g.uid_max_partitions = v as u32, 0, 256),
    Limit(|g, v| g.uid_max_leases = v as u32, 0, 16384),
    Limit(|g, v| g.uid_max_waiters = v as u32, 0, 256),
];

fn accepts(set: fn(&mut Params, i64), value: i64) -> bool {
    let mut params = params();
    set(&mut params, value);
    Config::check(&params).is_ok()
}

#[kunit_tests(genp_config)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_accepted() {
        for Limit(set, least, most) in LIMITS {
            assert!(accepts(set, least));
            assert!(accepts(set, most));
        }
    }

    #[test]
    fn what_is_beyond_is_refused() {
        for Limit(set, least, most) in LIMITS {
            // One below 0 in an unsigned parameter is its largest value, which is beyond
            // the limit as well.
            assert!(!accepts(set, least - 1));
            assert!(!accepts(set, most + 1));
            assert!(!accepts(set, i64::from(i32::MIN)));
            assert!(!accepts(set, i64::from(u32::MAX)));
        }
    }

    #[test]
    fn units_are_converted() -> Result {
        let config = Config::check(&Params {
            pool_mib: 3,
            max_lease_ms: 7,
            min_lease_us: 30,
            recall_share: 5,
            max_partitions: 10,
            grace_ms: 5,
            uid_ceiling_mib: 2,
            ..params()
        })?;
        let per_mib = (1 << 20) / kernel::page::PAGE_SIZE as u32;
        assert_eq!(config.capacity, 3 * per_mib);
        assert_eq!(config.max_lease_ns, 7_000_000);
        assert_eq!(config.min_lease_ns, 30_000);
        // 5 per cent among ten.
        assert_eq!(config.recall_share.work_per_second(), 5_000_000);
        assert_eq!(config.grace_ns, 5_000_000);
        assert_eq!(config.uid_ceiling, 2 * per_mib);
        assert_eq!(Config::check(&params())?.uid_ceiling, u32::MAX);
        Ok(())
    }

    #[test]
    fn the_largest_pool_has_a_number() -> Result {
        let config = Config::check(&Params {
            pool_mib: 480 << 10,
            ..params()
        })?;
        assert_eq!(
            u64::from(config.capacity),
            480u64 << 30 >> kernel::page::PAGE_SHIFT
        );
        Ok(())
    }
}
