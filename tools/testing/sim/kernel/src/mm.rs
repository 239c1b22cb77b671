// SPDX-License-Identifier: GPL-2.0

//! Address spaces as the kernel's crate has them.

use crate::sim::space::mm_struct;

/// An address space of a process.
#[repr(transparent)]
pub struct MmWithUser(mm_struct);

impl MmWithUser {
    pub(crate) fn of(mm: &mm_struct) -> &Self {
        // SAFETY: transparent.
        unsafe { &*core::ptr::from_ref(mm).cast() }
    }

    /// Its address.
    pub fn as_raw(&self) -> *mut mm_struct {
        core::ptr::from_ref(&self.0).cast_mut()
    }

    /// Takes its lock for reading.
    pub fn mmap_read_lock(&self) -> MmapReadGuard<'_> {
        self.0.lock.lock_mutex();
        MmapReadGuard(&self.0)
    }

    /// Takes its lock for reading if that is free.
    pub fn mmap_read_trylock(&self) -> Option<MmapReadGuard<'_>> {
        self.0.lock.try_lock_mutex().then(|| MmapReadGuard(&self.0))
    }
}

/// The lock, held.
pub struct MmapReadGuard<'a>(&'a mm_struct);

impl MmapReadGuard<'_> {
    /// The mapping at an address.
    pub fn vma_lookup(&self, address: usize) -> Option<&virt::VmaRef> {
        let vma = self.0.find(address)?;
        // SAFETY: transparent.
        Some(unsafe { &*core::ptr::from_ref(vma).cast() })
    }
}

impl Drop for MmapReadGuard<'_> {
    fn drop(&mut self) {
        self.0.lock.unlock_mutex();
    }
}

/// Mappings.
pub mod virt {
    use core::ops::Deref;

    use super::MmWithUser;
    use crate::sim::space::vm_area_struct;

    /// A mapping.
    #[repr(transparent)]
    pub struct VmaRef(vm_area_struct);

    /// A mapping that is being made.
    #[repr(transparent)]
    pub struct VmaNew(VmaRef);

    impl VmaRef {
        /// Its address.
        pub fn as_ptr(&self) -> *mut vm_area_struct {
            core::ptr::from_ref(&self.0).cast_mut()
        }

        /// Where it begins.
        pub fn start(&self) -> usize {
            self.0.start
        }

        /// Its address space.
        pub fn mm(&self) -> &MmWithUser {
            // SAFETY: it lives as long as its mappings.
            MmWithUser::of(unsafe { &*self.0.mm })
        }
    }

    impl VmaNew {
        /// From what C passes.
        pub unsafe fn from_raw<'a>(vma: *mut vm_area_struct) -> &'a Self {
            // SAFETY: by the precondition.
            unsafe { &*vma.cast() }
        }
    }

    impl Deref for VmaNew {
        type Target = VmaRef;

        fn deref(&self) -> &VmaRef {
            &self.0
        }
    }
}
