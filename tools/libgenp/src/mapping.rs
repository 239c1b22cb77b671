// SPDX-License-Identifier: MIT OR Apache-2.0

//! The windows of partitions in the address space.

use std::{
    ffi::c_void,
    io,
    ops::Range,
    os::fd::{AsRawFd, BorrowedFd},
    ptr::{self, NonNull},
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::process::Process;

fn no_memory() -> io::Error {
    io::Error::from_raw_os_error(libc::ENOMEM)
}

/// The address that mmap() returned, or its error.
fn mapped(start: *mut c_void) -> io::Result<NonNull<u8>> {
    match start {
        libc::MAP_FAILED => Err(io::Error::last_os_error()),
        start => NonNull::new(start.cast()).ok_or_else(no_memory),
    }
}

/// To read and to write.
pub(crate) const BOTH: i32 = libc::PROT_READ | libc::PROT_WRITE;

/// Maps a window of a partition, where the kernel likes or at `at`, which must be set aside.
fn map_window(
    fd: BorrowedFd<'_>,
    offset: u64,
    length: usize,
    access: i32,
    at: Option<NonNull<u8>>,
) -> io::Result<NonNull<u8>> {
    let fixed = at.map_or(0, |_| libc::MAP_FIXED);
    // SAFETY: a new mapping, or over addresses that nobody else uses.
    mapped(unsafe {
        libc::mmap(
            at.map_or(ptr::null_mut(), |at| at.as_ptr().cast()),
            length,
            access,
            libc::MAP_SHARED | fixed,
            fd.as_raw_fd(),
            offset as libc::off_t,
        )
    })
}

/// Sets addresses aside, where the kernel likes or over what is mapped at `at`.
fn set_aside(at: Option<NonNull<u8>>, length: usize, access: i32) -> io::Result<NonNull<u8>> {
    // What can be read is read without a page fault.
    let fixed = at.map_or(0, |_| libc::MAP_FIXED | libc::MAP_POPULATE);
    // SAFETY: new addresses, or those of a mapping of ours.
    mapped(unsafe {
        libc::mmap(
            at.map_or(ptr::null_mut(), |at| at.as_ptr().cast()),
            length,
            access,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | fixed,
            -1,
            0,
        )
    })
}

/// A mapping, undone when dropped by the process that made it. Its children have
/// nothing there, or something of their own.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: Option<NonNull<u8>>,
    /// Bytes that are mapped.
    length: AtomicUsize,
    /// Bytes of addresses that are the mapping's, those that it can grow into included.
    room: usize,
    /// Whether addresses were set aside for it.
    grows: bool,
    process: Process,
}

// SAFETY: owns a range of addresses, which any thread may use and unmap.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps a window of a partition for this access, as of mmap(). Without an address if
    /// `length` is 0.
    pub(crate) fn new(
        fd: BorrowedFd<'_>,
        offset: u64,
        length: u64,
        access: i32,
    ) -> io::Result<Self> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let process = Process::current();
        if length == 0 {
            return Ok(Self {
                start: None,
                length: AtomicUsize::new(0),
                room: 0,
                grows: false,
                process,
            });
        }
        let start = map_window(fd, offset, length, access, None)?;
        Ok(Self {
            start: Some(start),
            length: AtomicUsize::new(length),
            room: length,
            grows: false,
            process,
        })
    }

    /// The same to read and to write, with addresses set aside behind it, `room` bytes of them with
    /// the mapping, so that it can grow where it is. EINVAL if `length` is 0; E2BIG if it is more than `room`.
    pub(crate) fn with_room(
        fd: BorrowedFd<'_>,
        offset: u64,
        length: u64,
        room: usize,
    ) -> io::Result<Self> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        if length == 0 || length > room {
            let number = if length == 0 {
                libc::EINVAL
            } else {
                libc::E2BIG
            };
            return Err(io::Error::from_raw_os_error(number));
        }
        let start = set_aside(None, room, libc::PROT_NONE)?;
        // From here on its end undoes what there is.
        let mapping = Self {
            start: Some(start),
            length: AtomicUsize::new(length),
            room,
            grows: true,
            process: Process::current(),
        };
        map_window(fd, offset, length, BOTH, Some(start))?;
        Ok(mapping)
    }

    /// Bytes that are mapped.
    pub(crate) fn length(&self) -> usize {
        // Relaxed: who knows of what is there was told by whoever mapped it.
        self.length.load(Ordering::Relaxed)
    }

    /// Whether [`Self::extend`] can do something.
    pub(crate) fn can_grow(&self) -> bool {
        self.grows
    }

    /// Bytes that can be mapped.
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Maps more of the window, which has `length` bytes now, behind what is mapped. That stays
    /// as it is: the window is mapped a second time elsewhere, and the rest of it moved here,
    /// with its page tables. On error nothing is changed. One caller at a time.
    pub(crate) fn extend(&self, fd: BorrowedFd<'_>, offset: u64, length: usize) -> io::Result<()> {
        let (old, start) = (self.length(), self.start.ok_or_else(no_memory)?);
        if length <= old || length > self.room {
            return Err(no_memory());
        }
        let again = map_window(fd, offset, length, BOTH, None)?;
        // SAFETY: moves the rest of what was just mapped, which nobody uses, over addresses that
        // are set aside, and unmaps what is left there.
        unsafe {
            let to = start.as_ptr().add(old).cast::<c_void>();
            let rest = again.as_ptr().add(old).cast();
            let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
            let moved = libc::mremap(rest, length - old, length - old, flags, to);
            let error = io::Error::last_os_error();
            let left = if moved == libc::MAP_FAILED {
                length
            } else {
                old
            };
            libc::munmap(again.as_ptr().cast(), left);
            if moved == libc::MAP_FAILED {
                return Err(error);
            }
        }
        self.length.store(length, Ordering::Relaxed);
        Ok(())
    }

    /// Unmaps all behind `length` bytes and sets it aside again. There are zeroes that can be read, for
    /// who looked for a block there and was kept from running until now. On error nothing is
    /// changed. One caller at a time.
    pub(crate) fn withdraw(&self, length: usize) -> io::Result<()> {
        let (old, start) = (self.length(), self.start.ok_or_else(no_memory)?);
        // SAFETY: within the mapping; nobody has a block there.
        let behind = unsafe { start.add(length) };
        set_aside(Some(behind), old - length, libc::PROT_READ)?;
        self.length.store(length, Ordering::Relaxed);
        Ok(())
    }

    /// The address at `offset`, if `length` bytes from there are mapped.
    pub(crate) fn at(&self, offset: u64, length: usize) -> Option<NonNull<u8>> {
        let offset = usize::try_from(offset).ok()?;
        if offset.checked_add(length)? > self.length() {
            return None;
        }
        // SAFETY: within the mapping.
        Some(unsafe { self.start?.add(offset) })
    }

    /// The addresses of the mapping, if it has any, and those that it can grow into.
    pub(crate) fn addresses(&self) -> Option<Range<usize>> {
        let start = self.start?.as_ptr() as usize;
        Some(start..start + self.room)
    }

    /// The offset of an address in the mapping, if it lies there.
    pub(crate) fn offset_of(&self, address: *const u8) -> Option<u64> {
        let offset = (address as usize).checked_sub(self.start?.as_ptr() as usize)?;
        (offset < self.length()).then_some(offset as u64)
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if let Some(start) = self.start.filter(|_| self.process.is_current()) {
            // SAFETY: our own mapping, which nobody uses any longer.
            unsafe { libc::munmap(start.as_ptr().cast(), self.room) };
        }
    }
}
