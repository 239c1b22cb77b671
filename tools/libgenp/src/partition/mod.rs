// SPDX-License-Identifier: MIT OR Apache-2.0

//! A partition as a Rust object.

mod events;
mod inherited;
mod making;
mod memory;
mod own_heap;
mod pieces;
mod resize;
mod shared;

use std::{
    ffi::c_char,
    io,
    ops::Range,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    ptr::NonNull,
    sync::Arc,
    time::Duration,
};

use making::Origin;

use crate::{
    abi,
    descriptor::Descriptor,
    heap::Heap,
    lock::PiMutex,
    manager::Manager,
    mapping::Mapping,
    process::Process,
    shared::Shared,
    system::{self, ioctl, page_size, size_of},
};

/// The most leases a partition can have.
const LEASES: usize = 64;

/// Borrowed memory: until it is given back or expires. After that, touching it is
/// SIGBUS.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    /// Where it begins.
    pub start: NonNull<u8>,
    /// Its length in bytes.
    pub length: usize,
    /// When it ends by force, in nanoseconds of CLOCK_MONOTONIC.
    pub expires: u64,
    handle: u64,
}

// SAFETY: an address and numbers.
unsafe impl Send for Lease {}

/// A partition, mapped, with a heap in its reserve.
///
/// It belongs to the process that created or opened it. A child made by fork() has no
/// mapping of it: there every call fails with ECHILD, and dropping it closes the child's
/// descriptor. [`Self::descriptor`] works in a child as well.
pub struct Partition {
    heap: Heap,
    /// The heap that it shares with other processes, if it does.
    shared: Option<Arc<Shared>>,
    reserve: Mapping,
    window: Mapping,
    /// Their offsets in the file, which never change.
    reserve_offset: u64,
    window_offset: u64,
    /// Offsets and handles of leases, for [`Self::give_back_at`].
    leases: PiMutex<[Option<(u64, u64)>; LEASES]>,
    /// What the reserve was made of, one after the other.
    pieces: PiMutex<pieces::Pieces>,
    file: Descriptor,
    /// Whether it was created here, not opened.
    creator: bool,
    /// What its descriptor may be used for.
    rights: u32,
    /// The process that created or opened it.
    process: Process,
}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

impl Partition {
    /// Creates an unnamed partition with `reserve` bytes of its own, which may
    /// borrow `borrow_limit` bytes more. Both are rounded up to whole pages.
    pub fn create(reserve: usize, borrow_limit: usize) -> io::Result<Self> {
        Self::create_named(Default::default(), reserve, borrow_limit)
    }

    /// The same with a name, from [`crate::name_field`].
    pub fn create_named(
        name: [c_char; abi::GENP_NAME_SIZE as usize],
        reserve: usize,
        borrow_limit: usize,
    ) -> io::Result<Self> {
        let page = page_size() as u64;
        let pages = |bytes: usize| (bytes as u64).checked_next_multiple_of(page);
        let too_big = || error(libc::E2BIG);
        Self::create_from(abi::genp_create {
            size: size_of::<abi::genp_create>(),
            name,
            reserve: pages(reserve).ok_or_else(too_big)?,
            borrow_limit: pages(borrow_limit).ok_or_else(too_big)?,
            node: abi::GENP_ANY_NODE,
            ..Default::default()
        })
    }

    /// Creates a partition as requested.
    pub fn create_from(request: abi::genp_create) -> io::Result<Self> {
        Self::new(Origin::created(Descriptor::create(request)?), None)
    }

    /// The same with another heap manager: EINVAL if that lacks a function, and its own
    /// errors.
    ///
    /// # Safety
    ///
    /// The functions of the manager do what `genp/manager.h` says, for as long as the
    /// partition exists.
    pub unsafe fn create_managed(request: abi::genp_create, manager: &Manager) -> io::Result<Self> {
        Self::new(Origin::created(Descriptor::create(request)?), Some(manager))
    }

    /// Opens a partition by its name. Its heap stays with its creator; leases and
    /// the memory itself are shared. EMLINK if this process has it already, unless it was
    /// created with `GENP_CREATE_MULTIMAP`.
    pub fn open(name: &str) -> io::Result<Self> {
        let file = Descriptor::open(name)?;
        Self::new(Origin::opened(file, abi::GENP_RIGHTS_ALL), None)
    }

    /// The same without any right: the reserve can be read, and nothing else be done but to ask.
    /// Of who may open the partition the right to read it suffices. EINVAL of an older module.
    pub fn open_read_only(name: &str) -> io::Result<Self> {
        Self::new(Origin::opened(Descriptor::open_read_only(name)?, 0), None)
    }

    /// Uses a partition that came as a file descriptor, like [`Self::open`], with the rights that
    /// the descriptor has: EACCES from what needs others.
    pub fn from_fd(fd: OwnedFd) -> io::Result<Self> {
        Self::new(Origin::handed_over(fd.into(), false), None)
    }

    /// Whether it was created here, not opened.
    pub(crate) fn is_creator(&self) -> bool {
        self.creator
    }

    /// What its descriptor may be used for here, bits `GENP_RIGHT_*`.
    pub fn rights(&self) -> u32 {
        self.rights
    }

    /// The process that created or opened it.
    pub(crate) fn process(&self) -> Process {
        self.process
    }

    /// The partition's file descriptor.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// The partition's descriptor: histograms, bounds, destruction.
    pub fn descriptor(&self) -> &Descriptor {
        &self.file
    }

    /// Allocates from the heap: ENOMEM, EINVAL, ECHILD, EDEADLK, ENOTRECOVERABLE. O(1), no
    /// system call.
    pub fn alloc(&self, size: usize, align: usize) -> io::Result<NonNull<u8>> {
        self.heap.alloc(size, align)
    }

    /// Changes the size of a block, where it is if that can be, and keeps its contents and
    /// its alignment. Making it smaller never moves it. On error the block is as it was:
    /// EINVAL, ENOMEM, ECHILD, EDEADLK, ENOTRECOVERABLE.
    ///
    /// # Safety
    ///
    /// Nobody uses the block meanwhile, nor its old address if it moved.
    pub unsafe fn realloc(&self, block: NonNull<u8>, size: usize) -> io::Result<NonNull<u8>> {
        // SAFETY: by the precondition.
        unsafe { self.heap.realloc(block, size) }
    }

    /// Frees what [`Self::alloc`] gave: EINVAL for what is not that, ECHILD, EDEADLK,
    /// ENOTRECOVERABLE.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any longer.
    pub unsafe fn free(&self, block: NonNull<u8>) -> io::Result<()> {
        // SAFETY: by the precondition.
        unsafe { self.heap.free(block) }
    }

    /// The heap in the reserve.
    #[inline]
    pub(crate) fn heap(&self) -> &Heap {
        &self.heap
    }

    /// Bytes asked for when `block` was allocated. EINVAL, ECHILD.
    pub fn size_of(&self, block: NonNull<u8>) -> io::Result<usize> {
        self.heap.size(block)
    }

    /// The addresses of its mappings.
    pub(crate) fn mappings(&self) -> [Option<Range<usize>>; 2] {
        [&self.reserve, &self.window].map(Mapping::addresses)
    }

    /// Borrows for the partition's default term and waits at most `timeout`; `None`
    /// waits without a limit.
    pub fn borrow(&self, length: usize, timeout: Option<Duration>) -> io::Result<Lease> {
        let deadline = match timeout {
            None => abi::GENP_WAIT_FOREVER as u64,
            Some(Duration::ZERO) => abi::GENP_NO_WAIT as u64,
            Some(timeout) => u64::try_from(timeout.as_nanos())
                .ok()
                .and_then(|timeout| system::now().checked_add(timeout))
                .unwrap_or(abi::GENP_WAIT_FOREVER as u64),
        };
        self.borrow_until(length, deadline, 0, 0)
    }

    /// Borrows: see `GENP_BORROW` for the arguments and errors; ECHILD, EDEADLK.
    pub fn borrow_until(
        &self,
        length: usize,
        deadline: u64,
        lease_ns: u64,
        reasons: u32,
    ) -> io::Result<Lease> {
        self.check()?;
        let mut request = abi::genp_borrow {
            size: size_of::<abi::genp_borrow>(),
            length: length as u64,
            deadline,
            lease_ns,
            reasons,
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.fd(), abi::GENP_IOCTL_BORROW, &mut request)? };
        let offset = request.offset - self.window_offset;
        let start = self
            .window
            .at(offset, length)
            .ok_or_else(|| error(libc::EIO))?;
        // No EDEADLK: `check` saw that we do not hold it.
        let mut leases = self.leases.lock()?;
        // A slice is reused when its lease is over; its old entry is replaced.
        for entry in leases.iter_mut() {
            if matches!(entry, Some((old, _)) if *old == offset) {
                *entry = None;
            }
        }
        if let Some(entry) = leases.iter_mut().find(|entry| entry.is_none()) {
            *entry = Some((offset, request.handle));
        }
        Ok(Lease {
            start,
            length,
            expires: request.expires,
            handle: request.handle,
        })
    }

    /// ECHILD in a forked child. EDEADLK in a signal handler that interrupted its own
    /// thread when that looked at its leases.
    fn check(&self) -> io::Result<()> {
        self.process.check()?;
        match self.leases.is_held() {
            true => Err(error(libc::EDEADLK)),
            false => Ok(()),
        }
    }

    /// Gives a lease back: ESTALE if it is over; ECHILD, EDEADLK.
    pub fn give_back(&self, lease: Lease) -> io::Result<()> {
        self.check()?;
        let mut request = abi::genp_handle {
            size: size_of::<abi::genp_handle>(),
            handle: lease.handle,
            ..Default::default()
        };
        for entry in self.leases.lock()?.iter_mut() {
            if matches!(entry, Some((_, handle)) if *handle == lease.handle) {
                *entry = None;
            }
        }
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.fd(), abi::GENP_IOCTL_RETURN, &mut request) }
    }

    /// The handle of the lease that begins at an address: EINVAL if none does; ECHILD,
    /// EDEADLK.
    fn handle_at(&self, address: *const u8) -> io::Result<u64> {
        self.check()?;
        let offset = self
            .window
            .offset_of(address)
            .ok_or_else(|| error(libc::EINVAL))?;
        self.leases
            .lock()?
            .iter()
            .flatten()
            .find(|(start, _)| *start == offset)
            .map(|(_, handle)| *handle)
            .ok_or_else(|| error(libc::EINVAL))
    }

    /// Gives back the lease that begins at an address.
    pub(crate) fn give_back_at(&self, start: NonNull<u8>) -> io::Result<()> {
        let handle = self.handle_at(start.as_ptr())?;
        self.give_back(Lease {
            start,
            length: 0,
            expires: 0,
            handle,
        })
    }

    /// Renews the lease at an address for another term and returns the new deadline.
    /// EAGAIN while there are waiters, ESTALE, ECHILD, EDEADLK.
    pub fn renew(&self, start: NonNull<u8>, lease_ns: u64) -> io::Result<u64> {
        let mut request = abi::genp_renew {
            size: size_of::<abi::genp_renew>(),
            handle: self.handle_at(start.as_ptr())?,
            lease_ns,
            ..Default::default()
        };
        // SAFETY: the command's own structure.
        unsafe { ioctl(self.fd(), abi::GENP_IOCTL_RENEW, &mut request)? };
        Ok(request.expires)
    }

    /// The state and the counters of the partition. ECHILD.
    pub fn stat(&self) -> io::Result<abi::genp_stat> {
        self.process.check()?;
        self.file.stat()
    }

    /// The partition's bounds. ECHILD.
    pub fn bounds(&self) -> io::Result<abi::genp_bounds> {
        self.process.check()?;
        self.file.bounds(0, 0)
    }

    /// Bytes of the heap in use, headers included. ECHILD, EDEADLK.
    pub fn heap_used(&self) -> io::Result<usize> {
        self.heap.used()
    }
}
