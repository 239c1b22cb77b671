// SPDX-License-Identifier: GPL-2.0

//! Judges a plan, by the rules of the module.

use std::collections::BTreeMap;

use genp_core::{
    accounting::{
        admission::{judge, Admission, User},
        AccountingError, Totals, MAX_LEASES_PER_PARTITION,
    },
    block_counts::BlockCounts,
    recall_bound::{kth_wait_ns, RecallBound, RecallLoad, UnitCosts, MAX_MAPPINGS, PIECE},
    recall_share::{lease_work, RecallShare},
    shape::{Shape, ShapeError},
};
use toml::Spanned;

use super::file::{line_of, PartitionPlan, PlanFile};
use crate::{blocks, size, time};

const MIB: u64 = 1 << 20;
const MS: u64 = 1_000_000;
/// Leases of a partition if no number is given.
const USUAL_LEASES: u32 = 16;

/// A partition of the plan, and what becomes of it.
#[derive(Debug, PartialEq)]
pub struct Judged {
    /// Its line in the file.
    pub line: usize,
    /// Its name, or its number.
    pub name: String,
    /// Why it does not go, each with the error that the module gives.
    pub faults: Vec<String>,
    /// The longest wait of its last waiter, if it has any.
    pub wait_ns: Option<u64>,
    /// The work it may cause in a second, and at once beyond that.
    pub work_ns: (u64, u64),
}

/// A plan, judged.
#[derive(Debug)]
pub struct Outcome {
    /// The partitions, in the order of the plan.
    pub partitions: Vec<Judged>,
    /// Faults of the whole.
    pub faults: Vec<String>,
    /// The longest recall, by its parts.
    pub recall: RecallBound,
    /// The bound on the wait of the first waiter.
    pub wait_ns: u64,
    /// Bytes committed, and what is left to lend.
    pub committed: u64,
    /// Bytes that are left to lend.
    pub lendable: u64,
}

impl Outcome {
    /// Whether all of it goes.
    pub fn is_admissible(&self) -> bool {
        let whole = |judged: &Judged| judged.faults.is_empty();
        self.faults.is_empty() && self.partitions.iter().all(whole)
    }
}

/// The plan and the state of its pool, from one partition to the next.
struct Planner<'a> {
    plan: &'a PlanFile,
    totals: Totals,
    /// Contiguous blocks that are in no partition.
    blocks: BlockCounts,
    users: BTreeMap<&'a str, u64>,
    names: BTreeMap<&'a str, usize>,
}

fn max_leases(part: &PartitionPlan) -> u32 {
    match part.max_leases {
        0 => USUAL_LEASES,
        leases => leases,
    }
}

impl<'a> Planner<'a> {
    fn new(plan: &'a PlanFile) -> Self {
        let mut planner = Self {
            plan,
            totals: Totals::default(),
            blocks: plan.blocks(),
            users: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        let capacity = planner.pages(u64::from(plan.count("pool_mib")) * MIB);
        planner.totals.capacity = capacity;
        planner.totals.free = capacity;
        planner
    }

    fn pages(&self, bytes: u64) -> u32 {
        let pages = bytes.div_ceil(self.plan.page_size.into());
        u32::try_from(pages).unwrap_or(u32::MAX)
    }

    fn bytes(&self, pages: impl Into<u64>) -> u64 {
        pages.into().saturating_mul(self.plan.page_size.into())
    }

    fn shape(&self, part: &PartitionPlan) -> Shape {
        Shape {
            reserve: self.pages(part.reserve),
            external: false,
            limit: self.pages(part.borrow),
            max_leases: max_leases(part),
            stock_pages: part.stock,
            stock_limit: part.stock_limit,
            stock_low: part.stock_low,
            block_pages: part.blocks.pages().unwrap_or(u32::MAX),
            quota: 0,
        }
    }

    fn user(&self, name: &str) -> User {
        let ceiling = match self.plan.count("uid_ceiling_mib") {
            0 => return User::UNLIMITED,
            mib => self.pages(u64::from(mib) * MIB),
        };
        let charged = self.users.get(name).copied().unwrap_or(0);
        User { charged, ceiling }
    }

    /// Admits a partition as the module does for GENP_CREATE.
    fn admit(&mut self, part: &'a PartitionPlan) -> Result<(), String> {
        self.has_blocks(part)?;
        let shape = self.shape(part).check(self.totals.capacity);
        let committed = shape.map_err(|error| self.shape_fault(error))?.committed;
        let user = self.user(&part.user);
        let slots = Some(self.plan.count("max_partitions"));
        match judge(&self.totals, slots, user, committed, std::iter::empty()) {
            Admission::Admitted => {}
            // Nobody waits while partitions are created.
            Admission::Undecided => return Err("not decided".to_owned()),
            Admission::Refused(error) => return Err(self.refusal(error, committed, user)),
        }
        self.take_blocks(part)?;
        self.totals.free -= committed;
        self.totals.committed += committed;
        self.totals.partitions += 1;
        *self.users.entry(&part.user).or_default() += u64::from(committed);
        Ok(())
    }

    /// Whether the module takes so many blocks at all.
    fn has_blocks(&self, part: &PartitionPlan) -> Result<(), String> {
        let all = self.plan.blocks();
        match all.covers(&part.blocks) {
            true => Ok(()),
            false => Err(format!(
                "more blocks than the module has, \"{}\" (E2BIG)",
                blocks::show(&all.by_order())
            )),
        }
    }

    /// Charges its user for its blocks, and takes them.
    fn take_blocks(&mut self, part: &'a PartitionPlan) -> Result<(), String> {
        if part.blocks.is_none() {
            return Ok(());
        }
        let pages = part.blocks.pages().unwrap_or(u32::MAX);
        let committed = self.pages(part.reserve).saturating_add(part.stock);
        let mut user = self.user(&part.user);
        user.charged += u64::from(committed);
        if user.charged + u64::from(pages) > user.ceiling.into() {
            return Err(self.refusal(AccountingError::Ceiling, pages, user));
        }
        if !self.blocks.covers(&part.blocks) {
            return Err(format!(
                "blocks \"{}\", \"{}\" are free (ENOSPC)",
                blocks::show(&part.blocks.by_order()),
                blocks::show(&self.blocks.by_order())
            ));
        }
        for (order, count) in (0..).zip(part.blocks.by_order()) {
            self.blocks.lower(order, count);
        }
        *self.users.entry(&part.user).or_default() += u64::from(pages);
        Ok(())
    }

    fn shape_fault(&self, error: ShapeError) -> String {
        match error {
            ShapeError::Empty | ShapeError::NoReserve => {
                "neither reserve nor borrow nor stock nor blocks (EINVAL)".to_owned()
            }
            ShapeError::Watermarks => {
                "stock_low is at most stock, and that at most stock_limit (EINVAL)".to_owned()
            }
            ShapeError::TooBig => {
                let capacity = size::show(self.bytes(self.totals.capacity));
                format!("more than the whole pool, {capacity} (E2BIG)")
            }
        }
    }

    fn refusal(&self, error: AccountingError, committed: u32, user: User) -> String {
        let wanted = size::show(self.bytes(committed));
        match error {
            AccountingError::Ceiling => {
                let left = u64::from(user.ceiling).saturating_sub(user.charged);
                let left = size::show(self.bytes(left));
                format!("{wanted} committed, the ceiling of its user leaves {left} (ENOSPC)")
            }
            AccountingError::NoPartitionSlot => {
                let most = self.plan.count("max_partitions");
                format!("max_partitions is {most} (ENOSPC)")
            }
            _ => {
                let free = size::show(self.bytes(self.totals.free));
                format!("{wanted} committed, {free} are free (ENOSPC)")
            }
        }
    }

    /// What is wrong with a partition, whatever others there are.
    fn own_faults(&self, part: &PartitionPlan) -> Vec<String> {
        let mut faults = Vec::new();
        let leases = max_leases(part);
        if leases > MAX_LEASES_PER_PARTITION {
            faults.push(format!(
                "max_leases is at most {MAX_LEASES_PER_PARTITION} (EINVAL)"
            ));
        }
        if part.waiters > leases {
            faults.push(format!(
                "{} waiters, but max_leases {leases} (EBUSY)",
                part.waiters
            ));
        }
        if part.waiters > 0 && part.borrow == 0 {
            faults.push("nothing to borrow, so nobody waits (E2BIG)".to_owned());
        }
        let longest = u64::from(self.plan.count("max_lease_ms")) * MS;
        if part.term.is_some_and(|term| term > longest) {
            let longest = time::show(longest);
            faults.push(format!(
                "a term longer than max_lease_ms, {longest} (EINVAL)"
            ));
        }
        if !part.name.is_empty() && !crate::values::is_name(&part.name) {
            faults.push("no name for a partition (EINVAL)".to_owned());
        }
        faults
    }

    fn share(&self) -> RecallShare {
        RecallShare {
            percent: self.plan.count("recall_share"),
            partitions: self.plan.count("max_partitions"),
        }
    }

    /// What it may cause the recall thread, and whether that is enough for it.
    fn work(&self, part: &PartitionPlan) -> ((u64, u64), Option<String>) {
        let limit = self.pages(part.borrow);
        let allowed = self.share().work_per_second();
        // Its leases have all it may borrow together.
        let pages = limit.div_ceil(max_leases(part).max(1));
        let wanted = lease_work(pages, 1).saturating_mul(part.ends_per_second.into());
        let fault = (wanted > allowed).then(|| {
            format!(
                "ending {} leases a second takes {}, its part of recall_share is {} (EAGAIN)",
                part.ends_per_second,
                time::show(wanted),
                time::show(allowed)
            )
        });
        let burst = RecallShare::burst_ns(max_leases(part), limit);
        ((allowed, burst), fault)
    }

    /// How much there is of what R depends on: as the module counts it, whose figures hold
    /// for whatever partitions there are.
    fn load(&self, processors: u32) -> RecallLoad {
        RecallLoad {
            leases: self.plan.count("max_leases"),
            pages: self.totals.capacity,
            piece: PIECE,
            mappings: MAX_MAPPINGS,
            waiters: self.plan.count("max_waiters"),
            partitions: self.plan.count("max_partitions"),
            processors,
        }
    }
}

/// The position at which the last waiter of `part` is served, if all wait that may.
fn position(plan: &PlanFile, part: &PartitionPlan) -> u32 {
    // In the order of arrival it may be the last of all; by priority too, if all others have
    // higher ones.
    let waiters = plan.partition.iter().map(|other| other.get_ref().waiters);
    let all = waiters.fold(0u32, u32::saturating_add);
    all.max(part.waiters)
}

/// What is wrong with the tables of the pool.
fn table_faults(plan: &PlanFile) -> Vec<String> {
    let sum = |of: fn(&PartitionPlan) -> u32| {
        let each = plan.partition.iter().map(|part| of(part.get_ref()));
        each.fold(0u32, u32::saturating_add)
    };
    let borrowers = |part: &PartitionPlan| match part.borrow {
        0 => 0,
        _ => max_leases(part),
    };
    let table = |name: &str, wanted: u32| {
        let most = plan.count(name);
        (wanted > most).then(|| format!("{name} is {most}, the partitions need {wanted} (EBUSY)"))
    };
    let leases = table("max_leases", sum(borrowers));
    let waiters = table("max_waiters", sum(|part| part.waiters));
    leases.into_iter().chain(waiters).collect()
}

/// Judges a plan for a machine of these costs.
pub fn judge_plan(plan: &PlanFile, text: &str, costs: &UnitCosts, processors: u32) -> Outcome {
    let mut planner = Planner::new(plan);
    let recall = planner.load(processors).bound(costs);
    let wait_ns = recall.wait_ns(u64::from(plan.count("max_lease_ms")) * MS, costs);
    let mut partitions = Vec::new();
    for (number, spanned) in plan.partition.iter().enumerate() {
        let part: &PartitionPlan = spanned.get_ref();
        let line = line_of(text, Spanned::span(spanned).start);
        let mut faults = planner.own_faults(part);
        if !part.name.is_empty() {
            if let Some(other) = planner.names.insert(&part.name, line) {
                faults.push(format!("line {other} has this name (EEXIST)"));
            }
        }
        faults.extend(planner.admit(part).err());
        let (work_ns, too_much) = planner.work(part);
        faults.extend(too_much);
        let waits = (part.waiters > 0).then(|| kth_wait_ns(wait_ns, position(plan, part)));
        if let (Some(bound), Some(most)) = (waits, part.wait) {
            if bound > most {
                let [bound, most] = [bound, most].map(time::show);
                faults.push(format!("waits up to {bound}, can afford {most}"));
            }
        }
        partitions.push(Judged {
            line,
            name: match part.name.as_str() {
                "" => format!("#{}", number + 1),
                name => name.to_owned(),
            },
            faults,
            wait_ns: waits,
            work_ns,
        });
    }
    // What can be lent is known when all of them are there.
    let lendable = planner.totals.lendable();
    for (judged, part) in partitions.iter_mut().zip(&plan.partition) {
        let limit = planner.pages(part.get_ref().borrow);
        if limit > lendable && limit <= planner.totals.capacity {
            let left = size::show(planner.bytes(lendable));
            let fault = format!("may borrow more than can be lent at last, {left} (E2BIG)");
            judged.faults.push(fault);
        }
    }
    Outcome {
        partitions,
        faults: table_faults(plan),
        recall,
        wait_ns,
        committed: planner.bytes(planner.totals.committed),
        lendable: planner.bytes(lendable),
    }
}
