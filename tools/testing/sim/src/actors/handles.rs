// SPDX-License-Identifier: GPL-2.0

//! What is done with regions and leases.

use kernel::sim::{fail, machine};

use super::{errno, Thread, PAGE};
use crate::{
    genp::sys::abi,
    world::{sized, Lease, Region},
};

impl Thread {
    pub(super) fn alloc(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let length = match a & 7 {
            0 => 0,
            1 => 1 << ((a >> 3) & 31),
            2..=4 => u64::from(a >> 3) % (3 * PAGE) + 1,
            _ => PAGE * u64::from((a >> 3) & 15) + 1,
        };
        let align = [0, 0, 0, 64, 4096, 3][(b >> 3) as usize % 6];
        let mut args = sized(abi::genp_alloc {
            length,
            align,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_ALLOC, &mut args);
        if done == 0 {
            if args.offset % align.max(1) != 0 {
                fail(&format!(
                    "a region at {:#x} is not aligned to {align:#x}",
                    args.offset
                ));
            }
            let (handle, offset) = (args.handle, args.offset);
            self.world.add_region(Region {
                serial,
                handle,
                offset,
                length,
            });
        }
        Some(done)
    }

    pub(super) fn free(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let foreign = a & 15 == 0;
        let region = if foreign {
            None
        } else {
            self.world.take_region(serial, a >> 4)
        };
        let handle = region.map_or((u64::from(a) << 20) | 5, |region| region.handle);
        let done = self.ioctl(
            &file,
            abi::GENP_NR_FREE,
            &mut abi::genp_handle {
                handle,
                ..Default::default()
            },
        );
        match (done, region) {
            (0, None) => fail(&format!(
                "the handle {handle:#x}, which is nobody's, was freed"
            )),
            (errno::EINVAL | errno::ESTALE, Some(_)) => {
                fail(&format!("the region {handle:#x} was not freed: {done}"))
            }
            (0 | errno::EIDRM, _) | (_, None) => {}
            (_, Some(region)) => self.world.regions.borrow_mut().push(region),
        }
        Some(done)
    }

    pub(super) fn borrow(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let pages: u64 = match self.world.load.has_pieces() {
            true => [1, 33, 600, 600][a as usize % 4],
            false => [1, 1, 2, 3, 8, 16, 20, 33, 64, 0][a as usize % 10],
        };
        let now = machine().now();
        let term = [0, 0, 1_000_000, 3_000_000][(a >> 4) as usize % 4];
        let mut args = sized(abi::genp_borrow {
            length: pages * PAGE,
            deadline: match (b >> 8) & 15 {
                0..=7 => 0,
                8 => 1,
                9..=13 => now + u64::from((b >> 12) & 0xfff) * 1_000,
                _ => u64::MAX,
            },
            lease_ns: term,
            reasons: (a >> 8) & 3,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_BORROW, &mut args);
        self.clear_signal();
        if done != 0 {
            return Some(done);
        }
        if args.expires < now {
            fail("a lease ended before it began");
        }
        let mut lease = Lease {
            serial,
            handle: args.handle,
            offset: args.offset,
            pages,
            expires: args.expires,
            mark: 0,
            place: (0, 0),
            map_age: 0,
        };
        self.mark(&mut lease);
        self.world.leases.borrow_mut().push(lease);
        Some(done)
    }

    pub(super) fn give_back(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let foreign = a & 31 == 0;
        let lease = if foreign {
            None
        } else {
            self.world.take_lease(Some(serial), a >> 5)
        };
        let handle = lease.map_or((u64::from(a) << 20) | 5, |lease| lease.handle);
        let seen = lease.and_then(|lease| self.inspect(&lease));
        let done = self.ioctl(
            &file,
            abi::GENP_NR_RETURN,
            &mut abi::genp_handle {
                handle,
                ..Default::default()
            },
        );
        match (done, lease) {
            (0, None) => fail("a lease was returned that is nobody's"),
            (errno::EINVAL, Some(_)) => fail(&format!(
                "the lease {handle:#x} is unknown to its partition"
            )),
            // It ran until now, so it was there.
            (0, Some(_)) if seen == Some(false) => fail(&format!(
                "the lease {handle:#x} was not there, although it ran until it was returned"
            )),
            (errno::ESTALE, Some(lease)) => self.check_over(&lease),
            (0, _) | (_, None) => {}
            (_, Some(lease)) => self.world.leases.borrow_mut().push(lease),
        }
        Some(done)
    }

    pub(super) fn renew(&self, a: u32, b: u32) -> Option<i32> {
        let (file, serial) = self.part(b)?;
        let mut lease = self.world.take_lease(Some(serial), a)?;
        let lease_ns = [0, 1_000_000, 3_000_000, u64::MAX][(a >> 8) as usize % 4];
        let mut args = sized(abi::genp_renew {
            handle: lease.handle,
            lease_ns,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_RENEW, &mut args);
        if done == 0 {
            lease.expires = args.expires;
        }
        self.world.leases.borrow_mut().push(lease);
        Some(done)
    }
}
