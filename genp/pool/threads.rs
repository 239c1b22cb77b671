// SPDX-License-Identifier: GPL-2.0

//! The module's threads.

use kernel::{c_str, prelude::*, sync::Arc};

use super::{
    super::{
        stock::Refiller,
        sys::thread::{self, Thread},
    },
    post::Postman,
    recall::Recaller,
    scrub::Scrubber,
    Pool,
};

/// The threads, from load to unload.
pub(crate) struct Threads([Thread; 4]);

impl Threads {
    /// Starts them. Context: thread, may sleep.
    pub(crate) fn start(pool: &Arc<Pool>) -> Result<Self> {
        let priority = pool.config.recall_prio;
        Ok(Self([
            Thread::spawn(
                c_str!("genp_recall"),
                Some(priority),
                Arc::new(Recaller(pool.clone()), GFP_KERNEL)?,
                pool.bells.recall.clone(),
            )?,
            Thread::spawn(
                c_str!("genp_post"),
                Some(priority / 2),
                Arc::new(Postman(pool.clone()), GFP_KERNEL)?,
                pool.bells.post.clone(),
            )?,
            Thread::spawn(
                c_str!("genp_refill"),
                Some(pool.config.refill_prio),
                Arc::new(Refiller(pool.clone()), GFP_KERNEL)?,
                pool.bells.refill.clone(),
            )?,
            Thread::spawn(
                c_str!("genp_scrub"),
                None,
                Arc::new(Scrubber(pool.clone()), GFP_KERNEL)?,
                pool.bells.scrub.clone(),
            )?,
        ]))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // All of them before the first one's task is given up: they ring each
        // other's bells.
        thread::stop_all(self.0.iter_mut());
    }
}
