// SPDX-License-Identifier: GPL-2.0

//! Pages. What a page holds is one number here: 0 if it is zeroed.

#![allow(non_camel_case_types)]

use core::{
    cell::{Cell, UnsafeCell},
    ffi::c_void,
};

use super::{fail, machine, point};

/// A page.
pub struct page {
    /// References.
    pub(crate) count: Cell<i32>,
    /// `page_private()`.
    pub(crate) private: Cell<usize>,
    /// What is in it.
    pub content: Cell<u64>,
    /// PageHWPoison().
    pub(crate) poisoned: Cell<bool>,
    /// Entries of page tables that the kernel counts.
    pub(crate) mapped: Cell<u32>,
    /// Which page of a reserve it is known as: `folio->mapping` and its index.
    pub(crate) index: Cell<Option<usize>>,
    /// Who was given it by the module, for checks; 0 for nobody.
    pub holder: Cell<u64>,
}

/// The memory of the machine.
pub struct Memory {
    pages: UnsafeCell<Vec<page>>,
    /// Pages that were taken, of each of the two nodes.
    taken: [Cell<usize>; NODES],
    given_back: Cell<usize>,
    per_node: Cell<usize>,
    nodes: Cell<usize>,
    vmaps: Cell<i64>,
    /// Whether all high orders are there that there is room for.
    pub whole: Cell<bool>,
    /// Memory errors so far.
    pub errors: Cell<u32>,
    /// Whether nobody can be told of memory errors.
    pub untold: Cell<bool>,
    /// What the module is to be told of them with, if it is.
    pub(crate) watcher: Cell<*mut c_void>,
    /// Reports that are on their way.
    pub(crate) reports: Cell<u32>,
    addresses: Cell<usize>,
}

unsafe extern "C" {
    fn genp_memory_error(data: *mut c_void);
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            pages: UnsafeCell::default(),
            taken: Default::default(),
            given_back: Cell::default(),
            per_node: Cell::default(),
            nodes: Cell::default(),
            vmaps: Cell::default(),
            whole: Cell::default(),
            errors: Cell::default(),
            untold: Cell::default(),
            watcher: Cell::new(core::ptr::null_mut()),
            reports: Cell::default(),
            addresses: Cell::default(),
        }
    }
}

/// Memory nodes.
pub const NODES: usize = 2;

impl Memory {
    /// Sets the memory up: nodes, and pages of each, with something in all of them.
    pub fn set_up(&self, nodes: usize, per_node: usize) {
        // SAFETY: before anybody has a page.
        let pages = unsafe { &mut *self.pages.get() };
        pages.clear();
        pages.extend((0..nodes * per_node).map(|at| page {
            count: Cell::new(0),
            private: Cell::new(0),
            content: Cell::new(0xdead_0000 + at as u64),
            poisoned: Cell::new(false),
            mapped: Cell::new(0),
            index: Cell::new(None),
            holder: Cell::new(0),
        }));
        self.per_node.set(per_node);
        self.nodes.set(nodes);
        self.addresses.set(0x7000_0000_0000);
    }

    pub(crate) fn pages(&self) -> &[page] {
        // SAFETY: filled in `set_up` alone.
        unsafe { &*self.pages.get() }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes.get()
    }

    /// Pages that nobody has.
    pub(crate) fn available(&self) -> usize {
        self.nodes.get() * self.per_node.get() - self.taken.iter().map(Cell::get).sum::<usize>()
    }

    pub(crate) fn allocate(&self, node: usize, order: u32) -> *mut page {
        machine().might_sleep("taking pages");
        let count = 1 << order;
        let at = self.taken[node].get();
        // High orders are rare.
        let fragmented = order > 0 && machine().rng().one_in(3) && !self.whole.get();
        if at + count > self.per_node.get() || fragmented {
            return core::ptr::null_mut();
        }
        self.taken[node].set(at + count);
        let first = node * self.per_node.get() + at;
        let pages = &self.pages()[first..first + count];
        // As long as a block is not split, its first page has the reference.
        pages[0].count.set(1);
        core::ptr::from_ref(&pages[0]).cast_mut()
    }

    pub(crate) fn split(&self, first: &page, order: u32) {
        let at = self.number(first);
        for page in &self.pages()[at..at + (1 << order)] {
            page.count.set(1);
        }
    }

    pub(crate) fn put(&self, page: &page) {
        if page.private.get() != 0 {
            fail("a page is freed with private data");
        }
        if page.index.get().is_some() {
            fail("a page is freed that is known as one of a file");
        }
        drop_reference(page);
        self.given_back.set(self.given_back.get() + 1);
    }

    /// Pages that were taken and not given back.
    pub fn outstanding(&self) -> usize {
        self.pages()
            .iter()
            .filter(|page| page.count.get() > 0)
            .count()
    }

    pub(crate) fn number(&self, page: &page) -> usize {
        let at = (core::ptr::from_ref(page) as usize - self.pages().as_ptr() as usize)
            / size_of::<page>();
        if at >= self.pages().len() {
            fail("this is no page");
        }
        at
    }

    /// A memory error in a page that somebody has, as memory_failure() handles it: the page
    /// is marked, then whoever watches is told. False if there is one already. Context:
    /// thread, may sleep.
    pub fn poison(&self, number: usize) -> bool {
        machine().might_sleep("a memory error");
        let pages = self.pages();
        let page = &pages[number % pages.len()];
        if page.count.get() == 0 || page.poisoned.replace(true) {
            return false;
        }
        self.errors.set(self.errors.get() + 1);
        self.reports.set(self.reports.get() + 1);
        let watcher = self.watcher.get();
        point();
        if !watcher.is_null() {
            // SAFETY: what was set; its owner waits for the reports before it goes.
            unsafe { genp_memory_error(watcher) };
        }
        self.reports.set(self.reports.get() - 1);
        true
    }

    /// The memory errors so far, if everybody who watches was told of all of them.
    pub fn known_errors(&self) -> Option<u32> {
        (self.reports.get() == 0).then(|| self.errors.get())
    }

    /// Addresses of the kernel's for a number of pages. Nothing is there.
    pub(crate) fn map(&self, pages: usize) -> usize {
        self.vmaps.set(self.vmaps.get() + 1);
        let at = self.addresses.get();
        self.addresses
            .set(at + (pages + 1) * crate::page::PAGE_SIZE);
        at
    }

    pub(crate) fn unmap(&self) {
        self.vmaps.set(self.vmaps.get() - 1);
    }

    /// Maps of the kernel's that are left.
    pub fn vmaps(&self) -> i64 {
        self.vmaps.get()
    }
}

impl page {
    /// Whether there is a memory error in it.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned.get()
    }

    /// Makes it known as a page of a file.
    pub(crate) fn identify(&self, index: usize) {
        if self.index.get().is_some_and(|before| before != index) {
            fail("a page is known as two of a file");
        }
        self.index.set(Some(index));
    }

    /// Zeroes it, which takes a while.
    pub(crate) fn zero(&self) {
        point();
        if self.count.get() < 1 {
            fail("a page is zeroed that was freed");
        }
        if self.holder.get() != 0 && !self.zeroed_for_holder() {
            fail(&format!(
                "a page is zeroed while {:#x} has it",
                self.holder.get()
            ));
        }
        self.content.set(0);
        point();
    }

    fn zeroed_for_holder(&self) -> bool {
        false
    }
}

/// One reference more.
pub fn take_reference(page: &page) {
    page.count.set(page.count.get() + 1);
}

/// One reference less.
pub fn drop_reference(page: &page) {
    let left = page.count.get() - 1;
    if left < 0 {
        fail("a page is freed twice");
    }
    page.count.set(left);
}
