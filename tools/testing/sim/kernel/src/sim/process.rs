// SPDX-License-Identifier: GPL-2.0

//! Processes: an address space, descriptors and a user.

use core::{
    cell::{Cell, RefCell, UnsafeCell},
    ops::Deref,
};

use super::{
    files::{file, leave_kernel, Kind},
    machine, point,
    space::mm_struct,
};
use crate::{bindings::seq_file, seq_file::SeqFile};

unsafe extern "C" {
    fn genp_partition_ioctl(
        partition: *mut core::ffi::c_void,
        rights: u32,
        nr: u32,
        arg: usize,
    ) -> isize;
    fn genp_device_ioctl(registry: *mut core::ffi::c_void, nr: u32, arg: usize) -> isize;
    fn genp_partition_read(
        partition: *mut core::ffi::c_void,
        rights: u32,
        to: usize,
        size: usize,
        nonblock: bool,
    ) -> isize;
    fn genp_partition_poll(
        partition: *mut core::ffi::c_void,
        rights: u32,
        file: *mut file,
        table: *mut core::ffi::c_void,
    ) -> u32;
    fn genp_partition_show(partition: *mut core::ffi::c_void, text: *mut seq_file);
    fn genp_window_access(
        partition: *mut core::ffi::c_void,
        page: usize,
        offset: u32,
        buffer: *mut core::ffi::c_void,
        bytes: u32,
        write: bool,
    ) -> bool;
}

/// A process.
#[derive(Default)]
pub struct Process {
    /// Its address space.
    pub mm: mm_struct,
    fds: RefCell<Vec<Fd>>,
    /// Its user.
    pub uid: Cell<u32>,
    /// Whether it has every capability.
    pub capable: Cell<bool>,
    /// References to it as the creator of partitions.
    pub creator: Cell<i32>,
    /// It was killed.
    pub killed: Cell<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fd {
    Free,
    Reserved,
    Open(*mut file),
}

/// All processes.
#[derive(Default)]
pub struct Processes(UnsafeCell<Vec<Box<Process>>>);

impl Processes {
    /// Makes one, of a user.
    pub fn create(&self, uid: u32) -> &'static Process {
        let process = Box::new(Process::default());
        process.uid.set(uid);
        process.capable.set(uid == 0);
        let at: *const Process = &*process;
        // SAFETY: nobody holds the table across this; processes live as long as the machine.
        unsafe {
            (*self.0.get()).push(process);
            &*at
        }
    }
}

impl Process {
    pub(crate) fn reserve_fd(&self) -> Option<usize> {
        let mut fds = self.fds.borrow_mut();
        if let Some(at) = fds.iter().position(|fd| *fd == Fd::Free) {
            fds[at] = Fd::Reserved;
            return Some(at);
        }
        fds.push(Fd::Reserved);
        Some(fds.len() - 1)
    }

    pub(crate) fn unreserve_fd(&self, fd: usize) {
        self.fds.borrow_mut()[fd] = Fd::Free;
    }

    pub(crate) fn install_fd(&self, fd: usize, file: *mut file) {
        self.fds.borrow_mut()[fd] = Fd::Open(file);
    }

    /// Opens a new descriptor of a file, whose reference it takes over.
    pub fn open(&self, file: *mut file) -> i32 {
        let fd = self.reserve_fd().expect("there is always room");
        self.install_fd(fd, file);
        fd as i32
    }

    /// fget(): with a reference of its own.
    pub(crate) fn get(&self, fd: i32) -> Option<&'static file> {
        point();
        match self.fds.borrow().get(usize::try_from(fd).ok()?)? {
            Fd::Open(file) => {
                // SAFETY: files live as long as the machine.
                let file = unsafe { &**file };
                file.get();
                Some(file)
            }
            _ => None,
        }
    }

    /// close().
    pub fn close(&self, fd: i32) -> bool {
        point();
        let open = match usize::try_from(fd)
            .ok()
            .and_then(|fd| self.fds.borrow().get(fd).copied())
        {
            Some(Fd::Open(file)) => file,
            _ => return false,
        };
        self.unreserve_fd(fd as usize);
        // SAFETY: the descriptor's reference.
        unsafe { (*open).put() };
        leave_kernel();
        true
    }

    /// Another descriptor of the same file, in this process or another.
    pub fn pass(&self, fd: i32, to: &Self) -> Option<i32> {
        let file = self.get(fd)?;
        Some(to.open(core::ptr::from_ref(file).cast_mut()))
    }

    /// Holds the file of a descriptor, as a call of the kernel does that uses it.
    pub fn hold(&self, fd: i32) -> Option<Hold> {
        self.get(fd).map(Hold)
    }

    /// exit(): everything that it has open or mapped.
    pub fn exit(&self) {
        for start in self.mappings() {
            self.munmap(start);
            leave_kernel();
        }
        let fds = self.fds.borrow().len();
        for fd in 0..fds {
            self.close(fd as i32);
        }
    }
}

/// A file that is used by a call of the kernel.
pub struct Hold(&'static file);

impl Deref for Hold {
    type Target = file;

    fn deref(&self) -> &file {
        self.0
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.put();
    }
}

impl Hold {
    /// One of a file that somebody has open.
    pub fn of(file: &'static file) -> Self {
        file.get();
        Self(file)
    }

    /// ioctl(): 0, or a negative errno.
    pub fn ioctl(&self, nr: u32, arg: usize) -> i32 {
        let done = match (self.partition(), self.kind.get()) {
            // SAFETY: the file of a partition; any address is checked.
            (Some((data, rights)), _) => unsafe { genp_partition_ioctl(data, rights, nr, arg) },
            // SAFETY: the device is registered while it is open.
            (_, Kind::Control) => unsafe { genp_device_ioctl(machine().registered.get(), nr, arg) },
            _ => -25,
        };
        machine().check_at_rest();
        done as i32
    }

    /// read().
    pub fn read(&self, to: usize, size: usize, nonblock: bool) -> isize {
        let done = match self.partition() {
            // SAFETY: as above.
            Some((data, rights)) => unsafe {
                genp_partition_read(data, rights, to, size, nonblock)
            },
            _ => -22,
        };
        machine().check_at_rest();
        done
    }

    /// poll(), until a time.
    pub fn poll(&self, until: u64) -> u32 {
        let Some((data, rights)) = self.partition() else {
            return 0;
        };
        let mut table: u8 = 0;
        let at: *mut core::ffi::c_void = (&raw mut table).cast();
        let address = core::ptr::from_ref(self.0).cast_mut();
        loop {
            machine().prepare_sleep(true);
            // SAFETY: as above; the table is only compared with null.
            let events = unsafe { genp_partition_poll(data, rights, address, at) };
            if events != 0 || machine().signal_pending() {
                machine().finish_sleep();
                return events;
            }
            if machine().sleep_until(until) {
                return 0;
            }
        }
    }

    /// What /proc/PID/fdinfo says of it.
    pub fn show(&self) -> String {
        let text = SeqFile::default();
        if let Some((data, _)) = self.partition() {
            let at: *const SeqFile = &text;
            // SAFETY: as above; `SeqFile::from_raw` takes what this passes.
            unsafe { genp_partition_show(data, at.cast::<seq_file>().cast_mut()) };
        }
        machine().check_at_rest();
        text.text()
    }

    /// What a debugger reads of a page of the lease window.
    pub fn peek(&self, page: usize) -> Option<u64> {
        let (data, _) = self.partition()?;
        let mut content = 0u64;
        let at: *mut core::ffi::c_void = (&raw mut content).cast();
        // SAFETY: as above; there is room for eight bytes.
        let found = unsafe { genp_window_access(data, page, 0, at, 8, false) };
        // SAFETY: as above; nothing is written to the page.
        unsafe { genp_window_access(data, page, 8, at, 0, true) };
        machine().check_at_rest();
        found.then_some(content)
    }
}
