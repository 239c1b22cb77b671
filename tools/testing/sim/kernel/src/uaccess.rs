// SPDX-License-Identifier: GPL-2.0

//! Memory of programs, which is that of the simulation: any address above the lowest is
//! taken for valid, unless the task is to find out otherwise.

use crate::{
    error::{code::EFAULT, Result},
    sim,
};

const LOWEST: usize = 1 << 16;

/// Whether an access by the current call of the kernel works.
pub(crate) fn accessible(address: usize) -> bool {
    sim::machine().might_sleep("an access to the memory of a program");
    sim::point();
    if address < LOWEST {
        return false;
    }
    let Some(me) = sim::machine().task() else {
        return true;
    };
    match me.fault_in.get() {
        0 => true,
        left => {
            me.fault_in.set(left - 1);
            left != 1
        }
    }
}

/// An address.
#[derive(Clone, Copy)]
pub struct UserPtr(usize);

impl UserPtr {
    /// Any number.
    pub fn from_addr(address: usize) -> Self {
        Self(address)
    }
}

/// A piece of memory.
pub struct UserSlice(usize, usize);

impl UserSlice {
    /// It need not be valid.
    pub fn new(at: UserPtr, length: usize) -> Self {
        Self(at.0, length)
    }

    /// To read it.
    pub fn reader(self) -> UserSliceReader {
        UserSliceReader(self.0, self.1)
    }

    /// To write it.
    pub fn writer(self) -> UserSliceWriter {
        UserSliceWriter(self.0, self.1)
    }
}

/// Reads.
pub struct UserSliceReader(usize, usize);

impl UserSliceReader {
    /// EFAULT.
    pub fn read<T: Copy>(&mut self) -> Result<T> {
        if self.1 < size_of::<T>() || !accessible(self.0) {
            return Err(EFAULT);
        }
        // SAFETY: addresses above the lowest are the simulation's.
        Ok(unsafe { (self.0 as *const T).read_unaligned() })
    }
}

/// Writes.
pub struct UserSliceWriter(usize, usize);

impl UserSliceWriter {
    /// EFAULT.
    pub fn write_slice(&mut self, bytes: &[u8]) -> Result {
        if self.1 < bytes.len() || !accessible(self.0) {
            return Err(EFAULT);
        }
        // SAFETY: as above, with room for the length.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0 as *mut u8, bytes.len()) };
        self.0 += bytes.len();
        self.1 -= bytes.len();
        Ok(())
    }
}
