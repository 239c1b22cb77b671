// SPDX-License-Identifier: GPL-2.0

//! Loading and unloading the module, as `genp_rust.rs` does.

use kernel::{error::Result, sync::Arc};

use crate::genp::{
    entry::{debugfs::DebugFs, device::Device},
    pool::{
        config::{Config, Params},
        Pool, Wakers,
    },
    registry::{calibration::calibrate, Registry},
    threads::Threads,
};

/// The loaded module. Fields are dropped in this order.
pub(crate) struct Module {
    _debugfs: DebugFs,
    _device: Device,
    _threads: Threads,
    /// The table of partitions.
    pub(crate) registry: Arc<Registry>,
}

impl Module {
    /// Loads it.
    pub(crate) fn load(params: &Params) -> Result<Self> {
        let config = Config::check(params)?;
        let pool = Pool::new(config, Wakers::new()?)?;
        let registry = Registry::new(pool)?;
        let threads = Threads::start(&registry)?;
        let debugfs = DebugFs::new(&registry)?;
        let device = Device::register(registry.clone())?;
        calibrate(&registry);
        Ok(Self {
            _debugfs: debugfs,
            _device: device,
            _threads: threads,
            registry,
        })
    }

    /// Takes it apart but for the pool, when nobody uses it any longer.
    pub(crate) fn stop(self) -> Arc<Pool> {
        self.registry.pool().clone()
    }
}
