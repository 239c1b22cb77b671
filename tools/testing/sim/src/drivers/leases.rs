// SPDX-License-Identifier: GPL-2.0

//! Leases of drivers.

use kernel::sim::{fail, machine, memory};

use super::{recalled, Driver, Lease, EBUSY, ESTALE};
use crate::{
    genp::sys::{
        abi::{genp_lease, genp_request},
        glue,
    },
    handler::{check_sound, claim, release},
};

impl Driver {
    pub(super) fn borrow(&self, a: u32, b: u32) -> Option<i32> {
        let count = [1, 2, 8, 20, 40][a as usize % 5];
        let mut pages = vec![core::ptr::null_mut(); count as usize];
        let request = genp_request {
            nr_pages: count,
            reasons: (a >> 8) & 3,
            deadline: if b & 3 == 0 {
                machine().now() + 200_000
            } else {
                0
            },
            lease_ns: [0, 1_000_000, 2_000_000][(b >> 2) as usize % 3],
            recall: (b & 0x10 == 0).then_some(recalled),
            data: (&raw const self.asked).cast_mut().cast(),
        };
        let mut lease = genp_lease {
            handle: 0,
            expires: 0,
        };
        let errors = machine().memory.known_errors();
        // SAFETY: there is room for the pages.
        let done =
            unsafe { glue::genp_borrow(self.part.get(), &request, pages.as_mut_ptr(), &mut lease) };
        if done == 0 {
            for page in &pages {
                check_sound(*page, errors);
                claim(*page, lease.handle | (1 << 63), true);
            }
            self.leases.borrow_mut().push(Lease {
                handle: lease.handle,
                pages,
            });
        }
        Some(done)
    }

    pub(super) fn give_back(&self, a: u32, _b: u32) -> Option<i32> {
        let count = self.leases.borrow().len();
        if count == 0 {
            return None;
        }
        let lease = self.leases.borrow_mut().swap_remove(a as usize % count);
        self.return_lease(lease, a & 0x700 == 0)
    }

    pub(super) fn return_lease(&self, lease: Lease, pinned: bool) -> Option<i32> {
        for page in &lease.pages {
            release(*page, lease.handle | (1 << 63));
        }
        if pinned {
            // A device still has one of the pages: it cannot be returned then.
            // SAFETY: a page of the machine.
            let page = unsafe { &*lease.pages[0] };
            memory::take_reference(page);
            // SAFETY: a lease of ours.
            let done = unsafe { glue::genp_return(self.part.get(), lease.handle) };
            memory::drop_reference(page);
            if done != EBUSY {
                fail(&format!("a lease was returned with a page in use: {done}"));
            }
        }
        // SAFETY: a lease of ours.
        let done = unsafe { glue::genp_return(self.part.get(), lease.handle) };
        if done != 0 {
            fail(&format!("a lease of a driver is not returned: {done}"));
        }
        self.asked.returned.borrow_mut().push(lease.handle);
        // SAFETY: as above.
        let again = unsafe { glue::genp_return(self.part.get(), lease.handle) };
        if again != ESTALE {
            fail(&format!("a lease of a driver is returned twice: {again}"));
        }
        Some(done)
    }

    pub(super) fn renew(&self, a: u32, _b: u32) -> Option<i32> {
        let handle = self.leases.borrow().last()?.handle;
        let mut lease = genp_lease { handle, expires: 0 };
        // SAFETY: a lease of ours.
        Some(unsafe { glue::genp_renew(self.part.get(), &mut lease, u64::from(a & 0x1f_ffff)) })
    }
}
