// SPDX-License-Identifier: GPL-2.0

//! Address spaces: mappings, their page tables, and what a processor remembers of them.

#![allow(non_camel_case_types)]

use core::{
    cell::{Cell, RefCell},
    ffi::c_void,
};

use super::{
    fail,
    files::{address_space, file, Kind},
    lock::rt_mutex,
    lockdep, machine,
    memory::{drop_reference, page},
    point,
    process::Process,
};
use crate::{
    bindings::vm_fault_reason_VM_FAULT_NOPAGE as NOPAGE,
    page::{PAGE_SHIFT, PAGE_SIZE},
};

unsafe extern "C" {
    fn genp_window_fault(partition: *mut c_void, vma: *mut vm_area_struct, page: usize) -> u32;
    fn genp_window_closed(partition: *mut c_void, mm: usize, start: usize);
    fn genp_reserve_fault(partition: *mut c_void, vmf: *mut vm_fault, page: usize) -> u32;
}

/// Whose operations a mapping has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ops {
    /// None yet.
    None,
    /// Of a reserve.
    Reserve,
    /// Of a lease window.
    Window,
    /// A range of physical memory.
    Range,
}

/// An address space.
pub struct mm_struct {
    /// mmap_lock. Readers exclude each other here, which is allowed.
    pub(crate) lock: rt_mutex,
    pub(crate) vmas: RefCell<Vec<*mut vm_area_struct>>,
    next: Cell<usize>,
}

/// A page table's entry.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) page: *const page,
    /// What a processor still has, after the entry was cleared and before it was flushed.
    pub(crate) stale: *const page,
}

const NOTHING: Entry = Entry {
    page: core::ptr::null(),
    stale: core::ptr::null(),
};

/// A mapping.
pub struct vm_area_struct {
    pub(crate) mm: *mut mm_struct,
    pub(crate) start: usize,
    pub(crate) length: usize,
    pub(crate) offset: u64,
    pub(crate) shared: bool,
    pub(crate) exec: bool,
    pub(crate) file: Cell<*mut file>,
    pub(crate) private: Cell<*mut c_void>,
    pub(crate) ops: Cell<Ops>,
    pub(crate) entries: RefCell<Vec<Entry>>,
}

/// A page fault.
pub struct vm_fault {
    pub(crate) vma: *mut vm_area_struct,
    pub(crate) page: usize,
}

/// How something is mapped.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// In bytes.
    pub length: u64,
    /// In the file.
    pub offset: u64,
    /// MAP_SHARED.
    pub shared: bool,
    /// PROT_EXEC.
    pub exec: bool,
}

unsafe extern "C" {
    fn genp_partition_mmap(partition: *mut c_void, rights: u32, vma: *mut vm_area_struct) -> i32;
}

impl Default for mm_struct {
    fn default() -> Self {
        Self {
            lock: rt_mutex::new(lockdep::class(c"mmap_lock".as_ptr().cast())),
            vmas: RefCell::new(Vec::new()),
            next: Cell::new(0x10_0000),
        }
    }
}

impl mm_struct {
    pub(crate) fn find(&self, address: usize) -> Option<&vm_area_struct> {
        let vmas = self.vmas.borrow();
        let found = vmas.iter().find(|vma| {
            // SAFETY: mappings live until they are taken out of the table.
            let vma = unsafe { &***vma };
            (vma.start..vma.start + vma.length).contains(&address)
        });
        // SAFETY: as above.
        found.map(|vma| unsafe { &**vma })
    }
}

impl vm_area_struct {
    /// Where it is.
    pub(crate) fn file(&self) -> &file {
        // SAFETY: a mapping has a reference to its file.
        unsafe { &*self.file.get() }
    }

    pub(crate) fn set(&self, at: usize, to: &page) {
        let mut entries = self.entries.borrow_mut();
        let Some(entry) = entries.get_mut(at) else {
            fail("a page is mapped outside of its mapping");
        };
        if entry.page.is_null() {
            entry.page = to;
            entry.stale = core::ptr::null();
            if self.ops.get() == Ops::Reserve {
                to.count.set(to.count.get() + 1);
                to.mapped.set(to.mapped.get() + 1);
            }
        }
    }

    /// Clears entries and flushes what processors have, from the first that was there to the
    /// last, as the kernel does.
    pub(crate) fn clear(&self, first: usize, count: usize) {
        let mut flushed: Option<(usize, usize)> = None;
        let end = (first + count).min(self.entries.borrow().len());
        for at in first..end {
            let mut entries = self.entries.borrow_mut();
            let entry = &mut entries[at];
            if entry.page.is_null() {
                continue;
            }
            if self.ops.get() == Ops::Reserve {
                // SAFETY: mapped pages are the machine's.
                let page = unsafe { &*entry.page };
                page.mapped.set(page.mapped.get() - 1);
                drop_reference(page);
            }
            entry.stale = core::mem::replace(&mut entry.page, core::ptr::null());
            flushed = Some((flushed.map_or(at, |(from, _)| from), at));
        }
        point();
        if let Some((from, to)) = flushed {
            for entry in &mut self.entries.borrow_mut()[from..=to] {
                entry.stale = core::ptr::null();
            }
        }
    }

    /// Clears entries without a flush.
    pub(crate) fn clear_unflushed(&self, at: usize) {
        let mut entries = self.entries.borrow_mut();
        let entry = &mut entries[at];
        if !entry.page.is_null() {
            entry.stale = core::mem::replace(&mut entry.page, core::ptr::null());
        }
    }

    pub(crate) fn is_present(&self, at: usize) -> bool {
        self.entries
            .borrow()
            .get(at)
            .is_some_and(|entry| !entry.page.is_null())
    }

    /// What an access reaches, be it by what a processor remembers.
    fn reach(&self, at: usize) -> Option<&page> {
        let entry = *self.entries.borrow().get(at)?;
        let reached = match entry.page.is_null() {
            true => entry.stale,
            false => entry.page,
        };
        // SAFETY: mapped pages are the machine's.
        unsafe { reached.as_ref() }
    }
}

/// GENP_RIGHT_WRITE.
const MAY_WRITE: u32 = 1;

/// Unmaps a part of a file wherever it is mapped.
pub(crate) fn zap(mapping: &address_space, offset: u64, length: u64) {
    mapping.check_alive();
    mapping.lock.lock_mutex();
    let vmas = mapping.vmas.borrow().clone();
    for vma in vmas {
        // SAFETY: in the table, whose lock is held.
        let vma = unsafe { &*vma };
        let (from, to) = (vma.offset, vma.offset + vma.length as u64);
        let (first, end) = (offset.max(from), (offset + length).min(to));
        if first < end {
            vma.clear(
                ((first - from) >> PAGE_SHIFT) as usize,
                ((end - first) >> PAGE_SHIFT) as usize,
            );
        }
        point();
    }
    mapping.lock.unlock_mutex();
}

impl Process {
    /// mmap() of a partition: the address, or a negative errno.
    pub fn mmap(&self, file: &file, how: How) -> Result<usize, i32> {
        let Some((data, rights)) = file.partition() else {
            return Err(-19);
        };
        // It is mapped for writing, and the mapping is one of the partition's file.
        if rights & MAY_WRITE == 0 {
            return Err(-13);
        }
        let Some((file, _)) = file.of_partition() else {
            return Err(-19);
        };
        let pages = (how.length as usize).div_ceil(PAGE_SIZE);
        let mm = &self.mm;
        mm.lock.lock_mutex();
        let start = mm.next.get();
        mm.next.set(start + (pages + 1) * PAGE_SIZE);
        file.get();
        let vma = Box::into_raw(Box::new(vm_area_struct {
            mm: core::ptr::from_ref(mm).cast_mut(),
            start,
            length: pages * PAGE_SIZE,
            offset: how.offset,
            shared: how.shared,
            exec: how.exec,
            file: Cell::new(core::ptr::from_ref(file).cast_mut()),
            private: Cell::new(core::ptr::null_mut()),
            ops: Cell::new(Ops::None),
            entries: RefCell::new(vec![NOTHING; pages]),
        }));
        // SAFETY: the file of a partition, and a mapping that is being made.
        let done = unsafe { genp_partition_mmap(data, rights, vma) };
        // SAFETY: made above.
        let here = unsafe { &*vma };
        if done == 0 {
            let mapping = &here.file().mapping;
            mapping.lock.lock_mutex();
            mapping.vmas.borrow_mut().push(vma);
            mapping.lock.unlock_mutex();
            mm.vmas.borrow_mut().push(vma);
        } else {
            here.clear(0, pages);
            here.file().put();
            // SAFETY: nobody else has it.
            drop(unsafe { Box::from_raw(vma) });
        }
        mm.lock.unlock_mutex();
        match done {
            0 => Ok(start),
            error => Err(error),
        }
    }

    /// munmap() of a whole mapping: false if there is none.
    pub fn munmap(&self, start: usize) -> bool {
        let mm = &self.mm;
        mm.lock.lock_mutex();
        let found = mm.vmas.borrow().iter().position(|vma| {
            // SAFETY: mappings live until they are taken out of the table.
            unsafe { (**vma).start == start }
        });
        if let Some(at) = found {
            let vma = mm.vmas.borrow_mut().remove(at);
            // SAFETY: as above.
            let here = unsafe { &*vma };
            here.clear(0, here.length / PAGE_SIZE);
            let mapping = &here.file().mapping;
            mapping.lock.lock_mutex();
            mapping.vmas.borrow_mut().retain(|other| *other != vma);
            mapping.lock.unlock_mutex();
            if here.ops.get() == Ops::Window {
                let Kind::Leases(partition) = here.file().kind.get() else {
                    fail("a window is of a file that has none");
                };
                // SAFETY: a window, whose partition its files keep.
                unsafe {
                    genp_window_closed(here.private.get(), core::ptr::from_ref(mm) as usize, start)
                };
                // SAFETY: the mapping's reference.
                unsafe { (*partition).put() };
            }
            here.file().put();
            // SAFETY: nobody else has it.
            drop(unsafe { Box::from_raw(vma) });
        }
        mm.lock.unlock_mutex();
        found.is_some()
    }

    /// Accesses a page of a mapping, with a page fault if need be: `None` for SIGBUS.
    pub fn access<R>(&self, start: usize, at: usize, work: impl FnOnce(&page) -> R) -> Option<R> {
        point();
        // A processor that has the page needs no lock.
        if let Some(page) = self.mm.find(start)?.reach(at) {
            return Some(work(page));
        }
        self.mm.lock.lock_mutex();
        let answer = self.fault(start, at, work);
        self.mm.lock.unlock_mutex();
        answer
    }

    fn fault<R>(&self, start: usize, at: usize, work: impl FnOnce(&page) -> R) -> Option<R> {
        let vma = self.mm.find(start)?;
        let address = core::ptr::from_ref(vma).cast_mut();
        let errors = machine().memory.known_errors();
        for tries in 0..64 {
            if let Some(page) = vma.reach(at) {
                let known = errors == Some(machine().memory.errors.get());
                // One that is there before the first fault was mapped before its error, and
                // is about to be taken away.
                if tries > 0 && page.is_poisoned() && known {
                    fail("a page with a memory error was mapped");
                }
                return Some(work(page));
            }
            let mut vmf = vm_fault {
                vma: address,
                page: at,
            };
            let answer = match vma.ops.get() {
                // SAFETY: a window that is mapped.
                Ops::Window => unsafe { genp_window_fault(vma.private.get(), address, at) },
                // SAFETY: a reserve that is mapped.
                Ops::Reserve => unsafe { genp_reserve_fault(vma.private.get(), &mut vmf, at) },
                _ => 0,
            };
            // SIGBUS, with an error of the memory or without.
            if answer != NOPAGE {
                return None;
            }
            point();
        }
        machine().pass(1_000);
        None
    }

    /// MADV_DONTNEED: takes a page of a reserve out of the page table.
    pub fn forget(&self, start: usize, at: usize) {
        self.mm.lock.lock_mutex();
        if let Some(vma) = self.mm.find(start) {
            if vma.ops.get() == Ops::Reserve {
                vma.clear(at, 1);
            }
        }
        self.mm.lock.unlock_mutex();
    }

    /// What is mapped, by its start.
    pub fn mappings(&self) -> Vec<usize> {
        // SAFETY: mappings live until they are taken out of the table.
        self.mm
            .vmas
            .borrow()
            .iter()
            .map(|vma| unsafe { (**vma).start })
            .collect()
    }
}
