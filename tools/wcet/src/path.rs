// SPDX-License-Identifier: GPL-2.0

//! A longest path, for people: what each line of source and each function add to it.

use std::collections::BTreeMap;

use crate::{bounds::Bounds, problem::Result, shares::shares, table::Module};

/// Shows the longest path of a function under these parameters, and the shares of all
/// functions in it.
pub fn show(
    module: &Module<'_>,
    function: &str,
    never: &[String],
    with: &BTreeMap<String, u64>,
) -> Result<bool> {
    let source = module.source.with(with);
    let mut bounds = Bounds::new(
        module.image,
        module.decode,
        module.lines,
        &source,
        module.settings,
        never,
    );
    let entry = module.image.function(function)?;
    let bound = match bounds.of(entry) {
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
        bound
            .instructions
            .unwrap_or(0)
            .saturating_add(bound.totals.instructions()),
        "times"
    );
    for (line, (times, cost)) in lines {
        println!("{cost:>12} {times:>8}  {line}");
    }
    for (line, function, total) in bound.totals.iter() {
        let cost = total.times.saturating_mul(total.each);
        let what = function.unwrap_or("the loop");
        println!("{cost:>12} {:>8}  {line}: {what}, in all", total.times);
    }
    println!(
        "\n{:>12} {:>8}  function, without what it calls",
        "", "calls"
    );
    let mut shares = Vec::from_iter(shares(&mut bounds, entry));
    shares.sort_by_key(|(_, share)| std::cmp::Reverse(share.instructions));
    for (name, share) in shares {
        println!("{:>12} {:>8}  {name}", share.instructions, share.calls);
    }
    Ok(true)
}
