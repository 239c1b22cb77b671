// SPDX-License-Identifier: GPL-2.0

//! The derived R, beside a recall that is simulated step by step.

use genp_core::{
    accounting::MAX_LEASES_PER_PARTITION,
    recall_bound::{
        kth_wait_ns, RecallLoad, UnitCosts, FILL_BATCH, LOCKS_AN_END, MAX_MAPPINGS, MOST_AT_ONCE,
        PAUSE_NS, SCRUB_BATCH,
    },
};
use proptest::{prelude::*, test_runner::RngSeed};

/// A choice between 0 and the number given: what others do at a step.
type Choice<'a> = &'a mut dyn FnMut(u64) -> u64;

/// What others do at their worst.
fn worst(most: u64) -> u64 {
    most
}

/// A recall in progress: a clock, the costs, and who else is there.
struct Recall<'a> {
    now: u64,
    load: RecallLoad,
    costs: UnitCosts,
    others: Choice<'a>,
    /// What the recall thread has done since its last pause.
    actions: u32,
}

impl Recall<'_> {
    /// Takes a raw lock: waits for those before in the queue of the lock.
    fn lock(&mut self) {
        let before = (self.others)(self.load.processors.saturating_sub(1).into());
        for _ in 0..before {
            self.now += self.costs.section_ns;
        }
    }

    /// Unmaps, or maps, pages in every mapping.
    fn pages(&mut self, pages: u64) {
        for _ in 0..self.load.mappings {
            self.now += pages * self.costs.page_ns;
        }
    }

    /// What ending a lease takes beside its pages.
    fn end(&mut self) {
        for _ in 0..self.load.mappings {
            self.now += self.costs.end_ns;
        }
        for _ in 0..LOCKS_AN_END {
            self.lock();
        }
    }

    /// One more action of the recall thread, which pauses after some.
    fn act(&mut self) {
        self.actions += 1;
        if self.actions == MOST_AT_ONCE {
            self.actions = 0;
            self.pause();
        }
    }

    fn pause(&mut self) {
        self.now += PAUSE_NS + self.costs.latency_ns;
    }

    /// Takes the lock of a window: its holder fills, or is at a piece of the largest lease of
    /// the partition, which it maps in one mapping or unmaps in all.
    fn window(&mut self, largest: u64) {
        if (self.others)(1) == 1 {
            for _ in 0..FILL_BATCH + SCRUB_BATCH {
                self.now += self.costs.zero_ns;
            }
            self.end();
            let mapped = largest.min(self.load.piece.into());
            let unmapped = largest.min(self.whole()) * u64::from(self.load.mappings);
            self.now += mapped.max(unmapped) * self.costs.page_ns;
        }
        // And those of the mappings.
        for _ in 0..(self.others)(self.load.mappings.into()) {
            self.now += self.costs.end_ns;
        }
    }

    fn serve(&mut self, most: u32) {
        for _ in 0..(self.others)(most.into()) {
            self.now += self.costs.serve_ns;
            self.lock();
        }
    }

    /// Pages of a whole piece.
    fn whole(&self) -> u64 {
        (self.load.piece / self.load.mappings).max(1).into()
    }

    /// Ends the leases of all partitions, each a list of pages, the one in question last.
    fn run(&mut self, partitions: &[Vec<u64>]) -> u64 {
        let serves = self.load.serves();
        // The recall thread was in a pause; then it, the revoking thread, and the priority.
        self.pause();
        self.now += 3 * self.costs.latency_ns;
        self.serve(serves);
        for leases in partitions {
            let largest = leases.iter().copied().max().unwrap_or(0);
            for &pages in leases {
                self.act();
                self.act();
                let mut left = pages;
                while left > 0 {
                    let piece = left.min(self.whole());
                    left -= piece;
                    self.window(largest);
                    self.end();
                    self.pages(piece);
                    self.serve(serves + 1);
                }
            }
        }
        self.now
    }
}

/// Partitions and their leases of so many pages; the first lease of each has many.
fn partitions() -> impl Strategy<Value = Vec<Vec<u64>>> {
    let most = MAX_LEASES_PER_PARTITION as usize;
    let leases = (0u64..3000, prop::collection::vec(1u64..4, 0..most));
    let leases = leases.prop_map(|(first, mut rest)| {
        rest.push(first + 1);
        rest
    });
    prop::collection::vec(leases, 1..6)
}

fn costs() -> impl Strategy<Value = UnitCosts> {
    let cost = 0u64..100_000;
    (
        cost.clone(),
        cost.clone(),
        cost.clone(),
        cost.clone(),
        cost.clone(),
        cost,
    )
        .prop_map(
            |(latency_ns, end_ns, page_ns, zero_ns, serve_ns, section_ns)| UnitCosts {
                latency_ns,
                end_ns,
                page_ns,
                zero_ns,
                serve_ns,
                section_ns,
            },
        )
}

fn load() -> impl Strategy<Value = RecallLoad> {
    let counts = (
        1u32..=4096,
        1u32..1 << 27,
        1u32..1 << 27,
        1u32..=MAX_MAPPINGS,
    );
    (counts, 1u32..=256, 1u32..=256, 1u32..=1024).prop_map(
        |((leases, pages, piece, mappings), waiters, partitions, processors)| RecallLoad {
            leases,
            pages,
            piece,
            mappings,
            waiters,
            partitions,
            processors,
        },
    )
}

/// The load that has just these leases.
fn load_of(partitions: &[Vec<u64>], small: RecallLoad) -> RecallLoad {
    let leases: usize = partitions.iter().map(Vec::len).sum();
    let pages: u64 = partitions.iter().flatten().sum();
    RecallLoad {
        leases: leases as u32,
        pages: pages as u32,
        partitions: partitions.len() as u32,
        ..small
    }
}

fn small() -> impl Strategy<Value = RecallLoad> {
    (1u32..5000, 1u32..=MAX_MAPPINGS, 1u32..9, 1u32..9).prop_map(
        |(piece, mappings, waiters, processors)| RecallLoad {
            leases: 0,
            pages: 0,
            piece,
            mappings,
            waiters,
            partitions: 0,
            processors,
        },
    )
}

fn simulate(load: RecallLoad, costs: UnitCosts, partitions: &[Vec<u64>], others: Choice) -> u64 {
    let mut recall = Recall {
        now: 0,
        load,
        costs,
        others,
        actions: 0,
    };
    recall.run(partitions)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        rng_seed: RngSeed::Fixed(20_261_129),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever leases there are and whatever others do, it takes no longer.
    #[test]
    fn no_recall_takes_longer(
        partitions in partitions(), costs in costs(), small in small(), seed in any::<u64>()
    ) {
        let load = load_of(&partitions, small);
        let bound = load.bound(&costs).recall_ns();
        prop_assert!(simulate(load, costs, &partitions, &mut worst) <= bound);
        let mut state = seed | 1;
        let mut random = |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % (most + 1)
        };
        prop_assert!(simulate(load, costs, &partitions, &mut random) <= bound);
    }

    /// If all leases are as large, and no smaller than a piece, the worst takes half as long
    /// at least: each lease counts for one piece more, which its last one may be.
    #[test]
    fn the_worst_recall_takes_half_as_long(
        (count, pages) in (1usize..65, 1u64..3000), costs in costs(), small in small()
    ) {
        let partitions = [vec![pages; count]];
        let mut load = load_of(&partitions, small);
        load.piece = load.piece.min(pages as u32);
        let bound = load.bound(&costs).recall_ns();
        prop_assert!(simulate(load, costs, &partitions, &mut worst) >= bound / 2);
    }

    /// More of anything never makes it shorter.
    #[test]
    fn it_grows_with_each_count(load in load(), costs in costs(), more in 1u32..1000) {
        let bound = |load: RecallLoad| load.bound(&costs).recall_ns();
        let raised: [fn(&mut RecallLoad) -> &mut u32; 6] = [
            |load| &mut load.leases,
            |load| &mut load.pages,
            |load| &mut load.mappings,
            |load| &mut load.waiters,
            |load| &mut load.partitions,
            |load| &mut load.processors,
        ];
        for field in raised {
            let mut larger = load;
            *field(&mut larger) += more;
            prop_assert!(bound(larger) >= bound(load));
        }
        prop_assert!(load.bound(&costs.max(&UnitCosts::STATED)).recall_ns() >= bound(load));
    }

    /// The first waiter waits for R besides the longest term, and the k-th k times that.
    #[test]
    fn a_wait_is_made_of_terms_and_recalls(load in load(), costs in costs(), k in 1u32..300) {
        let bound = load.bound(&costs);
        let first = bound.wait_ns(1_000_000_000, &costs);
        prop_assert_eq!(first, bound.recall_ns() + 1_000_000_000 + costs.latency_ns);
        prop_assert_eq!(kth_wait_ns(first, k), u64::from(k).saturating_mul(first));
    }
}

/// The largest of everything has a bound, and no overflow.
#[test]
fn the_largest_counts_and_costs_are_bounded_by_64_bits() {
    let load = RecallLoad {
        leases: u32::MAX,
        pages: u32::MAX,
        piece: u32::MAX,
        mappings: u32::MAX,
        waiters: u32::MAX,
        partitions: u32::MAX,
        processors: u32::MAX,
    };
    let most = u64::MAX;
    let costs = UnitCosts {
        latency_ns: most,
        end_ns: most,
        page_ns: most,
        zero_ns: most,
        serve_ns: most,
        section_ns: most,
    };
    assert_eq!(load.bound(&costs).recall_ns(), most);
    assert_eq!(load.bound(&costs).wait_ns(most, &costs), most);
    assert_eq!(kth_wait_ns(most, u32::MAX), most);
}

#[test]
fn what_is_given_replaces_what_was_measured() {
    let given = UnitCosts {
        end_ns: 7,
        ..UnitCosts::NONE
    };
    let costs = given.or(&UnitCosts::STATED);
    assert_eq!(costs.end_ns, 7);
    assert_eq!(
        costs,
        UnitCosts {
            end_ns: 7,
            ..UnitCosts::STATED
        }
    );
    assert_eq!(UnitCosts::STATED.or(&given), UnitCosts::STATED);
}

/// A small pool of a machine of two processors, by hand.
#[test]
fn a_small_pool_by_hand() {
    let load = RecallLoad {
        leases: 2,
        pages: 10,
        piece: 10,
        mappings: 1,
        waiters: 1,
        partitions: 1,
        processors: 2,
    };
    let costs = UnitCosts {
        latency_ns: 1_000_000_000,
        end_ns: 1_000_000,
        page_ns: 1_000,
        zero_ns: 1,
        serve_ns: 100,
        section_ns: 0,
    };
    let bound = load.bound(&costs);
    // Two threads, the priority, and a pause.
    assert_eq!(bound.latency_ns, 3_000_000_000 + 1_000_050_000);
    // Three pieces: ten pages, and the last one of each lease.
    assert_eq!(bound.ends_ns, 3_000_000);
    assert_eq!(bound.pages_ns, 10_000);
    // Three holders, each of a batch, an end, the mappings and ten pages.
    assert_eq!(bound.holders_ns, 3 * (36 + 1_000_000 + 1_000_000 + 10_000));
    // Three steps at the deadline, and four before each piece.
    assert_eq!(bound.serving_ns, 1_500);
    assert_eq!(bound.recall_ns(), 4_009_091_608);
}
