// SPDX-License-Identifier: GPL-2.0

//! Object caches and element pools of drivers.

use core::mem::ManuallyDrop;

use kernel::{
    ffi::{c_int, c_void},
    sync::Arc,
};

use super::{answer, counted, pointer, refusal, same_prototypes};
use crate::genp::{
    driver::{cache::Cache, elements::Elements},
    stock::Refusal,
    sys::abi::{genp_cache, genp_elements, genp_partition},
};

/// The pointer that a driver gets for a cache or a pool: a reference of its own.
fn lend<T, U>(object: Arc<T>) -> *mut U {
    object.into_raw().cast_mut().cast()
}

/// # Safety
///
/// See the top of `capi`; nobody gives it up during `'a`.
unsafe fn cache<'a>(cache: *mut genp_cache) -> &'a Cache {
    // SAFETY: the driver's own reference, by `lend`.
    unsafe { &*cache.cast::<Cache>() }
}

/// # Safety
///
/// See the top of `capi`; nobody gives it up during `'a`.
unsafe fn elements<'a>(elements: *mut genp_elements) -> &'a Elements {
    // SAFETY: the driver's own reference, by `lend`.
    unsafe { &*elements.cast::<Elements>() }
}

fn address(found: Option<usize>) -> *mut c_void {
    found.map_or(core::ptr::null_mut(), |address| address as *mut c_void)
}

/// The return value of a call that gives back what is of this cache. Counts a refusal.
#[inline(always)]
fn given_back(cache: &Cache, given: Result<(), Refusal>) -> c_int {
    match given {
        Ok(()) => 0,
        Err(why) => {
            let _ = cache.partition().refuse(why);
            answer(Err(refusal(why)))
        }
    }
}

#[no_mangle]
unsafe extern "C" fn genp_cache_create(
    part: *mut genp_partition,
    size: usize,
    align: usize,
    count: u32,
) -> *mut genp_cache {
    // SAFETY: see the top of `capi`.
    let partition = unsafe { counted(part) };
    let made = Cache::new(partition.clone(), size, align, count);
    partition.count_misuse(&made);
    pointer(made.map(lend))
}

#[no_mangle]
unsafe extern "C" fn genp_cache_destroy(from: *mut genp_cache) -> c_int {
    // SAFETY: see the top of `capi`.
    let done = unsafe { cache(from) }.close();
    if done.is_ok() {
        // SAFETY: the driver gives up the reference that `lend` gave it.
        drop(unsafe { Arc::from_raw(from.cast::<Cache>()) });
    }
    answer(done)
}

#[no_mangle]
unsafe extern "C" fn genp_cache_alloc(from: *mut genp_cache) -> *mut c_void {
    // SAFETY: see the top of `capi`.
    address(unsafe { cache(from) }.alloc())
}

#[no_mangle]
unsafe extern "C" fn genp_cache_free(to: *mut genp_cache, object: *mut c_void) -> c_int {
    // SAFETY: see the top of `capi`.
    let cache = unsafe { cache(to) };
    let given = cache.free(object as usize);
    given_back(cache, given)
}

#[no_mangle]
unsafe extern "C" fn genp_cache_avail(of: *mut genp_cache) -> u32 {
    // SAFETY: see the top of `capi`.
    unsafe { cache(of) }.avail()
}

#[no_mangle]
unsafe extern "C" fn genp_elements_create(
    from: *mut genp_cache,
    min_nr: u32,
) -> *mut genp_elements {
    // SAFETY: the driver's own reference, which is not given up here.
    let cache = ManuallyDrop::new(unsafe { Arc::from_raw(from.cast::<Cache>()) });
    pointer(Elements::new(Arc::clone(&cache), min_nr).map(lend))
}

#[no_mangle]
unsafe extern "C" fn genp_elements_destroy(pool: *mut genp_elements) -> c_int {
    // SAFETY: see the top of `capi`.
    let done = unsafe { elements(pool) }.close();
    if done.is_ok() {
        // SAFETY: the driver gives up the reference that `lend` gave it.
        drop(unsafe { Arc::from_raw(pool.cast::<Elements>()) });
    }
    answer(done)
}

#[no_mangle]
unsafe extern "C" fn genp_element_alloc(from: *mut genp_elements) -> *mut c_void {
    // SAFETY: see the top of `capi`.
    address(unsafe { elements(from) }.alloc())
}

#[no_mangle]
unsafe extern "C" fn genp_element_free(to: *mut genp_elements, element: *mut c_void) -> c_int {
    // SAFETY: see the top of `capi`.
    let elements = unsafe { elements(to) };
    let given = elements.free(element as usize);
    given_back(elements.cache(), given)
}

same_prototypes!(
    genp_cache_create,
    genp_cache_destroy,
    genp_cache_alloc,
    genp_cache_free,
    genp_cache_avail,
    genp_elements_create,
    genp_elements_destroy,
    genp_element_alloc,
    genp_element_free,
);
