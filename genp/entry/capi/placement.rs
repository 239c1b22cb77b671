// SPDX-License-Identifier: GPL-2.0

//! What genalloc offers beyond allocating: placed regions, physically contiguous regions
//! for devices, and the addresses of a reserve.

use kernel::{
    ffi::{c_int, c_void},
    page::{PAGE_MASK, PAGE_SIZE},
    prelude::*,
};

use super::{answer, partition, same_prototypes};
use crate::genp::{
    core::{count::Count, owner::Owner},
    partition::{Partition, Placement, Strategy},
    sys::{
        abi::{self, genp_chunk, genp_partition, genp_placement, genp_region, phys_addr_t},
        errno::EOPNOTSUPP,
        glue,
    },
};

/// The placement that a driver asks for, with its fields checked.
struct PlacementArgs {
    strategy: Strategy,
    align: u64,
    zero: bool,
}

impl PlacementArgs {
    const ANY: Self = Self {
        strategy: Strategy::Any,
        align: 0,
        zero: false,
    };

    fn of(placement: &genp_placement) -> Result<Self> {
        let strategy = match placement.place {
            abi::GENP_PLACE_ANY => Strategy::Any,
            abi::GENP_PLACE_LOWEST => Strategy::FirstFit,
            abi::GENP_PLACE_SMALLEST => Strategy::BestFit,
            abi::GENP_PLACE_NATURAL => Strategy::Natural,
            abi::GENP_PLACE_FIXED => Strategy::Fixed(placement.offset),
            _ => return Err(EINVAL),
        };
        let unused = match strategy {
            Strategy::Fixed(_) => placement.align,
            _ => placement.offset,
        };
        let sound = placement.align == 0 || placement.align.is_power_of_two();
        if unused != 0 || !sound || placement.flags & !abi::GENP_ZERO != 0 {
            return Err(EINVAL);
        }
        Ok(Self {
            strategy,
            align: placement.align,
            zero: placement.flags & abi::GENP_ZERO != 0,
        })
    }
}

/// Allocates a region. Its alignment is that of its address, with `base` as the address of
/// the reserve.
fn alloc(
    partition: &Partition,
    size: usize,
    args: &PlacementArgs,
    base: u64,
) -> Result<genp_region> {
    let placement = Placement {
        strategy: args.strategy,
        align: args.align,
        base,
    };
    let region = partition.regions().alloc_placed(size as u64, &placement)?;
    let Some(address) = partition.reserve().driver_address(region.offset) else {
        // not-reached: a reserve of which a region was allocated is mapped.
        partition.regions().free(Owner::Driver, region.handle)?;
        return Err(EINVAL);
    };
    if args.zero {
        // SAFETY: the region was just allocated, so nobody else uses it, and it is mapped.
        unsafe { glue::genp_zero(address as *mut c_void, size) };
    }
    Ok(genp_region {
        addr: address as *mut c_void,
        size,
        handle: region.handle,
    })
}

#[no_mangle]
unsafe extern "C" fn genp_alloc_placed(
    part: *mut genp_partition,
    size: usize,
    how: *const genp_placement,
    region: *mut genp_region,
) -> c_int {
    // SAFETY: see the top of `capi`.
    let (partition, how) = unsafe { (partition(part), &*how) };
    let base = partition.reserve().driver_address(0).unwrap_or(0) as u64;
    let got = PlacementArgs::of(how).and_then(|how| alloc(partition, size, &how, base));
    partition.count_misuse(&got);
    // SAFETY: see the top of `capi`.
    answer(got.map(|got| unsafe { region.write(got) }))
}

/// Allocates a physically contiguous region: any in a reserve that is contiguous itself,
/// otherwise one within a page.
fn alloc_contiguous(
    partition: &Partition,
    size: usize,
    args: &mut PlacementArgs,
) -> Result<genp_region> {
    if let Some(external) = partition.reserve().external() {
        return alloc(partition, size, args, external.phys);
    }
    let page = PAGE_SIZE as u64;
    if size > PAGE_SIZE || args.align > page {
        return Err(EOPNOTSUPP);
    }
    let natural = size.checked_next_power_of_two().ok_or(EINVAL)?;
    match args.strategy {
        Strategy::Fixed(offset) if offset % page + size as u64 > page => return Err(EOPNOTSUPP),
        Strategy::Fixed(_) => {}
        // A region that is aligned to its size does not cross the end of a page.
        _ => args.align = args.align.max(natural as u64),
    }
    alloc(partition, size, args, 0)
}

#[no_mangle]
unsafe extern "C" fn genp_dma_alloc(
    part: *mut genp_partition,
    size: usize,
    how: *const genp_placement,
    region: *mut genp_region,
    phys: *mut phys_addr_t,
) -> c_int {
    // SAFETY: see the top of `capi`.
    let partition = unsafe { partition(part) };
    let how = match how.is_null() {
        true => Ok(PlacementArgs::ANY),
        // SAFETY: see the top of `capi`.
        false => PlacementArgs::of(unsafe { &*how }),
    };
    let got = how.and_then(|mut how| alloc_contiguous(partition, size, &mut how));
    let found = got.and_then(|got| match phys_of(partition, got.addr as usize) {
        Some(at) => Ok((got, at)),
        // not-reached: the region is in the reserve.
        None => Err(partition
            .regions()
            .free(Owner::Driver, got.handle)
            .err()
            .unwrap_or(EINVAL)),
    });
    partition.count_misuse(&found);
    answer(found.map(|(got, at)| {
        // SAFETY: see the top of `capi`.
        unsafe {
            region.write(got);
            if !phys.is_null() {
                phys.write(at);
            }
        }
    }))
}

/// The physical address of an address in the reserve.
fn phys_of(partition: &Partition, address: usize) -> Option<phys_addr_t> {
    let offset = partition.driver_offset(address, 1)?;
    Some(match partition.reserve().external() {
        Some(external) => external.phys.plus(offset),
        // SAFETY: in the reserve by the check of the offset, which is mapped while there
        // is a driver, as the caller is; a reserve of the pool is mapped by genp_vmap().
        None => unsafe { glue::genp_vmap_phys(address as *const c_void) },
    })
}

#[no_mangle]
unsafe extern "C" fn genp_virt_to_phys(
    part: *mut genp_partition,
    addr: *const c_void,
    phys: *mut phys_addr_t,
) -> c_int {
    // SAFETY: see the top of `capi`.
    let partition = unsafe { partition(part) };
    let found = phys_of(partition, addr as usize).ok_or(EINVAL);
    partition.count_misuse(&found);
    // SAFETY: see the top of `capi`.
    answer(found.map(|found| unsafe { phys.write(found) }))
}

#[no_mangle]
unsafe extern "C" fn genp_has_addr(
    part: *mut genp_partition,
    addr: *const c_void,
    size: usize,
) -> bool {
    // SAFETY: see the top of `capi`.
    let partition = unsafe { partition(part) };
    partition.driver_offset(addr as usize, size).is_some()
}

#[no_mangle]
unsafe extern "C" fn genp_avail(part: *mut genp_partition) -> usize {
    // SAFETY: see the top of `capi`.
    unsafe { partition(part) }.regions().free_bytes() as usize
}

#[no_mangle]
unsafe extern "C" fn genp_size(part: *mut genp_partition) -> usize {
    // SAFETY: see the top of `capi`.
    unsafe { partition(part) }.regions().size() as usize
}

fn owner_of(partition: &Partition) -> *mut c_void {
    partition
        .reserve()
        .external()
        .map_or(0, |external| external.owner) as *mut c_void
}

#[no_mangle]
unsafe extern "C" fn genp_owner(part: *mut genp_partition) -> *mut c_void {
    // SAFETY: see the top of `capi`.
    owner_of(unsafe { partition(part) })
}

/// The contiguous chunk that begins at an address of the reserve, of which `left` bytes
/// are left.
fn chunk_at(partition: &Partition, address: usize, left: usize) -> Option<genp_chunk> {
    let phys = phys_of(partition, address)?;
    let mut size = left;
    if partition.reserve().external().is_none() {
        // Whole pages while each follows the one before physically. At most as many steps
        // as there are pages.
        size = PAGE_SIZE.min(left);
        while size < left && phys_of(partition, address.plus(size))? == phys.plus(size as u64) {
            size = size.plus(PAGE_SIZE).min(left);
        }
    }
    Some(genp_chunk {
        virt: address as *mut c_void,
        phys,
        size,
        owner: owner_of(partition),
    })
}

#[no_mangle]
unsafe extern "C" fn genp_for_each_chunk(
    part: *mut genp_partition,
    visit: Option<unsafe extern "C" fn(*const genp_chunk, *mut c_void) -> c_int>,
    data: *mut c_void,
) -> c_int {
    // SAFETY: see the top of `capi`.
    let partition = unsafe { partition(part) };
    let (Some(visit), Some(mut address)) = (visit, partition.reserve().driver_address(0)) else {
        return 0;
    };
    debug_assert_eq!(address & !PAGE_MASK, 0);
    let mut left = partition.regions().size() as usize;
    while left > 0 {
        let Some(chunk) = chunk_at(partition, address, left) else {
            return EINVAL.to_errno();
        };
        // SAFETY: by the header the function may be called with `data` during this call.
        let stop = unsafe { visit(&chunk, data) };
        if stop != 0 {
            return stop;
        }
        address.raise(chunk.size);
        left.lower(chunk.size);
    }
    0
}

same_prototypes!(
    genp_alloc_placed,
    genp_dma_alloc,
    genp_virt_to_phys,
    genp_has_addr,
    genp_avail,
    genp_size,
    genp_owner,
    genp_for_each_chunk,
);
