// SPDX-License-Identifier: GPL-2.0
// expect: E0382
// A page is given back, and given back once more.

#[path = "../rust/genp.rs"]
mod genp;
use genp::{Partition, Result};

pub fn driver(part: &Partition) -> Result {
    if let Some(page) = part.take_page() {
        page.give()?;
        page.give()?;
    }
    Ok(())
}
