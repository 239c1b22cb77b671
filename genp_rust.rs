// SPDX-License-Identifier: GPL-2.0

#![crate_name = "genp"]

//! GenP: memory with a contract for real-time Linux.
//!
//! This file says what is made when the module is loaded and in what order it
//! goes. What it is made of is in `genp/`.

use ::core::borrow::Borrow;

use kernel::{prelude::*, sync::Arc};

mod genp;

use genp::{
    entry::{debugfs::DebugFs, device::Device},
    pool::{
        config::{Config, Params},
        Pool, Wakers,
    },
    registry::Registry,
    threads::Threads,
};

module! {
    type: Genp,
    name: "genp",
    authors: ["GenP developers"],
    description: "Memory with a contract: reserves, budgets and leases",
    license: "GPL",
    params: {
        pool_mib: u32 {
            default: 64,
            description: "Memory taken from the kernel at load, in MiB",
        },
        max_lease_ms: u32 {
            default: 1000,
            description: "Longest term of a lease, in milliseconds",
        },
        grace_ms: u32 {
            default: 10,
            description: "How long before its deadline a lease is recalled, in milliseconds",
        },
        recall_prio: i32 {
            default: 90,
            description: "SCHED_FIFO priority of the thread that ends leases, 2 to 99",
        },
        refill_prio: i32 {
            default: 80,
            description: "SCHED_FIFO priority of the thread that refills atomic stocks, 1 to 99",
        },
        wait_order: u32 {
            default: 0,
            description: "Who waits is served by 0: priority, then arrival; 1: arrival",
        },
        max_waiters: u32 {
            default: 64,
            description: "Callers that can wait at a time, 1 to 256",
        },
        max_partitions: u32 {
            default: 64,
            description: "Partitions there can be, 1 to 256",
        },
        max_leases: u32 {
            default: 1024,
            description: "Leases there can be, 1 to 4096",
        },
        uid_ceiling_mib: u32 {
            default: 0,
            description: "Reserves one user may have in all, in MiB; 0: no ceiling",
        },
        emergency_pages: u32 {
            default: 0,
            description: "Pages of the emergency stock, beside the pool; 0: none",
        },
        range_base: u64 {
            default: 0,
            description: "Physical address of reserved memory for partitions; 0: none",
        },
        range_mib: u32 {
            default: 0,
            description: "Its length, in MiB",
        },
    },
}

/// The loaded module. What stands first goes first.
struct Genp {
    _debugfs: DebugFs,
    _device: Device,
    _threads: Threads,
    _registry: Arc<Registry>,
}

/// The value of a parameter; some kernels give it, others refer to it.
fn given<T: Copy>(value: impl Borrow<T>) -> T {
    *value.borrow()
}

impl kernel::Module for Genp {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let config = Config::check(&Params {
            pool_mib: given(module_parameters::pool_mib.value()),
            max_lease_ms: given(module_parameters::max_lease_ms.value()),
            grace_ms: given(module_parameters::grace_ms.value()),
            recall_prio: given(module_parameters::recall_prio.value()),
            refill_prio: given(module_parameters::refill_prio.value()),
            wait_order: given(module_parameters::wait_order.value()),
            max_waiters: given(module_parameters::max_waiters.value()),
            max_partitions: given(module_parameters::max_partitions.value()),
            max_leases: given(module_parameters::max_leases.value()),
            uid_ceiling_mib: given(module_parameters::uid_ceiling_mib.value()),
            emergency_pages: given(module_parameters::emergency_pages.value()),
            range_base: given(module_parameters::range_base.value()),
            range_mib: given(module_parameters::range_mib.value()),
        })?;
        let pool = Pool::new(config, Wakers::new()?)?;
        let registry = Registry::new(pool)?;
        let threads = Threads::start(&registry)?;
        let debugfs = DebugFs::new(&registry)?;
        // Last: nothing can fail any more once somebody may have it open.
        let device = Device::register(registry.clone())?;
        Ok(Self {
            _debugfs: debugfs,
            _device: device,
            _threads: threads,
            _registry: registry,
        })
    }
}
