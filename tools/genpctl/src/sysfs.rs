// SPDX-License-Identifier: GPL-2.0

//! The pool's attributes in sysfs, which every user may read.

use std::{fs, path::Path};

/// Their directory while the module is loaded.
pub const DIRECTORY: &str = "/sys/class/misc/genp";

/// An attribute that is a number; `None` if it is not there.
pub fn number(attribute: &str) -> Option<u64> {
    let text = fs::read_to_string(Path::new(DIRECTORY).join(attribute)).ok()?;
    text.trim().parse().ok()
}

/// The most reserve one user may have in all, in bytes; `Some(None)` is no
/// ceiling, `None` that it could not be read.
pub fn uid_ceiling() -> Option<Option<u64>> {
    number("uid_ceiling_bytes").map(|bytes| (bytes != 0).then_some(bytes))
}

/// Whether the module seems to be loaded.
pub fn module_loaded() -> bool {
    Path::new("/sys/module/genp").exists() || Path::new(DIRECTORY).exists()
}
