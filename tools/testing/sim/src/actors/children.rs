// SPDX-License-Identifier: GPL-2.0

//! Partitions of partitions.

use super::{partitions::name_of, Thread, PAGE};
use crate::{genp::sys::abi, world::sized};

impl Thread {
    /// What a partition is created with for children: mostly nothing.
    pub(super) fn for_children(a: u32, b: u32) -> (u64, u32) {
        match a ^ b {
            bits if bits & 0x30_0000 == 0 => (
                PAGE * [0, 1, 4, 8, 16, 40][(bits >> 22) as usize % 6],
                (bits >> 25) & 3,
            ),
            _ => (0, 0),
        }
    }

    pub(super) fn create_child(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let pages = |at: u32| PAGE * [0, 1, 1, 2, 4, 8, 16][at as usize % 7];
        let stock = [0, 0, 1, 4][(a >> 8) as usize % 4];
        let mut args = sized(abi::genp_create {
            name: match a & 0xf000 {
                0 => name_of(b >> 2),
                _ => [0; 32],
            },
            reserve: pages(a),
            borrow_limit: pages(a >> 4),
            stock_pages: stock,
            stock_limit: stock * u32::from(a >> 30 == 0) * 2,
            max_leases: [0, 1, 5][(a >> 13) as usize % 3],
            node: abi::GENP_ANY_NODE,
            quota: pages(a >> 16),
            max_children: (a >> 20) & 1,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_CREATE_CHILD, &mut args);
        if done == 0 {
            let unnamed = args.name[0] == 0;
            self.map_new(&args, unnamed);
            self.keep(b >> 8, args.fd);
        }
        Some(done)
    }
}
