// SPDX-License-Identifier: GPL-2.0

//! Files that GenP creates, and their owners.

use core::{marker::PhantomData, ptr::NonNull};

use kernel::{
    bindings,
    error::from_err_ptr,
    fs::file::{File, FileDescriptorReservation, LocalFile},
    prelude::*,
    str::CStr,
    sync::{aref::ARef, Arc},
};

use super::glue;

/// The owner of files that GenP creates.
///
/// # Safety
///
/// The file operations in `glue_file.c` and the window operations in `glue_vma.c` take
/// the private data of the file for a pointer to this type, and release gives back the
/// counted reference that [`FileRef::create`] took. So there is one such type.
pub(crate) unsafe trait FileOwner: Send + Sync {}

/// A reference to the file of a `T`.
pub(crate) struct FileRef<T>(pub(super) NonNull<bindings::file>, PhantomData<Arc<T>>);

// SAFETY: a counted reference to a file, which any thread may use, as it may the owner.
unsafe impl<T: FileOwner> Send for FileRef<T> {}

impl<T: FileOwner> FileRef<T> {
    /// Creates a file for `owner`, named `name` in /proc. Its release, after the last
    /// reference and mapping are gone, gets the reference to `owner`. ENFILE, ENOMEM.
    /// Context: thread, may sleep.
    pub(crate) fn create(name: &CStr, owner: Arc<T>) -> Result<Self> {
        let data = owner.into_raw();
        // SAFETY: `name` is read during the call; `data` is a reference of its own to
        // what the file's operations take it for, which the release takes back.
        let file = unsafe { glue::genp_file_create(name.as_char_ptr(), data.cast_mut().cast()) };
        match from_err_ptr(file).and_then(|file| NonNull::new(file).ok_or(EINVAL)) {
            Ok(file) => Ok(Self(file, PhantomData)),
            Err(error) => {
                // SAFETY: no file was created, so the reference is ours again.
                drop(unsafe { Arc::from_raw(data) });
                Err(error)
            }
        }
    }

    /// Another file by which the owner can be used, with `rights`, which are `GENP_RIGHT_*`.
    /// It has a reference to this one. ENFILE, ENOMEM. Context: thread, may sleep.
    pub(crate) fn restrict(&self, rights: u32) -> Result<RestrictedFile> {
        // SAFETY: we hold a reference to the file.
        let file = from_err_ptr(unsafe { glue::genp_file_restrict(self.0.as_ptr(), rights) })?;
        NonNull::new(file).map(RestrictedFile).ok_or(EINVAL)
    }

    /// The file, for as long as this lives.
    pub(super) fn as_ptr(&self) -> *mut bindings::file {
        self.0.as_ptr()
    }

    /// The same file without a reference to it.
    pub(crate) fn weak(&self) -> WeakFile<T> {
        WeakFile(self.0, PhantomData)
    }

    /// The mappings of the file.
    pub(crate) fn mapping(&self) -> Mapping {
        // SAFETY: we hold a reference to the file.
        Mapping(unsafe { glue::genp_file_mapping(self.0.as_ptr()) })
    }

    /// Keeps the reference for a driver, until [`WeakFile::put_kept`].
    pub(crate) fn keep(self) {
        core::mem::forget(self);
    }

    /// The file of a file descriptor of the caller, and its owner, which the file keeps
    /// alive: EBADF, or EINVAL if it is no file of a `T`. Context: thread.
    pub(crate) fn from_fd(fd: i32) -> Result<(Self, NonNull<T>)> {
        let file = LocalFile::fget(fd as u32)?;
        // SAFETY: we hold a reference to the file.
        let owner = unsafe { glue::genp_file_owner(file.as_ptr()) };
        let owner = NonNull::new(owner.cast()).ok_or(EINVAL)?;
        Ok((Self(ARef::into_raw(file).cast(), PhantomData), owner))
    }
}

impl<T> Drop for FileRef<T> {
    fn drop(&mut self) {
        // SAFETY: gives up our reference.
        unsafe { glue::genp_file_put(self.0.as_ptr()) }
    }
}

impl<T: FileOwner> Openable for FileRef<T> {
    fn into_file(self) -> ARef<File> {
        let file = core::mem::ManuallyDrop::new(self).0;
        // SAFETY: our reference is moved; no fdget_pos() of the file is active, because
        // it is a stream. `File` is a transparent wrapper.
        unsafe { ARef::from_raw(file.cast()) }
    }
}

/// A reference to a file that can become a descriptor.
pub(crate) trait Openable: Sized {
    /// The file.
    fn into_file(self) -> ARef<File>;

    /// Moves the reference into the caller's table of open files. Context: thread.
    fn install(self, fd: FileDescriptorReservation) {
        fd.fd_install(self.into_file());
    }
}

/// A reference to a file made by [`FileRef::restrict`].
pub(crate) struct RestrictedFile(NonNull<bindings::file>);

impl Openable for RestrictedFile {
    fn into_file(self) -> ARef<File> {
        let file = core::mem::ManuallyDrop::new(self).0;
        // SAFETY: as for the file of a `T`.
        unsafe { ARef::from_raw(file.cast()) }
    }
}

impl Drop for RestrictedFile {
    fn drop(&mut self) {
        // SAFETY: gives up our reference.
        unsafe { glue::genp_file_put(self.0.as_ptr()) }
    }
}

/// The file of a `T`, without a reference: it may be being released.
pub(crate) struct WeakFile<T>(NonNull<bindings::file>, PhantomData<Arc<T>>);

// SAFETY: only an address until `get` takes a reference.
unsafe impl<T: FileOwner> Send for WeakFile<T> {}
// SAFETY: as above.
unsafe impl<T: FileOwner> Sync for WeakFile<T> {}

impl<T: FileOwner> WeakFile<T> {
    /// A reference, unless the last one was dropped already. Context: thread. The caller
    /// holds a lock that the file's release takes before it returns (the registry's lock
    /// of names), so the file exists, even if it is being released; or it is called by way
    /// of the file itself.
    pub(crate) fn get(&self) -> Option<FileRef<T>> {
        // SAFETY: a file is freed after its release, which waits for the caller's lock, or
        // follows the caller's use of it.
        let file = unsafe { glue::genp_file_get_active(self.0.as_ptr()) };
        NonNull::new(file).map(|file| FileRef(file, PhantomData))
    }

    /// The number of references to the file, of which the caller has one.
    pub(crate) fn users(&self) -> u32 {
        // SAFETY: the caller's reference keeps the file alive.
        let users = unsafe { glue::genp_file_users(self.0.as_ptr()) };
        u32::try_from(users).unwrap_or(u32::MAX)
    }

    /// Gives up a reference that was kept; if it was the last one the file is released
    /// before this returns. Context: thread, may sleep, no locks held.
    ///
    /// # Safety
    ///
    /// A reference was kept by [`FileRef::keep`] and not given up yet, and nobody uses the
    /// owner through it any longer.
    pub(crate) unsafe fn put_kept(&self) {
        // SAFETY: by the precondition.
        unsafe { glue::genp_file_put_now(self.0.as_ptr()) }
    }
}

/// The file that the lease windows of a partition are mappings of. Nobody can open it.
pub(crate) struct LeaseFile {
    file: NonNull<bindings::file>,
    mapping: Mapping,
}

// SAFETY: a counted reference to a file, which is made for being shared.
unsafe impl Send for LeaseFile {}
// SAFETY: as above.
unsafe impl Sync for LeaseFile {}

impl LeaseFile {
    /// Makes it for the partition of `file`, named `name` in /proc. ENFILE, ENOMEM. Context:
    /// thread, may sleep.
    pub(crate) fn create<T: FileOwner>(name: &CStr, file: &FileRef<T>) -> Result<Self> {
        // SAFETY: `name` is read during the call. The other file is only kept as an
        // address, which mappings of this file use, and they have a reference to it.
        let leases = from_err_ptr(unsafe {
            glue::genp_file_create_leases(name.as_char_ptr(), file.0.as_ptr())
        })?;
        // SAFETY: we hold the reference that was made.
        let mapping = Mapping(unsafe { glue::genp_file_mapping(leases) });
        Ok(Self {
            file: NonNull::new(leases).ok_or(EINVAL)?,
            mapping,
        })
    }

    /// The file, for as long as this lives.
    pub(super) fn as_ptr(&self) -> *mut bindings::file {
        self.file.as_ptr()
    }

    /// Where the lease windows are found.
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.mapping
    }
}

impl Drop for LeaseFile {
    fn drop(&mut self) {
        // SAFETY: gives up our reference. At once, so that no file of ours is left when the
        // module goes; a mapping that is on its way out has a reference of its own.
        unsafe { glue::genp_file_put_now(self.file.as_ptr()) }
    }
}

/// The mappings of a file.
pub(crate) struct Mapping(*mut bindings::address_space);

// SAFETY: the address of an object with locks of its own.
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
        // SAFETY: the mapping is part of the file's inode, which exists by the condition
        // on the caller.
        unsafe { glue::genp_zap(self.0, offset, length) }
    }
}
