// SPDX-License-Identifier: GPL-2.0

//! Hogs: processes that keep a processor busy.

use harness::{machine, process};

use crate::priority::HOG;

/// A hog; ended when dropped.
pub struct Hog(i32);

impl Drop for Hog {
    fn drop(&mut self) {
        process::end(self.0);
    }
}

/// Starts one on every processor. They have a lower priority than the caller.
pub fn start() -> Result<Vec<Hog>, String> {
    let hogs = (0..machine::processors()).map(|processor| {
        Hog(process::child(|| {
            process::pin_to(processor);
            if process::set_fifo(HOG).is_err() {
                return 1;
            }
            loop {
                std::hint::spin_loop();
            }
        }))
    });
    let hogs: Vec<Hog> = hogs.collect();
    // A hog that could not become SCHED_FIFO has exited.
    process::pause(20);
    match hogs.iter().any(|hog| process::try_reap(hog.0).is_some()) {
        true => Err("a hog did not become SCHED_FIFO".into()),
        false => Ok(hogs),
    }
}
