// SPDX-License-Identifier: GPL-2.0

//! Arguments in user memory.

use core::mem::size_of;

use kernel::{error::to_result, page::PAGE_SIZE, prelude::*};

use super::{
    abi::{genp_event, IoctlArgument},
    errno::E2BIG,
    glue,
};

/// Copies plain data in.
fn copy_in<T: IoctlArgument>(to: &mut T, from: usize, size: usize) -> Result {
    if size > size_of::<T>() {
        return Err(EINVAL);
    }
    // SAFETY: `to` has room for `size` bytes, and any bytes are a valid T.
    to_result(unsafe { glue::genp_copy_in(core::ptr::from_mut(to).cast(), from, size) })
}

/// The argument of an ioctl.
pub(crate) struct UserArg(usize);

impl UserArg {
    /// The argument at an address of the user's, which may be anything.
    pub(crate) fn new(address: usize) -> Self {
        Self(address)
    }

    /// Reads the size with which the user's structure begins.
    fn size(&self) -> Result<usize> {
        let mut size = 0u32;
        // SAFETY: `size` has room for its four bytes.
        to_result(unsafe {
            glue::genp_copy_in(
                core::ptr::from_mut(&mut size).cast(),
                self.0,
                size_of::<u32>(),
            )
        })?;
        Ok(size as usize)
    }

    /// Reads the structure: what the user's does not have is zero, what it has
    /// beyond ours must be zero. EINVAL for one too short to have flags, E2BIG,
    /// EFAULT. Context: thread, may sleep.
    pub(crate) fn read<T: IoctlArgument>(&self) -> Result<T> {
        const LEAST: usize = 2 * size_of::<u32>();

        let size = self.size()?;
        if size < LEAST {
            return Err(EINVAL);
        }
        if size > PAGE_SIZE {
            return Err(E2BIG);
        }
        let ours = size_of::<T>();
        if size > ours {
            let tail = self.0.checked_add(ours).ok_or(EFAULT)?;
            // SAFETY: the call checks the user's addresses.
            match unsafe { glue::genp_check_zeroed(tail, size - ours) } {
                1 => {}
                0 => return Err(E2BIG),
                error => return Err(Error::from_errno(error)),
            }
        }
        let mut value = T::default();
        copy_in(&mut value, self.0, size.min(ours))?;
        Ok(value)
    }

    /// Writes the structure back, as much of it as the user's has. Its size was
    /// read once, by [`Self::read`], and is `size`. EFAULT. Context: thread, may
    /// sleep.
    pub(crate) fn write<T: IoctlArgument>(&self, value: &T, size: u32) -> Result {
        let size = (size as usize).min(size_of::<T>());
        // SAFETY: `value` has `size` bytes, all of them initialised.
        to_result(unsafe { glue::genp_copy_out(self.0, core::ptr::from_ref(value).cast(), size) })
    }
}

/// The buffer of a read().
pub(crate) struct UserRecords {
    at: usize,
    room: usize,
}

impl UserRecords {
    /// The buffer at an address of the user's, which may be anything.
    pub(crate) fn new(at: usize, room: usize) -> Self {
        Self { at, room }
    }

    /// Writes one record. EFAULT. Context: thread, may sleep.
    pub(crate) fn write(&mut self, record: &genp_event) -> Result {
        let size = size_of::<genp_event>();
        if size > self.room {
            return Err(EINVAL);
        }
        // SAFETY: `record` has `size` bytes, all of them initialised: its layout
        // has no padding.
        to_result(unsafe {
            glue::genp_copy_out(self.at, core::ptr::from_ref(record).cast(), size)
        })?;
        self.at = self.at.checked_add(size).ok_or(EFAULT)?;
        self.room -= size;
        Ok(())
    }
}
