// SPDX-License-Identifier: GPL-2.0

//! `GENP_RESIZE`: more or less reserve, more or less to borrow.

use ::core::cmp::Ordering;

use kernel::{alloc::flags::GFP_KERNEL_ACCOUNT, page::PAGE_SHIFT, prelude::*};

use super::{
    create::ceiling,
    request::whole_pages,
    reserve::{Backing, Reserve},
    windows::RESERVE_OFFSET,
    Partition,
};
use crate::genp::{
    pool::lending,
    sys::{
        errno::{E2BIG, EOPNOTSUPP},
        trace,
    },
};

impl Partition {
    /// Changes reserve and borrow limit, both or none. EINVAL, E2BIG, ENOSPC,
    /// ENOMEM, EBUSY: see `Documentation/abi.rst`. Context: thread, may sleep;
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
        let too_large = changes && pages > self.account.pool().config.capacity;
        if too_large || limit > self.attributes.slice_pages {
            return Err(E2BIG);
        }
        if changes && Self::is_pinned_by_drivers(&reserve) {
            return Err(EBUSY);
        }
        match pages.cmp(&reserve.pages()) {
            Ordering::Greater => self.grow(&mut reserve, pages)?,
            Ordering::Less => self.shrink(&mut reserve, pages)?,
            Ordering::Equal => {}
        }
        self.account
            .with_lending(|state, id| state.books.set_limit(id, limit))
            .map_err(lending::errno)?;
        // Who waited for budget may have it now.
        self.account.pool().serve();
        trace::resize(self.id().0, pages, limit);
        Ok(())
    }

    fn grow(&self, reserve: &mut Reserve, pages: u32) -> Result {
        let units = self.regions.units_in(pages)?;
        let old = reserve.pages();
        let added = pages - old;
        let mut frames = KVVec::with_capacity(pages as usize, GFP_KERNEL_ACCOUNT)?;
        if let Backing::FrameTable(old) = &reserve.backing {
            frames.extend_from_slice(old, GFP_KERNEL)?;
        }
        let ceiling = ceiling(self.account.pool());
        self.account
            .with_lending(|state, id| state.books.commit_more(id, added, ceiling))
            .map_err(lending::errno)?;
        reserve.backing = Backing::FrameTable(frames);
        reserve.promised = added;
        let done = self
            .fill_reserve(reserve)
            .and_then(|()| self.regions.resize(units));
        if done.is_err() {
            self.empty_reserve(reserve, old);
        }
        done
    }

    fn shrink(&self, reserve: &mut Reserve, pages: u32) -> Result {
        self.regions.resize(self.regions.units_in(pages)?)?;
        let gone = reserve.pages() - pages;
        self.zap(
            RESERVE_OFFSET + (u64::from(pages) << PAGE_SHIFT),
            u64::from(gone) << PAGE_SHIFT,
        );
        self.empty_reserve(reserve, pages);
        Ok(())
    }
}
