// SPDX-License-Identifier: GPL-2.0

//! The partitions by GENP_LIST, which is for whoever may open /dev/genp.

use std::{ffi::c_char, io};

use genp::abi::genp_list;

use super::{parent, told, Counts, Partition};

/// The text of a name in its field.
fn text(field: &[c_char]) -> String {
    let bytes = field.iter().map(|&byte| byte as u8);
    bytes
        .take_while(|&byte| byte != 0)
        .map(char::from)
        .collect()
}

/// A partition as it is listed.
fn partition(listed: &genp_list) -> Partition {
    Partition {
        id: Some(listed.id.into()),
        name: text(&listed.name),
        owner: Some(listed.uid),
        creator: (listed.pid != 0).then_some(listed.pid),
        destroyed: listed.dying != 0,
        parent: parent(listed.parent),
        depth: listed.depth.into(),
        quota: listed.quota,
        quota_used: listed.quota_used,
        reserve: listed.reserve,
        used: listed.used,
        heap_used: told(listed.heap_used),
        heap_peak: told(listed.heap_peak),
        limit: listed.borrow_limit,
        lent: listed.lent,
        leases: listed.leases.into(),
        waiters: listed.waiters.into(),
        stock_owned: listed.stock_owned.into(),
        stock_free: listed.stock_free.into(),
        counts: Some(Counts {
            borrows: listed.borrows,
            returns: listed.returns,
            revocations: listed.revocations,
            timeouts: listed.timeouts,
            misuses: listed.misuses,
            stale_handles: listed.stale_handles,
            stock_misses: listed.stock_misses,
        }),
        holders: Vec::new(),
        rights: Vec::new(),
    }
}

/// All partitions. EACCES: the device is not for the caller; ENOTTY: the module has no such
/// call.
pub fn read() -> io::Result<Vec<Partition>> {
    genp::partitions()?
        .map(|listed| listed.map(|listed| partition(&listed)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_read_as_it_is_listed() {
        let mut listed = genp_list {
            id: 3,
            uid: 1000,
            parent: 2,
            dying: 1,
            used: 5,
            reserve: 6,
            misuses: 7,
            heap_used: 3,
            heap_peak: genp::abi::GENP_NOT_TOLD as u64,
            ..Default::default()
        };
        listed.name[0] = b'a' as c_char;
        let part = partition(&listed);
        assert_eq!((part.id, part.name.as_str()), (Some(3), "a"));
        assert_eq!((part.owner, part.creator), (Some(1000), None));
        assert!(part.destroyed);
        assert_eq!(part.parent, Some(2));
        assert_eq!((part.used, part.reserve), (5, 6));
        assert_eq!(part.counts.unwrap().misuses, 7);
        assert_eq!((part.heap_used, part.heap_peak), (Some(3), None));
        listed.parent = genp::abi::GENP_NO_PARENT;
        assert_eq!(partition(&listed).parent, None);
        listed.pid = 12;
        assert_eq!(partition(&listed).creator, Some(12));
    }
}
