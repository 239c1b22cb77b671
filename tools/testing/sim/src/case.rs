// SPDX-License-Identifier: GPL-2.0

//! Cases: what the numbers of a seed say about the machine, the module and who does what.

use kernel::sim::{rng::Rng, Plan};

/// Processes of a case.
pub const PROCESSES: usize = 3;
/// Threads of a process.
pub const THREADS: usize = 2;
/// Drivers of a case.
pub const DRIVERS: usize = 2;
/// Those who act.
pub const ACTORS: usize = PROCESSES * THREADS + DRIVERS;

/// What an actor does next.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    /// Who.
    pub actor: u8,
    /// Which kind of call, by a number that each kind of actor has a table for.
    pub kind: u16,
    /// Arguments.
    pub a: u32,
    /// As above.
    pub b: u32,
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    /// The seed it was made from.
    pub seed: u64,
    /// The machine.
    pub plan: Plan,
    /// How the module is loaded.
    pub load: Load,
    /// What is done, by all actors.
    pub ops: Vec<Op>,
    /// Steps of the ioctl fuzzer instead, one after the other, by a model.
    pub serial: Option<usize>,
    /// Those of them that are left out.
    pub gone: Vec<(usize, usize)>,
}

/// How the module is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Whether allocations may fail while it is loaded.
    pub starving: bool,
    /// Memory nodes.
    pub nodes: usize,
    /// `pool_mib`: 1, or enough for leases that end in several pieces.
    pub pool_mib: u32,
    /// `max_lease_ms`.
    pub max_lease_ms: u32,
    /// `grace_ms`.
    pub grace_ms: u32,
    /// `recall_share`.
    pub recall_share: u32,
    /// `wait_order`.
    pub wait_order: u32,
    /// `max_waiters`.
    pub max_waiters: u32,
    /// `max_partitions`.
    pub max_partitions: u32,
    /// `max_leases`.
    pub max_leases: u32,
    /// `uid_ceiling_mib`.
    pub uid_ceiling_mib: u32,
    /// `uid_max_partitions`.
    pub uid_max_partitions: u32,
    /// `uid_max_leases`.
    pub uid_max_leases: u32,
    /// `uid_max_waiters`.
    pub uid_max_waiters: u32,
    /// All of `recall_*_ns`.
    pub recall_ns: u32,
    /// One memory error in so many steps that may make one; 0 for none.
    pub memory_errors: u32,
    /// Whether the module cannot be told of them.
    pub untold: bool,
    /// `emergency_pages`.
    pub emergency_pages: u32,
    /// Whether there is a physical range.
    pub range: bool,
    /// Whether there are contiguous blocks.
    pub blocks: bool,
}

impl Load {
    /// Whether the pool is large enough for leases that end in several pieces.
    pub fn has_pieces(&self) -> bool {
        self.pool_mib > 1
    }
}

impl Case {
    /// The case of a seed.
    pub fn new(seed: u64) -> Self {
        let rng = Rng::new(seed);
        let grain = rng.pick(&[2, 4, 8, 16, 32, 64, 128, 256]);
        let plan = Plan {
            seed: rng.draw(),
            cpus: rng.pick(&[1, 2, 2, 3, 4]),
            grain,
            strict: rng.one_in(3),
            starve: rng.pick(&[0, 0, 0, 50, 500]),
            interrupts: rng.pick(&[0, 2, 8]),
            leaps: rng.pick(&[0, 10, 50, 200]),
            spurious: rng.pick(&[0, 0, 50]),
        };
        let max_lease_ms = rng.pick(&[1, 5, 20, 1000]);
        let load = Load {
            starving: rng.one_in(16),
            nodes: rng.pick(&[1, 1, 2]),
            pool_mib: if plan.seed % 3 == 0 { 4 } else { 1 },
            max_lease_ms,
            grace_ms: rng.pick(&[0, 1, 10]).min(max_lease_ms),
            recall_share: rng.pick(&[20, 50, 100]),
            wait_order: rng.pick(&[0, 1]),
            max_waiters: rng.pick(&[1, 2, 8]),
            max_partitions: rng.pick(&[3, 6, 8]),
            max_leases: rng.pick(&[4, 16, 64]),
            uid_ceiling_mib: rng.pick(&[0, 0, 0, 1]),
            uid_max_partitions: rng.pick(&[0, 0, 0, 2]),
            uid_max_leases: rng.pick(&[0, 0, 0, 6]),
            uid_max_waiters: rng.pick(&[0, 0, 0, 1]),
            recall_ns: rng.pick(&[0, 1_000, 1_000]),
            memory_errors: rng.pick(&[0, 0, 1, 8]),
            untold: rng.one_in(8),
            emergency_pages: rng.pick(&[0, 8]),
            range: rng.one_in(8),
            blocks: plan.seed & 0x100 != 0,
        };
        let count = rng.pick(&[40, 150, 400, 1000]);
        let ops = (0..count).map(|_| op(&rng)).collect();
        let mut case = Self {
            seed,
            plan,
            load,
            ops,
            serial: None,
            gone: Vec::new(),
        };
        if rng.one_in(4) {
            case.be_serial(&rng);
        }
        case
    }

    /// What the model predicts needs a large pool that nobody else uses.
    fn be_serial(&mut self, rng: &Rng) {
        self.serial = Some(rng.pick(&[60, 200, 500]));
        self.ops.clear();
        self.plan.starve = 0;
        self.plan.interrupts = 0;
        self.load.starving = false;
        self.load.pool_mib = 1;
        self.load.max_lease_ms = 1000;
        self.load.max_waiters = 8;
        self.load.max_leases = 1024;
        self.load.max_partitions = 64;
        self.load.uid_ceiling_mib = 0;
        self.load.uid_max_partitions = 0;
        self.load.uid_max_leases = 0;
        self.load.uid_max_waiters = 0;
        self.load.memory_errors = 0;
    }

    /// The number of its steps.
    pub fn steps(&self) -> usize {
        self.serial.unwrap_or(self.ops.len())
    }

    /// Without some of what is done.
    pub fn without(mut self, gone: &[(usize, usize)]) -> Self {
        self.gone = gone.to_vec();
        let mut at = 0;
        self.ops.retain(|_| {
            at += 1;
            !gone
                .iter()
                .any(|(from, to)| (from..to).contains(&&(at - 1)))
        });
        self
    }
}

fn op(rng: &Rng) -> Op {
    let number = rng.draw();
    Op {
        actor: rng.below(ACTORS as u64) as u8,
        kind: number as u16,
        a: (number >> 16) as u32,
        b: rng.draw() as u32,
    }
}
