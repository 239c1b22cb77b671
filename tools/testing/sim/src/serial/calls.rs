// SPDX-License-Identifier: GPL-2.0

//! Steps that are commands of a partition.

use genp_sim_model::{
    abi,
    request::{self, EventFd},
    step::{Kind, Layout, Step},
    world::{Reply, FDS},
};
use kernel::sim::{fail, files::Kind as FileKind, machine, process::Hold};

use super::{enter, writable, Entry, Outcome, Serial, ESTALE};
use crate::genp::sys::abi as own;

impl Serial {
    pub(super) fn alloc(&self, step: &Step, length: u64, align: u64, reply: &mut Reply) -> Outcome {
        let (file, _, serial) = self.chosen(step)?;
        let mut request = abi::genp_alloc {
            length,
            align,
            ..Default::default()
        };
        let layout = if step.kind == Kind::Largest {
            Layout::Exact
        } else {
            step.layout
        };
        let done = self.call(&file, own::GENP_NR_ALLOC, &mut request, layout);
        if done.is_ok() {
            reply.values[..3].copy_from_slice(&[request.handle, request.offset, length]);
            enter(
                &mut *self.regions.borrow_mut(),
                serial,
                request.handle,
                request.offset,
                length,
            );
        }
        Some(done)
    }

    pub(super) fn largest(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let mut bounds = abi::genp_bounds::default();
        if let Err(errno) = self.call(&file, own::GENP_NR_GET_BOUNDS, &mut bounds, Layout::Exact) {
            return Some(Err(errno));
        }
        if bounds.largest_free == 0 {
            return None;
        }
        self.alloc(step, bounds.largest_free, 0, reply)
    }

    /// A handle and a descriptor of its partition, if there are both; otherwise a descriptor
    /// and perhaps a handle of another partition.
    pub(super) fn with_handle(
        &self,
        table: &[Option<Entry>],
        step: &Step,
        reply: &mut Reply,
    ) -> Option<(Hold, Option<usize>)> {
        let at = step.actor as usize;
        let own = (0..FDS)
            .filter(|_| !request::is_foreign(step))
            .find_map(|more| {
                let slot = (step.slot as usize + more) % FDS;
                let (fd, serial) = self.actors.borrow()[at].fds[slot]?;
                let entry = (0..table.len())
                    .map(|more| (step.a as usize % table.len() + more) % table.len())
                    .find(|entry| table[*entry].is_some_and(|entry| entry.serial == serial))?;
                Some((self.processes[at].hold(fd)?, slot, Some(entry)))
            });
        let (file, slot, entry) = own.or_else(|| {
            let (file, slot, _) = self.chosen(step)?;
            let other = (0..table.len()).find(|entry| step.b % 4 == 0 && table[*entry].is_some());
            Some((file, slot, other))
        })?;
        reply.values[5] = slot as u64 + 1;
        Some((file, entry))
    }

    pub(super) fn by_handle(&self, step: &Step, reply: &mut Reply, nr: u32) -> Outcome {
        let lease = nr == own::GENP_NR_RETURN;
        let mut table = if lease {
            self.leases.borrow().to_vec()
        } else {
            self.regions.borrow().to_vec()
        };
        let (file, entry) = self.with_handle(&table, step, reply)?;
        let known = entry.and_then(|entry| table[entry]);
        let handle = known.map_or_else(|| request::foreign_handle(step), |entry| entry.handle);
        reply.values[0] = handle;
        let seen = known
            .filter(|_| lease)
            .and_then(|entry| self.look_at(&entry));
        let mut request = abi::genp_handle {
            handle,
            ..Default::default()
        };
        let done = self.call(&file, nr, &mut request, writable(step.layout));
        if done.is_ok() && seen.is_some_and(|seen| seen != 1) {
            fail(&format!(
                "in a lease that ran until it was returned there is {seen:?}"
            ));
        }
        let over = matches!(done, Ok(())) || lease && done == Err(ESTALE);
        if let (Some(entry), true) = (entry, over) {
            table[entry] = None;
            match lease {
                true => self.leases.borrow_mut().copy_from_slice(&table),
                false => self.regions.borrow_mut().copy_from_slice(&table),
            }
        }
        Some(done)
    }

    pub(super) fn renew(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let table = self.leases.borrow().to_vec();
        let (file, entry) = self.with_handle(&table, step, reply)?;
        let handle = entry
            .and_then(|entry| table[entry])
            .map_or_else(|| request::foreign_handle(step), |entry| entry.handle);
        let lease_ns = request::term((step.b >> 8) as u8, &self.pool);
        let mut request = abi::genp_renew {
            handle,
            lease_ns,
            ..Default::default()
        };
        reply.begin = machine().now();
        let done = self.call(
            &file,
            own::GENP_NR_RENEW,
            &mut request,
            writable(step.layout),
        );
        reply.values[..2].copy_from_slice(&[handle, request.expires]);
        Some(done)
    }

    pub(super) fn resize(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let (reserve, borrow_limit) = request::resize(step);
        let mut request = abi::genp_resize {
            reserve,
            borrow_limit,
            ..Default::default()
        };
        let done = self.call(
            &file,
            own::GENP_NR_RESIZE,
            &mut request,
            writable(step.layout),
        );
        reply.values[1] = request.windows.reserve_length;
        Some(done)
    }

    pub(super) fn stat(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let mut stat = abi::genp_stat {
            flags: u32::from(step.a & 1 == 1),
            ..Default::default()
        };
        let done = self.call(&file, own::GENP_NR_GET_STAT, &mut stat, step.layout);
        reply.values = [
            stat.reserve,
            stat.borrow_limit,
            stat.used,
            stat.regions.into(),
            stat.lent,
            stat.dying.into(),
            u64::from(stat.stock_pages) | (u64::from(stat.stock_limit) << 32),
            stat.stock_low.into(),
        ];
        Some(done)
    }

    pub(super) fn bounds(&self, step: &Step, reply: &mut Reply) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let mut bounds = request::bounds(step);
        let done = self.call(&file, own::GENP_NR_GET_BOUNDS, &mut bounds, step.layout);
        reply.values[0] = bounds.worst_reserve;
        Some(done)
    }

    pub(super) fn histogram(&self, step: &Step) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let mut histogram = abi::genp_histogram {
            flags: u32::from(step.a & 0x100 != 0),
            op: step.a as u32 & 15,
            reserved: u32::from(step.b & 15 == 15),
            ..Default::default()
        };
        Some(self.call(
            &file,
            own::GENP_NR_GET_HISTOGRAM,
            &mut histogram,
            step.layout,
        ))
    }

    pub(super) fn eventfd(&self, step: &Step) -> Outcome {
        let (file, ..) = self.chosen(step)?;
        let process = self.processes[step.actor as usize];
        let (kind, mask) = request::eventfd(step);
        let other = match kind {
            EventFd::Real => process.open(machine().files.create(FileKind::Event)),
            EventFd::Other => process.open(machine().files.create(FileKind::Other)),
            EventFd::None => -1,
            EventFd::Closed => 9999,
        };
        let mut request = abi::genp_eventfd {
            fd: other,
            mask,
            ..Default::default()
        };
        let done = self.call(
            &file,
            own::GENP_NR_SET_EVENTFD,
            &mut request,
            writable(step.layout),
        );
        process.close(other);
        Some(done)
    }
}
