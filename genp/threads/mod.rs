// SPDX-License-Identifier: GPL-2.0

//! The module's threads.

mod notify;
mod recall;
mod refill;
mod scrub;

use kernel::{c_str, prelude::*, sync::Arc};

use crate::genp::{
    registry::Registry,
    sys::thread::{self, Thread},
};
use notify::Notifier;
use recall::Recaller;
use refill::Refiller;
use scrub::Scrubber;

/// The threads, from load to unload.
pub(crate) struct Threads([Thread; 4]);

impl Threads {
    /// Starts them. Context: thread, may sleep.
    pub(crate) fn start(registry: &Arc<Registry>) -> Result<Self> {
        let pool = registry.pool();
        let priority = pool.config.recall_prio;
        Ok(Self([
            Thread::spawn(
                c_str!("genp_recall"),
                Some(priority),
                Arc::new(Recaller(registry.clone()), GFP_KERNEL)?,
                pool.wakers.recall.clone(),
            )?,
            Thread::spawn(
                c_str!("genp_notify"),
                Some(priority / 2),
                Arc::new(Notifier(registry.clone()), GFP_KERNEL)?,
                pool.wakers.notify.clone(),
            )?,
            Thread::spawn(
                c_str!("genp_refill"),
                Some(pool.config.refill_prio),
                Arc::new(Refiller(registry.clone()), GFP_KERNEL)?,
                pool.wakers.refill.clone(),
            )?,
            Thread::spawn(
                c_str!("genp_scrub"),
                None,
                Arc::new(Scrubber(pool.clone()), GFP_KERNEL)?,
                pool.wakers.scrub.clone(),
            )?,
        ]))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Stop all of them before the first task is released: they wake each other.
        thread::stop_all(self.0.iter_mut());
    }
}
