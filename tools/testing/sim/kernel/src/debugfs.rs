// SPDX-License-Identifier: GPL-2.0

//! debugfs. Its files are read when they are made, which is all that happens to them.

use core::fmt;

use pin_init::PinInit;

use crate::str::CStr;

/// A directory.
pub struct Dir;

/// A file.
pub struct File<T>(T);

impl Dir {
    /// One at the top.
    pub fn new(_name: &CStr) -> Self {
        Self
    }

    /// A file in it.
    pub fn read_callback_file<T, F>(
        &self,
        _name: &CStr,
        data: T,
        show: &'static F,
    ) -> impl PinInit<File<T>> + use<T, F>
    where
        F: Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
    {
        let text = std::format!("{}", Text(&data, show));
        assert!(!text.is_empty(), "a file of debugfs is empty");
        File(data)
    }
}

struct Text<'a, T, F>(&'a T, &'a F);

impl<T, F: Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Text<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.1)(self.0, f)
    }
}
