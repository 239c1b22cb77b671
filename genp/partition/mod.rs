// SPDX-License-Identifier: GPL-2.0

//! A partition: a reserve with regions in it, a budget with leases under it, an atomic stock
//! and contiguous blocks, behind a file of its own.
//!
//! Each part is a type that owns its state and its locks. [`Partition`] is the whole: what
//! needs several parts is one of its methods, in a file for each subject.
//!
//! Lock order: the reserve's before that of the lease window and that of a stock's filling;
//! each of them before the raw locks (regions, events, recalls, timing and the pool's), of
//! which a thread holds one at a time. The locks of callbacks, readers and listener are
//! taken with none of these held.

mod announce;
mod attributes;
mod blocks;
mod borrow;
mod calibration;
mod children;
mod close;
mod create;
mod create_request;
mod driver_leases;
mod driver_regions;
mod end;
mod errors;
mod events;
#[cfg(GENP_KUNIT)]
mod kunit;
mod leases;
mod memory_errors;
mod regions;
mod report;
mod reserve;
mod resize;
mod rights;
mod stock;
mod timing;
mod windows;

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, SetOnce,
    },
};

use crate::genp::{
    core::accounting::PartitionId,
    pool::{account::PoolAccount, Pool},
    sys::{
        atomic::InlineAtomic,
        errno::EIDRM,
        file::{FileRef, WeakFile},
    },
};
use attributes::{Attributes, READ, WRITE};
use blocks::PartitionBlocks;
use driver_leases::DriverLeases;
use errors::ErrorCounters;
use events::Events;
use leases::Leases;
use regions::Regions;
use reserve::Reserve;
use stock::PartitionStock;
use timing::Timing;

pub(crate) use borrow::Grant;
pub(crate) use close::LastClose;
pub(crate) use create::source_of;
pub(crate) use create_request::{name_of, CreateRequest};
pub(crate) use end::Revocation;
pub(crate) use leases::BorrowRequest;
pub(crate) use regions::{Placement, Strategy};
pub(crate) use rights::Rights;
pub(crate) use timing::Operation;

/// The file of a partition.
pub(crate) type File = FileRef<Partition>;

/// A partition.
#[pin_data]
pub(crate) struct Partition {
    /// What it has at the pool. Parts have a clone of it.
    account: PoolAccount,
    /// Told of the last close.
    registry: Arc<dyn LastClose>,
    attributes: Attributes,
    /// The file, without a reference to it.
    file: SetOnce<WeakFile<Self>>,
    /// 1 once it was destroyed.
    dying: Atomic<u32>,
    #[pin]
    reserve: Reserve,
    #[pin]
    regions: Regions,
    stock: PartitionStock,
    blocks: KBox<PartitionBlocks>,
    #[pin]
    leases: Leases,
    #[pin]
    driver_leases: DriverLeases,
    #[pin]
    events: Events,
    #[pin]
    timing: Timing,
    errors: ErrorCounters,
    /// Pages in which memory errors were found.
    memory_errors: InlineAtomic,
    /// The reports of memory errors that were looked into before it took its first frame.
    errors_looked_for: u32,
}

impl Partition {
    /// Its number, which is that of its account.
    pub(crate) fn id(&self) -> PartitionId {
        self.account.id()
    }

    /// Its name, which may be empty.
    pub(crate) fn name(&self) -> &[u8] {
        self.attributes.name()
    }

    /// Whether it was destroyed. Context: any.
    pub(crate) fn is_dying(&self) -> bool {
        self.dying.load(Relaxed) != 0
    }

    /// EIDRM once it was destroyed. Context: any.
    pub(crate) fn alive(&self) -> Result {
        if self.is_dying() {
            return Err(EIDRM);
        }
        Ok(())
    }

    /// A reference to the partition's file, unless its last one was dropped. The caller
    /// holds the registry's lock of names, or calls by way of the file. Context: thread.
    pub(crate) fn file(&self) -> Option<File> {
        self.file.as_ref()?.get()
    }

    /// The file without a reference to it, once it was created. Context: any.
    pub(crate) fn weak_file(&self) -> Option<&WeakFile<Self>> {
        self.file.as_ref()
    }

    /// How many others have the partition's file. The caller, a driver, has it. Context:
    /// any.
    pub(crate) fn other_users(&self) -> u32 {
        let users = self.weak_file().map_or(1, WeakFile::users);
        users.saturating_sub(1)
    }

    /// The pool it has its frames from.
    pub(crate) fn pool(&self) -> &Pool {
        self.account.pool()
    }

    /// Its reserve.
    pub(crate) fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    /// The regions in its reserve.
    pub(crate) fn regions(&self) -> &Regions {
        &self.regions
    }

    /// Its atomic stock.
    pub(crate) fn stock(&self) -> &PartitionStock {
        &self.stock
    }

    /// Its contiguous blocks.
    pub(crate) fn blocks(&self) -> &PartitionBlocks {
        &self.blocks
    }

    /// What it announces: read(), poll() and the eventfd.
    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    /// How long its operations took.
    pub(crate) fn timing(&self) -> &Timing {
        &self.timing
    }

    /// What processes and drivers have on lease.
    pub(crate) fn leases(&self) -> &Leases {
        &self.leases
    }

    /// How drivers are asked for what they have on lease.
    pub(crate) fn driver_leases(&self) -> &DriverLeases {
        &self.driver_leases
    }

    /// Whether the caller may open the partition by name, with all rights. Context: thread.
    pub(crate) fn may_open(&self) -> bool {
        self.attributes.allows(READ | WRITE)
    }

    /// Whether the caller may open the partition by name, for reading. Context: thread.
    pub(crate) fn may_read(&self) -> bool {
        self.attributes.allows(READ)
    }
}
