// SPDX-License-Identifier: GPL-2.0

//! A longest path, for people: what each line of source adds to it.

use std::collections::BTreeMap;

use crate::{bounds::Bounds, problem::Result, table::Module};

pub fn show(module: &Module<'_>, function: &str, never: &[String]) -> Result<bool> {
    let mut bounds = Bounds::new(
        module.image,
        module.decode,
        module.lines,
        module.source,
        module.settings,
        never,
    );
    let bound = match bounds.of(module.image.function(function)?) {
        Ok(bound) => bound,
        Err(reasons) => {
            println!(
                "{function} has no bound:\n    {}",
                Vec::from_iter(reasons).join("\n    ")
            );
            return Ok(false);
        }
    };
    let mut lines = BTreeMap::<String, (u64, u64)>::new();
    for (address, (times, cost)) in &bound.steps {
        let line = lines.entry(bounds.place(*address)).or_default();
        line.0 = line.0.max(*times);
        line.1 = line.1.saturating_add(times.saturating_mul(*cost));
    }
    println!(
        "{:>12} {:>8}  {function}",
        bound.instructions.unwrap_or(0),
        "times"
    );
    for (line, (times, cost)) in lines {
        println!("{cost:>12} {times:>8}  {line}");
    }
    Ok(true)
}
