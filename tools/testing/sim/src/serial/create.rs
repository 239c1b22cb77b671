// SPDX-License-Identifier: GPL-2.0

//! Steps that make and open partitions.

use genp_sim_model::{request, step::Step, world::Reply};
use kernel::{
    page::PAGE_SIZE,
    sim::{fail, machine, space::How},
};

use super::Serial;
use crate::genp::sys::abi as own;

impl Serial {
    pub(super) fn create(&self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let (at, slot) = (step.actor as usize, step.slot as usize);
        let mut request = request::create(step, &self.pool);
        self.empty(at, slot);
        reply.begin = machine().now();
        self.call(
            &self.hold_control(),
            own::GENP_NR_CREATE,
            &mut request,
            step.layout,
        )?;
        let Some(file) = self.processes[at].hold(request.fd) else {
            fail("a descriptor that was just made is none");
        };
        let mut serials = self.serials.borrow_mut();
        let serial = serials.len() as u32 + 1;
        serials.insert(core::ptr::from_ref(&*file) as usize, serial);
        drop(serials);
        reply.values[0] = serial.into();
        reply.values[1] = request.windows.reserve_length;
        reply.values[2] = request.windows.lease_length;
        if request::maps_at_once(step) {
            let windows = &request.windows;
            let parts = [
                (false, windows.reserve_offset, windows.reserve_length),
                (true, windows.lease_offset, windows.lease_length),
            ];
            for (number, (window, offset, length)) in parts.into_iter().enumerate() {
                let how = How {
                    length,
                    offset,
                    shared: true,
                    exec: false,
                };
                if length == 0 || length > 1 << 26 {
                    continue;
                }
                let Some(slot) = self.free_map(at, 0) else {
                    continue;
                };
                if self.map_whole(at, slot, &file, how, window, serial).is_ok() {
                    reply.values[3 + number] = slot as u64 + 1;
                    if !window {
                        self.check_new(at, slot);
                    }
                }
            }
        }
        self.keep(at, slot, request.fd, serial);
        Ok(())
    }

    pub(super) fn check_new(&self, at: usize, slot: usize) {
        let map = self.actors.borrow()[at].maps[slot];
        for page in 0..map.length / PAGE_SIZE {
            if self.processes[at]
                .access(map.start, page, |page| page.content.get())
                .unwrap_or(0)
                != 0
            {
                fail("a new reserve is not clean");
            }
        }
    }

    pub(super) fn list(&self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let request = request::list(step);
        let mut listed = request;
        self.call(
            &self.hold_control(),
            own::GENP_NR_LIST,
            &mut listed,
            step.layout,
        )?;
        if let Some(text) = request::list_fault(&request, &listed) {
            fail(&text);
        }
        reply.values[0] = request::number_of(&listed.name).map_or(0, |number| number as u64 + 1);
        reply.values[1] = listed.reserve;
        Ok(())
    }

    pub(super) fn open(&self, step: &Step, reply: &mut Reply) -> Result<(), i32> {
        let (at, slot) = (step.actor as usize, step.slot as usize);
        let mut request = request::open(step);
        self.empty(at, slot);
        self.call(
            &self.hold_control(),
            own::GENP_NR_OPEN,
            &mut request,
            step.layout,
        )?;
        let Some(file) = self.processes[at].hold(request.fd) else {
            fail("a descriptor that was just made is none");
        };
        let serial = self
            .serials
            .borrow()
            .get(&(core::ptr::from_ref(&*file) as usize))
            .copied()
            .unwrap_or(0);
        self.keep(at, slot, request.fd, serial);
        reply.values[0] = serial.into();
        reply.values[1] = request.windows.reserve_length;
        reply.values[2] = request.windows.lease_length;
        Ok(())
    }
}
