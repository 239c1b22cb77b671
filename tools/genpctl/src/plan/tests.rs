// SPDX-License-Identifier: GPL-2.0

//! Plans that go, and plans of which one line does not.

use genp_core::{parameters::PARAMETERS, recall_bound::UnitCosts};

use serde_json::Value;

use super::{
    costs, document,
    file::{read, Fault},
    judge::{judge_plan, Outcome},
    show,
};

const SAMPLE: &str = include_str!("../../../../samples/plan.toml");
const MODULE: &str = include_str!("../../../../genp_rust.rs");

fn judged(text: &str) -> Outcome {
    let plan = read(text).unwrap();
    judge_plan(&plan, text, &UnitCosts::STATED, 2)
}

/// The faults of a plan, each with the line of its partition, 0 for the pool.
fn faults(text: &str) -> Vec<(usize, String)> {
    let outcome = judged(text);
    let of_pool = outcome.faults.iter().map(|fault| (0, fault.clone()));
    let each = outcome.partitions.iter().flat_map(|judged| {
        let fault = |fault: &String| (judged.line, fault.clone());
        judged.faults.iter().map(fault).collect::<Vec<_>>()
    });
    each.chain(of_pool).collect()
}

/// The sample with a part of it replaced.
fn sample_with(old: &str, new: &str) -> String {
    assert!(SAMPLE.contains(old), "{old}");
    SAMPLE.replacen(old, new, 1)
}

fn line_of_partition(text: &str, name: &str) -> usize {
    let at = text.find(&format!("name = \"{name}\"")).unwrap();
    // The heading stands before the name.
    text[..at].matches('\n').count()
}

/// Exactly one fault, of this partition, that says `what`.
#[track_caller]
fn breaks(text: &str, name: &str, what: &str) {
    let found = faults(text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, line_of_partition(text, name), "{found:?}");
    assert!(found[0].1.contains(what), "{found:?}");
}

#[test]
fn the_sample_goes() {
    let outcome = judged(SAMPLE);
    assert!(outcome.is_admissible(), "{:?}", faults(SAMPLE));
    assert_eq!(outcome.committed, (24 << 20) + 160 * 4096);
    assert_eq!(outcome.lendable, (40 << 20) - 160 * 4096);
    assert_eq!(outcome.partitions[0].wait_ns, None);
    // All three may wait before it.
    let waits = outcome.partitions[2].wait_ns;
    assert_eq!(waits, Some(3 * outcome.wait_ns));
}

#[test]
fn what_is_shown_names_the_line() {
    let text = sample_with("reserve = \"8M\"", "reserve = \"65M\"");
    let outcome = judged(&text);
    let shown = show(&outcome, &UnitCosts::STATED, "stated");
    let line = line_of_partition(&text, "control");
    assert!(shown.contains(&format!(
        "line {line}, control: more than the whole pool, 64 MiB (E2BIG)"
    )));
    assert!(shown.contains("refused") && shown.contains("admitted"));
}

/// The document of the sample.
pub fn sample_document() -> Value {
    document(&judged(SAMPLE), &UnitCosts::STATED, "stated")
}

#[test]
fn programs_get_the_same_answers() {
    let document = sample_document();
    assert_eq!(document["admissible"], true);
    assert_eq!(document["committed_bytes"], (24 << 20) + 160 * 4096);
    assert_eq!(document["partitions"][0]["wait_bound_ns"], Value::Null);
    let broken = judged(&sample_with("reserve = \"8M\"", "reserve = \"65M\""));
    let broken = super::document(&broken, &UnitCosts::STATED, "stated");
    assert_eq!(broken["partitions"][0]["admitted"], false);
    let fault = broken["partitions"][0]["faults"][0].as_str().unwrap();
    assert!(fault.contains("(E2BIG)"));
}

#[test]
fn one_line_breaks_it() {
    let reserve = sample_with("reserve = \"16M\"", "reserve = \"60M\"");
    let found = faults(&reserve);
    assert!(
        found
            .iter()
            .any(|(_, fault)| fault.contains("60 MiB committed, 56704 KiB are free (ENOSPC)")),
        "{found:?}"
    );
    let lent = sample_with("borrow = \"16M\"", "borrow = \"40M\"");
    breaks(
        &lent,
        "vision",
        "may borrow more than can be lent at last, 40320 KiB (E2BIG)",
    );
    let slots = sample_with("max_partitions = 4", "max_partitions = 2");
    breaks(&slots, "log", "max_partitions is 2 (ENOSPC)");
    let ceiling = sample_with("max_waiters = 3", "max_waiters = 3\nuid_ceiling_mib = 20");
    breaks(&ceiling, "vision", "the ceiling of its user leaves");
    let term = sample_with("\"50ms\"", "\"101ms\"");
    breaks(&term, "vision", "100 ms (EINVAL)");
    let pace = sample_with("ends_per_second = 20", "ends_per_second = 900");
    breaks(&pace, "vision", "(EAGAIN)");
    let wait = sample_with("wait = \"5s\"", "wait = \"300ms\"");
    breaks(&wait, "vision", "can afford 300 ms");
    let stock = sample_with("stock_limit = 320", "stock_limit = 159");
    breaks(&stock, "control", "(EINVAL)");
    let twice = sample_with("\"vision\"", "\"control\"");
    assert!(faults(&twice)[0].1.contains("(EEXIST)"));
    let many = sample_with("max_leases = 16", "max_leases = 65");
    assert!(faults(&many)[0].1.contains("at most 64 (EINVAL)"));
}

#[test]
fn tables_of_the_pool_can_be_too_small() {
    let leases = sample_with("max_leases = 24", "max_leases = 23");
    assert_eq!(
        faults(&leases),
        [(
            0,
            "max_leases is 23, the partitions need 24 (EBUSY)".to_owned()
        )]
    );
    let waiters = sample_with("max_waiters = 3", "max_waiters = 2");
    assert_eq!(
        faults(&waiters),
        [(
            0,
            "max_waiters is 2, the partitions need 3 (EBUSY)".to_owned()
        )]
    );
}

#[test]
fn a_file_that_is_no_plan_is_told_by_its_line() {
    let fault = |text: &str| {
        let Fault { line, what } = read(text).unwrap_err();
        (line, what)
    };
    assert_eq!(
        fault("[pool]\npool_mib = 0\n"),
        (2, "pool_mib: must be 1 to 491520 (EINVAL)".to_owned())
    );
    assert_eq!(fault("[pool]\nmax_lease_ms = 5\ngrace_ms = 6\n").0, 3);
    assert!(fault("[pool]\npool = 1\n").1.contains("no parameter pool;"));
    assert_eq!(fault("[[partition]]\nreserve = \"1Q\"\n").0, 2);
    assert_eq!(fault("[[partition]]\nname = \"a\"\nlease = 1\n").0, 3);
    assert_eq!(fault("[[partition]]\nterm = \"5\"\n").0, 2);
    assert_eq!(fault("[[partition]]\nmode = \"777\"\n").0, 2);
    assert_eq!(fault("[[partition]]\nunit = \"48\"\n").0, 2);
    assert_eq!(fault("[pool\n").0, 1);
    assert_eq!(fault("processors = 0\n").0, 1);
}

#[test]
fn costs_are_given_or_of_this_machine_or_stated() {
    let plan = read("[pool]\nrecall_end_ns = 5\n").unwrap();
    let (stated, from) = costs(&plan, |_| None);
    assert_eq!(
        stated,
        UnitCosts {
            end_ns: 5,
            ..UnitCosts::STATED
        }
    );
    assert_eq!(from, "stated");
    let (here, from) = costs(&plan, |_| Some(9));
    assert_eq!((here.end_ns, here.page_ns), (5, 9));
    assert!(from.contains("module"));
}

/// The defaults of the module stand in a macro, which takes nothing but literals.
#[test]
fn defaults_are_those_of_the_module() {
    for known in PARAMETERS {
        let at = MODULE.find(&format!("        {}: ", known.name)).unwrap();
        let text = &MODULE[at..];
        let at = text.find("default: ").unwrap();
        let number: String = text[at + 9..]
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        assert_eq!(number.parse(), Ok(known.default), "{}", known.name);
    }
}

/// A plan with blocks for one partition of order 4 and one of order 9, and what they want.
fn with_blocks(first: &str, second: &str) -> String {
    format!(
        "[pool]\nuid_ceiling_mib = 4\nblocks = \"4:4,9:1\"\n\
         [[partition]]\nname = \"a\"\nblocks = \"{first}\"\n\
         [[partition]]\nname = \"b\"\nuser = \"b\"\nblocks = \"{second}\"\nreserve = \"1M\"\n"
    )
}

#[test]
fn blocks_are_admitted_as_far_as_there_are_some() {
    assert!(faults(&with_blocks("4:2", "4:2,9:1")).is_empty());
    breaks(
        &with_blocks("4:2", "4:3"),
        "b",
        "\"4:2,9:1\" are free (ENOSPC)",
    );
    breaks(&with_blocks("4:5", "4:1"), "a", "(E2BIG)");
    breaks(&with_blocks("3:1", ""), "a", "(E2BIG)");
    breaks(&with_blocks("", ""), "a", "nor blocks (EINVAL)");
    // 4 MiB of its user, of which 2 MiB are the reserve and 2 MiB one block.
    breaks(
        &with_blocks("4:1", "4:1,9:1").replacen("\"1M\"", "\"2M\"", 1),
        "b",
        "ceiling",
    );
}

#[test]
fn blocks_are_a_text_of_orders() {
    for text in ["[pool]\nblocks = 4\n", "[pool]\nblocks = \"11:1\"\n"] {
        assert_eq!(read(text).unwrap_err().line, 2);
    }
    assert_eq!(read("[pool]\npool_mib = \"4:1\"\n").unwrap_err().line, 2);
    assert!(read("[[partition]]\nblocks = \"4\"\n").is_err());
}
