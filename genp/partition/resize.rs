// SPDX-License-Identifier: GPL-2.0

//! `GENP_RESIZE`: more or less reserve, more or less to borrow.

use ::core::cmp::Ordering;

use kernel::prelude::*;

use super::{create::ceiling, create_request::whole_pages, reserve::ReserveFrames, Partition};
use crate::genp::{
    core::count::Count,
    pool::lending,
    sys::{errno::EOPNOTSUPP, time, trace},
};

impl Partition {
    /// Changes reserve and borrow limit, both or none. EINVAL, E2BIG, ENOSPC,
    /// ENOMEM, EBUSY, EAGAIN, EOPNOTSUPP: see `Documentation/abi.rst`. Context: thread, may sleep;
    /// zeroes what is added.
    pub(crate) fn resize(&self, reserve_bytes: u64, limit_bytes: u64) -> Result {
        let pages = whole_pages(reserve_bytes)?;
        let limit = whole_pages(limit_bytes)?;
        if pages == 0 && limit == 0 {
            return Err(EINVAL);
        }
        let mut reserve = self.reserve.lock();
        let changes = pages != reserve.pages();
        if changes && reserve.is_fixed() {
            return Err(EOPNOTSUPP);
        }
        let too_large = changes && pages > self.pool().config.capacity;
        if too_large || limit > self.leases.window().slice_pages() {
            return Err(E2BIG);
        }
        if changes && reserve.is_pinned_by_drivers() {
            return Err(EBUSY);
        }
        match pages.cmp(&reserve.pages()) {
            Ordering::Greater => self.grow(&mut reserve, pages)?,
            Ordering::Less => self.shrink(&mut reserve, pages)?,
            Ordering::Equal => {}
        }
        self.reserve.settle(&reserve);
        self.account
            .with_lending(|state, id| state.accounting.set_limit(id, limit))
            .map_err(lending::errno)?;
        // Requests that waited for budget may have it now.
        self.pool().serve();
        trace::resize(self.id().0, pages, limit);
        Ok(())
    }

    /// Grows the reserve to `pages` pages, or leaves it as it is: E2BIG, ENOSPC, ENOMEM,
    /// EAGAIN.
    fn grow(&self, reserve: &mut ReserveFrames, pages: u32) -> Result {
        let units = self.regions.units_in(pages)?;
        let old = reserve.pages();
        let added = pages.minus(old);
        let table = reserve.table_for(pages)?;
        let (ceiling, now) = (ceiling(self.pool()), time::now());
        self.account
            .with_lending(|state, id| state.accounting.grow(id, added, ceiling, now))
            .inspect_err(|_| self.pool().need_ends())
            .map_err(lending::errno)?;
        reserve.promise(table, added);
        let done = self
            .reserve
            .fill(reserve)
            .and_then(|()| self.regions.resize(units));
        if done.is_err() {
            self.reserve.empty(reserve, old);
        }
        done
    }

    /// Shrinks the reserve to `pages` pages: EBUSY if a region lies beyond.
    fn shrink(&self, reserve: &mut ReserveFrames, pages: u32) -> Result {
        self.regions.resize(self.regions.units_in(pages)?)?;
        let count = reserve.pages().minus(pages);
        self.reserve.unmap(reserve, pages, count);
        self.reserve.empty(reserve, pages);
        Ok(())
    }
}
