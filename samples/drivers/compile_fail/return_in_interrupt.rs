// SPDX-License-Identifier: GPL-2.0
// expect: E0277
// A lease is moved into an interrupt, where dropping it would sleep.

#[path = "../rust/genp.rs"]
mod genp;
use genp::{Lease, Tick};

pub fn driver(lease: Lease<'_, 1>) {
    let interrupt = move || {
        let _until = lease.expires();
    };
    Tick::new(&interrupt).run();
}
