// SPDX-License-Identifier: GPL-2.0

//! Whether the module that is loaded has the pool that a plan is for, and how to load one that
//! has.

use genp::abi::genp_info;

use genp_core::block_counts::BlockCounts;

use super::file::PlanFile;
use crate::blocks;

const MIB: u64 = 1 << 20;
const MS: u64 = 1_000_000;
const US: u64 = 1_000;

/// How the module's value must be, beside the plan's.
#[derive(Clone, Copy, PartialEq)]
enum Need {
    /// What a partition may count on: less would break the plan.
    AtLeast,
    /// What bounds or limits are made of.
    Exactly,
}

/// The module's value of a parameter, and how it must be; `None` of those that no bound of a
/// plan rests on, or that the module does not tell.
fn of_module(name: &str, info: &genp_info) -> Option<(u64, Need)> {
    let has = match name {
        "pool_mib" => (info.capacity / MIB, Need::AtLeast),
        "max_partitions" => (info.max_partitions.into(), Need::AtLeast),
        "max_leases" => (info.max_leases.into(), Need::AtLeast),
        "max_waiters" => (info.max_waiters.into(), Need::AtLeast),
        "emergency_pages" => (
            info.emergency / u64::from(info.page_size).max(1),
            Need::AtLeast,
        ),
        "max_lease_ms" => (info.max_lease_ns / MS, Need::Exactly),
        "grace_ms" => (info.grace_ns / MS, Need::Exactly),
        "min_lease_us" => (info.min_lease_ns / US, Need::Exactly),
        "recall_share" => (info.recall_share.into(), Need::Exactly),
        "wait_order" => (info.wait_order.into(), Need::Exactly),
        "uid_max_partitions" => (info.uid_max_partitions.into(), Need::Exactly),
        "uid_max_leases" => (info.uid_max_leases.into(), Need::Exactly),
        "uid_max_waiters" => (info.uid_max_waiters.into(), Need::Exactly),
        _ => return None,
    };
    Some(has)
}

/// What of a plan's pool the loaded module does not have: a line each.
pub fn misfits(plan: &PlanFile, info: &genp_info) -> Vec<String> {
    let misfit = |(name, wanted): (&str, i64)| {
        let (has, need) = of_module(name, info)?;
        let wanted = u64::try_from(wanted).ok()?;
        let fits = match need {
            Need::AtLeast => has >= wanted,
            Need::Exactly => has == wanted,
        };
        (!fits).then(|| format!("{name} is {has}, the plan has {wanted}"))
    };
    let wanted = plan.blocks();
    let covered = BlockCounts::new(info.blocks).is_some_and(|has| has.covers(&wanted));
    let blocks = (!covered).then(|| {
        let [has, wanted] = [&info.blocks, &wanted.by_order()].map(blocks::show);
        format!("blocks is \"{has}\", the plan has \"{wanted}\"")
    });
    plan.given().filter_map(misfit).chain(blocks).collect()
}

/// What the module is to be loaded with, as insmod and modprobe take it.
pub fn parameters(plan: &PlanFile) -> String {
    let each = plan.given().map(|(name, value)| format!("{name}={value}"));
    let blocks = blocks::show(&plan.blocks().by_order());
    let blocks = (!blocks.is_empty()).then(|| format!("blocks={blocks}"));
    each.chain(blocks).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::file::read;

    fn module() -> genp_info {
        genp_info {
            page_size: 4096,
            capacity: 64 * MIB,
            max_lease_ns: 100 * MS,
            max_leases: 24,
            ..Default::default()
        }
    }

    #[test]
    fn what_the_module_has_more_of_fits_and_other_times_do_not() {
        let text = "[pool]\npool_mib = 32\nmax_leases = 25\nmax_lease_ms = 200\nrecall_prio = 50\n";
        let plan = read(text).unwrap();
        assert_eq!(
            misfits(&plan, &module()),
            [
                "max_lease_ms is 100, the plan has 200",
                "max_leases is 24, the plan has 25"
            ]
        );
        assert_eq!(
            parameters(&plan),
            "max_lease_ms=200 max_leases=25 pool_mib=32 recall_prio=50"
        );
    }

    #[test]
    fn a_module_with_fewer_blocks_does_not_fit() {
        let mut has = module();
        has.blocks[4] = 16;
        let fits = |text: &str| misfits(&read(text).unwrap(), &has).is_empty();
        assert!(fits("[pool]\nblocks = \"4:16\"\n"));
        assert!(!fits("[pool]\nblocks = \"4:17\"\n"));
        assert!(!fits("[pool]\nblocks = \"9:1\"\n"));
        let plan = read("[pool]\npool_mib = 8\nblocks = \"9:1,4:2\"\n").unwrap();
        assert_eq!(parameters(&plan), "pool_mib=8 blocks=4:2,9:1");
    }

    #[test]
    fn a_plan_without_a_pool_fits_any() {
        let plan = read("[[partition]]\nname = \"a\"\n").unwrap();
        assert_eq!(misfits(&plan, &module()), [""; 0]);
        assert_eq!(parameters(&plan), "");
    }
}
