// SPDX-License-Identifier: GPL-2.0

//! What the steps of a recall cost on this machine, measured once, when the module is
//! loaded: a partition borrows, lets its leases run out, and the time from their deadline
//! until their frames are free is taken. What is measured is what happens later: the
//! recall thread, its timer, the locks, and page tables of a process, the one that loads
//! the module.
//!
//! The caches are made cold before each deadline, by zeroing a reserve. What could not be
//! made worse than it was is in the [`MARGIN`].

use kernel::{
    prelude::*,
    sync::Arc,
    time::{delay::fsleep, Delta},
};

use super::Registry;
use crate::genp::{
    core::{accounting::WaitReasons, count::Count, owner::Owner, recall_bound::UnitCosts},
    partition::{BorrowRequest, CreateRequest, File, Partition},
    sys::{abi, own_mapping::OwnMapping, time},
};

/// A step may cost so many times what was measured.
const MARGIN: u64 = 4;
/// It takes no longer than this, or than one sample of each kind.
const TIME_NS: u64 = 50_000_000;
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

/// Samples of one kind.
struct Samples {
    taken: [u64; ROUNDS],
    count: usize,
}

impl Samples {
    const EMPTY: Self = Self {
        taken: [0; ROUNDS],
        count: 0,
    };

    fn add(&mut self, sample: u64) {
        if let Some(entry) = self.taken.get_mut(self.count) {
            *entry = sample;
            self.count.raise(1);
        }
    }

    fn all(&self) -> &[u64] {
        self.taken.get(..self.count).unwrap_or(&[])
    }

    fn worst(&self) -> u64 {
        self.all().iter().copied().max().unwrap_or(0)
    }

    /// The largest one that no more than half of them are below: a disturbance that
    /// happened once is not counted once for each lease of the pool.
    fn median(&self) -> u64 {
        let half = self.count / 2;
        let below = |sample: u64| {
            let all = self.all().iter();
            all.fold(0usize, |sum, &other| sum.plus(usize::from(other < sample)))
        };
        self.all()
            .iter()
            .copied()
            .filter(|&sample| below(sample) <= half)
            .max()
            .unwrap_or(0)
    }
}

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
    until: u64,
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
            until: 0,
        })
    }

    /// Chooses a term of four times what borrowing takes on this machine. EAGAIN if that is
    /// too long, or the errors of a borrow.
    fn choose_term(&mut self) -> Result {
        let begin = time::now();
        let expires = begin.saturating_add(self.term_ns);
        let lease = self.partition.borrow(&request(self.pages, expires))?;
        let took = time::now().saturating_sub(begin).saturating_mul(4);
        self.partition.return_lease(lease.handle)?;
        if took > self.term_ns {
            return Err(EAGAIN);
        }
        self.term_ns = took.max(TERM_NS).min(self.term_ns);
        Ok(())
    }

    fn is_over(&self) -> bool {
        time::now() >= self.until
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
    fn sample(&mut self, kind: Kind, zero: &mut Samples) -> Option<u64> {
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
        let mut zero = Samples::EMPTY;
        let mut samples = [const { Samples::EMPTY }; 3];
        let one_round = kinds.len();
        self.until = time::now().saturating_add(TIME_NS);
        for turn in 0..ROUNDS.times(kinds.len()) {
            let index = turn.plus(turn / 3) % 3;
            let (Some(&(leases, pages)), Some(of_kind)) =
                (kinds.get(index), samples.get_mut(index))
            else {
                break;
            };
            if turn >= one_round && self.is_over() {
                break;
            }
            if let Some(sample) = self.sample(Kind { leases, pages }, &mut zero) {
                of_kind.add(sample);
            }
        }
        let [single, many, large] = samples;
        if [&single, &many, &large].iter().any(|kind| kind.count == 0) {
            return Err(EAGAIN);
        }
        let cost = |ns: u64, steps: u32| {
            let each = ns.checked_div(steps.into()).unwrap_or(ns);
            each.saturating_add(1).saturating_mul(MARGIN)
        };
        // Without what it takes until the first lease is ended, which is in every sample.
        let once = single.median();
        let end_ns = cost(many.median().saturating_sub(once), LEASES.minus(1));
        Ok(UnitCosts {
            latency_ns: cost(single.worst(), 1),
            end_ns,
            page_ns: cost(large.median().saturating_sub(once), self.pages),
            zero_ns: cost(zero.median(), 1),
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
