// SPDX-License-Identifier: GPL-2.0

//! What the steps of a recall cost on this machine, measured once, when the module is
//! loaded: a partition borrows, lets its leases run out, and the time from their deadline
//! until their frames are free is taken. What is measured is what happens later: the
//! recall thread, its timer, the locks, and page tables of a process, the one that loads
//! the module.
//!
//! The caches are made cold before each deadline, by zeroing a reserve. What could not be
//! made worse than it was is in the [`MARGIN`].
//!
//! Others may run meanwhile. The threads that are measured are more urgent than they, and
//! what is measured in the caller is measured with preemption off, in short stretches. Of
//! the samples, those that took much longer than the others do not count.

use kernel::{
    prelude::*,
    sync::Arc,
    time::{delay::fsleep, Delta},
};

use super::Registry;
use crate::genp::{
    core::{
        accounting::WaitReasons, count::Count, owner::Owner, recall_bound::UnitCosts,
        samples::Samples,
    },
    partition::{BorrowRequest, CreateRequest, File, Partition},
    sys::{abi, own_mapping::OwnMapping, time},
};

/// A step may cost so many times what was measured.
const MARGIN: u64 = 4;
/// It takes no longer than this, if there are [`ENOUGH`] samples of each kind then ...
const TIME_NS: u64 = 50_000_000;
/// ... than this, if there is one of each, as when others keep the caller from running; and
/// than one attempt at each in any case.
const LONGEST_TIME_NS: u64 = 500_000_000;
/// Samples of each kind that are not measured by a single disturbance.
const ENOUGH: usize = 5;
/// Borrows that show how long one takes: the shortest counts.
const TRIES: usize = 4;
/// Leases that end together.
const LEASES: u32 = 16;
/// Pages of a large lease, at most.
const PAGES: u32 = 256;
/// Pages that are zeroed to make the caches cold, at most.
const COLD_PAGES: u32 = 512;
/// The shortest term of a lease, and the longest: its borrower has to get its frames in it.
const TERM_NS: u64 = 1_000_000;
const LONGEST_TERM_NS: u64 = 50_000_000;
/// Samples of each kind, at most.
const ROUNDS: usize = 8;

type OfKind = Samples<ROUNDS>;

/// The leases that run out together in a sample.
#[derive(Clone, Copy)]
struct Kind {
    leases: u32,
    pages: u32,
}

/// The partition that borrows. Dropped in this order.
struct Experiment<'a> {
    registry: &'a Registry,
    _mapping: OwnMapping,
    _file: File,
    partition: Arc<Partition>,
    pages: u32,
    term_ns: u64,
    begin: u64,
}

impl<'a> Experiment<'a> {
    /// Context: thread of a process, may sleep.
    fn set_up(registry: &'a Arc<Registry>) -> Result<Self> {
        let pool = registry.pool();
        // A small pool is not used up.
        let part = pool.config.capacity / 4;
        let pages = part.min(PAGES);
        let page = kernel::page::PAGE_SIZE as u64;
        let args = abi::genp_create {
            reserve: u64::from(part.min(COLD_PAGES)).saturating_mul(page),
            borrow_limit: u64::from(pages).saturating_mul(page),
            node: abi::GENP_ANY_NODE,
            max_leases: LEASES,
            ..Default::default()
        };
        let request = CreateRequest::check(pool, &args, false)?;
        let (partition, file) = registry.create(request, None)?;
        Ok(Self {
            _mapping: partition.map_leases(&file)?,
            registry,
            _file: file,
            partition,
            pages,
            term_ns: LONGEST_TERM_NS.min(pool.config.max_lease_ns),
            begin: 0,
        })
    }

    /// How long borrowing a large lease and returning it takes; the errors of both.
    fn time_borrow(&self) -> Result<u64> {
        let begin = time::now();
        let expires = begin.saturating_add(self.term_ns);
        let lease = self.partition.borrow(&request(self.pages, expires))?;
        let took = time::now().saturating_sub(begin);
        self.partition.return_lease(lease.handle)?;
        Ok(took)
    }

    /// Chooses a term of four times what borrowing takes on this machine, when nobody keeps
    /// the caller from it. EAGAIN if that is too long, or if no borrow succeeds.
    fn choose_term(&mut self) -> Result {
        let times = (0..TRIES).filter_map(|_| self.time_borrow().ok());
        let took = times.min().ok_or(EAGAIN)?.saturating_mul(4);
        if took > self.term_ns {
            return Err(EAGAIN);
        }
        self.term_ns = took.max(TERM_NS).min(self.term_ns);
        Ok(())
    }

    /// Whether so many samples of each kind are all that there is time for.
    fn is_over(&self, samples: &[OfKind]) -> bool {
        let took = time::now().saturating_sub(self.begin);
        let fewest = samples.iter().map(OfKind::count).min().unwrap_or(0);
        took >= LONGEST_TIME_NS || (took >= TIME_NS && fewest >= ENOUGH)
    }

    /// Borrows leases that end together; false if one had ended before it was there.
    fn borrow(&self, kind: Kind, expires: u64) -> bool {
        (0..kind.leases).all(|_| {
            let borrowed = self.partition.borrow(&request(kind.pages, expires));
            borrowed.is_ok()
        })
    }

    /// Waits until its leases have ended; false if they do not.
    fn wait(&self) -> bool {
        let latest = time::now().saturating_add(LONGEST_TERM_NS.times(2));
        while self.partition.has_leases() {
            if time::now() >= latest {
                return false;
            }
            fsleep(Delta::from_micros(100));
        }
        true
    }

    /// How long after the deadline the last frames were free; `None` if the leases could
    /// not be had, which gets a longer term.
    fn sample(&mut self, kind: Kind, zero: &mut OfKind) -> Option<u64> {
        let pool = self.registry.pool();
        pool.forget_recalls(self.partition.id());
        let expires = time::now().saturating_add(self.term_ns);
        let borrowed = self.borrow(kind, expires);
        zero.add(self.partition.cool());
        if !self.wait() {
            return None;
        }
        if !borrowed {
            let longest = LONGEST_TERM_NS.min(pool.config.max_lease_ns);
            self.term_ns = self.term_ns.saturating_mul(2).min(longest);
            return None;
        }
        Some(pool.recall_worst_ns())
    }

    /// Takes the samples, each kind in each round, in an order that changes. EAGAIN if there
    /// was no time for one of each.
    fn run(&mut self) -> Result<UnitCosts> {
        let kinds = [(1, 1), (LEASES, 1), (1, self.pages)];
        let mut zero = OfKind::EMPTY;
        let mut samples = [const { OfKind::EMPTY }; 3];
        let one_round = kinds.len();
        self.begin = time::now();
        for turn in 0..ROUNDS.times(kinds.len()) {
            let index = turn.plus(turn / 3) % 3;
            if turn >= one_round && self.is_over(&samples) {
                break;
            }
            let (Some(&(leases, pages)), Some(of_kind)) =
                (kinds.get(index), samples.get_mut(index))
            else {
                break;
            };
            if let Some(sample) = self.sample(Kind { leases, pages }, &mut zero) {
                of_kind.add(sample);
            }
        }
        self.costs(&samples, &zero)
    }

    /// The costs by these samples of the kinds in [`Self::run`]; EAGAIN if one is missing.
    fn costs(&self, [single, many, large]: &[OfKind; 3], zero: &OfKind) -> Result<UnitCosts> {
        if [single, many, large].iter().any(|kind| kind.count() == 0) {
            return Err(EAGAIN);
        }
        let cost = |ns: u64, steps: u32| {
            let each = ns.checked_div(steps.into()).unwrap_or(ns);
            each.saturating_add(1).saturating_mul(MARGIN)
        };
        // Without what it takes until the first lease is ended, which is in every sample.
        let once = single.typical();
        let end_ns = cost(many.typical().saturating_sub(once), LEASES.minus(1));
        Ok(UnitCosts {
            latency_ns: cost(single.worst_plausible(), 1),
            end_ns,
            page_ns: cost(large.typical().saturating_sub(once), self.pages),
            zero_ns: cost(zero.typical(), 1),
            serve_ns: in_proportion(UnitCosts::STATED.serve_ns, end_ns),
            section_ns: in_proportion(UnitCosts::STATED.section_ns, end_ns),
        })
    }
}

/// A request for a lease that ends at `expires`.
fn request(pages: u32, expires: u64) -> BorrowRequest {
    BorrowRequest {
        pages,
        deadline: u64::from(abi::GENP_NO_WAIT),
        term: expires.saturating_sub(time::now()),
        reasons: WaitReasons {
            budget: false,
            pool: false,
        },
        owner: Owner::Process,
    }
}

/// A cost that is not measured: as much more than is stated as ending a lease costs more.
fn in_proportion(stated_ns: u64, end_ns: u64) -> u64 {
    stated_ns.saturating_mul(end_ns) / UnitCosts::STATED.end_ns
}

/// Measures the costs that were not given. If it cannot, the stated ones hold. Context: a
/// process, may sleep; its partition is gone when it returns to user space.
pub(crate) fn calibrate(registry: &Arc<Registry>) {
    let pool = registry.pool();
    if pool.costs.are_given() {
        return;
    }
    let Ok(mut experiment) = Experiment::set_up(registry) else {
        return;
    };
    pool.measure_recalls(true);
    let costs = experiment.choose_term().and_then(|()| experiment.run());
    // What is still on lease has ended before it is forgotten, or else with the partition.
    experiment.wait();
    pool.measure_recalls(false);
    pool.forget_recalls(experiment.partition.id());
    if let Ok(costs) = costs {
        pool.costs.measured(&costs);
    }
}
