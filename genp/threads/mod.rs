// SPDX-License-Identifier: GPL-2.0

//! The module's threads.

mod memory_errors;
mod notify;
mod recall;
mod refill;
mod revoke;
mod scrub;

use kernel::{c_str, prelude::*, sync::Arc};

use crate::genp::{
    registry::Registry,
    sys::{
        memory_error::ErrorWatch,
        thread::{self, Thread},
    },
};
use memory_errors::ErrorFinder;
use notify::Notifier;
use recall::Recaller;
use refill::Refiller;
use revoke::Revoker;
use scrub::Scrubber;

/// The threads, from load to unload.
pub(crate) struct Threads {
    /// Those that were started.
    threads: [Option<Thread>; 6],
    /// `None` once nothing is reported any more.
    watch: Option<ErrorWatch>,
    registry: Arc<Registry>,
}

impl Threads {
    /// Starts them. Context: thread, may sleep.
    pub(crate) fn start(registry: &Arc<Registry>) -> Result<Self> {
        let pool = registry.pool();
        // If one cannot be started, those before it go as all of them do.
        let mut all = Self {
            threads: [const { None }; 6],
            watch: None,
            registry: registry.clone(),
        };
        let [recall, revoke, notify, refill, scrub, errors] = &mut all.threads;
        *recall = Some(Thread::spawn(
            c_str!("genp_recall"),
            Some(pool.config.recall_prio),
            Arc::new(Recaller(registry.clone()), GFP_KERNEL)?,
            pool.wakers.recall.clone(),
        )?);
        *revoke = Some(Thread::spawn(
            c_str!("genp_revoke"),
            Some(pool.config.revoke_prio.base),
            Arc::new(Revoker(registry.clone()), GFP_KERNEL)?,
            pool.wakers.revoke.clone(),
        )?);
        *notify = Some(Thread::spawn(
            c_str!("genp_notify"),
            Some(pool.config.notify_prio),
            Arc::new(Notifier(registry.clone()), GFP_KERNEL)?,
            pool.wakers.notify.clone(),
        )?);
        *refill = Some(Thread::spawn(
            c_str!("genp_refill"),
            Some(pool.config.refill_prio),
            Arc::new(Refiller(registry.clone()), GFP_KERNEL)?,
            pool.wakers.refill.clone(),
        )?);
        *scrub = Some(Thread::spawn(
            c_str!("genp_scrub"),
            None,
            Arc::new(Scrubber(pool.clone()), GFP_KERNEL)?,
            pool.wakers.scrub.clone(),
        )?);
        *errors = Some(Thread::spawn(
            c_str!("genp_errors"),
            None,
            Arc::new(ErrorFinder(registry.clone()), GFP_KERNEL)?,
            pool.wakers.errors.clone(),
        )?);
        all.watch = Some(ErrorWatch::begin(&pool.errors));
        Ok(all)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.watch = None;
        // Before the first task is released: the threads wake each other, and an
        // interrupt that the last take of a driver sent may wake one. No interrupt
        // follows it, because there is no partition any more.
        thread::stop_all(self.threads.iter_mut().flatten());
        self.registry.pool().pending_refills.quiesce();
    }
}
