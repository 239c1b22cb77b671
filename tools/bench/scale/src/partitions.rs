// SPDX-License-Identifier: GPL-2.0

//! What partitions take beside the frames of the pool.

use harness::{
    abi,
    calls::{create_request, errno_name},
    owned::{self, Fd},
    PAGE,
};
use stats::Meter;

use crate::{
    figure::{bytes, Result},
    memory,
};

/// The pool that all of this needs, in MiB.
pub const POOL_MIB: u64 = 256;

/// Partitions that are made at a time: what the allocators below round up to is shared.
/// Fewer where each takes much.
const MANY: u64 = 48;
const FEW: u64 = 15;

/// Regions, and pages of a reserve, that a partition has more of than another one. As many
/// regions as fit a table of a power of two: the kernel rounds smaller ones up to that.
const REGIONS: u64 = 16_383;
const PAGES: u64 = 4096;

fn create(control: &Fd, request: abi::genp_create) -> Result<Fd> {
    let created = owned::create(control, request);
    created
        .map(|(fd, _)| fd)
        .map_err(|errno| format!("GENP_CREATE: {}", errno_name(errno)))
}

/// Bytes that so many partitions take, each as wished.
fn taken(control: &Fd, count: u64, request: abi::genp_create) -> Result<u64> {
    let before = memory::free()?;
    let all = (0..count).map(|_| create(control, request));
    let all = all.collect::<Result<Vec<Fd>>>()?;
    let after = memory::free()?;
    drop(all);
    Ok(before.saturating_sub(after))
}

/// The smallest partition that can be.
fn smallest() -> abi::genp_create {
    abi::genp_create {
        max_regions: 1,
        max_leases: 1,
        ..create_request(0, PAGE)
    }
}

/// The share of one of many, rounded.
fn each(all: u64, many: u64) -> Vec<u64> {
    vec![(all + many / 2) / many]
}

/// Prints what a partition takes, and what each region it may have and each page of its
/// reserve add.
pub fn measure(meter: &Meter) -> Result<()> {
    let control = owned::control().map_err(|errno| format!("/dev/genp: {}", errno_name(errno)))?;
    let with_regions = abi::genp_create {
        max_regions: REGIONS as u32,
        ..smallest()
    };
    let with_reserve = abi::genp_create {
        reserve: PAGES * PAGE,
        ..smallest()
    };
    // The first time fills caches of the kernel.
    taken(&control, MANY, smallest())?;
    let base = taken(&control, MANY, smallest())?;
    let few = taken(&control, FEW, smallest())?;
    let regions = taken(&control, FEW, with_regions)?.saturating_sub(few);
    let reserve = taken(&control, FEW, with_reserve)?.saturating_sub(few);
    bytes(meter, "partition", each(base, MANY))
        .with(
            "note",
            "with its file, for one region and one lease of a page, without reserve",
        )
        .print();
    bytes(meter, "region", each(regions, FEW * REGIONS))
        .with(
            "note",
            "each that a partition may have; the kernel rounds tables up to a power of two",
        )
        .print();
    bytes(meter, "reserve_page", each(reserve, FEW * PAGES))
        .with("note", "each page of a reserve, beside the page")
        .print();
    Ok(())
}
