// SPDX-License-Identifier: GPL-2.0

//! Caches and element pools of drivers.

use kernel::sim::fail;

use super::{is_error, Driver, TakePointer};
use crate::genp::sys::glue;

impl Driver {
    pub(super) fn cache(&self, a: u32, b: u32) -> Option<i32> {
        if !self.cache.get().is_null() {
            return self.object(a, b);
        }
        let size = 1 + (a as usize & 0xff);
        // SAFETY: arguments of ours.
        let cache = unsafe { glue::genp_cache_create(self.part.get(), size, 0, 1 + (b & 63)) };
        if is_error(cache) {
            return Some(cache as isize as i32);
        }
        self.cache.set(cache);
        // SAFETY: a cache of ours.
        let elements = unsafe { glue::genp_elements_create(cache, 1 + ((b >> 8) & 7)) };
        if !is_error(elements) {
            self.elements.set(elements);
        }
        Some(0)
    }

    pub(super) fn object(&self, a: u32, _b: u32) -> Option<i32> {
        let (cache, elements) = (self.cache.get(), self.elements.get());
        let of_elements = a & 1 == 1 && !elements.is_null();
        let list = if of_elements {
            &self.in_use
        } else {
            &self.objects
        };
        // SAFETY: a cache and elements of ours.
        unsafe {
            if a & 2 == 0 {
                let object = match of_elements {
                    true => glue::genp_element_alloc(elements),
                    false => glue::genp_cache_alloc(cache),
                };
                if object.is_null() {
                    return Some(-12);
                }
                if self.objects.borrow().contains(&object) || self.in_use.borrow().contains(&object)
                {
                    fail("an object has two owners");
                }
                list.borrow_mut().push(object);
                return Some(0);
            }
            let object = list.borrow_mut().pop()?;
            let done = match of_elements {
                true => glue::genp_element_free(elements, object),
                false => glue::genp_cache_free(cache, object),
            };
            if done != 0 {
                fail(&format!("an object is not taken back: {done}"));
            }
            Some(done)
        }
    }

    pub(super) fn drop_cache(&self) {
        while self.objects.borrow().len() + self.in_use.borrow().len() > 0 {
            let of_elements = u32::from(!self.in_use.borrow().is_empty());
            self.object(2 | of_elements, 0);
        }
        let (cache, elements) = (self.cache.take_pointer(), self.elements.take_pointer());
        // SAFETY: of ours, and nothing of them is in use.
        unsafe {
            if !elements.is_null() && glue::genp_elements_destroy(elements) != 0 {
                fail("an element pool that is not in use is not destroyed");
            }
            if !cache.is_null() && glue::genp_cache_destroy(cache) != 0 {
                fail("a cache that is not in use is not destroyed");
            }
        }
    }
}
