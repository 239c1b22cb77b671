// SPDX-License-Identifier: GPL-2.0

//! Partitions of partitions: the tree of them, what one has for children, and why one was not
//! made.

use std::io;

use genp::abi::{self, genp_stat};

use crate::{partitions::Partition, size, table::Table};

/// Rows with what a partition has for children, if it has anything.
pub fn rows(stat: &genp_stat, table: &mut Table) {
    if stat.quota != 0 || stat.children != 0 || stat.children_left != 0 {
        let [used, quota] = [stat.quota_used, stat.quota].map(size::show);
        table.row(["quota used".to_owned(), used, quota]);
        table.pair("children", stat.children);
        table.pair("children left", stat.children_left);
        table.pair("limits of children", size::show(stat.borrow_given));
    }
}

/// Advice if a child of `parent`, of which this was known before, was not made for a reason
/// that others have not.
pub fn advice(stat: &genp_stat, parent: &str, error: &io::Error) -> Option<String> {
    let left = size::show(stat.quota.saturating_sub(stat.quota_used));
    Some(match error.raw_os_error()? {
        libc::ENOSPC => format!(
            "{parent} has {left} and {} places left for children: ask for less, or destroy one.",
            stat.children_left
        ),
        libc::EDQUOT => format!(
            "{parent} may borrow {} itself and has {} on lease: ask for a smaller --borrow.",
            size::show(stat.borrow_limit),
            size::show(stat.lent)
        ),
        libc::EOPNOTSUPP => {
            "A child has no --range, no --blocks and no --stock-limit: leave them out.".to_owned()
        }
        libc::E2BIG if stat.depth >= abi::GENP_MAX_DEPTH => {
            format!(
                "{parent} is part of {} others already: use one above it.",
                stat.depth
            )
        }
        libc::EIDRM => format!("{parent} was destroyed: create it anew."),
        _ => return None,
    })
}

/// The partitions, each behind the one that it is part of.
pub fn in_tree(all: &[Partition]) -> Vec<&Partition> {
    let is_there = |id| all.iter().any(|part| part.id == Some(id));
    // The last one to be shown comes first.
    let mut left: Vec<_> = all
        .iter()
        .rev()
        .filter(|part| !part.parent.is_some_and(is_there))
        .collect();
    let mut ordered = Vec::new();
    while let Some(part) = left.pop() {
        ordered.push(part);
        let children = all.iter().rev().filter(|child| child.parent.is_some());
        left.extend(children.filter(|child| child.parent == part.id));
    }
    ordered
}

/// The name of a partition, farther to the right for one that is part of others.
pub fn indented(part: &Partition) -> String {
    let name = match part.name.as_str() {
        "" => "-",
        name => name,
    };
    let depth = usize::try_from(part.depth).unwrap_or(0);
    format!("{}{name}", "  ".repeat(depth))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: u64, parent: Option<u64>, depth: u64) -> Partition {
        Partition {
            id: Some(id),
            name: format!("p{id}"),
            parent,
            depth,
            ..Default::default()
        }
    }

    #[test]
    fn children_follow_their_parents() {
        let all = [
            part(0, Some(4), 1),
            part(1, None, 0),
            part(2, Some(0), 2),
            part(3, Some(4), 1),
            part(4, None, 0),
            // Its parent is not to be seen.
            part(5, Some(9), 1),
        ];
        let shown: Vec<_> = in_tree(&all).iter().map(|part| indented(part)).collect();
        assert_eq!(shown, ["p1", "p4", "  p0", "    p2", "  p3", "  p5"]);
    }

    #[test]
    fn each_lack_of_a_parent_is_told() {
        let stat = genp_stat {
            quota: 3 << 20,
            quota_used: 1 << 20,
            borrow_limit: 4096,
            ..Default::default()
        };
        let why = |errno| advice(&stat, "p", &io::Error::from_raw_os_error(errno));
        assert!(why(libc::ENOSPC)
            .unwrap()
            .contains("p has 2 MiB and 0 places"));
        assert!(why(libc::EDQUOT)
            .unwrap()
            .contains("may borrow 4 KiB itself"));
        assert_eq!(why(libc::ENOMEM), None);
        assert_eq!(why(libc::E2BIG), None);
    }
}
