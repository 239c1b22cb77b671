// SPDX-License-Identifier: GPL-2.0

//! Files: those of partitions, those of their lease windows, and eventfds.

#![allow(non_camel_case_types)]

use core::{
    cell::{Cell, RefCell, UnsafeCell},
    ffi::c_void,
};

use super::{fail, lock::rt_mutex, lockdep, machine, point, space::vm_area_struct, task::State};

unsafe extern "C" {
    fn genp_partition_release(partition: *mut c_void);
}

/// Rights to a partition that there are.
const RIGHTS: u32 = 5;

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Of a partition, at this address.
    Partition(*mut c_void),
    /// Of the partition with this file, with these rights.
    Restricted(*mut file, u32),
    /// Of the lease windows of the partition with this file.
    Leases(*mut file),
    /// An eventfd.
    Event,
    /// /dev/genp.
    Control,
    /// Any other.
    Other,
}

/// How far the end of a file has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// It has references.
    Open,
    /// Its release runs, or is to.
    Releasing,
    /// It is gone.
    Gone,
}

/// A file, with its inode.
pub struct file {
    pub(crate) count: Cell<i64>,
    pub(crate) life: Cell<Life>,
    /// What it is.
    pub kind: Cell<Kind>,
    pub(crate) mapping: address_space,
    /// How often it was signalled, if it is an eventfd.
    pub signals: Cell<u64>,
    /// Partitions that were told to signal it.
    pub(crate) listeners: Cell<i64>,
}

/// The mappings of a file.
pub struct address_space {
    /// i_mmap_rwsem.
    pub(crate) lock: rt_mutex,
    pub(crate) vmas: RefCell<Vec<*mut vm_area_struct>>,
    file: Cell<*const file>,
}

/// An eventfd.
pub type eventfd_ctx = file;

/// All files.
#[derive(Default)]
pub struct Files {
    all: UnsafeCell<Vec<Box<file>>>,
    /// Files of partitions that were released.
    pub released: Cell<u64>,
}

impl address_space {
    /// The file, which must be there.
    pub(crate) fn check_alive(&self) {
        // SAFETY: files live as long as the machine.
        let file = unsafe { &*self.file.get() };
        if file.life.get() == Life::Gone {
            fail("the mappings of a file are used that is gone");
        }
    }
}

impl Files {
    /// Makes a file, with one reference.
    pub fn create(&self, kind: Kind) -> *mut file {
        let class = match kind {
            Kind::Leases(_) => c"i_mmap_rwsem of leases",
            _ => c"i_mmap_rwsem",
        };
        let file = Box::new(file {
            count: Cell::new(1),
            life: Cell::new(Life::Open),
            kind: Cell::new(kind),
            mapping: address_space {
                lock: rt_mutex::new(lockdep::class(class.as_ptr().cast())),
                vmas: RefCell::new(Vec::new()),
                file: Cell::new(core::ptr::null()),
            },
            signals: Cell::new(0),
            listeners: Cell::new(0),
        });
        let at: *const file = &*file;
        file.mapping.file.set(at);
        // SAFETY: nobody holds the table across this.
        unsafe { (*self.all.get()).push(file) };
        at.cast_mut()
    }

    /// Files that are not gone.
    pub fn alive(&self) -> usize {
        // SAFETY: as above.
        let all = unsafe { &*self.all.get() };
        all.iter()
            .filter(|file| file.life.get() != Life::Gone)
            .count()
    }
}

impl file {
    /// The file of the partition that this one belongs to, and the rights it has to it.
    pub fn of_partition(&self) -> Option<(&Self, u32)> {
        match self.kind.get() {
            Kind::Partition(_) => Some((self, u32::MAX >> (32 - RIGHTS))),
            // SAFETY: files live as long as the machine.
            Kind::Restricted(file, rights) => Some((unsafe { &*file }, rights)),
            _ => None,
        }
    }

    /// The partition, and the rights that this file has to it.
    pub(crate) fn partition(&self) -> Option<(*mut c_void, u32)> {
        let (file, rights) = self.of_partition()?;
        match file.kind.get() {
            Kind::Partition(data) => Some((data, rights)),
            _ => None,
        }
    }

    /// One reference more.
    pub fn take(&self) {
        self.get();
    }

    /// One reference less.
    pub fn give(&self) {
        self.put();
    }

    pub(crate) fn get(&self) {
        if self.life.get() != Life::Open {
            fail("a reference is taken to a file that is being released");
        }
        self.count.set(self.count.get() + 1);
    }

    /// Gives a reference up; whether it was the last one.
    fn drop_one(&self) -> bool {
        point();
        let left = self.count.get() - 1;
        if left < 0 {
            fail("a reference to a file is given up twice");
        }
        self.count.set(left);
        if left == 0 {
            self.life.set(Life::Releasing);
        }
        left == 0
    }

    /// fput(): the release follows when the task leaves the kernel.
    pub(crate) fn put(&self) {
        if self.drop_one() {
            let Some(me) = machine().task() else {
                fail("a file is closed outside of any task");
            };
            me.to_release
                .borrow_mut()
                .push(core::ptr::from_ref(self).cast_mut());
        }
    }

    /// __fput_sync(): the release is over when this returns.
    pub(crate) fn put_now(&self) {
        machine().might_sleep("the release of a file");
        if self.drop_one() {
            self.release();
        }
    }

    fn release(&self) {
        if !self.mapping.vmas.borrow().is_empty() {
            fail("a file is released that is mapped");
        }
        if let Kind::Partition(data) = self.kind.get() {
            // SAFETY: what the file was made with.
            unsafe { genp_partition_release(data) };
            machine()
                .files
                .released
                .set(machine().files.released.get() + 1);
        }
        if let Kind::Restricted(file, _) = self.kind.get() {
            // SAFETY: as above; the reference is of this file.
            unsafe { (*file).put() };
        }
        if self.listeners.get() != 0 {
            return;
        }
        self.life.set(Life::Gone);
    }

    pub(crate) fn listen(&self, more: i64) {
        self.listeners.set(self.listeners.get() + more);
        if more > 0 {
            self.get();
        } else if self.drop_one() {
            self.life.set(Life::Gone);
        }
    }
}

/// What a task does when it leaves the kernel: releases files.
pub fn leave_kernel() {
    let machine = machine();
    let Some(me) = machine.task() else { return };
    loop {
        let next = me.to_release.borrow_mut().pop();
        let Some(next) = next else { break };
        // SAFETY: files live as long as the machine.
        unsafe { (*next).release() };
    }
    machine.check_at_rest();
    debug_assert!(me.state.get() == State::Ready);
    machine.rest(me);
}
