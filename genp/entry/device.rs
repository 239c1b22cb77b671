// SPDX-License-Identifier: GPL-2.0

//! /dev/genp and its attributes: their registration, and the entry points that
//! `glue_misc.c` calls.

use core::mem::ManuallyDrop;

use kernel::{
    error::to_result,
    ffi::{c_char, c_long, c_uint, c_ulong, c_void},
    prelude::*,
    sync::Arc,
};

use super::{device_ioctl, same_prototypes, sysfs, to_long};
use crate::genp::{
    registry::Registry,
    sys::{glue, user::UserArg},
};

/// /dev/genp and its attributes. Dropping it deregisters them.
pub(crate) struct Device {
    registry: *const Registry,
}

// SAFETY: owns a reference to the registry, which may be used from any thread.
unsafe impl Send for Device {}
// SAFETY: nothing is done through a shared reference.
unsafe impl Sync for Device {}

impl Device {
    /// Registers /dev/genp. At most one at a time. Context: thread, may sleep.
    pub(crate) fn register(registry: Arc<Registry>) -> Result<Self> {
        let device = Self {
            registry: registry.into_raw(),
        };
        // SAFETY: the reference in `device` outlives the registration.
        let done = unsafe { glue::genp_misc_register(device.registry.cast_mut().cast()) };
        if let Err(error) = to_result(done) {
            // SAFETY: nothing was registered, so the reference is ours alone.
            drop(unsafe { Arc::from_raw(device.registry) });
            core::mem::forget(device);
            return Err(error);
        }
        Ok(device)
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: registered by `register`.
        unsafe { glue::genp_misc_deregister() };
        // SAFETY: takes back the reference from `register`; no entry point is called any
        // longer.
        drop(unsafe { Arc::from_raw(self.registry) });
    }
}

/// The registry, for calls of drivers: ENODEV while there is none.
pub(super) fn registry() -> Result<ManuallyDrop<Arc<Registry>>> {
    // SAFETY: no precondition.
    let registry = unsafe { glue::genp_registered() };
    if registry.is_null() {
        return Err(ENODEV);
    }
    // SAFETY: what `Device` registered. It stays until the module is unloaded, and a
    // driver that calls keeps the module loaded.
    Ok(unsafe { borrowed(registry) })
}

/// A registry that another reference keeps alive.
///
/// # Safety
///
/// `registry` is what [`Device::register`] registered, and stays registered for as long
/// as the result is used.
unsafe fn borrowed(registry: *mut c_void) -> ManuallyDrop<Arc<Registry>> {
    // SAFETY: by the precondition, a reference that is not given up meanwhile.
    ManuallyDrop::new(unsafe { Arc::from_raw(registry.cast::<Registry>()) })
}

/// # Safety
///
/// `registry` is what [`Device::register`] registered.
#[no_mangle]
unsafe extern "C" fn genp_device_ioctl(registry: *mut c_void, nr: c_uint, arg: c_ulong) -> c_long {
    // SAFETY: by the precondition; it is not deregistered while a file of the device is
    // open.
    let registry = unsafe { borrowed(registry) };
    to_long(device_ioctl::ioctl(&registry, nr, &UserArg::new(arg)).map(|()| 0))
}

/// # Safety
///
/// `registry` is what [`Device::register`] registered.
#[no_mangle]
unsafe extern "C" fn genp_attribute_value(registry: *mut c_void, which: c_uint) -> u64 {
    // SAFETY: by the precondition; the attributes are removed with the device.
    let registry = unsafe { borrowed(registry) };
    sysfs::value(registry.pool(), which)
}

/// The name of an attribute by its number, NULL behind the last one.
///
/// # Safety
///
/// None needed: any number will do.
#[no_mangle]
unsafe extern "C" fn genp_attribute_name(which: c_uint) -> *const c_char {
    sysfs::name(which).map_or(core::ptr::null(), |name| name.as_char_ptr())
}

same_prototypes!(genp_device_ioctl, genp_attribute_value, genp_attribute_name);
