// SPDX-License-Identifier: GPL-2.0
// expect: E0505
// The partition is destroyed while there is a lease on it.

#[path = "../rust/genp.rs"]
mod genp;
use genp::{Partition, Result, Thread};

pub fn driver(thread: &Thread, part: Partition) -> Result {
    let lease = part.borrow::<1>(thread, 1000)?;
    let _ = part.destroy(thread);
    drop(lease);
    Ok(())
}
