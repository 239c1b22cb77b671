// SPDX-License-Identifier: GPL-2.0

//! Arguments and records in user memory.

use core::mem::size_of;

use kernel::{
    error::to_result,
    page::PAGE_SIZE,
    prelude::*,
    uaccess::{UserPtr, UserSlice, UserSliceWriter},
};

use super::{
    abi::{genp_event, IoctlArgument},
    glue,
};

/// The argument of an ioctl.
pub(crate) struct UserArg(usize);

impl UserArg {
    /// The argument at a user address, which need not be valid.
    pub(crate) fn new(address: usize) -> Self {
        Self(address)
    }

    /// The size with which the user's structure begins.
    fn size(&self) -> Result<u32> {
        UserSlice::new(UserPtr::from_addr(self.0), size_of::<u32>())
            .reader()
            .read()
    }

    /// Reads the structure: fields that the user's does not have are zero, and bytes
    /// beyond ours must be zero. EINVAL for one too short to have flags, E2BIG, EFAULT.
    /// Context: thread, may sleep.
    pub(crate) fn read<T: IoctlArgument>(&self) -> Result<T> {
        const LEAST: usize = 2 * size_of::<u32>();

        let size = self.size()?;
        match size as usize {
            0..LEAST => return Err(EINVAL),
            LEAST..=PAGE_SIZE => {}
            _ => return Err(E2BIG),
        }
        let mut value = T::default();
        // SAFETY: `value` has room for the size of its type, and any bytes are valid.
        to_result(unsafe {
            glue::genp_copy_struct_in(
                core::ptr::from_mut(&mut value).cast(),
                size_of::<T>(),
                self.0,
                size as usize,
            )
        })?;
        // The user may have changed it since: the size that was checked is used.
        value.set_size(size);
        Ok(value)
    }

    /// Writes the structure back, as much of it as the user's has, and zeroes what the
    /// user's has beyond ours. EFAULT. Context: thread, may sleep.
    pub(crate) fn write<T: IoctlArgument>(&self, value: &T) -> Result {
        // SAFETY: `value` has the size of its type, all of it initialised.
        to_result(unsafe {
            glue::genp_copy_struct_out(
                self.0,
                value.size() as usize,
                core::ptr::from_ref(value).cast(),
                size_of::<T>(),
            )
        })
    }
}

/// The buffer of a read().
pub(crate) struct UserRecords(UserSliceWriter);

impl UserRecords {
    /// The buffer at a user address, which need not be valid.
    pub(crate) fn new(address: usize, length: usize) -> Self {
        Self(UserSlice::new(UserPtr::from_addr(address), length).writer())
    }

    /// Writes one record. EFAULT. Context: thread, may sleep.
    pub(crate) fn write(&mut self, record: &genp_event) -> Result {
        let bytes = core::ptr::from_ref(record).cast::<u8>();
        // SAFETY: these are the bytes of one record, all initialised: the header asserts
        // that it has no padding.
        let bytes = unsafe { core::slice::from_raw_parts(bytes, size_of::<genp_event>()) };
        self.0.write_slice(bytes)
    }
}
