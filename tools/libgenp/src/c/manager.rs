// SPDX-License-Identifier: MIT OR Apache-2.0

//! Other heap managers.

use super::{hand_out, invalid};
use crate::{
    abi,
    manager::{Manager, ARENA, BUDDY, RLSF},
    Partition,
};

#[no_mangle]
pub unsafe extern "C" fn genp_create_managed(
    request: *const abi::genp_create,
    manager: *const Manager,
) -> *mut Partition {
    // SAFETY: null or readable, says the header.
    let (request, manager) = unsafe { (request.as_ref(), manager.as_ref()) };
    let given = request.zip(manager).ok_or_else(invalid);
    // SAFETY: says the header.
    hand_out(
        given
            .and_then(|(request, manager)| unsafe { Partition::create_managed(*request, manager) }),
    )
}

#[no_mangle]
pub unsafe extern "C" fn genp_create_managed_resizable(
    request: *const abi::genp_create,
    manager: *const Manager,
    most: usize,
) -> *mut Partition {
    // SAFETY: null or readable, says the header.
    let (request, manager) = unsafe { (request.as_ref(), manager.as_ref()) };
    let given = request.zip(manager).ok_or_else(invalid);
    hand_out(given.and_then(|(request, manager)| {
        // SAFETY: says the header.
        unsafe { Partition::create_managed_resizable(*request, manager, most) }
    }))
}

#[no_mangle]
pub extern "C" fn genp_arena_manager() -> *const Manager {
    &ARENA
}

#[no_mangle]
pub extern "C" fn genp_rlsf_manager() -> *const Manager {
    &RLSF
}

#[no_mangle]
pub extern "C" fn genp_buddy_manager() -> *const Manager {
    &BUDDY
}
