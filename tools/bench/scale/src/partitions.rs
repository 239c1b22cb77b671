// SPDX-License-Identifier: GPL-2.0

//! The memory that partitions take beside the frames of the pool.

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

/// The size of the pool that this needs, in MiB.
pub const POOL_MIB: u64 = 256;

/// Partitions created at a time, so that rounding by the kernel's allocators averages
/// out. Fewer of large ones.
const MANY: u64 = 48;
const FEW: u64 = 15;

/// Regions and pages of a reserve by which two partitions differ. As many regions as fit
/// a table with a power of two of bytes: the kernel rounds smaller ones up to that.
const REGIONS: u64 = 16_383;
const PAGES: u64 = 4096;

fn create(control: &Fd, request: abi::genp_create) -> Result<Fd> {
    let created = owned::create(control, request);
    created
        .map(|(fd, _)| fd)
        .map_err(|errno| format!("GENP_CREATE: {}", errno_name(errno)))
}

/// Bytes that `count` partitions of this request take.
fn taken(control: &Fd, count: u64, request: abi::genp_create) -> Result<u64> {
    let before = memory::free()?;
    let all = (0..count).map(|_| create(control, request));
    let all = all.collect::<Result<Vec<Fd>>>()?;
    let after = memory::free()?;
    drop(all);
    Ok(before.saturating_sub(after))
}

/// The smallest possible partition.
fn smallest() -> abi::genp_create {
    abi::genp_create {
        max_regions: 1,
        max_leases: 1,
        ..create_request(0, PAGE)
    }
}

/// The share of each, rounded.
fn each(all: u64, many: u64) -> Vec<u64> {
    vec![(all + many / 2) / many]
}

/// Prints the bytes of a partition, of each region that it may have, and of each page of
/// its reserve.
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
    // The first run fills caches of the kernel.
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
