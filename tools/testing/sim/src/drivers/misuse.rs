// SPDX-License-Identifier: GPL-2.0

//! What drivers must not do, and are told so.

use core::ffi::c_void;

use kernel::sim::fail;

use super::{is_error, Driver, EBUSY, ESTALE};
use crate::genp::sys::{abi::genp_outstanding, glue};

const EINVAL: i32 = -22;

fn expect(what: &str, done: i32, errno: i32) {
    if done != errno {
        fail(&format!("{what}: {done}, not {errno}"));
    }
}

fn number<T>(pointer: *mut T) -> i32 {
    match is_error(pointer) {
        true => pointer as isize as i32,
        false => 0,
    }
}

impl Driver {
    /// One of them.
    pub(super) fn misuse(&self, a: u32) {
        match (a >> 3) & 3 {
            0 => self.create_nothing(),
            1 => self.destroy_too_early(),
            2 => self.free_strangers(),
            _ => self.give_a_lease_as_a_page(),
        }
    }

    fn create_nothing(&self) {
        let part = self.part.get();
        // SAFETY: arguments of ours.
        unsafe {
            for (size, align, count) in [(0, 0, 1), (8, 0, 0), (8, 3, 1)] {
                let cache = glue::genp_cache_create(part, size, align, count);
                expect("a cache of nothing", number(cache), EINVAL);
            }
            let nobody = glue::genp_partition_find(c"".as_ptr().cast());
            expect("a partition without a name", number(nobody), EINVAL);
            if !self.cache.get().is_null() {
                let elements = glue::genp_elements_create(self.cache.get(), 0);
                expect("a pool of no elements", number(elements), EINVAL);
            }
        }
    }

    /// What is in use is not destroyed.
    fn destroy_too_early(&self) {
        let mut left = genp_outstanding::default();
        // SAFETY: of ours; they are not destroyed.
        unsafe {
            if !self.objects.borrow().is_empty() {
                let done = glue::genp_cache_destroy(self.cache.get());
                expect("a cache with objects", done, EBUSY);
            }
            if !self.in_use.borrow().is_empty() {
                let done = glue::genp_elements_destroy(self.elements.get());
                expect("a pool with elements", done, EBUSY);
            }
            // Another driver may have one that was found.
            if self.creator.get() && !self.regions.borrow().is_empty() {
                let done = glue::genp_partition_destroy(self.part.get(), &mut left);
                expect("a partition with regions", done, EBUSY);
            }
        }
    }

    /// Objects that the cache never gave, or that were given back.
    fn free_strangers(&self) {
        let (cache, elements) = (self.cache.get(), self.elements.get());
        if cache.is_null() {
            return;
        }
        let outside: *mut c_void = core::ptr::null_mut();
        // SAFETY: of ours; only the addresses of objects are looked at.
        unsafe {
            let done = glue::genp_cache_free(cache, outside);
            expect("an object of nobody", done, EINVAL);
            if let Some(object) = self.objects.borrow_mut().pop() {
                let within = object.wrapping_byte_add(1);
                let done = glue::genp_cache_free(cache, within);
                expect("the middle of an object", done, EINVAL);
                if !elements.is_null() {
                    let done = glue::genp_element_free(elements, object);
                    expect("an object that is not the pool's", done, ESTALE);
                }
                glue::genp_cache_free(cache, object);
                let done = glue::genp_cache_free(cache, object);
                expect("an object that is free", done, ESTALE);
            }
        }
    }

    /// A page that is on lease is in no stock.
    fn give_a_lease_as_a_page(&self) {
        let page = self.leases.borrow().first().map(|lease| lease.pages[0]);
        let Some(page) = page else { return };
        // SAFETY: a partition and a page of ours.
        let done = unsafe { glue::genp_free_page(self.part.get(), page.cast()) };
        expect("a page of a lease", done, EINVAL);
    }
}
