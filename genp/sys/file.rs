// SPDX-License-Identifier: GPL-2.0

//! The file of a partition.

use core::ptr::NonNull;

use kernel::{
    bindings,
    error::from_err_ptr,
    fs::file::{File, FileDescriptorReservation},
    prelude::*,
    str::CStr,
    sync::{aref::ARef, Arc},
};

use super::glue;
use crate::genp::partition::Partition;

/// A reference to the file of a partition.
pub(crate) struct FileRef(pub(super) NonNull<bindings::file>);

// SAFETY: a counted reference to a file, which is made for being shared.
unsafe impl Send for FileRef {}

impl FileRef {
    /// Makes a file for `partition`, named `name` in /proc. Its release, after the
    /// last reference and mapping, is [`Partition::close`]. ENFILE, ENOMEM.
    /// Context: thread, may sleep.
    pub(crate) fn create(name: &CStr, partition: Arc<Partition>) -> Result<Self> {
        let data = partition.into_raw();
        // SAFETY: `name` is read during the call; `data` is a reference of its
        // own, which `genp_partition_release` takes back.
        let file = unsafe { glue::genp_file_create(name.as_char_ptr(), data.cast_mut().cast()) };
        match from_err_ptr(file).and_then(|file| NonNull::new(file).ok_or(EINVAL)) {
            Ok(file) => Ok(Self(file)),
            Err(error) => {
                // SAFETY: no file was made, so the reference is ours again.
                drop(unsafe { Arc::from_raw(data) });
                Err(error)
            }
        }
    }

    /// The same file without a reference to it.
    pub(crate) fn weak(&self) -> WeakFile {
        WeakFile(self.0)
    }

    /// Where the file's mappings are found.
    pub(crate) fn mapping(&self) -> Mapping {
        // SAFETY: we hold a reference to the file.
        Mapping(unsafe { glue::genp_file_mapping(self.0.as_ptr()) })
    }

    /// Gives the reference to the caller's table of open files. Context: thread.
    pub(crate) fn install(self, fd: FileDescriptorReservation) {
        let file = core::mem::ManuallyDrop::new(self).0;
        // SAFETY: the reference we hold goes over; the file is not in use by any
        // fdget_pos, for it is a stream. `File` is a transparent wrapper.
        fd.fd_install(unsafe { ARef::<File>::from_raw(file.cast()) });
    }
}

impl FileRef {
    /// Keeps the reference for a driver, until [`WeakFile::put_kept`].
    pub(crate) fn keep(self) {
        core::mem::forget(self);
    }

    /// The file of a partition behind a file descriptor of the caller's, and the
    /// partition: EBADF, or EINVAL if it is something else. Context: thread.
    pub(super) fn from_fd(fd: i32) -> Result<(Self, NonNull<Partition>)> {
        let mut partition = core::ptr::null_mut();
        // SAFETY: any number is checked by the call, which writes to `partition`.
        let file = from_err_ptr(unsafe { glue::genp_file_from_fd(fd, &mut partition) })?;
        let file = Self(NonNull::new(file).ok_or(EINVAL)?);
        Ok((file, NonNull::new(partition.cast()).ok_or(EINVAL)?))
    }
}

impl Drop for FileRef {
    fn drop(&mut self) {
        // SAFETY: gives up our reference.
        unsafe { glue::genp_file_put(self.0.as_ptr()) }
    }
}

/// The file of a partition, which may be on its way out.
pub(crate) struct WeakFile(NonNull<bindings::file>);

// SAFETY: only an address until `get` makes a reference of it.
unsafe impl Send for WeakFile {}
// SAFETY: as above.
unsafe impl Sync for WeakFile {}

impl WeakFile {
    /// A reference, unless the last one was dropped already. Context: thread. The
    /// caller holds what the file's release has to get before it returns (the
    /// roster's lock of names), so the file is there, dying or not.
    pub(crate) fn get(&self) -> Option<FileRef> {
        // SAFETY: a file is freed after its release, which the caller holds up.
        let file = unsafe { glue::genp_file_get_active(self.0.as_ptr()) };
        NonNull::new(file).map(FileRef)
    }
}

impl WeakFile {
    /// References to the file. The caller has one.
    pub(crate) fn users(&self) -> u32 {
        // SAFETY: the caller's reference keeps the file there.
        let users = unsafe { glue::genp_file_users(self.0.as_ptr()) };
        u32::try_from(users).unwrap_or(u32::MAX)
    }

    /// Gives up a reference that was kept; if it was the last one the file is released
    /// before this returns. Context: thread, may sleep, no locks held.
    ///
    /// # Safety
    ///
    /// There is a reference of [`FileRef::keep`] that was not given up yet, and nobody
    /// uses the partition through it any longer.
    pub(super) unsafe fn put_kept(&self) {
        // SAFETY: by the precondition.
        unsafe { glue::genp_file_put_now(self.0.as_ptr()) }
    }
}

/// The mappings of a partition's file.
pub(crate) struct Mapping(*mut bindings::address_space);

// SAFETY: an address in an object with locks of its own.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Unmaps a part of the file wherever it is mapped. Linear in what is mapped.
    /// Context: thread, may sleep. The caller has a reference to the file, or its
    /// release has not returned.
    pub(crate) fn zap(&self, offset: u64, length: u64) {
        if length == 0 {
            return;
        }
        // SAFETY: the mapping is part of the file's inode, which is there.
        unsafe { glue::genp_zap(self.0, offset, length) }
    }
}
