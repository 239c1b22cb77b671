// SPDX-License-Identifier: GPL-2.0

//! A calculator: whether a pool of these parameters can have these partitions, and what its
//! bounds are, without a module.

mod file;
mod judge;
mod loaded;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub use tests::sample_document as sample;

use std::{fs, process::ExitCode};

use genp_core::recall_bound::UnitCosts;
use serde_json::{json, Value};

use crate::{cli::PlanArgs, output::Format, problem::Problem, size, sysfs, table::Table, time};
use file::costs_by_name;
pub use file::{line_of, PartitionPlan, PlanFile};
use judge::{judge_plan, Judged, Outcome};
pub use loaded::{misfits, parameters};

/// The costs of the plan: given there, or those of the module that is loaded here, or the
/// stated ones; and where those that are not given are from.
fn costs(plan: &PlanFile, here: impl Fn(&str) -> Option<u64>) -> (UnitCosts, &'static str) {
    let of_module = costs_by_name(here);
    let from = match of_module {
        UnitCosts::NONE => "stated",
        _ => "of the module that is loaded here",
    };
    let otherwise = of_module.or(&UnitCosts::STATED);
    (plan.costs().or(&otherwise), from)
}

/// The highest number of a processor there can be here, plus 1.
fn processors() -> u32 {
    let text = fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
    let last = text.trim().rsplit(['-', ',']).next();
    last.and_then(|last| last.parse::<u32>().ok())
        .map_or(1, |last| last.saturating_add(1))
}

/// The verdict on each partition.
fn verdicts(partitions: &[Judged]) -> Table {
    let mut table = Table::new("rllrrr");
    table.row([
        "line",
        "partition",
        "",
        "last waits",
        "work a second",
        "and at once",
    ]);
    for judged in partitions {
        let verdict = match judged.faults.as_slice() {
            [] => "admitted",
            _ => "refused",
        };
        let wait = judged.wait_ns.map_or("-".to_owned(), time::show);
        let (work, burst) = judged.work_ns;
        table.row([
            judged.line.to_string(),
            judged.name.clone(),
            verdict.to_owned(),
            wait,
            time::show(work),
            time::show(burst),
        ]);
    }
    table
}

/// R and its parts, and the costs they are made of.
fn bounds(outcome: &Outcome, costs: &UnitCosts) -> Table {
    let mut table = Table::new("lr");
    let recall = &outcome.recall;
    table.pair("committed", size::show(outcome.committed));
    table.pair("left to lend", size::show(outcome.lendable));
    table.pair("R", time::show(recall.recall_ns()));
    for (part, ns) in [
        ("wake-up", recall.latency_ns),
        ("ends", recall.ends_ns),
        ("pages", recall.pages_ns),
        ("holders of locks", recall.holders_ns),
        ("serving waiters", recall.serving_ns),
    ] {
        table.pair(&format!("  {part}"), time::show(ns));
    }
    table.pair("the first waits at most", time::show(outcome.wait_ns));
    for (cost, ns) in [
        ("latency", costs.latency_ns),
        ("end", costs.end_ns),
        ("page", costs.page_ns),
        ("zero", costs.zero_ns),
        ("serve", costs.serve_ns),
        ("section", costs.section_ns),
    ] {
        table.pair(&format!("cost: {cost}"), time::show(ns));
    }
    table
}

/// The outcome as text.
fn show(outcome: &Outcome, costs: &UnitCosts, from: &str) -> String {
    let mut text = verdicts(&outcome.partitions).show();
    for judged in &outcome.partitions {
        for fault in &judged.faults {
            text.push_str(&format!("line {}, {}: {fault}\n", judged.line, judged.name));
        }
    }
    for fault in &outcome.faults {
        text.push_str(&format!("pool: {fault}\n"));
    }
    let bounds = bounds(outcome, costs).show();
    format!("{text}\n{bounds}\nCosts that the plan does not give are {from}.\n")
}

/// The outcome for programs.
fn document(outcome: &Outcome, costs: &UnitCosts, from: &str) -> Value {
    let each = outcome.partitions.iter().map(|judged| {
        json!({
            "line": judged.line,
            "name": judged.name,
            "admitted": judged.faults.is_empty(),
            "faults": judged.faults,
            "wait_bound_ns": judged.wait_ns,
            "recall_work_ns": judged.work_ns.0,
            "recall_burst_ns": judged.work_ns.1,
        })
    });
    let recall = &outcome.recall;
    json!({
        "admissible": outcome.is_admissible(),
        "partitions": each.collect::<Vec<_>>(),
        "faults": outcome.faults,
        "committed_bytes": outcome.committed,
        "lendable_bytes": outcome.lendable,
        "recall_bound_ns": recall.recall_ns(),
        "recall_parts": {
            "latency_ns": recall.latency_ns,
            "ends_ns": recall.ends_ns,
            "pages_ns": recall.pages_ns,
            "holders_ns": recall.holders_ns,
            "serving_ns": recall.serving_ns,
        },
        "wait_bound_ns": outcome.wait_ns,
        "costs": {
            "recall_latency_ns": costs.latency_ns,
            "recall_end_ns": costs.end_ns,
            "recall_page_ns": costs.page_ns,
            "recall_zero_ns": costs.zero_ns,
            "recall_serve_ns": costs.serve_ns,
            "recall_section_ns": costs.section_ns,
        },
        "costs_from": from,
    })
}

/// Reads a plan; `what` is what cannot be done if that fails.
pub fn read(text: &str, what: &str) -> Result<PlanFile, Problem> {
    file::read(text).map_err(|fault| {
        let found = format!("line {}: {}", fault.line, fault.what);
        Problem::new(what, found, "samples/plan.toml shows all there can be.")
    })
}

/// Why the module would not admit a plan on this machine: nothing if it would.
pub fn faults(text: &str) -> Result<Vec<String>, Problem> {
    let plan = read(text, "cannot judge the plan")?;
    let (costs, _) = costs(&plan, sysfs::number);
    let processors = plan.processors.unwrap_or_else(processors);
    let outcome = judge_plan(&plan, text, &costs, processors);
    let each = outcome.partitions.into_iter().flat_map(|judged| {
        let named = move |fault: String| format!("{}: {fault}", judged.name);
        judged.faults.into_iter().map(named)
    });
    let of_pool = outcome.faults.iter().map(|fault| format!("pool: {fault}"));
    Ok(each.chain(of_pool).collect())
}

/// `genpctl plan`: ends with 1 unless all of it is admissible.
pub fn run(args: &PlanArgs, format: Format) -> Result<ExitCode, Problem> {
    let path = args.file.display();
    let what = format!("cannot read the plan {path}");
    let text = fs::read_to_string(&args.file)
        .map_err(|error| Problem::new(what.as_str(), error, "Give the file of a plan."))?;
    let plan = read(&text, &what)?;
    let (costs, from) = costs(&plan, sysfs::number);
    let processors = plan.processors.unwrap_or_else(processors);
    let outcome = judge_plan(&plan, &text, &costs, processors);
    format.print(
        || document(&outcome, &costs, from),
        || show(&outcome, &costs, from),
    )?;
    match outcome.is_admissible() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    }
}
