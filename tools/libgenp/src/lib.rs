// SPDX-License-Identifier: MIT OR Apache-2.0

//! Partitions, regions and leases for programs.
//!
//! [`Partition`] is a partition with its reserve and its lease window mapped. Its
//! heap lies in one region of the reserve, managed in user space: allocating from
//! it makes no system call and takes no page fault. The C side of the same is in
//! `include/genp.h`. [`Descriptor`] is a partition of which nothing is mapped, for
//! programs that manage partitions.
//!
//! ```no_run
//! use genp::Partition;
//! use std::time::Duration;
//!
//! let part = Partition::create(2 << 20, 1 << 20)?;
//! let block = part.alloc(4000, 16)?;
//! let lease = part.borrow(256 << 10, Some(Duration::from_millis(100)))?;
//! part.give_back(lease)?;
//! unsafe { part.free(block)? };
//! # Ok::<(), std::io::Error>(())
//! ```

#![deny(missing_docs)]

pub mod abi;
mod allocator;
mod arena;
mod c;
mod descriptor;
mod fork;
mod heap;
mod list;
mod lock;
mod manager;
mod mapping;
mod partition;
mod pool;
mod process;
mod registry;
mod resident;
mod rights;
mod shared;
pub mod system;
mod thread;

pub use allocator::Global;
pub use arena::{Arena, Held};
pub use descriptor::{name_field, Descriptor};
pub use heap::{ClassStat, HeapStat};
pub use list::{partitions, Partitions};
pub use manager::{Manager, ARENA, BUDDY, RLSF};
pub use partition::{Lease, Partition};
pub use pool::{Pool, PoolRequest, PoolStat};
pub use shared::SharedStat;
pub use thread::attach;
