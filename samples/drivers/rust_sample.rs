// SPDX-License-Identifier: GPL-2.0

//! genp_rust_sample: a driver in Rust that takes pages in hardirq and in a thread at the
//! same time, and borrows some in the thread. It does so while it is being loaded, for `ms`
//! milliseconds, and logs what it counted.
//!
//!     insmod genp_rust_sample.ko ms=1000
//!     dmesg | tail -n 1

use ::core::borrow::Borrow;

use kernel::{
    prelude::*,
    sync::atomic::{Atomic, Relaxed},
    time::{delay::fsleep, hrtimer::HrTimerExpires, Delta, Instant, Monotonic},
};

#[path = "rust/driver.rs"]
mod driver;
#[path = "rust/genp.rs"]
mod genp;

use driver::{with_hard_timer, Driver, Loaded};
use genp::{Page, Partition, Spec, Thread, Tick, PAGE_SIZE};

module! {
    type: Module,
    name: "genp_rust_sample",
    authors: ["GenP developers"],
    description: "Pages of GenP for a driver in Rust",
    license: "GPL",
    imports_ns: ["GENP"],
    params: {
        ms: u32 {
            default: 1000,
            description: "How long it takes pages while it is loaded, in milliseconds",
        },
    },
}

type Module = Loaded<Sample>;

/// The value of a parameter. Some kernels return a value, others a reference.
fn param<T: Copy>(value: impl Borrow<T>) -> T {
    *value.borrow()
}

const STOCK: u32 = 8;
const BORROWED: usize = 4;
const TERM_NS: u64 = 50_000_000;

/// What one context did.
struct Counters {
    mark: u8,
    taken: Atomic<u64>,
    empty: Atomic<u64>,
    wrong: Atomic<u64>,
}

impl Counters {
    fn new(mark: u8) -> Self {
        Self {
            mark,
            taken: Atomic::new(0),
            empty: Atomic::new(0),
            wrong: Atomic::new(0),
        }
    }

    /// Writes our mark to the first, the middle and the last byte.
    fn mark(&self, bytes: &mut [u8; PAGE_SIZE]) {
        for at in [0, PAGE_SIZE / 2, PAGE_SIZE - 1] {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = self.mark;
            }
        }
    }

    /// Counts the marks that were overwritten.
    fn check(&self, bytes: &mut [u8; PAGE_SIZE]) {
        for at in [0, PAGE_SIZE / 2, PAGE_SIZE - 1] {
            if bytes.get(at) != Some(&self.mark) {
                self.wrong.fetch_add(1, Relaxed);
            }
        }
    }

    fn page<'p>(&self, part: &'p Partition) -> Option<Page<'p>> {
        let Some(mut page) = part.take_page() else {
            self.empty.fetch_add(1, Relaxed);
            return None;
        };
        self.taken.fetch_add(1, Relaxed);
        self.mark(page.bytes());
        Some(page)
    }

    /// Takes three pages, checks that nobody else writes to them, and gives them back: one
    /// by a call, the others by dropping them. Context: any.
    fn turn(&self, part: &Partition) {
        let mut pages = [self.page(part), self.page(part), self.page(part)];
        for page in pages.iter_mut().flatten() {
            self.check(page.bytes());
        }
        let [first, ..] = pages;
        if first.is_some_and(|page| page.give().is_err()) {
            self.wrong.fetch_add(1, Relaxed);
        }
    }

    fn is_good(&self) -> bool {
        self.taken.load(Relaxed) != 0 && self.wrong.load(Relaxed) == 0
    }
}

/// Borrows for a moment; returns whether it was returned in time. Context: thread, by the
/// token.
fn borrow(thread: &Thread, part: &Partition, counters: &Counters) -> Result<bool> {
    let mut lease = part.borrow::<BORROWED>(thread, TERM_NS)?;
    for which in 0..BORROWED {
        if let Some(bytes) = lease.bytes(which) {
            counters.mark(bytes);
        }
    }
    fsleep(Delta::from_millis(1));
    for which in 0..BORROWED {
        if let Some(bytes) = lease.bytes(which) {
            counters.check(bytes);
        }
    }
    let expires = lease.expires();
    drop(lease);
    Ok((Instant::<Monotonic>::now().as_nanos() as u64) < expires)
}

/// The driver: its partition.
struct Sample {
    part: Partition,
}

impl Sample {
    /// What the thread does while the timer ticks. Returns the number of leases, and of
    /// those that were returned late.
    fn work(&self, thread: &Thread, counters: &Counters) -> (u64, u64) {
        let ms: u32 = param(module_parameters::ms.value());
        let begin = Instant::<Monotonic>::now();
        let (mut borrowed, mut late) = (0, 0);
        while begin.elapsed().as_millis() < i64::from(ms) {
            counters.turn(&self.part);
            if let Ok(in_time) = borrow(thread, &self.part, counters) {
                borrowed += 1;
                late += u64::from(!in_time);
            }
        }
        (borrowed, late)
    }

    fn run(&self, thread: &mut Thread) -> Result {
        let (hardirq, here) = (Counters::new(b'h'), Counters::new(b't'));
        let tick = || hardirq.turn(&self.part);
        let (borrowed, late) = with_hard_timer(
            thread,
            Delta::from_micros(500),
            Tick::new(&tick),
            |thread| self.work(thread, &here),
        )?;
        pr_info!(
            "pages taken in hardirq {} (empty {}, wrong {}), in a thread {} (empty {}, wrong {}); leases {} (late {})\n",
            hardirq.taken.load(Relaxed),
            hardirq.empty.load(Relaxed),
            hardirq.wrong.load(Relaxed),
            here.taken.load(Relaxed),
            here.empty.load(Relaxed),
            here.wrong.load(Relaxed),
            borrowed,
            late,
        );
        if hardirq.is_good() && here.is_good() && borrowed != 0 {
            Ok(())
        } else {
            Err(EIO)
        }
    }
}

impl Driver for Sample {
    fn init(thread: &mut Thread) -> Result<Self> {
        let spec = Spec {
            name: Some(c"genp_rust_sample"),
            borrow_limit: (BORROWED * PAGE_SIZE) as u64,
            stock_pages: STOCK,
        };
        let driver = Self {
            part: Partition::create(thread, &spec)?,
        };
        match driver.run(thread) {
            Ok(()) => Ok(driver),
            Err(error) => {
                driver.exit(thread);
                Err(error)
            }
        }
    }

    fn exit(self, thread: &mut Thread) {
        if let Err(left) = self.part.destroy(thread) {
            pr_err!(
                "the partition remains: {} pages and {} leases are outstanding\n",
                left.pages,
                left.leases,
            );
        }
    }
}
