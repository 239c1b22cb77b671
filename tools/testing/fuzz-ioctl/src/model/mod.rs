// SPDX-License-Identifier: GPL-2.0

//! The model of a serial case: which results a call may have, and what the pool holds
//! then. It follows the documentation, not the code.

mod create_request;
mod expectation;
mod follow;
mod heap;
mod leases;
mod partition;

use harness::{abi, abi::genp_info, calls::errno_name};

use crate::{
    request,
    step::{Case, Kind, Layout, Step},
    world::{Reply, ACTORS, FDS, MAPS, ORDINARY, ORDINARY_UID, SKIPPED},
};
use expectation::Expectation;
use leases::Leases;
use partition::Partition;

/// The partitions that an actor holds.
#[derive(Clone, Default)]
struct Holder {
    fds: [Option<usize>; FDS],
    /// Partition, and whether it is a window.
    maps: [Option<(usize, bool)>; MAPS],
    /// Descriptors sent to it and not yet received.
    inbox: Vec<usize>,
}

/// The model.
pub struct Model {
    pool: genp_info,
    user_mode: bool,
    parts: Vec<Partition>,
    holders: [Holder; ACTORS],
    /// The pool before the step.
    before: genp_info,
}

impl Model {
    /// The model of a pool that is not in use.
    pub fn new(pool: genp_info, user_mode: bool) -> Self {
        Self {
            pool,
            user_mode,
            parts: Vec::new(),
            holders: Default::default(),
            before: pool,
        }
    }

    /// Whether any actor holds a partition.
    fn held(&self, part: usize) -> bool {
        self.holders.iter().any(|holder| {
            holder.fds.contains(&Some(part))
                || holder.inbox.contains(&part)
                || holder
                    .maps
                    .iter()
                    .flatten()
                    .any(|&(other, _)| other == part)
        })
    }

    /// Removes partitions that no actor holds any longer.
    fn reap(&mut self) {
        for part in 0..self.parts.len() {
            if !self.parts[part].gone && !self.held(part) {
                self.parts[part].end();
            }
        }
    }

    /// An actor died.
    pub fn died(&mut self, actor: usize) {
        let inbox = std::mem::take(&mut self.holders[actor].inbox);
        self.holders[actor] = Holder {
            inbox,
            ..Holder::default()
        };
        self.reap();
    }

    fn of(&self, step: &Step) -> Option<usize> {
        self.place_of(step)
            .and_then(|place| self.holders[step.actor as usize].fds[place])
    }

    /// The partition of a call: for a handle, the actor chooses a partition that fits
    /// it.
    fn used(&self, step: &Step, reply: &Reply) -> Option<usize> {
        let chosen = matches!(step.kind, Kind::Free | Kind::Return | Kind::Renew);
        match reply.values[5].checked_sub(1).filter(|_| chosen) {
            Some(place) => self.holders[step.actor as usize].fds[place as usize],
            None => self.of(step),
        }
    }

    /// The first slot from the step's slot on that is in use.
    fn place_of(&self, step: &Step) -> Option<usize> {
        let slot = step.slot as usize;
        let fds = &self.holders[step.actor as usize].fds;
        (slot..slot + FDS)
            .map(|slot| slot % FDS)
            .find(|&slot| fds[slot].is_some())
    }

    /// Compares the pool with the model before a step.
    pub fn observe(&mut self, info: &genp_info) -> Result<(), String> {
        if let Some(text) = harness::pool::inconsistency(info) {
            return Err(text);
        }
        self.check_lent(info)?;
        self.check_committed(info)?;
        if info.overdue != 0 || info.emergency_free != info.emergency {
            return Err(
                "there are overdue leases or emergency pages in use, but no drivers".into(),
            );
        }
        if info.waiters != 0 {
            return Err(format!("{} waiters, although no actor waits", info.waiters));
        }
        self.before = *info;
        Ok(())
    }

    /// The bytes on lease, which are only known to lie between two numbers.
    fn check_lent(&mut self, info: &genp_info) -> Result<(), String> {
        let now = harness::now();
        let leases = || self.parts.iter().map(|part| &part.leases);
        let sure: u64 = leases().map(|leases| leases.lent_surely(now)).sum();
        let most: u64 = leases().map(Leases::lent_at_most).sum();
        if info.lent > most {
            return Err(format!(
                "{} bytes are lent, at most {most} can be",
                info.lent
            ));
        }
        if info.lent < sure {
            return Err(format!(
                "{} bytes are lent, at least {sure} must be",
                info.lent
            ));
        }
        // All leases that may be over are over.
        if info.lent == sure {
            for part in &mut self.parts {
                part.leases.forget_expired(now);
            }
        }
        Ok(())
    }

    /// The bytes committed, in the pool and in the range.
    fn check_committed(&self, info: &genp_info) -> Result<(), String> {
        let promised: u64 = self.parts.iter().map(Partition::committed).sum();
        if info.committed != promised + info.quarantined {
            return Err(format!(
                "{} bytes are committed: reserves and stocks are {promised}, and {} are in quarantine",
                info.committed, info.quarantined
            ));
        }
        let external: u64 = self.parts.iter().map(Partition::external).sum();
        if info.range_free + external != info.range {
            return Err(format!(
                "{} of {} bytes of the range are free: reserves there are {external}",
                info.range_free, info.range
            ));
        }
        Ok(())
    }

    /// Judges the result of a step.
    pub fn judge(&mut self, step: &Step, reply: &Reply) -> Result<(), String> {
        if reply.errno == SKIPPED {
            // The slot was emptied nevertheless.
            if matches!(step.kind, Kind::Create | Kind::Open) {
                self.drop_fd(step);
            }
            return Ok(());
        }
        if matches!(step.kind, Kind::Create | Kind::Open) {
            self.drop_fd(step);
        }
        let mut expected = Expectation::new();
        self.expect_layout(step, &mut expected);
        self.expect(step, reply, &mut expected);
        if !expected.allows(reply.errno) {
            return Err(format!(
                "{step} gave {}, expected {expected}",
                errno_name(reply.errno)
            ));
        }
        if reply.errno == 0 {
            self.follow(step, reply)?;
        } else if reply.errno == libc::ESTALE && step.kind != Kind::Renew {
            // A renewal that comes too late is refused before the lease was ended.
            self.parts
                .iter_mut()
                .for_each(|part| part.leases.mark_over(reply.values[0]));
        }
        Ok(())
    }

    fn drop_fd(&mut self, step: &Step) {
        self.holders[step.actor as usize].fds[step.slot as usize % FDS] = None;
        self.reap();
    }

    /// What the layout of the argument excludes.
    fn expect_layout(&self, step: &Step, expected: &mut Expectation) {
        let answers = matches!(
            step.kind,
            Kind::Create
                | Kind::Open
                | Kind::Info
                | Kind::List
                | Kind::Alloc
                | Kind::Borrow
                | Kind::Stat
                | Kind::Bounds
                | Kind::Histogram
        );
        let structure = answers
            || matches!(
                step.kind,
                Kind::Free
                    | Kind::Return
                    | Kind::Renew
                    | Kind::Resize
                    | Kind::Eventfd
                    | Kind::SetHeap
                    | Kind::Destroy
            );
        if !structure {
            return;
        }
        match step.layout {
            Layout::Exact | Layout::Grown | Layout::OtherSizeBits => {}
            Layout::Dirty | Layout::Huge => expected.refuse(libc::E2BIG),
            Layout::Tiny | Layout::Flag => expected.refuse(libc::EINVAL),
            Layout::Nowhere | Layout::Edge => expected.refuse(libc::EFAULT),
            Layout::ReadOnly if answers => expected.refuse(libc::EFAULT),
            Layout::ReadOnly => {}
        }
    }

    fn expect(&self, step: &Step, reply: &Reply, expected: &mut Expectation) {
        if step.kind == Kind::MapWindow {
            self.expect_window(step, expected);
        }
        match step.kind {
            Kind::Create => self.expect_create(step, expected),
            Kind::Open => self.expect_open(step, expected),
            Kind::List => self.expect_list(step, expected),
            Kind::Malformed => {
                for errno in [libc::EINVAL, libc::E2BIG, libc::EFAULT, libc::ENOTTY] {
                    expected.refuse(errno);
                }
            }
            Kind::Unmap | Kind::Close | Kind::Dup | Kind::Info | Kind::Fork => {}
            Kind::Histogram if step.b & 15 == 15 => expected.refuse(libc::EINVAL),
            Kind::Histogram if step.a as u32 & 15 >= abi::GENP_OP_COUNT => {
                expected.refuse(libc::EINVAL)
            }
            Kind::Bounds => {
                if let Some(part) = self.of(step) {
                    self.parts[part].expect_bounds(step, expected);
                }
            }
            Kind::Touch
            | Kind::Look
            | Kind::Remap
            | Kind::Protect
            | Kind::Advise
            | Kind::Pass
            | Kind::Receive
            | Kind::Kill
            | Kind::Trace
            | Kind::Signal
            | Kind::Nonblock
            | Kind::File
            | Kind::Pin => expected.anything(),
            _ => match self.used(step, reply) {
                Some(part) => self.parts[part].expect(step, reply, &self.before, expected),
                None => expected.anything(),
            },
        }
    }

    fn expect_create(&self, step: &Step, expected: &mut Expectation) {
        let request = request::create(step, &self.pool);
        create_request::expect_create(&request, &self.before, expected);
        let named = |part: &&Partition| part.is_live() && part.name == request.name;
        if request.name[0] != 0 && self.parts.iter().any(|part| named(&part)) {
            expected.refuse(libc::EEXIST);
        }
        // The partition that the descriptor was of before has ended, and leases may have,
        // since the pool was looked at.
        let wanted = create_request::committed_by(&request);
        let held: u64 = self.parts.iter().map(Partition::committed).sum();
        if wanted > self.before.free {
            expected.refuse_if(wanted > self.pool.capacity - held, libc::ENOSPC);
        }
        if self.before.partitions >= self.pool.max_partitions {
            let live = self.parts.iter().filter(|part| !part.gone).count();
            expected.refuse_if(live >= self.pool.max_partitions as usize, libc::ENOSPC);
        }
    }

    fn expect_open(&self, step: &Step, expected: &mut Expectation) {
        let request = request::open(step);
        if request.name[0] == 0 || !create_request::is_name(&request.name) || request.reserved != 0
        {
            expected.refuse(libc::EINVAL);
            return;
        }
        match self.named(&request.name) {
            None => expected.refuse(libc::ENOENT),
            Some(part) => {
                let part = &self.parts[part];
                if step.actor as usize == ORDINARY && !part.lets_in(ORDINARY_UID) {
                    expected.refuse(libc::EACCES);
                }
            }
        }
    }

    /// Numbers are not known, only that there are no more than of partitions at a time.
    fn expect_list(&self, step: &Step, expected: &mut Expectation) {
        let cursor = request::list(step).cursor;
        let any = self.parts.iter().any(|part| !part.gone);
        let none = !any || cursor >= self.pool.max_partitions;
        if none || cursor > 0 {
            expected.refuse_if(none, libc::ENOENT);
        }
    }

    fn named(&self, name: &[std::ffi::c_char; 32]) -> Option<usize> {
        self.parts
            .iter()
            .position(|part| part.is_live() && part.name == *name)
    }

    /// The limits of mappings of a window.
    fn expect_window(&self, step: &Step, expected: &mut Expectation) {
        let Some(part) = self.of(step) else {
            return;
        };
        if self.windows_of(part) >= 16 {
            expected.refuse(libc::EBUSY);
        }
        let mut own = self.holders[step.actor as usize].maps.iter().flatten();
        if !self.parts[part].multimap && own.any(|&map| map == (part, true)) {
            expected.refuse(libc::EMLINK);
        }
    }

    /// The mappings of a window in all address spaces.
    fn windows_of(&self, part: usize) -> usize {
        let maps = self.holders.iter().flat_map(|holder| holder.maps.iter());
        maps.flatten().filter(|&&map| map == (part, true)).count()
    }
}

/// Whether the actors and slots of a case exist.
pub fn fits(case: &Case) -> bool {
    case.steps
        .iter()
        .all(|step| (step.actor as usize) < ACTORS && (step.slot as usize) < FDS)
}
