// SPDX-License-Identifier: GPL-2.0

//! The partitions there are: all of them from the device, for those who may open it, or from
//! debugfs of an older module, which is for root; those of one's own processes from /proc,
//! for everybody.

mod debugfs;
mod device;
mod processes;

pub use processes::holders_of;

use std::io;

use crate::{pool, problem::Problem, sysfs};

/// A partition as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partition {
    /// By which trace events tell of it; /proc does not have it.
    pub id: Option<u64>,
    /// Empty if it has none.
    pub name: String,
    /// The number of its owner; only the device has it.
    pub owner: Option<u32>,
    /// The process that created it, if it is there; only the device has it.
    pub creator: Option<u32>,
    /// It was destroyed, and is still held.
    pub destroyed: bool,
    /// The number of the partition that it is part of; only the device has it.
    pub parent: Option<u64>,
    /// How many partitions it is part of.
    pub depth: u64,
    /// Bytes that it has for children, and those of them that they have.
    pub quota: u64,
    pub quota_used: u64,
    /// Bytes of its own, and those of them in regions.
    pub reserve: u64,
    pub used: u64,
    /// What its heap says is in use; `None` if it does not.
    pub heap_used: Option<u64>,
    pub heap_peak: Option<u64>,
    /// Bytes it may borrow, and those on lease.
    pub limit: u64,
    pub lent: u64,
    pub leases: u64,
    pub waiters: u64,
    /// Pages of its stock, and free ones among them.
    pub stock_owned: u64,
    pub stock_free: u64,
    /// What happened to it so far; debugfs has none of it.
    pub counts: Option<Counts>,
    /// Processes that have it open; only known from /proc.
    pub holders: Vec<u32>,
    /// What each of these may do with it, by whichever of its descriptors: `GENP_RIGHT_*`.
    pub rights: Vec<u32>,
}

impl Partition {
    /// Bytes of the reserve in use: of its heap, which is one region, if that tells; or else
    /// in regions.
    pub fn filled(&self) -> u64 {
        self.heap_used.unwrap_or(self.used)
    }
}

/// What a heap says of itself, if it says anything.
pub fn told(figure: u64) -> Option<u64> {
    (figure != genp::abi::GENP_NOT_TOLD as u64).then_some(figure)
}

/// The number of a parent, if there is one.
pub fn parent(number: u32) -> Option<u64> {
    (number != genp::abi::GENP_NO_PARENT).then_some(number.into())
}

/// What happened to a partition since it was created.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub borrows: u64,
    pub returns: u64,
    pub revocations: u64,
    pub timeouts: u64,
    pub misuses: u64,
    pub stale_handles: u64,
    pub stock_misses: u64,
}

/// Where partitions are known from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// All of them, by GENP_LIST.
    Device,
    /// All of them.
    DebugFs,
    /// Those that processes have open which the caller may look at.
    Processes,
}

impl Source {
    /// Its name in documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::DebugFs => "debugfs",
            Self::Processes => "processes",
        }
    }
}

/// The partitions, and where they are known from.
#[derive(Debug, Default)]
pub struct Found {
    pub all: Vec<Partition>,
    pub source: Option<Source>,
}

/// All partitions that can be seen.
pub fn all() -> Result<Found, Problem> {
    match device::read() {
        Ok(all) => Ok(Found {
            all,
            source: Some(Source::Device),
        }),
        Err(_) => without_device(),
    }
}

/// All that can be seen without the device, or with an older module.
fn without_device() -> Result<Found, Problem> {
    match debugfs::read() {
        Ok(text) => {
            let all = debugfs::parse(&text).ok_or_else(debugfs::unknown_layout)?;
            Ok(Found {
                all,
                source: Some(Source::DebugFs),
            })
        }
        Err(_) => from_processes(),
    }
}

/// The partitions that can be seen without debugfs either.
fn from_processes() -> Result<Found, Problem> {
    if !sysfs::module_loaded() {
        // The same problem as for every command.
        pool::info()?;
    }
    let all = processes::read().map_err(|error: io::Error| {
        Problem::new(
            "cannot look for partitions in /proc",
            error,
            "Mount it, or run this as root on a kernel with CONFIG_DEBUG_FS:\nmount -t debugfs none /sys/kernel/debug",
        )
    })?;
    Ok(Found {
        all,
        source: Some(Source::Processes),
    })
}
