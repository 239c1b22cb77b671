// SPDX-License-Identifier: GPL-2.0

//! Mappings of processes, and what they find there.
//!
//! Whatever a process writes says of which partition it is; what it finds must be zero or
//! of the same partition. The pages of a lease have a mark of their own.

use kernel::{
    page::PAGE_SIZE,
    sim::{fail, machine, memory::page, process::Hold, space::How},
};

use super::Thread;
use crate::{
    genp::sys::abi,
    world::{Lease, Map, MAPS},
};

/// Where leases begin in the file.
pub(super) const LEASES: u64 = 1 << 42;

/// A mark is of a lease, not of a reserve.
const LEASED: u64 = 1 << 38;
const MARKED: u64 = 1 << 39;

/// What is written to a reserve.
fn reserve_mark(serial: u32, number: u32) -> u64 {
    (u64::from(serial) << 40) | MARKED | u64::from(number)
}

/// What is written to a lease.
fn lease_mark(serial: u32, handle: u64) -> u64 {
    (u64::from(serial) << 40) | MARKED | LEASED | (handle & (LEASED - 1))
}

/// Complains about what a partition must not find in its reserve, or in its leases.
fn check_page(page: &page, serial: u32, leased: bool) {
    let content = page.content.get();
    let ours = content >> 40 == u64::from(serial) && (content & LEASED != 0) == leased;
    if content != 0 && !ours {
        let what = if leased { "a lease" } else { "the reserve" };
        fail(&format!(
            "in {what} of partition {serial} there is {content:#x}, which is not its own"
        ));
    }
    if page.holder.get() != 0 {
        fail(&format!(
            "a page of partition {serial} is one that a driver has: {:#x}",
            page.holder.get()
        ));
    }
}

impl Thread {
    fn free_map(&self, from: usize) -> Option<usize> {
        (0..MAPS)
            .map(|at| (at + from) % MAPS)
            .find(|at| self.me().maps[*at].get().start == 0)
    }

    fn map_at(
        &self,
        slot: usize,
        file: &Hold,
        (serial, window): (u32, bool),
        how: How,
        first: impl FnOnce(&Map),
    ) -> Option<i32> {
        // Whoever comes second finds the slot taken.
        let claimed = Map {
            start: usize::MAX,
            ..Map::default()
        };
        self.me().maps[slot].set(claimed);
        let process = self.me().process;
        let done = process.mmap(file, how);
        let age = self.world.ages.get() + 1;
        self.world.ages.set(age);
        let (map, answer) = match done {
            Ok(start) => {
                let pages = (how.length as usize).div_ceil(PAGE_SIZE);
                let map = Map {
                    start,
                    pages,
                    window,
                    serial,
                    age,
                };
                first(&map);
                (map, Some(0))
            }
            Err(error) => (Map::default(), Some(error)),
        };
        self.me().maps[slot].set(map);
        answer
    }

    pub(crate) fn map(&self, a: u32, b: u32, window: bool) -> Option<i32> {
        let slot = self.free_map(a as usize >> 8)?;
        let (file, serial) = self.part(b)?;
        let resized_before = self.world.resizes.1.get();
        let mut stat = abi::genp_stat::default();
        if self.ioctl(&file, abi::GENP_NR_GET_STAT, &mut stat) != 0 {
            return None;
        }
        let windows = stat.windows;
        let (offset, length) = match window {
            true => (windows.lease_offset, windows.lease_length),
            false => (windows.reserve_offset, windows.reserve_length),
        };
        let odd = b >> 24;
        let how = How {
            length: if odd == 1 {
                length + PAGE_SIZE as u64
            } else {
                length
            },
            offset: if odd == 2 {
                offset + PAGE_SIZE as u64
            } else {
                offset
            },
            shared: odd != 3,
            exec: odd == 4,
        };
        if how.length == 0 || how.length > 1 << 26 {
            return None;
        }
        let done = self.map_at(slot, &file, (serial, window), how, |_| ());
        // Somebody may have made the reserve as long as that since we were told.
        let resized = odd == 1 && resized_before != self.world.resizes.0.get();
        if done == Some(0) && (1..=4).contains(&odd) && !resized {
            fail(&format!("a mapping was made that must not be: {how:?}"));
        }
        done
    }

    /// Maps a partition that was just created, and finds it zeroed.
    pub(crate) fn map_new(&self, args: &abi::genp_create, alone: bool) {
        let Some((file, serial)) = self.part_of(args.fd) else {
            return;
        };
        let windows = &args.windows;
        for (window, offset, length) in [
            (false, windows.reserve_offset, windows.reserve_length),
            (true, windows.lease_offset, windows.lease_length),
        ] {
            let Some(slot) = self.free_map(0) else { return };
            if length == 0 || length > 1 << 24 {
                continue;
            }
            let how = How {
                length,
                offset,
                shared: true,
                exec: false,
            };
            let fresh = !window && args.source == 0;
            self.map_at(slot, &file, (serial, window), how, |map| {
                if fresh {
                    self.check_new(map, alone);
                }
            });
        }
    }

    /// A new reserve is zeroed, if nobody else can have written to it.
    fn check_new(&self, map: &Map, alone: bool) {
        for at in 0..map.pages {
            self.me().process.access(map.start, at, |page| {
                check_page(page, map.serial, false);
                if alone && page.content.get() != 0 {
                    fail("a new reserve is not zeroed");
                }
                page.content.set(reserve_mark(map.serial, 0));
            });
        }
    }

    /// A mapping that fits, of this process.
    fn some_map(&self, from: u32, fits: impl Fn(&Map) -> bool) -> Option<(usize, Map)> {
        let maps = (0..MAPS).map(|at| (at + from as usize) % MAPS);
        maps.map(|at| (at, self.me().maps[at].get()))
            .find(|(_, map)| map.start != 0 && map.start != usize::MAX && fits(map))
    }

    /// Writes a mark to all pages of a lease, if this process has it mapped.
    pub(crate) fn mark(&self, lease: &mut Lease) {
        let Some((slot, map)) = self.some_map(0, |map| map.window && map.serial == lease.serial)
        else {
            return;
        };
        let mark = lease_mark(lease.serial, lease.handle);
        let first = ((lease.offset - LEASES) as usize) / PAGE_SIZE;
        for at in first..first + lease.pages as usize {
            let written = self.me().process.access(map.start, at, |page| {
                // From then on it may be somebody else's.
                let runs = machine().now() < lease.expires;
                if runs {
                    check_page(page, lease.serial, true);
                    page.content.set(mark);
                }
                runs
            });
            if written != Some(true) {
                return;
            }
        }
        lease.mark = mark;
        lease.place = (self.actor, slot);
        lease.map_age = map.age;
    }

    /// What is found in a lease: true for its mark, false for nothing; `None` if that
    /// cannot be said.
    pub(crate) fn inspect(&self, lease: &Lease) -> Option<bool> {
        let (actor, slot) = lease.place;
        let map = self.me().maps[slot].get();
        if lease.mark == 0 || actor != self.actor || map.age != lease.map_age {
            return None;
        }
        let first = ((lease.offset - LEASES) as usize) / PAGE_SIZE;
        let mut all = true;
        for at in first..first + lease.pages as usize {
            let found = self.me().process.access(map.start, at, |page| {
                check_page(page, lease.serial, true);
                page.content.get() == lease.mark
            });
            all &= found == Some(true);
        }
        // A page with a memory error is not there.
        if !all && machine().memory.errors.get() > 0 {
            return None;
        }
        // The mapping must still be the same one.
        (self.me().maps[slot].get().age == lease.map_age).then_some(all)
    }

    /// A lease that is over: nothing of it is reached any more.
    pub(crate) fn check_over(&self, lease: &Lease) {
        if self.inspect(lease) == Some(true) {
            fail(&format!(
                "the lease {:#x} is over and can still be reached",
                lease.handle
            ));
        }
    }
}

/// Unmaps something.
pub(crate) fn unmap(thread: &Thread, a: u32, _b: u32) -> Option<i32> {
    let (slot, map) = thread.some_map(a, |_| true)?;
    // Taken, so that no other thread unmaps it.
    let gone = Map {
        start: usize::MAX,
        ..Map::default()
    };
    thread.me().maps[slot].set(gone);
    let done = thread.me().process.munmap(map.start);
    thread.me().maps[slot].set(Map::default());
    if !done {
        fail("a mapping is gone that nobody unmapped");
    }
    Some(0)
}

/// Writes to a reserve.
pub(crate) fn touch(thread: &Thread, a: u32, b: u32) -> Option<i32> {
    let (_, map) = thread.some_map(a, |map| !map.window)?;
    let first = b as usize % map.pages;
    for at in first..(first + 4).min(map.pages) {
        thread.me().process.access(map.start, at, |page| {
            check_page(page, map.serial, false);
            page.content.set(reserve_mark(map.serial, a >> 8));
        });
    }
    Some(0)
}

/// Looks at a lease, which must be there until it ends.
pub(crate) fn look(thread: &Thread, a: u32, _b: u32) -> Option<i32> {
    let lease = thread.world.take_lease(None, a)?;
    let seen = thread.inspect(&lease);
    thread.world.leases.borrow_mut().push(lease);
    seen.map(|_| 0)
}

/// MADV_DONTNEED.
pub(crate) fn forget(thread: &Thread, a: u32, b: u32) -> Option<i32> {
    let (_, map) = thread.some_map(a, |map| !map.window)?;
    thread
        .me()
        .process
        .forget(map.start, b as usize % map.pages);
    Some(0)
}

/// Holds a page of a reserve, or lets one go.
pub(crate) fn pin(thread: &Thread, a: u32, b: u32) -> Option<i32> {
    if b & 1 == 1 {
        return thread.world.unpin().then_some(0);
    }
    let (_, map) = thread.some_map(a, |map| !map.window)?;
    let at = (b >> 1) as usize % map.pages;
    let page = thread
        .me()
        .process
        .access(map.start, at, core::ptr::from_ref)?;
    // SAFETY: pages live as long as the machine.
    thread.world.pin(unsafe { &*page });
    Some(0)
}
