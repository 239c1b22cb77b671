// SPDX-License-Identifier: GPL-2.0

//! Measures the algorithms of `genp/core` in pools of up to 64 GiB: only their tables,
//! without the memory that they manage.
//!
//! What the module adds does not depend on sizes. So this shows how the cost of a call
//! grows with the pool, not what the call costs.

mod page;
mod region;
mod sampler;

use sampler::Sampler;
use stats::Meter;

/// Bytes of the pools: 1 MiB to 64 GiB.
const POOLS: [u64; 5] = [1 << 20, 1 << 24, 1 << 28, 1 << 32, 1 << 36];

fn main() {
    let mut sampler = Sampler::new(Meter::find());
    for pool in POOLS {
        page::measure(&mut sampler, pool);
        region::measure(&mut sampler, pool);
    }
}
