// SPDX-License-Identifier: GPL-2.0

//! Plans of recordings, which a pool as they say admits.

use genp::Arena;

use super::{need::Margin, parse, plan_of};
use crate::{
    plan,
    record::{Heap, Recorded, Recording, VERSION},
};

const MIB: u64 = 1 << 20;
const QUARTER: Margin = Margin {
    percent: 25,
    always: false,
};

fn recording(partitions: Vec<Recorded>) -> Recording {
    Recording {
        page_size_bytes: 4096,
        max_lease_ms: 100,
        grace_ms: 10,
        partitions,
        ..Default::default()
    }
}

fn program() -> Recorded {
    Recorded {
        name: "shop".to_owned(),
        reserve_bytes: 16 * MIB,
        heap: Some(Heap {
            reserve_bytes: 16 * MIB,
            taken_peak_bytes: 5 * MIB,
            needed_peak_bytes: 4 * MIB,
            largest_request_bytes: 1000,
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// The plan of these partitions, which must be one that goes.
fn plan_for(partitions: Vec<Recorded>, margin: &Margin) -> String {
    let text = plan_of(&[recording(partitions)], margin).text();
    assert_eq!(plan::faults(&text).unwrap(), [""; 0], "{text}");
    text
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
}

#[test]
fn a_program_gets_what_its_heap_had_and_a_margin() {
    let text = plan_for(vec![program()], &QUARTER);
    has(&text, "name = \"shop\"");
    has(&text, &format!("reserve = {}", 25 * MIB / 4));
    has(&text, "pool_mib = 7");
    assert!(!text.contains("borrow"), "{text}");
}

#[test]
fn a_heap_that_was_full_is_judged_by_what_was_asked_for() {
    let mut seen = program();
    let heap = seen.heap.as_mut().unwrap();
    heap.needed_peak_bytes = 40 * MIB - 96;
    heap.taken_peak_bytes = 16 * MIB;
    heap.overflowed = 7;
    let text = plan_for(vec![seen], &QUARTER);
    has(&text, &format!("reserve = {}", 50 * MIB));
    assert!(text.contains("7 requests had no room in 16 MiB"), "{text}");
}

#[test]
fn requests_beyond_all_numbers_had_no_room_either() {
    let mut seen = program();
    let heap = seen.heap.as_mut().unwrap();
    (heap.overflowed, heap.refused) = (u64::MAX, 1);
    heap.taken_peak_bytes = 16 * MIB;
    let text = plan_for(vec![seen], &QUARTER);
    has(&text, &format!("reserve = {}", 5 * MIB + 4096));
}

#[test]
fn a_name_that_no_partition_can_have_comes_into_no_plan() {
    let named = |name: &str| {
        let recording = Recording {
            genp_recording: VERSION,
            ..recording(vec![Recorded {
                name: name.to_owned(),
                ..program()
            }])
        };
        parse(&serde_json::to_string(&recording).unwrap())
    };
    named("shop_1.a-b").unwrap();
    for name in [
        "",
        "a\"\nreserve = 1 # ",
        "a\nb",
        "a b",
        "\u{202e}",
        "0123456789012345678901234567890x",
    ] {
        let told = named(name).unwrap_err();
        assert!(told.contains("can have the name"), "{told}");
        assert!(!told.contains('\n'), "{told}");
    }
    assert!(parse("{}").is_err());
}

#[test]
fn what_always_suffices_is_the_formula_of_the_page() {
    // Of 1,000 bytes, 1,024 and the header.
    let enough = Arena::enough_for(4096, 1000);
    assert_eq!(enough, 4096 + 1040 * (4096 - 1040) / 32 + 96);
    assert_eq!(Arena::enough_for(u64::MAX, u64::MAX), u64::MAX);
    let all = Margin {
        always: true,
        ..QUARTER
    };
    let mut seen = program();
    seen.heap.as_mut().unwrap().needed_peak_bytes = 4096;
    let text = plan_for(vec![seen], &all);
    let bytes = enough.next_multiple_of(4096);
    has(&text, &format!("reserve = {bytes}"));
}

#[test]
fn a_borrower_gets_its_limit_its_leases_and_its_waiters() {
    let counters = [("budget_refusals", 3), ("waits", 2), ("revocations", 5)];
    let seen = Recorded {
        name: "vision".to_owned(),
        used_peak_bytes: 100,
        lent_peak_bytes: MIB,
        borrow_limit_bytes: 2 * MIB,
        leases_peak: 60,
        ends_peak_per_second: 4,
        counters: counters.map(|(key, count)| (key.to_owned(), count)).into(),
        ..Default::default()
    };
    let text = plan_for(vec![seen], &QUARTER);
    for line in [
        "reserve = 4096",
        "borrow = 2621440",
        "max_leases = 64",
        "waiters = 1",
        "ends_per_second = 5",
    ] {
        has(&text, line);
    }
    assert!(
        text.contains("3 borrows were refused at a limit of 2 MiB"),
        "{text}"
    );
    assert!(text.contains("5 leases were revoked"), "{text}");
}

#[test]
fn a_stock_that_missed_becomes_larger() {
    let mut seen = Recorded {
        name: "driver".to_owned(),
        stock_pages: 100,
        stock_limit_pages: 200,
        stock_low_pages: 25,
        stock_out_peak_pages: 40,
        ..Default::default()
    };
    has(&plan_for(vec![seen.clone()], &QUARTER), "stock = 50");
    seen.counters.insert("stock_misses".to_owned(), 1);
    seen.counters.insert("stock_refills".to_owned(), 1);
    let text = plan_for(vec![seen], &QUARTER);
    for line in ["stock = 250", "stock_limit = 250", "stock_low = 25"] {
        has(&text, line);
    }
}

#[test]
fn of_a_name_in_several_recordings_the_most_counts() {
    let mut more = program();
    more.heap.as_mut().unwrap().taken_peak_bytes = 8 * MIB;
    let both = [recording(vec![program()]), recording(vec![more])];
    let text = plan_of(&both, &QUARTER).text();
    assert_eq!(text.matches("[[partition]]").count(), 1, "{text}");
    has(&text, &format!("reserve = {}", 10 * MIB));
}

#[test]
fn tables_grow_with_what_is_in_them() {
    let seen = |number| Recorded {
        name: format!("p{number}"),
        used_peak_bytes: 4096,
        ..Default::default()
    };
    let text = plan_for((0..70).map(seen).collect(), &QUARTER);
    has(&text, "max_partitions = 70");
}
