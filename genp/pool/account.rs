// SPDX-License-Identifier: GPL-2.0

//! A partition's account at the pool: through it the parts of a partition take frames,
//! give them back and report events.

use kernel::{page::PAGE_SHIFT, sync::Arc};

use super::{lending::LendingState, Pool};
use crate::genp::{
    core::{
        accounting::{PartitionId, MAX_DEPTH},
        recall_share::{RecallShare, END_NS, PAGE_NS},
    },
    frames::{
        free::{Fate, Released},
        list::FrameList,
    },
    sys::abi,
};

// The costs are part of the ABI.
const _: () = assert!(abi::GENP_MAX_DEPTH == MAX_DEPTH);
const _: () = assert!(abi::GENP_RECALL_END_NS as u64 == END_NS);
const _: () = assert!(abi::GENP_RECALL_PAGE_NS as u64 == PAGE_NS);

/// The number of a parent, in the ABI.
fn number_of(parent: Option<PartitionId>) -> u32 {
    parent.map_or(abi::GENP_NO_PARENT, |parent| parent.0)
}

/// What a part of a partition needs to use the pool on its behalf.
#[derive(Clone)]
pub(crate) struct PoolAccount {
    pool: Arc<Pool>,
    id: PartitionId,
    /// The index of the preferred node among those of the pool.
    node: u32,
}

impl PoolAccount {
    /// The account `id`, which was admitted, with frames of `node` preferred.
    pub(crate) fn new(pool: Arc<Pool>, id: PartitionId, node: u32) -> Self {
        Self { pool, id, node }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The pool, for another partition.
    pub(crate) fn shared_pool(&self) -> Arc<Pool> {
        self.pool.clone()
    }

    /// The index of the preferred node among those of the pool.
    pub(crate) fn node(&self) -> u32 {
        self.node
    }

    /// The number of the account, which is the partition's.
    pub(crate) fn id(&self) -> PartitionId {
        self.id
    }

    /// Does `work` with the number of the account under the lending lock: see
    /// [`Lending::with`].
    ///
    /// [`Lending::with`]: super::lending::Lending::with
    pub(crate) fn with_lending<R>(
        &self,
        work: impl FnOnce(&mut LendingState, PartitionId) -> R,
    ) -> R {
        self.pool.lending.with(|state| {
            state.set_payer(self.id);
            work(state, self.id)
        })
    }

    /// Takes up to `count` frames, zeroed, at most one batch: see [`Pool::take_frames`].
    pub(crate) fn take_frames(&self, count: u32) -> FrameList {
        self.pool.take_frames(count, self.node)
    }

    /// Gives a frame back, or quarantines it if somebody else still refers to it, or retires
    /// it. Context: thread.
    pub(crate) fn give_or_quarantine(&self, frame: u32) -> Fate {
        self.pool.free_frames.give_or_quarantine(self.id.0, frame)
    }

    /// Gives a contiguous block back: see [`BlockPool::give`]. Context: thread, may sleep.
    ///
    /// [`BlockPool::give`]: super::blocks::BlockPool::give
    pub(crate) fn give_block(&self, order: u32, first: u32) {
        let frames = self.pool.free_frames.frames();
        self.pool.blocks.give(order, first, frames);
    }

    /// Uncommits frames, which are free again or retired: see [`Pool::release`].
    pub(crate) fn release(&self, released: Released) {
        self.pool.release(self.id, released);
    }

    /// Uncommits frames that were never taken.
    pub(crate) fn release_promised(&self, frames: u32) {
        self.release(Released {
            free: frames,
            poisoned: 0,
        });
    }

    /// Whether a frame has a memory error. Context: any.
    pub(crate) fn poisoned(&self, frame: u32) -> bool {
        self.pool.free_frames.frames().poisoned(frame)
    }

    /// Whether a frame has a memory error that nobody was told of. Context: the thread that
    /// tells.
    pub(crate) fn newly_poisoned(&self, frame: u32) -> bool {
        self.pool.free_frames.frames().newly_poisoned(frame)
    }

    /// Has the notify thread deliver events of the types in `types`, bits 1 << type.
    /// Context: any but NMI.
    pub(crate) fn notify(&self, types: u32) {
        self.pool.pending_events.put(self.id, types);
    }

    /// Fills in the account's part of `stat`. Context: any but NMI.
    pub(crate) fn stat(&self, stat: &mut abi::genp_stat) {
        let bytes = |frames: u32| u64::from(frames) << PAGE_SHIFT;
        self.with_lending(|state, id| {
            let account = state.accounting.account(id);
            let counters = account.counters();
            stat.borrow_limit = bytes(account.limit());
            stat.lent = bytes(account.lent());
            stat.lent_peak = bytes(account.lent_peak());
            stat.leases = account.leases();
            stat.waiters = account.waiting();
            stat.borrows = counters.borrows;
            stat.returns = counters.returns;
            stat.renewals = counters.renewals;
            stat.recalls = counters.recalls;
            stat.revocations = counters.revocations;
            stat.overdues = counters.overdues;
            stat.waits = counters.waits;
            stat.budget_refusals = counters.budget_refusals;
            stat.pool_refusals = counters.pool_refusals;
            stat.table_refusals = counters.table_refusals;
            stat.pace_refusals = counters.pace_refusals;
            stat.ceiling_refusals = counters.ceiling_refusals;
            stat.quota = bytes(account.quota());
            stat.quota_used = bytes(account.given());
            stat.borrow_given = bytes(account.limit_given());
            stat.parent = number_of(account.parent());
            stat.depth = account.depth();
            stat.children = account.children();
            stat.children_left = account.slots();
        });
    }

    /// As [`Self::stat`], for anybody: the account is not charged for it. Context: any but
    /// NMI.
    pub(crate) fn list(&self, listed: &mut abi::genp_list) {
        let bytes = |frames: u32| u64::from(frames) << PAGE_SHIFT;
        self.pool.lending.with(|state| {
            let account = state.accounting.account(self.id);
            let counters = account.counters();
            listed.borrow_limit = bytes(account.limit());
            listed.lent = bytes(account.lent());
            listed.leases = account.leases();
            listed.waiters = account.waiting();
            listed.borrows = counters.borrows;
            listed.returns = counters.returns;
            listed.revocations = counters.revocations;
            listed.quota = bytes(account.quota());
            listed.quota_used = bytes(account.given());
            listed.parent = number_of(account.parent());
            listed.depth = account.depth();
        });
    }

    /// Fills in what the partition may cause the recall thread. Context: any but NMI.
    pub(crate) fn bounds(&self, bounds: &mut abi::genp_bounds) {
        let (max_leases, limit) = self.with_lending(|state, id| {
            let account = state.accounting.account(id);
            (account.max_leases(), account.limit())
        });
        bounds.recall_work_ns = self.pool.config.recall_share.work_per_second();
        bounds.recall_burst_ns = RecallShare::burst_ns(max_leases, limit);
    }

    /// Resets the peak of what was lent. Context: any but NMI.
    pub(crate) fn reset_peak(&self) {
        self.with_lending(|state, id| state.accounting.reset_peak(id));
    }
}
