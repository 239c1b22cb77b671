// SPDX-License-Identifier: GPL-2.0

//! The documents of `--json`: each key is in Documentation/genpctl.rst, which is what
//! programs rely on.

use std::{collections::BTreeSet, fs};

use genp::abi::{genp_bounds, genp_info, genp_stat};
use serde_json::Value;

use crate::{
    admission, apply, bounds, create, histogram, latency, list,
    operation::Operation,
    order::Order,
    partitions::{Found, Partition},
    plan, pool, record, stat, stock, suggest, top, watch,
};

/// Where the page is. Clippy takes what is included for a module beside this folder.
const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../Documentation/genpctl.rst"
);

/// All keys of a document and of what is in it.
fn keys(document: &Value, into: &mut BTreeSet<String>) {
    match document {
        Value::Object(map) => {
            for (key, value) in map {
                into.insert(key.clone());
                keys(value, into);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

/// A document of each kind, with something in each list.
fn documents() -> Vec<Value> {
    let found = Found {
        all: vec![Partition::default()],
        source: None,
    };
    vec![
        pool::document(&genp_info::default()),
        stat::document("a", &genp_stat::default()),
        bounds::document("a", &genp_bounds::default()),
        histogram::document("a", Operation::Wait, &[1; 40]),
        create::document(Some("a"), 3, &genp_stat::default()),
        list::document(&found),
        top::document(&found, Order::Misuse),
        admission::sample(),
        stock::sample(),
        plan::sample(),
        watch::sample(),
        apply::sample(),
        latency::sample(),
        record::sample(),
        suggest::sample(),
    ]
}

/// The keys as the page lists them: one at the beginning of a line, or after a comma.
fn documented(page: &str) -> BTreeSet<&str> {
    let at = page.find("\nKeys of JSON\n").unwrap();
    let word = |byte: char| !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == '_');
    page[at..].split(word).collect()
}

#[test]
fn each_key_is_documented() {
    let mut all = BTreeSet::new();
    for document in documents() {
        keys(&document, &mut all);
    }
    let page = fs::read_to_string(PAGE).unwrap();
    let known = documented(&page);
    let missing: Vec<_> = all
        .iter()
        .filter(|key| !known.contains(key.as_str()))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(all.len() > 100, "{}", all.len());
}

#[test]
fn sizes_and_times_have_their_unit_in_the_key() {
    let info = genp_info {
        capacity: 64 << 20,
        max_lease_ns: 5,
        ..Default::default()
    };
    let document = pool::document(&info);
    assert_eq!(document["capacity_bytes"], 64 << 20);
    assert_eq!(document["max_lease_ns"], 5);
}

#[test]
fn what_is_not_there_is_null() {
    let stat = genp_stat {
        node: -1,
        ..Default::default()
    };
    assert_eq!(stat::document("a", &stat)["node"], Value::Null);
    assert_eq!(create::document(None, 3, &stat)["name"], Value::Null);
    let last = &histogram::document("a", Operation::Wait, &[0; 40])["buckets"][39];
    assert_eq!(
        (&last["from_ns"], &last["below_ns"]),
        (&(1u64 << 39).into(), &Value::Null)
    );
}

#[test]
fn counters_have_the_names_of_the_structure() {
    let stat = genp_stat {
        stale_handles: 7,
        ..Default::default()
    };
    assert_eq!(stat::document("a", &stat)["counters"]["stale_handles"], 7);
}
