// SPDX-License-Identifier: GPL-2.0

//! debugfs. Its files can be read as long as they are there.

use core::{cell::RefCell, fmt};
use std::rc::Rc;

use pin_init::PinInit;

use crate::str::CStr;

/// A directory.
pub struct Dir;

type Reader = Rc<dyn Fn() -> String>;

thread_local! {
    /// By file: how it is read.
    static READERS: RefCell<Vec<Reader>> = const { RefCell::new(Vec::new()) };
}

/// What each file says.
pub fn read_all() -> Vec<String> {
    // Others may run meanwhile.
    let readers = READERS.with(|readers| readers.borrow().clone());
    readers.iter().map(|read| read()).collect()
}

/// A file.
pub struct File<T> {
    _data: T,
    reader: Reader,
}

impl<T> Drop for File<T> {
    fn drop(&mut self) {
        let gone = |reader: &Reader| Rc::ptr_eq(reader, &self.reader);
        READERS.with(|readers| readers.borrow_mut().retain(|reader| !gone(reader)));
    }
}

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
        T: Clone + 'static,
        F: Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
    {
        let copy = data.clone();
        let reader: Reader = Rc::new(move || {
            let text = std::format!("{}", Text(&copy, show));
            assert!(!text.is_empty(), "a file of debugfs is empty");
            text
        });
        reader();
        READERS.with(|readers| readers.borrow_mut().push(reader.clone()));
        File {
            _data: data,
            reader,
        }
    }
}

struct Text<'a, T, F>(&'a T, &'a F);

impl<T, F: Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Text<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.1)(self.0, f)
    }
}
