// SPDX-License-Identifier: GPL-2.0

//! As `glue_genalloc.c`: one physical range, with memory of the host behind it.

use core::cell::{Cell, UnsafeCell};

use crate::{
    error::code::EBUSY,
    ffi::{c_int, c_uint, c_void},
    page::{PAGE_SHIFT, PAGE_SIZE},
    sim::{fail, machine, point},
};

/// Where the range is.
pub const BASE: u64 = 0x4000_0000;
const PAGES: usize = 256;

/// The range.
#[derive(Default)]
pub struct Range {
    memory: UnsafeCell<Vec<u64>>,
    taken: Cell<[u64; PAGES / 64]>,
    claimed: Cell<bool>,
    /// Whether the module is loaded with it.
    pub used: Cell<bool>,
}

impl Range {
    fn start(&self) -> usize {
        // SAFETY: filled once, by the claim.
        let memory = unsafe { &mut *self.memory.get() };
        if memory.is_empty() {
            memory.resize((PAGES + 1) * PAGE_SIZE / 8, 7);
        }
        (memory.as_ptr() as usize).next_multiple_of(PAGE_SIZE)
    }

    fn is_taken(&self, page: usize) -> bool {
        (self.taken.get()[page / 64] >> (page % 64)) & 1 == 1
    }

    fn turn(&self, first: usize, count: usize) {
        let mut taken = self.taken.get();
        for page in first..first + count {
            taken[page / 64] ^= 1 << (page % 64);
        }
        self.taken.set(taken);
    }

    fn free(&self) -> usize {
        PAGES
            - self
                .taken
                .get()
                .iter()
                .map(|word| word.count_ones() as usize)
                .sum::<usize>()
    }

    /// Whether all of it is back.
    pub fn is_whole(&self) -> bool {
        self.free() == PAGES && !self.claimed.get()
    }
}

#[no_mangle]
pub extern "C" fn genp_range_base() -> u64 {
    if machine().range.used.get() {
        BASE
    } else {
        0
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_zero(start: *mut c_void, bytes: usize) {
    point();
    // SAFETY: see the top of `glue`.
    unsafe { start.cast::<u8>().write_bytes(0, bytes) };
}

#[no_mangle]
pub extern "C" fn genp_addr_is_plain(_start: *const c_void) -> bool {
    true
}

#[no_mangle]
pub extern "C" fn genp_vmap_phys(addr: *const c_void) -> u64 {
    addr as u64
}

#[no_mangle]
pub extern "C" fn genp_has_genalloc() -> bool {
    true
}

#[no_mangle]
pub extern "C" fn genp_range_claim(_start: u64, _bytes: usize) -> c_int {
    match machine().range.claimed.replace(true) {
        true => EBUSY.to_errno(),
        false => 0,
    }
}

#[no_mangle]
pub extern "C" fn genp_range_release(_start: u64, _bytes: usize) {
    machine().range.claimed.set(false);
}

#[no_mangle]
pub extern "C" fn genp_range_map(_start: u64, _bytes: usize) -> *mut c_void {
    match machine().may_allocate() {
        true => machine().range.start() as *mut c_void,
        false => core::ptr::null_mut(),
    }
}

#[no_mangle]
pub extern "C" fn genp_range_unmap(_virt: *mut c_void) {}

#[no_mangle]
pub extern "C" fn genp_genpool_create(virt: *mut c_void, _phys: u64, _bytes: usize) -> *mut c_void {
    match machine().may_allocate() {
        true => virt,
        false => core::ptr::null_mut(),
    }
}

#[no_mangle]
pub extern "C" fn genp_genpool_destroy(_pool: *mut c_void) {
    if machine().range.free() != PAGES {
        fail("a pool of genalloc is destroyed that is in use");
    }
}

#[no_mangle]
pub extern "C" fn genp_genpool_size(_pool: *mut c_void) -> usize {
    PAGES * PAGE_SIZE
}

#[no_mangle]
pub extern "C" fn genp_genpool_avail(_pool: *mut c_void) -> usize {
    machine().range.free() * PAGE_SIZE
}

#[no_mangle]
pub extern "C" fn genp_genpool_order(_pool: *mut c_void) -> c_uint {
    PAGE_SHIFT as c_uint
}

#[no_mangle]
pub unsafe extern "C" fn genp_genpool_alloc(
    _pool: *mut c_void,
    bytes: usize,
    _owner: *mut *mut c_void,
) -> *mut c_void {
    point();
    let range = &machine().range;
    let count = bytes / PAGE_SIZE;
    let fits = |first: &usize| (*first..first + count).all(|page| !range.is_taken(page));
    let Some(first) = (0..=PAGES.saturating_sub(count)).find(fits) else {
        return core::ptr::null_mut();
    };
    range.turn(first, count);
    (range.start() + first * PAGE_SIZE) as *mut c_void
}

#[no_mangle]
pub extern "C" fn genp_genpool_free(_pool: *mut c_void, virt: *mut c_void, bytes: usize) {
    point();
    let range = &machine().range;
    let first = (virt as usize - range.start()) / PAGE_SIZE;
    let count = bytes / PAGE_SIZE;
    if !(first..first + count).all(|page| range.is_taken(page)) {
        fail("genalloc is given back what is free");
    }
    range.turn(first, count);
}

#[no_mangle]
pub unsafe extern "C" fn genp_genpool_phys(
    _pool: *mut c_void,
    virt: *const c_void,
    phys: *mut u64,
) -> bool {
    // SAFETY: see the top of `glue`.
    unsafe { *phys = BASE + (virt as usize - machine().range.start()) as u64 };
    true
}

type Look = Option<unsafe extern "C" fn(*mut c_void, *const c_void)>;

#[no_mangle]
pub extern "C" fn genp_genpool_chunks(_pool: *mut c_void, _look: Look) {}
