// SPDX-License-Identifier: MIT OR Apache-2.0

//! The environment as the kernel made it, before the C library knows of it.

use std::{
    ffi::{c_char, CStr},
    ptr,
};

/// The strings "NAME=value", up to a null pointer.
pub struct Environment(*mut *mut c_char);

impl Environment {
    /// # Safety
    ///
    /// The third argument of a constructor, in the only thread there is.
    pub unsafe fn new(strings: *mut *mut c_char) -> Self {
        Self(strings)
    }

    /// The strings and where they are.
    fn entries(&self) -> impl Iterator<Item = (*mut *mut c_char, &mut [u8])> {
        let mut next = self.0;
        std::iter::from_fn(move || {
            // SAFETY: by the precondition of `new`: not behind the null pointer.
            let text = unsafe { *next };
            let entry = next;
            if text.is_null() {
                return None;
            }
            next = next.wrapping_add(1);
            // SAFETY: a string that ends with zero, and may be written.
            let bytes = unsafe {
                std::slice::from_raw_parts_mut(text.cast(), CStr::from_ptr(text).count_bytes())
            };
            Some((entry, bytes))
        })
    }

    /// The value of a variable, if it is text. One that is empty is as good as not set.
    pub fn value(&self, name: &str) -> Option<&str> {
        let value = self
            .entries()
            .find_map(|(_, bytes)| match value_of(bytes, name) {
                0 => None,
                at => std::str::from_utf8(&bytes[at..]).ok(),
            });
        value.filter(|value| !value.is_empty())
    }

    /// Removes a variable.
    pub fn remove(&self, name: &str) {
        let found = self
            .entries()
            .find(|(_, bytes)| value_of(bytes, name) > 0)
            .map(|(entry, _)| entry);
        let Some(mut entry) = found else { return };
        // SAFETY: pointers up to the null pointer, by the precondition of `new`.
        unsafe {
            while !(*entry).is_null() {
                *entry = *entry.add(1);
                entry = entry.add(1);
            }
        }
    }

    /// Removes the libraries of LD_PRELOAD whose names end in one of these; the variable as
    /// well if no other is left.
    pub fn remove_preload(&self, endings: &[&str]) {
        const NAME: &str = "LD_PRELOAD";

        let Some((_, bytes)) = self.entries().find(|(_, bytes)| value_of(bytes, NAME) > 0) else {
            return;
        };
        let begin = value_of(bytes, NAME);
        let (mut from, mut to) = (begin, begin);
        while from < bytes.len() {
            let separator = |byte: &u8| b" :".contains(byte);
            let end = bytes[from..]
                .iter()
                .position(separator)
                .map_or(bytes.len(), |length| from + length);
            let ours = |ending: &&str| bytes[from..end].ends_with(ending.as_bytes());
            if end > from && !endings.iter().any(ours) {
                if to > begin {
                    bytes[to] = b':';
                    to += 1;
                }
                bytes.copy_within(from..end, to);
                to += end - from;
            }
            from = end + 1;
        }
        if to == begin {
            return self.remove(NAME);
        }
        // SAFETY: the string was at least as long, its zero included.
        unsafe { ptr::write_bytes(bytes.as_mut_ptr().add(to), 0, 1) };
    }
}

/// Where the value begins if this is the variable, else 0.
fn value_of(bytes: &[u8], name: &str) -> usize {
    match bytes.strip_prefix(name.as_bytes()) {
        Some([b'=', ..]) => name.len() + 1,
        _ => 0,
    }
}
