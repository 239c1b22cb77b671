// SPDX-License-Identifier: GPL-2.0

//! What is done with partitions as a whole.

use kernel::sim::{files::Kind, machine};

use super::{Thread, PAGE};
use crate::{
    case::PROCESSES,
    check,
    genp::sys::abi,
    world::{sized, FDS},
};

/// One name in so many is in use.
const NAMES: u32 = 3;

pub(super) fn name_of(number: u32) -> [u8; 32] {
    let mut field = [0; 32];
    field[..4].copy_from_slice(b"sim.");
    field[4] = b'0' + (number % NAMES) as u8;
    field
}

impl Thread {
    pub(super) fn create(&self, a: u32, b: u32) -> Option<i32> {
        let pages =
            |at: u32| PAGE * [0, 1, 2, 4, 8, 8, 16, 24, 33, 64, 200, 300][(at as usize) % 12];
        let stock = [0, 0, 0, 1, 4, 12][(a >> 8) as usize % 6];
        let (quota, max_children) = Self::for_children(a, b);
        let mut args = sized(abi::genp_create {
            flags: if a >> 29 == 0 {
                0
            } else {
                abi::GENP_CREATE_MULTIMAP
            },
            name: if b & 3 == 0 { name_of(b >> 2) } else { [0; 32] },
            reserve: pages(a),
            borrow_limit: match self.world.load.has_pieces() {
                true => PAGE * [0, 600, 600, 800][(a >> 4) as usize % 4],
                false => pages(a >> 4),
            },
            stock_pages: stock,
            stock_limit: if stock > 0 && a & 0x1000 != 0 {
                stock + 9
            } else {
                0
            },
            stock_low: 0,
            max_leases: [0, 1, 2, 5, 64][(a >> 13) as usize % 5],
            max_regions: [0, 0, 1, 5][(a >> 16) as usize % 4],
            min_alloc_order: [0, 4, 12][(a >> 18) as usize % 3],
            mode: [0, 0o666][(a >> 20) as usize & 1],
            lease_default_ns: [0, 500_000, 1_000_000][(a >> 21) as usize % 3],
            node: if (a >> 24) & 7 == 0 {
                1
            } else {
                abi::GENP_ANY_NODE
            },
            source: u32::from(self.world.load.range && (a >> 27) & 3 == 0),
            quota,
            max_children,
            ..Default::default()
        });
        let done = self.ioctl(&self.control(), abi::GENP_NR_CREATE, &mut args);
        if done == 0 {
            let unnamed = args.name[0] == 0;
            self.map_new(&args, unnamed);
            self.keep(b >> 8, args.fd);
        }
        Some(done)
    }

    pub(super) fn open(&self, a: u32, b: u32) -> Option<i32> {
        let mut args = sized(abi::genp_open {
            name: name_of(a),
            flags: u32::from(a >> 29 == 7) * abi::GENP_OPEN_READ_ONLY,
            ..Default::default()
        });
        let done = self.ioctl(&self.control(), abi::GENP_NR_OPEN, &mut args);
        if done == 0 {
            self.keep(b, args.fd);
        }
        Some(done)
    }

    pub(super) fn restrict(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let mut args = sized(abi::genp_restrict {
            // Mostly a few are missing, now and then there is one that does not exist.
            rights: (a | (a >> 8)) & if a >> 27 == 0 { 0x7f } else { 0x3f },
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_RESTRICT, &mut args);
        if done == 0 {
            self.keep(b >> 8, args.fd);
        }
        Some(done)
    }

    pub(super) fn resize(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let pages = |at: u32| PAGE * [0, 1, 2, 8, 12, 16, 40, 64, 250][at as usize % 9];
        let with_quota = (a >> 16) & 1 != 0;
        let mut args = sized(abi::genp_resize {
            flags: u32::from(with_quota) * abi::GENP_RESIZE_QUOTA,
            reserve: pages(a),
            borrow_limit: pages(a >> 8),
            quota: u64::from(with_quota) * pages(a >> 17),
            ..Default::default()
        });
        let (begun, over) = &self.world.resizes;
        begun.set(begun.get() + 1);
        let done = self.ioctl(&file, abi::GENP_NR_RESIZE, &mut args);
        over.set(over.get() + 1);
        Some(done)
    }

    pub(super) fn stat(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let mut args = sized(abi::genp_stat {
            flags: a & 1,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_GET_STAT, &mut args);
        if done == 0 {
            check::stat(&args);
        }
        Some(done)
    }

    pub(super) fn list(&self, a: u32, _: u32) -> Option<i32> {
        let mut args = sized(abi::genp_list {
            cursor: a % 8,
            ..Default::default()
        });
        let done = self.ioctl(&self.control(), abi::GENP_NR_LIST, &mut args);
        if done == 0 {
            check::listed(a % 8, &args);
        }
        Some(done)
    }

    pub(super) fn heap(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let mut args = sized(abi::genp_heap {
            offset: [0, 16, 4096, 8, u64::MAX][a as usize % 5],
            ..Default::default()
        });
        Some(self.ioctl(&file, abi::GENP_NR_SET_HEAP, &mut args))
    }

    pub(super) fn bounds(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let mut args = sized(abi::genp_bounds {
            flags: a & 1,
            live_bytes: u64::from(a >> 8),
            largest_request: u64::from(a >> 4) & 0xffff,
            ..Default::default()
        });
        Some(self.ioctl(&file, abi::GENP_NR_GET_BOUNDS, &mut args))
    }

    pub(super) fn histogram(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let mut args = sized(abi::genp_histogram {
            op: a & 15,
            flags: (a >> 4) & 1,
            ..Default::default()
        });
        Some(self.ioctl(&file, abi::GENP_NR_GET_HISTOGRAM, &mut args))
    }

    pub(super) fn eventfd(&self, a: u32, b: u32) -> Option<i32> {
        let file = self.file(b)?;
        let process = self.me().process;
        let event = match a & 7 {
            0 => -1,
            1 => self.control,
            2 => 4242,
            _ => process.open(machine().files.create(Kind::Event)),
        };
        let mut args = sized(abi::genp_eventfd {
            fd: event,
            mask: (a >> 3) & 63,
            ..Default::default()
        });
        let done = self.ioctl(&file, abi::GENP_NR_SET_EVENTFD, &mut args);
        if a & 7 > 2 {
            process.close(event);
        }
        Some(done)
    }

    pub(super) fn destroy(&self, a: u32, b: u32) -> Option<i32> {
        // Not so often.
        if a & 7 != 0 {
            return None;
        }
        let (file, serial) = self.part(b)?;
        let done = self.ioctl(
            &file,
            abi::GENP_NR_DESTROY,
            &mut abi::genp_destroy::default(),
        );
        if done == 0 {
            self.world.forget(serial);
        }
        Some(done)
    }

    pub(super) fn close(&self, a: u32, _b: u32) -> Option<i32> {
        let fd = self.me().fds[a as usize % FDS].take()?;
        self.me().process.close(fd);
        Some(0)
    }

    /// SCM_RIGHTS.
    pub(super) fn pass(&self, a: u32, b: u32) -> Option<i32> {
        let there = &self.world.actors[a as usize % PROCESSES];
        if there.threads.get() == 0 || there.process.killed.get() {
            return None;
        }
        let fd = self.me().process.pass(self.fd(b)?, there.process)?;
        if there.threads.get() == 0 {
            // It has exited meanwhile.
            there.process.close(fd);
            return None;
        }
        let old = there.fds[(b >> 8) as usize % FDS].replace(Some(fd));
        if let Some(old) = old {
            there.process.close(old);
        }
        Some(0)
    }
}
