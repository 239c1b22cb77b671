// SPDX-License-Identifier: GPL-2.0

//! The leases of a partition, as far as they are known: they end at any time.

use std::collections::BTreeSet;

use harness::{abi, abi::genp_info, now, page_bytes};

use super::{create_request::or_default, expectation::Expectation};
use crate::{
    request,
    step::{Kind, Step},
    world::Reply,
};

/// A lease that is active, or was until a moment ago.
struct Lease {
    handle: u64,
    offset: u64,
    bytes: u64,
    expires: u64,
}

/// The leases of a partition, and what limits them.
pub struct Leases {
    /// Bytes that may be lent at a time.
    pub limit: u64,
    /// The limit at creation, which is the size of a slice.
    pub first_limit: u64,
    /// Leases at a time.
    pub max_leases: u32,
    /// The default term.
    term: u64,
    /// What a shorter term is raised to.
    shortest: u64,
    running: Vec<Lease>,
    /// Handles of leases that are over.
    over: BTreeSet<u64>,
}

impl Leases {
    /// Those of a partition that was just created.
    pub fn new(request: &abi::genp_create, pool: &genp_info) -> Self {
        Self {
            limit: request.borrow_limit,
            first_limit: request.borrow_limit,
            max_leases: or_default(request.max_leases, 16),
            term: match request.lease_default_ns {
                0 => pool.max_lease_ns,
                term => term,
            },
            shortest: pool.min_lease_ns,
            running: Vec::new(),
            over: BTreeSet::new(),
        }
    }

    /// Bytes that are certainly on lease at `now`.
    pub fn lent_surely(&self, now: u64) -> u64 {
        let sure = |lease: &&Lease| lease.expires > now;
        self.running
            .iter()
            .filter(sure)
            .map(|lease| lease.bytes)
            .sum()
    }

    /// Bytes that may be on lease.
    pub fn lent_at_most(&self) -> u64 {
        self.running.iter().map(|lease| lease.bytes).sum()
    }

    /// Removes leases whose term is over.
    pub fn forget_expired(&mut self, now: u64) {
        let over = self.running.iter().filter(|lease| lease.expires <= now);
        self.over.extend(over.map(|lease| lease.handle));
        self.running.retain(|lease| lease.expires > now);
    }

    /// A lease is over.
    pub fn mark_over(&mut self, handle: u64) {
        if let Some(at) = self.running.iter().position(|lease| lease.handle == handle) {
            self.running.remove(at);
            self.over.insert(handle);
        }
    }

    /// All leases are over.
    pub fn mark_all_over(&mut self) {
        self.over
            .extend(self.running.drain(..).map(|lease| lease.handle));
    }

    fn term_of(&self, lease_ns: u64) -> u64 {
        let term = match lease_ns {
            0 => self.term,
            term => term,
        };
        term.max(self.shortest)
    }

    /// GENP_BORROW.
    pub fn expect_borrow(
        &self,
        step: &Step,
        reply: &Reply,
        before: &genp_info,
        expected: &mut Expectation,
    ) {
        let request = request::borrow(step, before, reply.begin);
        let term = self.term_of(request.lease_ns);
        if request.length == 0
            || term > before.max_lease_ns
            || request.reasons > 3
            || request.reserved != 0
        {
            expected.refuse(libc::EINVAL);
        }
        if pages(request.length) > self.limit / page_bytes() {
            expected.refuse(libc::E2BIG);
            return;
        }
        let bytes = pages(request.length) * page_bytes();
        let (budget, pool) = match request.reasons {
            0 => (true, true),
            reasons => (
                reasons & abi::GENP_WAIT_BUDGET != 0,
                reasons & abi::GENP_WAIT_POOL != 0,
            ),
        };
        // The errno without waiting for it, or after a timeout.
        let refusal = |waits: bool, errno| match (waits, request.deadline) {
            (true, 0) | (false, _) => errno,
            _ => libc::ETIMEDOUT,
        };
        let waits = request.deadline > 1;
        if self.lent_at_most() + bytes > self.limit {
            let never = self.lent_surely(reply.end) + bytes > self.limit;
            expected.refuse_if(never, refusal(budget, libc::EDQUOT));
        }
        if bytes > before.free {
            let never = bytes > before.free + before.lent;
            expected.refuse_if(never, refusal(pool, libc::EAGAIN));
            if waits && pool && bytes > before.capacity - before.committed {
                expected.refuse(libc::E2BIG);
            }
        }
        if self.running.len() >= self.max_leases as usize {
            let sure = self
                .running
                .iter()
                .filter(|lease| lease.expires > reply.end);
            expected.refuse_if(sure.count() >= self.max_leases as usize, libc::EBUSY);
        }
        // It had caused the recall thread too much work.
        expected.maybe(libc::EAGAIN);
        // The term was over before its borrower ran.
        if reply.end >= reply.begin.saturating_add(term) {
            expected.maybe(libc::ETIMEDOUT);
        }
    }

    /// A lease was granted.
    pub fn follow_borrow(
        &mut self,
        step: &Step,
        reply: &Reply,
        pool: &genp_info,
    ) -> Result<(), String> {
        let request = request::borrow(step, pool, reply.begin);
        let [handle, offset, _, expires, ..] = reply.values;
        let term = self.term_of(request.lease_ns);
        check_end("a lease", expires, reply, term)?;
        let within = offset.wrapping_sub(1 << 42);
        if within % self.first_limit != 0 || within / self.first_limit >= u64::from(self.max_leases)
        {
            return Err(format!("a lease at {offset:#x}, which is no slice"));
        }
        let twice = |lease: &&Lease| lease.offset == offset && lease.expires > reply.end;
        if self.running.iter().any(|lease| twice(&lease)) {
            return Err(format!("two leases at {offset:#x}"));
        }
        if self.over.contains(&handle) || self.running.iter().any(|lease| lease.handle == handle) {
            return Err(format!("the handle {handle:#x} was given out twice"));
        }
        self.running.push(Lease {
            handle,
            offset,
            bytes: pages(request.length) * page_bytes(),
            expires,
        });
        Ok(())
    }

    /// GENP_RETURN and GENP_RENEW.
    pub fn expect_lease(
        &self,
        step: &Step,
        reply: &Reply,
        before: &genp_info,
        expected: &mut Expectation,
    ) {
        let renew = step.kind == Kind::Renew;
        if renew && request::term((step.b >> 8) as u8, before) > before.max_lease_ns {
            expected.refuse(libc::EINVAL);
        }
        if renew {
            expected.maybe(libc::EAGAIN);
        }
        let handle = reply.values[0];
        match self.running.iter().find(|lease| lease.handle == handle) {
            Some(lease) if lease.expires > reply.end => {}
            Some(_) => expected.maybe(libc::ESTALE),
            None => {
                expected.refuse(libc::ESTALE);
                if !self.over.contains(&handle) {
                    expected.refuse(libc::EINVAL);
                }
            }
        }
    }

    /// A lease was returned or renewed.
    pub fn follow_lease(
        &mut self,
        step: &Step,
        reply: &Reply,
        pool: &genp_info,
    ) -> Result<(), String> {
        let [handle, expires, ..] = reply.values;
        if step.kind == Kind::Return {
            self.mark_over(handle);
            return Ok(());
        }
        let term = self.term_of(request::term((step.b >> 8) as u8, pool));
        check_end("a renewed lease", expires, reply, term)?;
        if let Some(lease) = self.running.iter_mut().find(|lease| lease.handle == handle) {
            lease.expires = expires;
        }
        Ok(())
    }

    /// Checks what was found in a lease: 1 its pattern, 2 a fault, 3 something else.
    pub fn check_contents(&self, reply: &Reply, user_mode: bool) -> Result<(), String> {
        let [handle, _, seen, ..] = reply.values;
        let what = ["", "its mark", "nothing", "something else"][seen as usize % 4];
        match self.running.iter().find(|lease| lease.handle == handle) {
            Some(lease) if lease.expires > reply.end && seen != 1 => {
                Err(format!("in a lease that runs there is {what}"))
            }
            Some(lease) if lease.expires > now() => Ok(()),
            None if self.over.contains(&handle) && seen == 1 && !user_mode => {
                Err(format!("in a lease that is over there is {what}"))
            }
            _ => Ok(()),
        }
    }
}

/// Checks the end of a term that began during a call.
fn check_end(what: &str, expires: u64, reply: &Reply, term: u64) -> Result<(), String> {
    let least = reply.begin.saturating_add(term);
    let most = reply.end.saturating_add(term);
    if (least..=most).contains(&expires) {
        return Ok(());
    }
    Err(format!(
        "{what} ends at {expires}, not between {least} and {most}"
    ))
}

/// Pages that hold this many bytes.
fn pages(bytes: u64) -> u64 {
    bytes.div_ceil(page_bytes())
}
