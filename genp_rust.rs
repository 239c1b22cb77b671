// SPDX-License-Identifier: GPL-2.0

#![crate_name = "genp"]

//! GenP: memory with a contract for real-time Linux.
//!
//! The parameters, what is made when the module is loaded, and the order in which it is
//! torn down. The code itself is in `genp/`.

use ::core::borrow::Borrow;

use kernel::{prelude::*, sync::Arc};

mod genp;

use genp::{
    entry::{debugfs::DebugFs, device::Device},
    pool::{
        config::{Config, Params},
        Pool, Wakers,
    },
    registry::{calibration::calibrate, Registry},
    sys::{block_parameter, genalloc::range_base},
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
        min_lease_us: u32 {
            default: 1000,
            description: "Shortest term of a lease, in microseconds, 1 to 1000",
        },
        grace_ms: u32 {
            default: 10,
            description: "How long before its deadline a lease is recalled, in milliseconds",
        },
        recall_prio: i32 {
            default: 90,
            description: "Most urgent SCHED_FIFO priority at which leases end, 2 to 99",
        },
        recall_base_prio: i32 {
            default: 1,
            description: "SCHED_FIFO priority at which leases end that nobody waits for",
        },
        notify_prio: i32 {
            default: 45,
            description: "SCHED_FIFO priority of the thread that delivers events, 1 to 99",
        },
        recall_share: u32 {
            default: 20,
            description: "Per cent of a processor that ending leases may take, 1 to 100",
        },
        recall_latency_ns: u32 {
            default: 0,
            description: "From a wake-up to the thread that ends leases, in nanoseconds; 0: calibrated",
        },
        recall_end_ns: u32 {
            default: 0,
            description: "Recalling and ending a lease without its pages, in nanoseconds; 0: calibrated",
        },
        recall_page_ns: u32 {
            default: 0,
            description: "Mapping or unmapping a page, in nanoseconds; 0: calibrated",
        },
        recall_zero_ns: u32 {
            default: 0,
            description: "Zeroing a page, in nanoseconds; 0: calibrated",
        },
        recall_serve_ns: u32 {
            default: 0,
            description: "Serving a waiter, in nanoseconds; 0: calibrated",
        },
        recall_section_ns: u32 {
            default: 0,
            description: "Interrupts off on another processor, in nanoseconds; 0: calibrated",
        },
        refill_prio: i32 {
            default: 80,
            description: "SCHED_FIFO priority of the thread that refills atomic stocks, 1 to 99",
        },
        wait_order: u32 {
            default: 0,
            description: "Waiters are served by 0: priority, then arrival; 1: arrival",
        },
        max_waiters: u32 {
            default: 64,
            description: "Most callers that can wait at a time, 1 to 256",
        },
        max_partitions: u32 {
            default: 64,
            description: "Most partitions at a time, 1 to 256",
        },
        max_leases: u32 {
            default: 1024,
            description: "Most leases at a time, 1 to 4096",
        },
        uid_ceiling_mib: u32 {
            default: 0,
            description: "Most that the reserves of one user may add up to, in MiB; 0: no ceiling",
        },
        uid_max_partitions: u32 {
            default: 0,
            description: "Most partitions of one user; 0: no ceiling",
        },
        uid_max_leases: u32 {
            default: 0,
            description: "Most leases that the partitions of one user are promised; 0: no ceiling",
        },
        uid_max_waiters: u32 {
            default: 0,
            description: "Most callers of one user that can wait at a time; 0: no ceiling",
        },
        emergency_pages: u32 {
            default: 0,
            description: "Pages of the emergency stock, in addition to the pool; 0: none",
        },
        keep_free_mib: u32 {
            default: 0,
            description: "Memory that loading leaves to others, in MiB; 0: a sixteenth, at least 32",
        },
        range_mib: u32 {
            default: 0,
            description: "Its length, in MiB",
        },
    },
}

/// The loaded module. Fields are dropped in this order.
struct Genp {
    _debugfs: DebugFs,
    _device: Device,
    _threads: Threads,
    registry: Arc<Registry>,
}

/// The value of a parameter. Some kernels return a value, others a reference.
fn param<T: Copy>(value: impl Borrow<T>) -> T {
    *value.borrow()
}

impl kernel::Module for Genp {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let config = Config::check(&Params {
            pool_mib: param(module_parameters::pool_mib.value()),
            max_lease_ms: param(module_parameters::max_lease_ms.value()),
            min_lease_us: param(module_parameters::min_lease_us.value()),
            grace_ms: param(module_parameters::grace_ms.value()),
            recall_prio: param(module_parameters::recall_prio.value()),
            recall_base_prio: param(module_parameters::recall_base_prio.value()),
            notify_prio: param(module_parameters::notify_prio.value()),
            recall_share: param(module_parameters::recall_share.value()),
            recall_latency_ns: param(module_parameters::recall_latency_ns.value()),
            recall_end_ns: param(module_parameters::recall_end_ns.value()),
            recall_page_ns: param(module_parameters::recall_page_ns.value()),
            recall_zero_ns: param(module_parameters::recall_zero_ns.value()),
            recall_serve_ns: param(module_parameters::recall_serve_ns.value()),
            recall_section_ns: param(module_parameters::recall_section_ns.value()),
            refill_prio: param(module_parameters::refill_prio.value()),
            wait_order: param(module_parameters::wait_order.value()),
            max_waiters: param(module_parameters::max_waiters.value()),
            max_partitions: param(module_parameters::max_partitions.value()),
            max_leases: param(module_parameters::max_leases.value()),
            uid_ceiling_mib: param(module_parameters::uid_ceiling_mib.value()),
            uid_max_partitions: param(module_parameters::uid_max_partitions.value()),
            uid_max_leases: param(module_parameters::uid_max_leases.value()),
            uid_max_waiters: param(module_parameters::uid_max_waiters.value()),
            emergency_pages: param(module_parameters::emergency_pages.value()),
            keep_free_mib: param(module_parameters::keep_free_mib.value()),
            range_base: range_base(),
            range_mib: param(module_parameters::range_mib.value()),
            blocks: block_parameter::given(),
        })?;
        let module = Self::start(config)?;
        // It may fail, and then nothing is lost: the stated costs hold.
        calibrate(&module.registry);
        Ok(module)
    }
}

impl Genp {
    /// Makes everything. A function of its own, so that what it has on the stack is gone
    /// when the calibration makes a partition.
    #[inline(never)]
    fn start(config: Config) -> Result<Self> {
        let pool = Pool::new(config, Wakers::new()?)?;
        let registry = Registry::new(pool)?;
        let threads = Threads::start(&registry)?;
        let debugfs = DebugFs::new(&registry)?;
        // Last: nothing may fail once a program can have the device open.
        let device = Device::register(registry.clone())?;
        Ok(Self {
            _debugfs: debugfs,
            _device: device,
            _threads: threads,
            registry,
        })
    }
}
