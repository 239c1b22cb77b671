// SPDX-License-Identifier: GPL-2.0

//! As `glue_page.c` and `glue_stock.c`.

use crate::{
    bindings::page,
    ffi::{c_int, c_uint, c_ulong, c_void},
    sim::{machine, memory::NODES, point},
};

#[no_mangle]
pub extern "C" fn genp_alloc_block(node: c_int, order: c_uint) -> *mut page {
    machine().memory.allocate(node as usize, order)
}

#[no_mangle]
pub extern "C" fn genp_has_headroom(_bytes: c_ulong) -> bool {
    machine().might_sleep("alloc_pages()");
    machine().may_allocate()
}

#[no_mangle]
pub unsafe extern "C" fn genp_split_block(first: *mut page, order: c_uint) {
    // SAFETY: see the top of `glue`.
    machine().memory.split(unsafe { &*first }, order);
}

#[no_mangle]
pub unsafe extern "C" fn genp_page_at(first: *mut page, index: c_uint) -> *mut page {
    // SAFETY: see the top of `glue`.
    unsafe { first.add(index as usize) }
}

#[no_mangle]
pub unsafe extern "C" fn genp_put_page(page: *mut page) {
    // SAFETY: see the top of `glue`.
    machine().memory.put(unsafe { &*page });
}

#[no_mangle]
pub unsafe extern "C" fn genp_page_set_slot(page: *mut page, slot: c_ulong) {
    point();
    // SAFETY: see the top of `glue`.
    unsafe { (*page).private.set(slot) };
}

#[no_mangle]
pub unsafe extern "C" fn genp_page_slot(page: *mut page) -> c_ulong {
    point();
    // SAFETY: see the top of `glue`.
    unsafe { (*page).private.get() }
}

#[no_mangle]
pub extern "C" fn genp_vmap(_pages: *mut *mut page, count: c_uint) -> *mut c_void {
    if !machine().may_allocate() {
        return core::ptr::null_mut();
    }
    machine().memory.map(count as usize) as *mut c_void
}

#[no_mangle]
pub extern "C" fn genp_vunmap(_start: *const c_void) {
    machine().might_sleep("vunmap()");
    machine().memory.unmap();
}

#[no_mangle]
pub unsafe extern "C" fn genp_zero_page(page: *mut page) {
    // SAFETY: see the top of `glue`.
    unsafe { &*page }.zero();
}

#[no_mangle]
pub unsafe extern "C" fn genp_page_read(
    page: *mut page,
    _offset: c_uint,
    to: *mut c_void,
    bytes: c_uint,
) {
    // SAFETY: see the top of `glue`: there is room.
    unsafe {
        let content = (*page).content.get().to_ne_bytes();
        let bytes = (bytes as usize).min(content.len());
        core::ptr::copy_nonoverlapping(content.as_ptr(), to.cast(), bytes);
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_page_write(
    page: *mut page,
    _offset: c_uint,
    from: *const c_void,
    bytes: c_uint,
) {
    // SAFETY: see the top of `glue`: so much is there.
    unsafe {
        let mut content = (*page).content.get().to_ne_bytes();
        let bytes = (bytes as usize).min(content.len());
        core::ptr::copy_nonoverlapping(from.cast(), content.as_mut_ptr(), bytes);
        (*page).content.set(u64::from_ne_bytes(content));
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_page_mapped(page: *mut page) -> bool {
    point();
    // SAFETY: see the top of `glue`.
    unsafe { (*page).mapped.get() > 0 }
}

#[no_mangle]
pub unsafe extern "C" fn genp_page_users(page: *mut page) -> c_int {
    point();
    // SAFETY: see the top of `glue`.
    unsafe { (*page).count.get() }
}

/// What others have of the machine's memory, in pages.
const ELSEWHERE: usize = 1 << 20;

#[no_mangle]
pub extern "C" fn genp_available_pages() -> c_ulong {
    machine().memory.available() + ELSEWHERE
}

#[no_mangle]
pub extern "C" fn genp_total_pages() -> c_ulong {
    machine().memory.pages().len() + ELSEWHERE
}

#[no_mangle]
pub extern "C" fn genp_node_has_memory(node: c_int) -> bool {
    (node as usize) < machine().memory.nodes()
}

#[no_mangle]
pub extern "C" fn genp_max_order() -> c_uint {
    4
}

#[no_mangle]
pub extern "C" fn genp_max_nodes() -> c_int {
    NODES as c_int
}

unsafe extern "C" {
    fn genp_page_take(part: *mut c_void, cpu: c_uint) -> *mut page;
    fn genp_page_prepare(part: *mut c_void, page: *mut page, flags: c_uint) -> *mut page;
    fn genp_page_refuse(part: *mut c_void) -> *mut page;
    fn genp_page_give(part: *mut c_void, page: *mut page, slot: c_ulong, cpu: c_uint) -> c_int;
}

/// GENP_EMERGENCY and GENP_ZERO.
const KNOWN: c_uint = 1 | 2;
const ZERO: c_uint = 2;

#[no_mangle]
pub unsafe extern "C" fn genp_alloc_page(part: *mut c_void, flags: c_uint) -> *mut page {
    // SAFETY: see the top of `glue`.
    unsafe {
        if flags & !KNOWN != 0 {
            return genp_page_refuse(part);
        }
        let page = genp_page_take(part, super::irq::genp_get_cpu());
        super::irq::genp_put_cpu();
        if !page.is_null() && flags & ZERO == 0 && !(*page).poisoned.get() {
            return page;
        }
        genp_page_prepare(part, page, flags)
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_free_page(part: *mut c_void, page: *mut page) -> c_int {
    // SAFETY: see the top of `glue`.
    unsafe {
        if page.is_null() {
            genp_page_refuse(part);
            return -22;
        }
        let slot = (*page).private.get();
        let done = genp_page_give(part, page, slot, super::irq::genp_get_cpu());
        super::irq::genp_put_cpu();
        done
    }
}
