// SPDX-License-Identifier: GPL-2.0

//! System calls for mappings.

use std::{ptr, sync::RwLockWriteGuard};

use harness::{
    abi,
    calls::{self, checked, errno},
    machine, memory,
};

use super::{
    argument::page_size,
    worker::{Map, Outcome, Worker},
};
use crate::{
    request,
    step::{Kind, Mode, Step},
    world::{Reply, MAPS},
};

fn mmap(length: u64, how: &request::Mapping, fd: i32, offset: u64) -> Result<usize, i32> {
    // SAFETY: a new mapping where the kernel likes.
    let at = unsafe {
        libc::mmap(
            ptr::null_mut(),
            length as usize,
            how.protection,
            how.flags,
            fd,
            offset as libc::off_t,
        )
    };
    checked(at as i64).map(|at| at as usize)
}

fn munmap(at: usize, length: usize) -> Result<(), i32> {
    // SAFETY: a part of a mapping whose lock the caller holds.
    checked(unsafe { libc::munmap(at as *mut _, length) }.into()).map(|_| ())
}

impl Worker<'_> {
    /// Maps a new partition, if there is room, and checks that its reserve is zeroed.
    pub(super) fn map_new(&self, request: &abi::genp_create, serial: u32, reply: &mut Reply) {
        let windows = &request.windows;
        let parts = [
            (false, windows.reserve_offset, windows.reserve_length),
            (true, windows.lease_offset, windows.lease_length),
        ];
        for (at, (window, offset, length)) in parts.into_iter().enumerate() {
            let Some((slot, map)) = self.map_whole(window, request.fd, offset, length, serial)
            else {
                continue;
            };
            reply.values[3 + at] = slot as u64 + 1;
            // Others may already write to it if it has a name. On User Mode Linux an old
            // mapping may still be at this address.
            let storm = self.actor.setup.mode == Mode::Storm;
            if window || storm && (request.name[0] != 0 || self.actor.user_mode) {
                continue;
            }
            if let Err(found) = self.check_zeroed(map.address, length as usize) {
                self.actor
                    .world()
                    .violation(&format!("a new reserve is not clean: {found}"));
            }
        }
    }

    fn map_whole(
        &self,
        window: bool,
        fd: i32,
        offset: u64,
        length: u64,
        serial: u32,
    ) -> Option<(usize, RwLockWriteGuard<'_, Map>)> {
        if length == 0 {
            return None;
        }
        let (slot, mut map) = self.some_map(0, |map| map.address == 0)?;
        let how = request::Mapping {
            protection: libc::PROT_READ | libc::PROT_WRITE,
            flags: libc::MAP_SHARED,
            longer: 0,
            further: 0,
        };
        let shrunk = self.actor.world().shrunk(serial);
        match mmap(length, &how, fd, offset) {
            Ok(address) => {
                *map = Map {
                    address,
                    length: length as usize,
                    offset,
                    window,
                    serial,
                    shrunk,
                    odd: false,
                };
                Some((slot, map))
            }
            Err(_) => None,
        }
    }

    /// The first matching mapping from a slot on, locked for writing.
    fn some_map(
        &self,
        first: u64,
        fits: impl Fn(&Map) -> bool,
    ) -> Option<(usize, RwLockWriteGuard<'_, Map>)> {
        let first = first as usize % MAPS;
        (first..first + MAPS).find_map(|slot| {
            let map = self.actor.maps[slot % MAPS].write().ok()?;
            fits(&map).then_some((slot % MAPS, map))
        })
    }

    pub(super) fn map(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let descriptor = self.actor.descriptor(step.slot.into())?;
        let (slot, mut map) = self.some_map(step.a, |map| map.address == 0)?;
        let windows = calls::stat(descriptor.fd).ok()?.windows;
        let window = step.kind == Kind::MapWindow;
        let (offset, length) = if window {
            (windows.lease_offset, windows.lease_length)
        } else {
            (windows.reserve_offset, windows.reserve_length)
        };
        let how = request::mapping(step);
        // Nothing would be mapped.
        if length + how.longer == 0 {
            return None;
        }
        let shrunk = self.actor.world().shrunk(descriptor.serial);
        let done = mmap(
            length + how.longer,
            &how,
            descriptor.fd,
            offset + how.further,
        );
        reply.values = [slot as u64, length, window.into(), 0, 0, 0, 0, 0];
        let address = match done {
            Ok(address) => address,
            Err(errno) => return Some(Err(errno)),
        };
        if !self.actor.still(&descriptor) {
            let _ = munmap(address, length as usize);
            return None;
        }
        *map = Map {
            address,
            length: length as usize,
            offset,
            window,
            serial: descriptor.serial,
            shrunk,
            odd: how.protection != libc::PROT_READ | libc::PROT_WRITE || descriptor.serial == 0,
        };
        Some(Ok(()))
    }

    pub(super) fn unmap(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let (slot, mut map) = self.some_map(step.a, |map| map.address != 0)?;
        reply.values[0] = slot as u64;
        // First a part, which must fail for the lease window; then the whole.
        if step.b & 1 == 1 && map.length > page_size() {
            let at = match step.b & 6 {
                0 => map.address,
                2 => map.address + map.length - page_size(),
                _ => map.address + map.length / 2 / page_size() * page_size(),
            };
            if munmap(at, page_size()).is_ok() && map.window {
                self.actor
                    .world()
                    .violation("a part of a window was unmapped");
            }
        }
        let done = munmap(map.address, map.length);
        *map = Map::default();
        Some(done)
    }

    pub(super) fn remap(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let (slot, mut map) = self.some_map(step.a, |map| map.address != 0)?;
        reply.values[0] = slot as u64;
        let (old, new) = match step.b % 4 {
            0 => (map.length, map.length + page_size()),
            1 => (0, map.length),
            2 if map.length > page_size() => (map.length, map.length - page_size()),
            // If the move fails its target is unmapped, and others may map there.
            _ if map.window && self.actor.setup.mode == Mode::Storm => return None,
            _ => return Some(self.move_to(&mut map)),
        };
        // SAFETY: our own mapping, whose lock is held.
        let at = unsafe { libc::mremap(map.address as *mut _, old, new, libc::MREMAP_MAYMOVE) };
        if at == libc::MAP_FAILED {
            return Some(Err(errno()));
        }
        if map.window || new > map.length || old == 0 {
            self.actor.world().violation(&format!(
                "mremap from {old:#x} to {new:#x} of a mapping of {:#x}, window {}, went well",
                map.length, map.window
            ));
        }
        map.address = at as usize;
        map.length = new;
        Some(Ok(()))
    }

    /// Moves a mapping to another address, which must fail for the lease window.
    fn move_to(&self, map: &mut Map) -> Result<(), i32> {
        // SAFETY: a new, inaccessible mapping, over which the old one is moved.
        let at = unsafe {
            let to = libc::mmap(
                ptr::null_mut(),
                map.length,
                libc::PROT_NONE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            );
            if to == libc::MAP_FAILED {
                return Err(errno());
            }
            let at = libc::mremap(
                map.address as *mut _,
                map.length,
                map.length,
                libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED,
                to,
            );
            if at == libc::MAP_FAILED {
                let error = errno();
                libc::munmap(to, map.length);
                return Err(error);
            }
            at
        };
        if map.window {
            self.actor.world().violation("a window was moved");
        }
        map.address = at as usize;
        Ok(())
    }

    pub(super) fn protect(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        let (slot, mut map) = self.some_map(step.a, |map| map.address != 0)?;
        reply.values[0] = slot as u64;
        let write = libc::PROT_READ | libc::PROT_WRITE;
        let protection = match step.b % 5 {
            0 => 0,
            1 => libc::PROT_READ,
            2 => libc::PROT_READ | libc::PROT_EXEC,
            _ => write,
        };
        let part = step.b & 0x100 != 0 && map.length > page_size();
        let length = if part { page_size() } else { map.length };
        // SAFETY: our own mapping, whose lock is held.
        let done = unsafe { libc::mprotect(map.address as *mut _, length, protection) };
        let done = checked(done.into()).map(|_| ());
        if done.is_ok() {
            if protection & libc::PROT_EXEC != 0 {
                self.actor.world().violation("a mapping became executable");
            }
            if part && map.window && !map.odd && protection != write {
                self.actor.world().violation("a window was split");
            }
            map.odd |= protection != write;
        }
        Some(done)
    }

    pub(super) fn advise(&mut self, step: &Step, reply: &mut Reply) -> Outcome {
        const ADVICE: [i32; 21] = [
            0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 20, 21, 22, 23, 25, 102,
        ];
        let (slot, mut map) = self.some_map(step.a, |map| map.address != 0)?;
        reply.values[0] = slot as u64;
        let advice = ADVICE[step.b as usize % ADVICE.len()];
        // SAFETY: our own mapping, whose lock is held.
        let done = unsafe { libc::madvise(map.address as *mut _, map.length, advice) };
        let done = checked(done.into()).map(|_| ());
        if done.is_ok() {
            if advice == libc::MADV_DOFORK && (map.window || machine::refuses_dofork()) {
                self.actor
                    .world()
                    .violation("a mapping may be inherited now");
            }
            let harmless = [
                libc::MADV_NORMAL,
                libc::MADV_RANDOM,
                libc::MADV_SEQUENTIAL,
                libc::MADV_DONTFORK,
                libc::MADV_DONTDUMP,
                libc::MADV_POPULATE_READ,
                libc::MADV_POPULATE_WRITE,
            ];
            map.odd |= !harmless.contains(&advice);
        }
        Some(done)
    }

    /// The reserve is mapped, and touching it takes no page fault.
    pub(super) fn touch(&mut self, step: &Step) -> Outcome {
        let first = step.a as usize % MAPS;
        let map = (first..first + MAPS).find_map(|slot| {
            let map = self.actor.maps[slot % MAPS].read().ok()?;
            (map.address != 0 && !map.window && !map.odd).then_some(map)
        })?;
        let pages = map.length / page_size();
        // Warms up the code, so that it takes no page faults of its own.
        memory::touch(self.argument.start(), 2);
        let before = memory::faults();
        let there = memory::touch(map.address, pages);
        let faults = memory::faults() - before;
        let world = self.actor.world();
        if world.is_shrinking(map.serial) || world.shrunk(map.serial) != map.shrunk {
            return None;
        }
        if !there {
            self.actor
                .world()
                .violation("a page of a reserve is not there");
        }
        // If another thread forks, this one takes page faults in its own memory.
        if faults != 0 && self.actor.setup.mode == Mode::Serial {
            self.actor.world().violation(&format!(
                "{faults} page faults on the {pages} pages of a reserve"
            ));
        }
        Some(Ok(()))
    }
}
