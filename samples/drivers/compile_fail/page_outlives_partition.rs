// SPDX-License-Identifier: GPL-2.0
// expect: E0515
// A page leaves the function that has its partition.

#[path = "../rust/genp.rs"]
mod genp;
use genp::{Page, Partition};

pub fn driver(part: Partition) -> Option<Page<'static>> {
    part.take_page()
}
