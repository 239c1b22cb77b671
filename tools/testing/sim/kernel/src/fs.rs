// SPDX-License-Identifier: GPL-2.0

//! Files as the kernel's crate has them.

pub use file::File;

/// Files.
pub mod file {
    use core::ptr::NonNull;

    use crate::{
        bindings,
        error::{
            code::{EBADF, ENFILE},
            Error, Result,
        },
        sim::{self, process::Process},
        sync::aref::{ARef, AlwaysRefCounted},
    };

    /// A file.
    #[repr(transparent)]
    pub struct File(bindings::file);

    /// A file that the current process has.
    #[repr(transparent)]
    pub struct LocalFile(bindings::file);

    macro_rules! counted {
        ($name:ident) => {
            // SAFETY: files count their references.
            unsafe impl AlwaysRefCounted for $name {
                fn inc_ref(&self) {
                    self.0.get();
                }

                unsafe fn dec_ref(obj: NonNull<Self>) {
                    // SAFETY: by the precondition.
                    unsafe { obj.as_ref() }.0.put();
                }
            }
        };
    }

    counted!(File);
    counted!(LocalFile);

    impl File {
        /// From what C passes.
        pub unsafe fn from_raw_file<'a>(file: *const bindings::file) -> &'a Self {
            // SAFETY: by the precondition.
            unsafe { &*file.cast() }
        }
    }

    /// There is no such descriptor.
    pub struct BadFdError;

    impl From<BadFdError> for Error {
        fn from(_: BadFdError) -> Self {
            EBADF
        }
    }

    fn process() -> Option<&'static Process> {
        // SAFETY: tasks and processes live as long as the machine.
        unsafe { (*sim::machine().current()).process() }
    }

    impl LocalFile {
        /// The file of a descriptor.
        pub fn fget(fd: u32) -> Result<ARef<Self>, BadFdError> {
            let file = process().and_then(|process| process.get(fd as i32));
            let file = NonNull::from(file.ok_or(BadFdError)?);
            // SAFETY: `get` took a reference; transparent.
            Ok(unsafe { ARef::from_raw(file.cast()) })
        }

        /// Its address.
        pub fn as_ptr(&self) -> *mut bindings::file {
            core::ptr::from_ref(&self.0).cast_mut()
        }
    }

    /// A descriptor that nobody has yet.
    pub struct FileDescriptorReservation(usize);

    impl FileDescriptorReservation {
        /// ENFILE, if the seed says so.
        pub fn get_unused_fd_flags(_flags: u32) -> Result<Self> {
            if !crate::alloc::allow() {
                return Err(ENFILE);
            }
            process()
                .and_then(Process::reserve_fd)
                .map(Self)
                .ok_or(ENFILE)
        }

        /// Its number.
        pub fn reserved_fd(&self) -> u32 {
            self.0 as u32
        }

        /// Opens it.
        pub fn fd_install(self, file: ARef<File>) {
            sim::point();
            if let Some(process) = process() {
                process.install_fd(self.0, ARef::into_raw(file).as_ptr().cast());
            }
            core::mem::forget(self);
        }
    }

    impl Drop for FileDescriptorReservation {
        fn drop(&mut self) {
            if let Some(process) = process() {
                process.unreserve_fd(self.0);
            }
        }
    }
}
