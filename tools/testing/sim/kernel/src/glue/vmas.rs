// SPDX-License-Identifier: GPL-2.0

//! As `glue_vma.c` and `glue_reserve.c`.

use crate::{
    bindings::{
        file, page, vm_area_struct, vm_fault, vm_fault_reason_VM_FAULT_HWPOISON as HWPOISON,
        vm_fault_reason_VM_FAULT_NOPAGE as NOPAGE,
    },
    error::code::{EINVAL, ENOENT, ENOMEM, ESRCH},
    ffi::{c_int, c_uint, c_ulong, c_void},
    page::{PAGE_SHIFT, PAGE_SIZE},
    sim::{
        fail,
        files::Kind,
        machine, point,
        process::Process,
        space::{How, Ops},
        task::task_struct,
    },
};

/// Pages that a page table has entries for, fewer than in a kernel, so that walks cross
/// from one to the next.
const TABLE: usize = 16;
/// The most pages that a walk asks for at once.
const AT_ONCE: usize = 4;

#[no_mangle]
pub unsafe extern "C" fn genp_vma_is_shared(vma: *mut vm_area_struct) -> bool {
    // SAFETY: see the top of `glue`.
    unsafe { (*vma).shared }
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_is_exec(vma: *mut vm_area_struct) -> bool {
    // SAFETY: see the top of `glue`.
    unsafe { (*vma).exec }
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_offset(vma: *mut vm_area_struct) -> u64 {
    // SAFETY: see the top of `glue`.
    unsafe { (*vma).offset }
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_length(vma: *mut vm_area_struct) -> u64 {
    // SAFETY: see the top of `glue`.
    unsafe { (*vma).length as u64 }
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_prepare_window(
    vma: *mut vm_area_struct,
    partition: *mut c_void,
) -> c_int {
    if !machine().may_allocate() {
        return ENOMEM.to_errno();
    }
    // SAFETY: see the top of `glue`.
    let vma = unsafe { &*vma };
    vma.private.set(partition);
    vma.ops.set(Ops::Window);
    0
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_adopt_window(vma: *mut vm_area_struct, leases: *mut file) {
    // SAFETY: see the top of `glue`.
    let (vma, leases_file) = unsafe { (&*vma, &*leases) };
    let partition = vma.file();
    if leases_file.kind.get() != Kind::Leases(vma.file.get()) {
        fail("a window becomes a mapping of another partition's leases");
    }
    // One reference for the window, as before; that of the mapping becomes the leases'.
    partition.get();
    leases_file.get();
    partition.put();
    vma.file.set(leases);
}

/// Checks that a part of a window lies in it.
fn part(vma: &vm_area_struct, first: usize, count: usize) -> bool {
    let pages = vma.length >> PAGE_SHIFT;
    first <= pages && count <= pages - first
}

type Next = unsafe extern "C" fn(*mut c_void, *mut *mut page, c_ulong) -> c_ulong;

#[no_mangle]
pub unsafe extern "C" fn genp_vma_map_frames(
    vma: *mut vm_area_struct,
    first: c_ulong,
    count: c_ulong,
    next: Option<Next>,
    context: *mut c_void,
) -> c_int {
    // SAFETY: see the top of `glue`.
    let vma = unsafe { &*vma };
    let Some(next) = next.filter(|_| part(vma, first, count)) else {
        return EINVAL.to_errno();
    };
    let mut done = 0;
    while done < count {
        let in_table = (TABLE - (first + done) % TABLE).min(count - done);
        let most = in_table.min(AT_ONCE);
        let mut pages = [core::ptr::null_mut(); AT_ONCE];
        // SAFETY: see the top of `glue`: there is room for `most`.
        if unsafe { next(context, pages.as_mut_ptr(), most) } != most {
            return ENOENT.to_errno();
        }
        for (at, page) in pages[..most].iter().enumerate() {
            // SAFETY: a page of the machine.
            vma.set(first + done + at, unsafe { &**page });
        }
        done += most;
        point();
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_clear_frames(
    vma: *mut vm_area_struct,
    first: c_ulong,
    count: c_ulong,
) {
    // SAFETY: see the top of `glue`.
    let vma = unsafe { &*vma };
    if !part(vma, first, count) {
        return;
    }
    let mut done = 0;
    while done < count {
        let in_table = (TABLE - (first + done) % TABLE).min(count - done);
        let (from, to) = (first + done, first + done + in_table - 1);
        if vma.is_present(from) && vma.is_present(to) {
            for at in from + 1..to {
                vma.clear_unflushed(at);
            }
        }
        done += in_table;
        point();
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_is_window(
    vma: *const vm_area_struct,
    owner: *const c_void,
) -> bool {
    // SAFETY: see the top of `glue`.
    let vma = unsafe { &*vma };
    vma.ops.get() == Ops::Window && core::ptr::eq(vma.private.get(), owner)
}

fn process() -> Option<&'static Process> {
    machine().task().and_then(task_struct::process)
}

#[no_mangle]
pub unsafe extern "C" fn genp_map_here(file: *mut file, offset: u64, bytes: c_ulong) -> c_ulong {
    let Some(process) = process() else {
        return ESRCH.to_errno() as c_ulong;
    };
    let how = How {
        length: bytes as u64,
        offset,
        shared: true,
        exec: false,
    };
    // SAFETY: see the top of `glue`.
    let mapped = process.mmap(unsafe { &*file }, how);
    mapped.unwrap_or_else(|error| error as c_ulong)
}

#[no_mangle]
pub extern "C" fn genp_unmap_here(start: c_ulong, _bytes: c_ulong) {
    if !process().is_some_and(|process| process.munmap(start)) {
        fail("something is unmapped that is not mapped");
    }
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_handle_range_faults(
    vma: *mut vm_area_struct,
    partition: *mut c_void,
) {
    // SAFETY: see the top of `glue`.
    unsafe { (*vma).private.set(partition) };
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_prepare_reserve(
    vma: *mut vm_area_struct,
    partition: *mut c_void,
) {
    // SAFETY: see the top of `glue`.
    let vma = unsafe { &*vma };
    vma.private.set(partition);
    vma.ops.set(Ops::Reserve);
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_insert(
    vma: *mut vm_area_struct,
    address: c_ulong,
    pages: *mut *mut page,
    count: c_ulong,
) -> c_int {
    // SAFETY: see the top of `glue`.
    let vma = unsafe { &*vma };
    if !machine().may_allocate() {
        return ENOMEM.to_errno();
    }
    for at in 0..count {
        // SAFETY: so many pages are there.
        let page = unsafe { &**pages.add(at) };
        if page.poisoned.get() {
            continue;
        }
        let number = (address - vma.start) / PAGE_SIZE + at;
        page.identify(number);
        vma.set(number, page);
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_fault_in(vmf: *mut vm_fault, page: *mut page) -> c_uint {
    // SAFETY: see the top of `glue`.
    unsafe {
        if (*page).poisoned.get() {
            return HWPOISON;
        }
        (*page).identify((*vmf).page);
        (*(*vmf).vma).set((*vmf).page, &*page);
    }
    NOPAGE
}

#[no_mangle]
pub unsafe extern "C" fn genp_page_anonymize(page: *mut page) {
    machine().might_sleep("folio_lock()");
    // SAFETY: see the top of `glue`.
    unsafe { (*page).index.set(None) };
}

#[no_mangle]
pub extern "C" fn genp_vma_seal(_vma: *mut vm_area_struct) -> c_int {
    point();
    0
}

#[no_mangle]
pub unsafe extern "C" fn genp_vma_map_range(vma: *mut vm_area_struct, _phys: u64) -> c_int {
    // SAFETY: see the top of `glue`.
    unsafe { (*vma).ops.set(Ops::Range) };
    0
}
