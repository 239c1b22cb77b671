// SPDX-License-Identifier: GPL-2.0

//! Partitions of drivers: creating, finding and giving up, and their state.

use kernel::{
    ffi::{c_char, c_int},
    prelude::*,
    sync::Arc,
};

use super::{answer, partition, pointer, registry, same_prototypes};
use crate::genp::{
    core::{
        count::Count,
        watermarks::{suffices, Burst, Suffices, Watermarks},
    },
    driver,
    partition::{File, Partition},
    pool::Pool,
    sys::{
        abi::{
            self, gen_pool, genp_burst, genp_create, genp_outstanding, genp_partition, genp_spec,
            genp_stat,
        },
        errno::EOPNOTSUPP,
        genalloc::{DriverPool, Source},
    },
};

/// The bytes of a name, none for NULL.
///
/// # Safety
///
/// `name` is NULL or a string that exists during `'a`.
unsafe fn name_bytes<'a>(name: *const c_char) -> &'a [u8] {
    if name.is_null() {
        return &[];
    }
    // A name that fills its field is too long already.
    let longest = abi::GENP_NAME_SIZE as usize;
    let mut len = 0usize;
    // SAFETY: by the precondition: all bytes before this one are not the last.
    while len < longest && unsafe { name.add(len).read() } != 0 {
        len.raise(1);
    }
    // SAFETY: by the precondition: these bytes are before the terminating one.
    unsafe { ::core::slice::from_raw_parts(name.cast(), len) }
}

/// The pointer that a driver gets for a partition whose file was kept for it.
fn lend(partition: Arc<Partition>) -> *mut genp_partition {
    // The file keeps the partition alive, so this reference can be dropped.
    Arc::as_ptr(&partition).cast_mut().cast()
}

/// Creates a partition by `spec`, with its reserve in `source` if that is given.
///
/// # Safety
///
/// As at the top of `capi`.
unsafe fn create(
    spec: *const genp_spec,
    source: impl FnOnce(&Pool) -> Result<Option<Source>>,
) -> *mut genp_partition {
    // SAFETY: by the precondition.
    let (spec, name) = unsafe { (&*spec, name_bytes((*spec).name)) };
    let args = genp_create {
        reserve: spec.reserve,
        borrow_limit: spec.borrow_limit,
        min_alloc_order: spec.min_alloc_order,
        node: spec.node,
        stock_pages: spec.stock_pages,
        max_regions: spec.max_regions,
        max_leases: spec.max_leases,
        mode: spec.mode,
        lease_default_ns: spec.lease_default_ns,
        stock_limit: spec.stock_limit,
        stock_low: spec.stock_low,
        blocks: spec.blocks,
        ..Default::default()
    };
    pointer(registry().and_then(|registry| {
        let source = source(registry.pool())?;
        driver::create(&registry, name, args, source).map(lend)
    }))
}

#[no_mangle]
unsafe extern "C" fn genp_partition_create(spec: *const genp_spec) -> *mut genp_partition {
    // SAFETY: see the top of `capi`.
    unsafe { create(spec, |_| Ok(None)) }
}

#[no_mangle]
unsafe extern "C" fn genp_partition_create_in(
    from: *mut gen_pool,
    spec: *const genp_spec,
) -> *mut genp_partition {
    // SAFETY: NULL, or a pool that by the header exists until the partition is destroyed,
    // which gives back what was taken from it.
    let from = unsafe { DriverPool::new(from) };
    // SAFETY: see the top of `capi`.
    unsafe {
        create(spec, |pool| match (from, &pool.range) {
            (Some(from), _) => Ok(Some(Source::Driver(from))),
            (None, Some(range)) => Ok(Some(Source::Range(range.clone()))),
            (None, None) => Err(EOPNOTSUPP),
        })
    }
}

#[no_mangle]
unsafe extern "C" fn genp_partition_find(name: *const c_char) -> *mut genp_partition {
    // SAFETY: see the top of `capi`.
    let name = unsafe { name_bytes(name) };
    pointer(registry().and_then(|registry| driver::find(&registry, name).map(lend)))
}

#[no_mangle]
unsafe extern "C" fn genp_partition_from_fd(fd: c_int) -> *mut genp_partition {
    let kept = File::from_fd(fd).and_then(|(file, found)| {
        // SAFETY: the file's own reference keeps the partition alive.
        unsafe { found.as_ref() }.reserve().admit_driver()?;
        file.keep();
        Ok(found.as_ptr().cast())
    });
    pointer(kept)
}

/// Gives a driver's partition up.
///
/// # Safety
///
/// As at the top of `capi`; if this succeeds the driver does not have the partition any
/// longer.
unsafe fn leave(
    part: *mut genp_partition,
    left: *mut genp_outstanding,
    role: driver::DriverRole,
) -> c_int {
    let mut outstanding = genp_outstanding::default();
    let done = registry().and_then(|registry| {
        // SAFETY: see the top of `capi`.
        let partition = unsafe { partition(part) };
        driver::leave(&registry, partition, role, &mut outstanding)?;
        Ok(partition.weak_file())
    });
    if !left.is_null() {
        // SAFETY: see the top of `capi`.
        unsafe { left.write(outstanding) };
    }
    answer(done.map(|file| {
        if let Some(file) = file {
            // SAFETY: kept when the driver got the partition, which it gives up here.
            unsafe { file.put_kept() };
        }
    }))
}

#[no_mangle]
unsafe extern "C" fn genp_partition_destroy(
    part: *mut genp_partition,
    left: *mut genp_outstanding,
) -> c_int {
    // SAFETY: see the top of `capi`.
    unsafe { leave(part, left, driver::DriverRole::Creator) }
}

#[no_mangle]
unsafe extern "C" fn genp_partition_put(
    part: *mut genp_partition,
    left: *mut genp_outstanding,
) -> c_int {
    // SAFETY: see the top of `capi`.
    unsafe { leave(part, left, driver::DriverRole::Finder) }
}

#[no_mangle]
unsafe extern "C" fn genp_partition_stat(part: *mut genp_partition, stat: *mut genp_stat) {
    // SAFETY: see the top of `capi`.
    let mut filled = unsafe { partition(part) }.stat();
    filled.size = core::mem::size_of::<genp_stat>() as u32;
    // SAFETY: see the top of `capi`.
    unsafe { stat.write(filled) };
}

#[no_mangle]
unsafe extern "C" fn genp_stock_suffices(
    part: *mut genp_partition,
    burst: *const genp_burst,
) -> c_int {
    // SAFETY: see the top of `capi`.
    let (partition, burst) = unsafe { (partition(part), &*burst) };
    if burst.reserved != 0 {
        return EINVAL.to_errno();
    }
    let burst = Burst {
        pages: burst.pages,
        period_ns: burst.period_ns,
        hold_ns: burst.hold_ns,
        refill_ns: burst.refill_ns,
    };
    match suffices(
        &partition.stock().watermarks().unwrap_or(Watermarks::NONE),
        &burst,
    ) {
        None => EINVAL.to_errno(),
        Some(Suffices::Not) => abi::GENP_SUFFICES_NOT as c_int,
        Some(Suffices::WithSlack) => abi::GENP_SUFFICES_SLACK as c_int,
        Some(Suffices::Always) => abi::GENP_SUFFICES_ALWAYS as c_int,
    }
}

same_prototypes!(
    genp_partition_create,
    genp_partition_create_in,
    genp_partition_find,
    genp_partition_from_fd,
    genp_partition_destroy,
    genp_partition_put,
    genp_partition_stat,
    genp_stock_suffices,
);
