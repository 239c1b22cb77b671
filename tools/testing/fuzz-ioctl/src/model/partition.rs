// SPDX-License-Identifier: GPL-2.0

//! A partition as the documentation describes it.

use std::{collections::BTreeSet, ffi::c_char};

use harness::{abi, abi::genp_info, page_bytes};

use super::{
    create_request::{is_external, or_default},
    expectation::Expectation,
    leases::Leases,
};
use crate::{
    request::{self, EventFd},
    step::{Kind, Step},
    world::Reply,
};

struct Region {
    handle: u64,
    /// In units.
    first: u64,
    units: u64,
}

/// A partition.
pub struct Partition {
    /// The field with its name.
    pub name: [c_char; 32],
    owner: u32,
    mode: u32,
    /// Bytes committed.
    pub reserve: u64,
    /// Whether the reserve is in the range.
    is_external: bool,
    /// Pages, limit and low watermark of the stock.
    stock: [u32; 3],
    order: u32,
    max_regions: u32,
    /// Whether an address space may have several mappings of its lease window.
    pub multimap: bool,
    dying: bool,
    /// It has no users any longer.
    pub gone: bool,
    regions: Vec<Region>,
    freed: BTreeSet<u64>,
    /// What it borrowed.
    pub leases: Leases,
}

impl Partition {
    /// A partition that was just created.
    pub fn new(request: &abi::genp_create, owner: u32, pool: &genp_info) -> Self {
        Self {
            name: request.name,
            owner,
            mode: or_default(request.mode, 0o600),
            reserve: request.reserve,
            is_external: is_external(request),
            stock: [
                request.stock_pages,
                or_default(request.stock_limit, request.stock_pages),
                or_default(request.stock_low, request.stock_pages.div_ceil(4)),
            ],
            order: or_default(request.min_alloc_order, 6),
            max_regions: or_default(request.max_regions, 1024),
            multimap: request.flags & abi::GENP_CREATE_MULTIMAP != 0,
            dying: false,
            gone: false,
            regions: Vec::new(),
            freed: BTreeSet::new(),
            leases: Leases::new(request, pool),
        }
    }

    /// Bytes of the pool that are its own.
    pub fn committed(&self) -> u64 {
        let reserve = if self.is_external { 0 } else { self.reserve };
        reserve + u64::from(self.stock[0]) * page_bytes()
    }

    /// Bytes of the range that are its own.
    pub fn external(&self) -> u64 {
        if self.is_external {
            self.reserve
        } else {
            0
        }
    }

    /// Whether it can be opened by its name.
    pub fn is_live(&self) -> bool {
        !self.gone && !self.dying
    }

    /// Whether a user without rights and groups may open it.
    pub fn lets_in(&self, user: u32) -> bool {
        let bits = if user == self.owner {
            self.mode >> 6
        } else {
            self.mode
        };
        bits & 6 == 6
    }

    /// The last user closed it.
    pub fn end(&mut self) {
        self.gone = true;
        self.reserve = 0;
        self.stock = [0; 3];
        self.leases.mark_all_over();
    }

    /// Checks the windows that GENP_CREATE returned.
    pub fn check_windows(&self, reply: &Reply) -> Result<(), String> {
        let lease = self.leases.first_limit * u64::from(self.leases.max_leases);
        if reply.values[1..3] == [self.reserve, lease] {
            return Ok(());
        }
        Err(format!(
            "the windows are {:?}, not [{}, {lease}]",
            &reply.values[1..3],
            self.reserve
        ))
    }

    fn units(&self) -> u64 {
        self.reserve >> self.order
    }

    /// Free blocks: first unit and length.
    fn gaps(&self) -> Vec<(u64, u64)> {
        let mut taken: Vec<_> = self.regions.iter().map(|r| (r.first, r.units)).collect();
        taken.sort_unstable();
        taken.push((self.units(), 0));
        let mut from = 0;
        let mut gaps = Vec::new();
        for (first, units) in taken {
            if first > from {
                gaps.push((from, first - from));
            }
            from = first + units;
        }
        gaps
    }

    fn expect_alloc(&self, length: u64, align: u64, expected: &mut Expectation) {
        if length == 0 || !(align == 0 || align.is_power_of_two()) || align > 1 << 30 {
            expected.refuse(libc::EINVAL);
            return;
        }
        let units = length.div_ceil(1 << self.order);
        if units > self.units() {
            expected.refuse(libc::E2BIG);
            return;
        }
        if self.regions.len() >= self.max_regions as usize {
            expected.refuse(libc::ENOMEM);
            return;
        }
        let align = (align >> self.order).max(1);
        let gaps = self.gaps();
        let fits = |&(first, free): &(u64, u64)| {
            let front = first.next_multiple_of(align) - first;
            front + units <= free
        };
        // A block of twice the size is always found: classes are finer than that.
        let ample = |&(_, free): &(u64, u64)| free >= 2 * (units + align - 1);
        if !gaps.iter().any(ample) {
            expected.refuse_if(!gaps.iter().any(fits), libc::ENOMEM);
        }
    }

    fn expect_free(&self, handle: u64, expected: &mut Expectation) {
        if self.regions.iter().any(|region| region.handle == handle) {
            return;
        }
        expected.refuse(libc::ESTALE);
        if !self.freed.contains(&handle) {
            expected.refuse(libc::EINVAL);
        }
    }

    fn expect_resize(&self, step: &Step, before: &genp_info, expected: &mut Expectation) {
        let (reserve, limit) = request::resize(step);
        if reserve % page_bytes() != 0 || limit % page_bytes() != 0 || reserve | limit == 0 {
            expected.refuse(libc::EINVAL);
        }
        if reserve > before.capacity || limit > self.leases.first_limit {
            expected.refuse(libc::E2BIG);
        }
        if self.is_external && reserve != self.reserve {
            expected.refuse(libc::EOPNOTSUPP);
        }
        let added = reserve.saturating_sub(self.reserve);
        if added > before.free {
            // Leases may have ended since the pool was looked at.
            expected.refuse_if(added > before.free + before.lent, libc::ENOSPC);
        }
        let units = reserve >> self.order;
        if self.regions.iter().any(|r| r.first + r.units > units) {
            expected.refuse(libc::EBUSY);
        }
    }

    /// GENP_GET_BOUNDS: units have numbers of 32 bits.
    pub fn expect_bounds(&self, step: &Step, expected: &mut Expectation) {
        let request = request::bounds(step);
        if request.live_bytes == 0 {
            return;
        }
        let live = request.live_bytes.div_ceil(1 << self.order);
        let largest = request.largest_request.div_ceil(1 << self.order).max(1);
        // The request is at most doubled.
        let (least, most) = (live.checked_mul(largest), live.checked_mul(2 * largest));
        let beyond = |units: Option<u64>| units.is_none_or(|units| units >= (1 << 32) - 1);
        if beyond(most) {
            expected.refuse_if(beyond(least), libc::E2BIG);
        }
    }

    fn expect_map(&self, step: &Step, expected: &mut Expectation) {
        let how = request::mapping(step);
        if how.flags & libc::MAP_TYPE == libc::MAP_PRIVATE || how.longer | how.further != 0 {
            expected.refuse(libc::EINVAL);
            // Of private memory that the machine does not have, before the module is asked.
            expected.maybe(libc::ENOMEM);
        }
        if how.protection & libc::PROT_EXEC != 0 {
            expected.refuse(libc::EPERM);
        }
        // RLIMIT_MEMLOCK of an ordinary user is small.
        if how.flags & libc::MAP_LOCKED != 0 {
            expected.maybe(libc::EAGAIN);
            expected.maybe(libc::EPERM);
        }
    }

    fn expect_eventfd(&self, step: &Step, expected: &mut Expectation) {
        let (kind, mask) = request::eventfd(step);
        if mask > 63 || (mask == 0 && kind != EventFd::None) {
            expected.refuse(libc::EINVAL);
        }
        match kind {
            EventFd::Closed => expected.refuse(libc::EBADF),
            EventFd::Other => expected.refuse(libc::EINVAL),
            EventFd::Real | EventFd::None => {}
        }
    }

    /// Adds what a call may return.
    pub fn expect(
        &self,
        step: &Step,
        reply: &Reply,
        before: &genp_info,
        expected: &mut Expectation,
    ) {
        let changes = matches!(
            step.kind,
            Kind::Alloc
                | Kind::Largest
                | Kind::Free
                | Kind::Borrow
                | Kind::Renew
                | Kind::Resize
                | Kind::Eventfd
                | Kind::SetHeap
                | Kind::Destroy
        );
        if changes && self.dying {
            expected.refuse(libc::EIDRM);
        }
        match step.kind {
            Kind::Alloc => self.expect_alloc(step.a, step.b, expected),
            Kind::Largest if self.regions.len() >= self.max_regions as usize => {
                expected.refuse(libc::ENOMEM)
            }
            Kind::Free => self.expect_free(reply.values[0], expected),
            Kind::Borrow => self.leases.expect_borrow(step, reply, before, expected),
            Kind::Return | Kind::Renew => self.leases.expect_lease(step, reply, before, expected),
            Kind::Resize => self.expect_resize(step, before, expected),
            Kind::Eventfd => self.expect_eventfd(step, expected),
            Kind::SetHeap => self.expect_heap(step, expected),
            Kind::MapReserve | Kind::MapWindow => self.expect_map(step, expected),
            Kind::Read => {
                let [_, length, nowhere, ..] = reply.values;
                if length < 32 {
                    expected.refuse_if(length != 0, libc::EINVAL);
                }
                expected.maybe(libc::EAGAIN);
                if nowhere != 0 {
                    expected.maybe(libc::EFAULT);
                }
            }
            _ => {}
        }
    }

    /// Updates the model after a successful call.
    pub fn follow(&mut self, step: &Step, reply: &Reply, pool: &genp_info) -> Result<(), String> {
        match step.kind {
            Kind::Alloc => self.follow_alloc(reply, step.b),
            Kind::Largest => self.follow_alloc(reply, 0),
            Kind::Free => {
                let handle = reply.values[0];
                self.regions.retain(|region| region.handle != handle);
                self.freed.insert(handle);
                Ok(())
            }
            Kind::Borrow => self.leases.follow_borrow(step, reply, pool),
            Kind::Return | Kind::Renew => self.leases.follow_lease(step, reply, pool),
            Kind::Resize => {
                (self.reserve, self.leases.limit) = request::resize(step);
                if reply.values[1] != self.reserve {
                    return Err(format!("the new window has {} bytes", reply.values[1]));
                }
                Ok(())
            }
            Kind::Destroy => {
                self.dying = true;
                self.leases.mark_all_over();
                Ok(())
            }
            Kind::Stat => self.follow_stat(reply),
            Kind::Poll => {
                let hung_up = reply.values[0] & libc::POLLHUP as u64 != 0;
                if hung_up != self.dying {
                    return Err(format!("POLLHUP is {hung_up}, dying {}", self.dying));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn follow_alloc(&mut self, reply: &Reply, align: u64) -> Result<(), String> {
        let [handle, offset, length, ..] = reply.values;
        let region = Region {
            handle,
            first: offset >> self.order,
            units: length.div_ceil(1 << self.order),
        };
        if offset % (1 << self.order) != 0 || offset % align.max(1) != 0 {
            return Err(format!(
                "a region at {offset:#x} is not aligned to {align:#x}"
            ));
        }
        if region.first + region.units > self.units() {
            return Err(format!(
                "a region at {offset:#x} reaches beyond the reserve"
            ));
        }
        let meets = |other: &Region| {
            other.first < region.first + region.units && region.first < other.first + other.units
        };
        if self.regions.iter().any(meets) {
            return Err(format!("a region at {offset:#x} lies in another one"));
        }
        let known = self.regions.iter().any(|other| other.handle == handle);
        if handle == 0 || known || self.freed.contains(&handle) {
            return Err(format!("the handle {handle:#x} was given out before"));
        }
        self.regions.push(region);
        Ok(())
    }

    fn follow_stat(&self, reply: &Reply) -> Result<(), String> {
        let used: u64 = self.regions.iter().map(|r| r.units << self.order).sum();
        let expected = [
            self.reserve,
            self.leases.limit,
            used,
            self.regions.len() as u64,
            reply.values[4],
            self.dying.into(),
            u64::from(self.stock[0]) | (u64::from(self.stock[1]) << 32),
            self.stock[2].into(),
        ];
        if reply.values != expected {
            return Err(format!(
                "the statistics are {:?}, not {expected:?}",
                reply.values
            ));
        }
        let (least, most) = (
            self.leases.lent_surely(reply.end),
            self.leases.lent_at_most(),
        );
        if (least..=most).contains(&reply.values[4]) {
            return Ok(());
        }
        Err(format!(
            "{} bytes are reported as lent, not {least} to {most}",
            reply.values[4]
        ))
    }
}
