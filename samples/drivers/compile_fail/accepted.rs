// SPDX-License-Identifier: GPL-2.0
// expect: nothing
// Correct code: each of the others differs from this in one thing.

#[path = "../rust/genp.rs"]
mod genp;
use genp::{Partition, Result, Spec, Thread, Tick};

pub fn driver(thread: &Thread) -> Result {
    let spec = Spec {
        name: None,
        borrow_limit: 4096,
        stock_pages: 4,
    };
    let part = Partition::create(thread, &spec)?;
    let lease = part.borrow::<1>(thread, 1000)?;
    let interrupt = || drop(part.take_page());
    Tick::new(&interrupt).run();
    drop(lease);
    let _ = part.destroy(thread);
    Ok(())
}
