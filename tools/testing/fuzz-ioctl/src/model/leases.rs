// SPDX-License-Identifier: GPL-2.0

//! What a partition has borrowed, as far as time lets one know.

use harness::{abi, abi::genp_info, now, PAGE};

use super::{pages, partition::Partition, verdict::Verdict};
use crate::{
    ask,
    step::{Kind, Step},
    world::Reply,
};

/// A lease that runs, or ran until a moment ago.
pub struct Lease {
    handle: u64,
    offset: u64,
    bytes: u64,
    expires: u64,
}

impl Partition {
    /// Bytes that are on lease at `now` for sure.
    pub fn lent_surely(&self, now: u64) -> u64 {
        let sure = |lease: &&Lease| lease.expires > now;
        self.leases
            .iter()
            .filter(sure)
            .map(|lease| lease.bytes)
            .sum()
    }

    /// Bytes that may be on lease.
    pub fn lent_at_most(&self) -> u64 {
        self.leases.iter().map(|lease| lease.bytes).sum()
    }

    /// Leases whose time is over are.
    pub fn forget_expired(&mut self, now: u64) {
        let over = self.leases.iter().filter(|lease| lease.expires <= now);
        self.over.extend(over.map(|lease| lease.handle));
        self.leases.retain(|lease| lease.expires > now);
    }

    /// A lease is over.
    pub fn lost(&mut self, handle: u64) {
        if let Some(at) = self.leases.iter().position(|lease| lease.handle == handle) {
            self.leases.remove(at);
            self.over.insert(handle);
        }
    }

    /// All leases are over.
    pub fn lose_all(&mut self) {
        self.over
            .extend(self.leases.drain(..).map(|lease| lease.handle));
    }

    fn term_of(&self, lease_ns: u64) -> u64 {
        match lease_ns {
            0 => self.term,
            term => term,
        }
    }

    /// GENP_BORROW.
    pub fn expect_borrow(
        &self,
        step: &Step,
        reply: &Reply,
        before: &genp_info,
        verdict: &mut Verdict,
    ) {
        let ask = ask::borrow(step, before, reply.begin);
        let term = self.term_of(ask.lease_ns);
        if ask.length == 0 || term > before.max_lease_ns || ask.reasons > 3 || ask.reserved != 0 {
            verdict.refuse(libc::EINVAL);
        }
        if self.dying {
            verdict.refuse(libc::EIDRM);
        }
        if pages(ask.length) > self.limit / PAGE {
            verdict.refuse(libc::E2BIG);
            return;
        }
        let bytes = pages(ask.length) * PAGE;
        let (budget, pool) = match ask.reasons {
            0 => (true, true),
            reasons => (
                reasons & abi::GENP_WAIT_BUDGET != 0,
                reasons & abi::GENP_WAIT_POOL != 0,
            ),
        };
        // What is said to who does not wait for it, or not long enough.
        let refusal = |waits: bool, errno| match (waits, ask.deadline) {
            (true, 0) | (false, _) => errno,
            _ => libc::ETIMEDOUT,
        };
        let waits = ask.deadline > 1;
        if self.lent_at_most() + bytes > self.limit {
            let never = self.lent_surely(reply.end) + bytes > self.limit;
            verdict.refuse_if(never, refusal(budget, libc::EDQUOT));
        }
        if bytes > before.free {
            let never = bytes > before.free + before.lent;
            verdict.refuse_if(never, refusal(pool, libc::EAGAIN));
            if waits && pool && bytes > before.capacity - before.committed {
                verdict.refuse(libc::E2BIG);
            }
        }
        if self.leases.len() >= self.max_leases as usize {
            let sure = self.leases.iter().filter(|lease| lease.expires > reply.end);
            verdict.refuse_if(sure.count() >= self.max_leases as usize, libc::EBUSY);
        }
        // A term that was over before its borrower ran.
        if reply.end >= reply.begin.saturating_add(term) {
            verdict.maybe(libc::ETIMEDOUT);
        }
    }

    /// A lease was granted.
    pub fn follow_borrow(
        &mut self,
        step: &Step,
        reply: &Reply,
        pool: &genp_info,
    ) -> Result<(), String> {
        let ask = ask::borrow(step, pool, reply.begin);
        let [handle, offset, _, expires, ..] = reply.values;
        let term = self.term_of(ask.lease_ns);
        check_end("a lease", expires, reply, term)?;
        let within = offset.wrapping_sub(1 << 42);
        if within % self.first_limit != 0 || within / self.first_limit >= u64::from(self.max_leases)
        {
            return Err(format!("a lease at {offset:#x}, which is no slice"));
        }
        let twice = |lease: &&Lease| lease.offset == offset && lease.expires > reply.end;
        if self.leases.iter().any(|lease| twice(&lease)) {
            return Err(format!("two leases at {offset:#x}"));
        }
        if self.over.contains(&handle) || self.leases.iter().any(|lease| lease.handle == handle) {
            return Err(format!("the handle {handle:#x} was given out twice"));
        }
        self.leases.push(Lease {
            handle,
            offset,
            bytes: pages(ask.length) * PAGE,
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
        verdict: &mut Verdict,
    ) {
        let renew = step.kind == Kind::Renew;
        if renew && ask::term((step.b >> 8) as u8, before) > before.max_lease_ns {
            verdict.refuse(libc::EINVAL);
        }
        if renew && self.dying {
            verdict.refuse(libc::EIDRM);
        }
        let handle = reply.values[0];
        match self.leases.iter().find(|lease| lease.handle == handle) {
            Some(lease) if lease.expires > reply.end => {}
            Some(_) => verdict.maybe(libc::ESTALE),
            None => {
                verdict.refuse(libc::ESTALE);
                if !self.over.contains(&handle) {
                    verdict.refuse(libc::EINVAL);
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
            self.lost(handle);
            return Ok(());
        }
        let term = self.term_of(ask::term((step.b >> 8) as u8, pool));
        check_end("a renewed lease", expires, reply, term)?;
        if let Some(lease) = self.leases.iter_mut().find(|lease| lease.handle == handle) {
            lease.expires = expires;
        }
        Ok(())
    }

    /// What somebody saw in a lease: 1 its mark, 2 nothing, 3 something else.
    pub fn seen(&self, reply: &Reply, user_mode: bool) -> Result<(), String> {
        let [handle, _, seen, ..] = reply.values;
        let what = ["", "its mark", "nothing", "something else"][seen as usize % 4];
        match self.leases.iter().find(|lease| lease.handle == handle) {
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

/// The end of a term that began during a call.
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
