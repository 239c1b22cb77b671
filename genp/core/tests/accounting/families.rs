// SPDX-License-Identifier: GPL-2.0

//! Random lives of partitions that have children.

use std::collections::BTreeMap;

use genp_core::accounting::{
    AccountingError, EndReason, PartitionId, RequestOutcome, WaitOrder, MAX_DEPTH,
    MAX_LEASES_PER_PARTITION,
};
use genp_core_testing::pool::{pool, serve, Pool, BOTH, CAPACITY, TERM};
use proptest::{prelude::*, test_runner::RngSeed};

use super::children::share;

#[derive(Clone, Debug)]
enum Step {
    Root(u32, u32, u32, u32),
    Child(usize, u32, u32, u32, u32),
    More(usize, u32),
    Less(usize, u32),
    Quota(usize, u32, u32, u32),
    Limit(usize, u32),
    Borrow(usize, u32),
    Return(usize),
    /// Closes, with a part of the reserve in quarantine.
    Close(usize, u32),
    /// A part of what is in quarantine comes out of it.
    Unpin(usize, u32),
    Pass,
}

fn step() -> impl Strategy<Value = Step> {
    let who = any::<usize>;
    prop_oneof![
        2 => (0u32..30, 0u32..60, 0u32..4, 0u32..50).prop_map(|(r, q, c, l)| Step::Root(r, q, c, l)),
        4 => (who(), (0u32..20, 0u32..30, 0u32..3, 0u32..30))
            .prop_map(|(p, (r, q, c, l))| Step::Child(p, r, q, c, l)),
        1 => (who(), 1u32..20).prop_map(|(p, n)| Step::More(p, n)),
        1 => (who(), 1u32..20).prop_map(|(p, n)| Step::Less(p, n)),
        2 => (who(), 0u32..60, 0u32..10, 0u32..10).prop_map(|(p, q, a, c)| Step::Quota(p, q, a, c)),
        2 => (who(), 0u32..50).prop_map(|(p, n)| Step::Limit(p, n)),
        4 => (who(), 1u32..20).prop_map(|(p, n)| Step::Borrow(p, n)),
        3 => who().prop_map(Step::Return),
        2 => (who(), 0u32..100).prop_map(|(p, n)| Step::Close(p, n)),
        2 => (who(), 1u32..20).prop_map(|(p, n)| Step::Unpin(p, n)),
        1 => Just(Step::Pass),
    ]
}

/// Partitions that know what the pool's own ones were admitted with.
struct Family {
    pool: Pool,
    /// Those that are not closed, and the frames that a tree may have on lease.
    open: Vec<PartitionId>,
    limits: BTreeMap<u32, u32>,
    pinned: Vec<(PartitionId, u32)>,
    leases: Vec<(PartitionId, u64)>,
    now: u64,
}

impl Family {
    fn pick(&self, which: usize) -> Option<PartitionId> {
        self.open.get(which % self.open.len().max(1)).copied()
    }

    fn top(&self, p: PartitionId) -> PartitionId {
        std::iter::successors(Some(p), |&p| self.pool.account(p).parent())
            .last()
            .unwrap()
    }

    fn serve(&mut self) {
        while let Some(lease) = serve(&mut self.pool, self.now) {
            let entry = *self.pool.lease(lease);
            if let RequestOutcome::Granted { .. } = self.pool.acknowledge(lease) {
                self.leases.push((entry.partition(), entry.handle()));
            }
        }
    }

    fn give_back(&mut self, at: usize) {
        let (p, handle) = self.leases.swap_remove(at);
        let lease = self.pool.claim(p, handle, EndReason::Returned).unwrap();
        self.pool.complete_return(lease, EndReason::Returned);
        self.serve();
    }

    /// Ends a partition and all below it, as the registry does.
    fn close(&mut self, p: PartitionId, pinned: u32) {
        let ends = |&other: &PartitionId| other == p || self.pool.descends(other, p);
        let family: Vec<_> = self.open.iter().copied().filter(ends).collect();
        for &one in &family {
            self.pool.begin_close(one);
        }
        for &one in &family {
            assert!(self.pool.ends(one));
            for slice in 0..MAX_LEASES_PER_PARTITION {
                if let Some(lease) = self.pool.close_slice(one, slice) {
                    assert_eq!(self.pool.withdraw(lease), RequestOutcome::Died);
                }
            }
            while let Some(at) = self.leases.iter().position(|&(other, _)| other == one) {
                self.give_back(at);
            }
            let reserve = self.pool.account(one).reserve();
            let pinned = reserve.min(pinned);
            self.pool.close(one, pinned).unwrap();
            if pinned > 0 {
                self.pinned.push((one, pinned));
            }
            assert_eq!(self.pool.check(), Ok(()));
        }
        self.open.retain(|one| !family.contains(one));
        self.serve();
    }

    fn take(&mut self, step: &Step) {
        let before = self.pool.totals();
        match *step {
            Step::Root(r, q, c, l) => {
                if let Ok(p) = self.pool.admit_with(0, u32::MAX, &share(r, q, c, l)) {
                    self.open.push(p);
                    self.limits.insert(p.0, l);
                }
            }
            Step::Child(p, r, q, c, l) => {
                let Some(p) = self.pick(p) else { return };
                let above = *self.pool.account(p);
                let fits = r + q <= above.quota() - above.given() && c < above.slots();
                let share = share(r, q, c, l);
                match self.pool.admit_child(p, &share) {
                    Ok(child) => {
                        assert!(fits && above.depth() < MAX_DEPTH && l <= above.limit());
                        self.open.push(child);
                    }
                    Err(AccountingError::Quota) => assert!(l > 0),
                    // What it has of its quota and waits for is not there yet.
                    Err(error) => assert!(!fits || error == AccountingError::TooBig),
                }
                assert_eq!(
                    self.pool.totals(),
                    before,
                    "a child moved the pool's frames"
                );
            }
            Step::More(p, n) => {
                let Some(p) = self.pick(p) else { return };
                let done = self.pool.commit_more(p, n, u32::MAX).is_ok();
                if self.pool.account(p).parent().is_some() || !done {
                    assert_eq!(self.pool.totals(), before);
                }
            }
            Step::Less(p, n) => {
                let Some(p) = self.pick(p) else { return };
                let n = n.min(self.pool.account(p).reserve());
                self.pool.commit_less(p, n).unwrap();
                if self.pool.account(p).parent().is_some() {
                    assert_eq!(self.pool.totals(), before);
                }
                self.serve();
            }
            Step::Quota(p, quota, added, cut) => {
                let Some(p) = self.pick(p) else { return };
                let had = *self.pool.account(p);
                let cut = cut.min(had.reserve());
                let set = self
                    .pool
                    .set_quota(p, quota, (added, cut), u32::MAX, self.now);
                if let Ok(surplus) = set {
                    assert_eq!(self.pool.account(p).quota(), quota);
                    self.pool.commit_less(p, surplus + cut).unwrap();
                    assert_eq!(self.pool.account(p).quota(), quota);
                    assert_eq!(self.pool.account(p).reserve(), had.reserve() + added - cut);
                }
                self.serve();
            }
            Step::Limit(p, n) => {
                let Some(p) = self.pick(p) else { return };
                let is_child = self.pool.account(p).parent().is_some();
                let had = self.pool.account(p).limit();
                if !is_child && n > had {
                    return;
                }
                if let Ok(fewer) = self.pool.change_limit(p, n) {
                    // Every other time something else that was asked for fails.
                    let done = n % 2 == 0;
                    self.pool.settle_limit(p, had, n, done);
                    if !is_child && done {
                        *self.limits.get_mut(&p.0).unwrap() -= fewer;
                    }
                }
                self.serve();
            }
            Step::Borrow(p, n) => {
                let Some(p) = self.pick(p) else { return };
                if let Ok(ticket) = self.pool.borrow(p, n, 0, BOTH, true, self.now, TERM) {
                    if ticket.granted.is_some() {
                        self.pool.acknowledge(ticket.lease);
                        self.leases.push((p, ticket.handle));
                    }
                }
            }
            Step::Return(at) => {
                if !self.leases.is_empty() {
                    self.give_back(at % self.leases.len());
                }
            }
            Step::Close(p, pinned) => {
                if let Some(p) = self.pick(p) {
                    self.close(p, pinned);
                }
            }
            Step::Unpin(at, n) => {
                let len = self.pinned.len().max(1);
                let Some((p, left)) = self.pinned.get_mut(at % len) else {
                    return;
                };
                let n = n.min(*left);
                *left -= n;
                let p = *p;
                self.pinned.retain(|&(_, left)| left > 0);
                self.pool.commit_less(p, n).unwrap();
                self.serve();
            }
            Step::Pass => self.now += TERM,
        }
    }

    fn check(&self) {
        assert_eq!(self.pool.check(), Ok(()));
        let mut trees: BTreeMap<u32, (u32, u32)> = BTreeMap::new();
        for &p in &self.open {
            let account = self.pool.account(p);
            let (lent, limit) = trees.entry(self.top(p).0).or_default();
            *lent += account.lent();
            *limit += account.limit();
            if account.parent().is_some() {
                assert!(account.lent() <= account.limit(), "a child has too much");
            }
        }
        for (top, (_, limit)) in trees {
            assert!(limit <= self.limits[&top], "a tree may have too much");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        rng_seed: RngSeed::Fixed(20_261_130),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn families_have_what_was_set_aside(steps in prop::collection::vec(step(), 1..120)) {
        let mut family = Family {
            pool: pool(WaitOrder::Prio),
            open: Vec::new(),
            limits: BTreeMap::new(),
            pinned: Vec::new(),
            leases: Vec::new(),
            now: 1,
        };
        for step in &steps {
            family.take(step);
            family.check();
        }
        // All comes back.
        while let Some(&p) = family.open.first() {
            family.close(p, 1);
        }
        for (p, left) in std::mem::take(&mut family.pinned) {
            family.pool.commit_less(p, left).unwrap();
        }
        let totals = family.pool.totals();
        prop_assert_eq!((totals.free, totals.partitions), (CAPACITY, 0));
        prop_assert_eq!(family.pool.check(), Ok(()));
    }
}
