// SPDX-License-Identifier: GPL-2.0

//! Files of text.

use core::{cell::RefCell, fmt};

use crate::bindings;

/// The text of a file while it is read.
#[derive(Default)]
pub struct SeqFile(RefCell<String>);

impl SeqFile {
    /// From what C passes.
    pub unsafe fn from_raw<'a>(file: *mut bindings::seq_file) -> &'a Self {
        // SAFETY: by the precondition: the simulation passes one of these.
        unsafe { &*file.cast() }
    }

    /// More text.
    pub fn call_printf(&self, args: fmt::Arguments<'_>) {
        *self.0.borrow_mut() += &std::format!("{args}");
    }

    /// All of it.
    pub fn text(&self) -> String {
        self.0.borrow().clone()
    }
}
