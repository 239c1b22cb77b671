// SPDX-License-Identifier: GPL-2.0

//! Steps that map and touch.

use genp_sim_model::{
    abi, request,
    step::{Kind, Layout, Step},
    world::{Reply, MAPS},
};
use kernel::{
    page::PAGE_SIZE,
    sim::{memory, process::Hold, space::How},
};

use super::{Map, Outcome, Serial};
use crate::genp::sys::abi as own;

impl Serial {
    pub(super) fn free_map(&self, at: usize, from: u64) -> Option<usize> {
        let maps = &self.actors.borrow()[at].maps;
        (0..MAPS)
            .map(|more| (from as usize % MAPS + more) % MAPS)
            .find(|slot| maps[*slot].start == 0)
    }

    pub(super) fn map_whole(
        &self,
        at: usize,
        slot: usize,
        file: &Hold,
        how: How,
        window: bool,
        serial: u32,
    ) -> Result<(), i32> {
        let start = self.processes[at].mmap(file, how).map_err(|error| -error)?;
        self.actors.borrow_mut()[at].maps[slot] = Map {
            start,
            length: how.length as usize,
            window,
            serial,
        };
        Ok(())
    }

    pub(super) fn map(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let at = step.actor as usize;
        let (file, _, serial) = self.chosen(step)?;
        let slot = self.free_map(at, step.a)?;
        let mut stat = abi::genp_stat::default();
        self.call(&file, own::GENP_NR_GET_STAT, &mut stat, Layout::Exact)
            .ok()?;
        let window = step.kind == Kind::MapWindow;
        let (offset, length) = match window {
            true => (stat.windows.lease_offset, stat.windows.lease_length),
            false => (stat.windows.reserve_offset, stat.windows.reserve_length),
        };
        let asked = request::mapping(step);
        let how = How {
            length: length + asked.longer,
            offset: offset + asked.further,
            shared: asked.flags & 0xf != 2,
            exec: asked.protection & 4 != 0,
        };
        // MAP_LOCKED is for a kernel, as are windows that are larger than all of this.
        if how.length == 0 || how.length > 1 << 26 || asked.flags & 0x2000 != 0 {
            return None;
        }
        reply.values = [slot as u64, length, window.into(), 0, 0, 0, 0, 0];
        Some(self.map_whole(at, slot, &file, how, window, serial))
    }

    pub(super) fn some_map(&self, step: &Step, fits: impl Fn(&Map) -> bool) -> Option<usize> {
        let maps = &self.actors.borrow()[step.actor as usize].maps;
        let slots = (0..MAPS).map(|more| (step.a as usize % MAPS + more) % MAPS);
        slots
            .into_iter()
            .find(|slot| maps[*slot].start != 0 && fits(&maps[*slot]))
    }

    pub(super) fn unmap(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let at = step.actor as usize;
        let slot = self.some_map(step, |_| true)?;
        let map = core::mem::take(&mut self.actors.borrow_mut()[at].maps[slot]);
        reply.values[0] = slot as u64;
        self.processes[at].munmap(map.start);
        Some(Ok(()))
    }

    pub(super) fn touch(&self, step: &Step) -> Outcome {
        let at = step.actor as usize;
        let slot = self.some_map(step, |map| !map.window)?;
        let map = self.actors.borrow()[at].maps[slot];
        for page in 0..map.length / PAGE_SIZE {
            self.processes[at].access(map.start, page, |page| page.content.set(step.b | 1));
        }
        Some(Ok(()))
    }

    pub(super) fn pin(&self, step: &Step) -> Outcome {
        if step.b & 1 == 1 {
            let page = self.pins.borrow_mut().pop()?;
            // SAFETY: pages live as long as the machine.
            memory::drop_reference(unsafe { &*page });
            return Some(Ok(()));
        }
        let at = step.actor as usize;
        let slot = self.some_map(step, |map| !map.window)?;
        let map = self.actors.borrow()[at].maps[slot];
        let page = self.processes[at].access(map.start, 0, |page| {
            memory::take_reference(page);
            core::ptr::from_ref(page)
        })?;
        self.pins.borrow_mut().push(page);
        Some(Ok(()))
    }
}
