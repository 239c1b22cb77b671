// SPDX-License-Identifier: GPL-2.0

//! Ending a partition.

use genp::Descriptor;

use serde_json::json;

use crate::{output::Format, pool, problem::Problem};

/// `genpctl destroy`.
pub fn run(name: &str, format: Format) -> Result<(), Problem> {
    pool::info()?;
    let part = Descriptor::open(name).map_err(|error| Problem::opening(name, &error))?;
    match part.destroy() {
        // Another process destroyed it first.
        Err(error) if error.raw_os_error() == Some(libc::EIDRM) => {}
        done => done.map_err(|error| Problem::asking(name, &error))?,
    }
    format.print(
        || json!({ "name": name, "destroyed": true }),
        || {
            format!(
                "{name} is destroyed; its memory comes back when the last user closes and unmaps it\n"
            )
        },
    )
}
