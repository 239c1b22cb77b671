// SPDX-License-Identifier: GPL-2.0

//! What the module shows of itself: sysfs, debugfs, fdinfo, debuggers; and drivers that
//! are given a descriptor by a process.

use core::ffi::CStr;

use kernel::{
    debugfs,
    page::PAGE_SIZE,
    sim::{fail, files::Kind, machine},
};

use super::{memory::LEASES, Thread};
use crate::{
    genp::sys::{
        abi::{genp_outstanding, genp_stat},
        glue,
    },
    world::FDS,
};

/// The attributes in sysfs.
fn attributes() -> Vec<(&'static CStr, u64)> {
    let registry = machine().registered.get();
    let mut found = Vec::new();
    loop {
        let which = found.len() as u32;
        // SAFETY: the device is registered while a process has it open; any number will do.
        let (name, value) = unsafe {
            (
                glue::genp_attribute_name(which),
                glue::genp_attribute_value(registry, which),
            )
        };
        if name.is_null() {
            return found;
        }
        // SAFETY: a constant of the module.
        found.push((unsafe { CStr::from_ptr(name.cast()) }, value));
    }
}

/// Whether this is what is shown of such a file. Another thread may have closed the
/// descriptor since it was chosen, and its number be that of an eventfd now.
fn is_fdinfo(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Partition(_) | Kind::Restricted(..) => {
            text.starts_with("genp-name:") && text.lines().count() == 21
        }
        _ => text.is_empty(),
    }
}

impl Thread {
    /// Reads one of the places where the module shows something.
    pub(super) fn read_about(&self, a: u32, b: u32) {
        match b & 7 {
            0 => {
                let found = attributes();
                if found.len() < 30 || found[0] != (c"capacity_bytes", found[0].1) {
                    fail(&format!("the attributes in sysfs are {found:?}"));
                }
            }
            1 => {
                debugfs::read_all();
            }
            2 => self.read_fdinfo(a),
            3 => self.debug_lease(a),
            4 => self.lend_to_driver(a),
            _ => {}
        }
    }

    fn read_fdinfo(&self, a: u32) {
        let Some(file) = self.file(a) else { return };
        if !is_fdinfo(file.kind.get(), &file.show()) {
            fail(&format!(
                "fdinfo says {} of {:?}",
                file.show(),
                file.kind.get()
            ));
        }
    }

    /// Reads a lease of this process as a debugger does.
    fn debug_lease(&self, a: u32) {
        let Some(lease) = self.world.take_lease(None, a) else {
            return;
        };
        let seen = self.inspect(&lease);
        let file = (0..FDS as u32)
            .filter_map(|slot| self.part(slot))
            .find(|(_, serial)| *serial == lease.serial);
        let first = (lease.offset - LEASES) as usize / PAGE_SIZE;
        let page = first + (a >> 3) as usize % lease.pages as usize;
        let read = file.map(|(file, _)| file.peek(page));
        // It may have ended meanwhile.
        let there = seen == Some(true) && self.inspect(&lease) == Some(true);
        if let (true, Some(read)) = (there, read) {
            if read != Some(lease.mark) && machine().memory.errors.get() == 0 {
                fail(&format!("a debugger reads {read:?} in a lease"));
            }
        }
        self.world.leases.borrow_mut().push(lease);
    }

    /// A driver takes the partition of a descriptor, and gives it up at once.
    fn lend_to_driver(&self, a: u32) {
        let Some(fd) = self.fd(a) else { return };
        // SAFETY: arguments of ours; a partition is given up once.
        unsafe {
            let part = glue::genp_partition_from_fd(fd);
            if (-4095..0).contains(&(part as isize)) {
                return;
            }
            let mut stat = genp_stat::default();
            glue::genp_partition_stat(part, &mut stat);
            let mut left = genp_outstanding::default();
            let done = glue::genp_partition_put(part, &mut left);
            if done != 0 {
                fail(&format!(
                    "a driver cannot give a descriptor's partition up: {done}"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_shows_all_of_its_lines_and_an_eventfd_none() {
        let part = Kind::Partition(core::ptr::null_mut());
        let lines =
            |count: usize| String::from("genp-name:\tx\n") + &"genp-used:\t0\n".repeat(count);
        assert!(is_fdinfo(part, &lines(20)));
        assert!(!is_fdinfo(part, &lines(19)));
        assert!(!is_fdinfo(part, ""));
        assert!(is_fdinfo(Kind::Event, ""));
        assert!(!is_fdinfo(Kind::Event, &lines(20)));
    }
}
