// SPDX-License-Identifier: GPL-2.0

//! `GENP_RESIZE`: more or less reserve, more or less for children, more or less to borrow.

use ::core::cmp::Ordering;

use kernel::prelude::*;

use super::{create::ceiling, create_request::whole_pages, reserve::ReserveFrames, Partition};
use crate::genp::{
    core::count::Count,
    pool::lending,
    sys::{errno::EOPNOTSUPP, time, trace},
};

/// What a change of the quota left: frames that are too many, and the quota there was.
struct Changed {
    surplus: u32,
    before: u32,
}

impl Partition {
    /// Changes reserve, borrow limit and, if one is given, quota: all or none. EINVAL, E2BIG,
    /// ENOSPC, ENOMEM, EBUSY, EAGAIN, EDQUOT, EOPNOTSUPP: see `Documentation/abi.rst`.
    /// Context: thread, may sleep; zeroes what is added.
    pub(crate) fn resize(
        &self,
        reserve_bytes: u64,
        limit_bytes: u64,
        quota_bytes: Option<u64>,
    ) -> Result {
        let pages = whole_pages(reserve_bytes)?;
        let limit = whole_pages(limit_bytes)?;
        let quota = quota_bytes.map(whole_pages).transpose()?;
        let mut reserve = self.reserve.lock();
        if pages == 0 && limit == 0 && quota.unwrap_or_else(|| self.quota()) == 0 {
            return Err(EINVAL);
        }
        let changes = pages != reserve.pages();
        if changes && reserve.is_fixed() {
            return Err(EOPNOTSUPP);
        }
        let capacity = self.pool().config.capacity;
        let too_large = changes && pages > capacity;
        if too_large || quota.is_some_and(|quota| quota > capacity) {
            return Err(E2BIG);
        }
        if changes && reserve.is_pinned_by_drivers() {
            return Err(EBUSY);
        }
        let before = self.change_limit(limit)?;
        let done = match pages.cmp(&reserve.pages()) {
            Ordering::Greater => self.grow(&mut reserve, pages, quota),
            Ordering::Less => self.shrink(&mut reserve, pages, quota),
            Ordering::Equal => self.set_quota(quota, 0, 0).map(|changed| {
                self.account.release_promised(changed.surplus);
            }),
        };
        self.reserve.settle(&reserve);
        self.settle_limit(before, limit, done.is_ok());
        // Requests that waited for budget may have it now.
        self.pool().serve();
        done.inspect(|()| trace::resize(self.id().0, pages, limit))
    }

    /// Pages that it has for children. Context: any but NMI.
    pub(crate) fn quota(&self) -> u32 {
        self.account
            .with_lending(|state, id| state.accounting.account(id).quota())
    }

    /// Sets the limit, and returns that before: E2BIG, EDQUOT, EBUSY. What its parent may get
    /// of it is not given back yet.
    fn change_limit(&self, limit: u32) -> Result<u32> {
        let most = self.leases.window().slice_pages();
        self.account.with_lending(|state, id| {
            let account = state.accounting.account(id);
            let before = account.limit();
            // Its own and its children's were the own one once.
            if limit > most.saturating_sub(account.limit_given()) {
                return Err(E2BIG);
            }
            let changed = state.accounting.change_limit(id, limit);
            changed.map(|_| before).map_err(lending::errno)
        })
    }

    /// Gives back what the limit was lowered by from `before` to `set`, or undoes the change,
    /// but for what is on lease by it.
    fn settle_limit(&self, before: u32, set: u32, done: bool) {
        self.account.with_lending(|state, id| {
            state.accounting.settle_limit(id, before, set, done);
        });
    }

    /// Sets the quota, if one is given, and adds to the reserve what is not filled yet or
    /// will be cut off: see `Accounting::set_quota`. ENOSPC, EBUSY, EAGAIN, EIDRM.
    fn set_quota(&self, quota: Option<u32>, added: u32, cut: u32) -> Result<Changed> {
        let (ceiling, now) = (ceiling(self.pool()), time::now());
        self.account
            .with_lending(|state, id| {
                let before = state.accounting.account(id).quota();
                let quota = quota.unwrap_or(before);
                let changes = (added, cut);
                let set = state.accounting.set_quota(id, quota, changes, ceiling, now);
                set.map(|surplus| Changed { surplus, before })
            })
            .inspect_err(|_| self.pool().need_ends())
            .map_err(lending::errno)
    }

    /// Has the quota be what it was `before` a change, with `frames` frames that are to be
    /// given back; what it has too many is given back here. Only if children have got more
    /// meanwhile it stays as it is.
    fn restore_quota(&self, changed: &Changed, frames: u32) {
        let restored = self.set_quota(Some(changed.before), 0, frames);
        let surplus = restored.map_or(0, |restored| restored.surplus);
        self.account.release_promised(changed.surplus.plus(surplus));
    }

    /// Grows the reserve to `pages` pages, or leaves it as it is: E2BIG, ENOSPC, ENOMEM,
    /// EAGAIN, EBUSY.
    fn grow(&self, reserve: &mut ReserveFrames, pages: u32, quota: Option<u32>) -> Result {
        let units = self.regions.units_in(pages)?;
        let old = reserve.pages();
        let added = pages.minus(old);
        let table = reserve.table_for(pages)?;
        let changed = self.set_quota(quota, added, 0)?;
        reserve.promise(table, added);
        let done = self
            .reserve
            .fill(reserve)
            .and_then(|()| self.regions.resize(units));
        match done {
            Ok(()) => self.account.release_promised(changed.surplus),
            Err(_) => {
                self.restore_quota(&changed, added.plus(changed.surplus));
                self.reserve.empty(reserve, old);
            }
        }
        done
    }

    /// Shrinks the reserve to `pages` pages: EBUSY if a region lies beyond, and ENOSPC if
    /// the quota is to grow by more than that.
    fn shrink(&self, reserve: &mut ReserveFrames, pages: u32, quota: Option<u32>) -> Result {
        let units = self.regions.units_in(pages)?;
        let count = reserve.pages().minus(pages);
        // First what does not come out of the reserve.
        let old = self.quota();
        let wanted = quota.unwrap_or(old);
        let first = wanted
            .max(old.saturating_add(count))
            .minus(count)
            .min(wanted);
        let changed = self.set_quota(Some(first), 0, 0)?;
        if let Err(error) = self.regions.resize(units) {
            self.restore_quota(&changed, changed.surplus);
            return Err(error);
        }
        // Refused only if it was destroyed meanwhile, and then it is all the same.
        let _ = self.set_quota(Some(wanted), 0, count);
        self.account.release_promised(changed.surplus);
        self.reserve.unmap(reserve, pages, count);
        self.reserve.empty(reserve, pages);
        Ok(())
    }
}
