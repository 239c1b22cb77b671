// SPDX-License-Identifier: GPL-2.0

//! What is said of times that are given.

use std::io;

use super::{
    counts, document,
    measure::{at_its_pace, Series},
    svg, text,
};

fn series(name: &'static str, times: &[u64]) -> Series {
    let mut series = Series::new(name).unwrap();
    for &ns in times {
        series.times.saturating_record(ns);
    }
    series
}

#[test]
fn times_are_counted_by_powers_of_two() {
    let counted = counts(&series("alloc", &[1, 2, 3, 4, 1000, 1023, 1024]));
    assert_eq!((counted[0], counted[1], counted[2]), (1, 2, 1));
    assert_eq!((counted[9], counted[10]), (2, 1));
    assert_eq!(counted.iter().sum::<u64>(), 7);
}

/// More than can be told apart is in the last class, and not lost.
#[test]
fn the_longest_times_are_kept() {
    let counted = counts(&series("alloc", &[u64::MAX, 59_000_000_000]));
    assert_eq!(counted.iter().sum::<u64>(), 2);
    assert_eq!(counted[35], 2);
}

#[test]
fn a_call_that_comes_too_early_is_repeated() {
    let mut left = 3;
    let mut early = |then: Option<i32>| {
        left -= 1;
        match (left, then) {
            (1.., _) => Err(io::Error::from_raw_os_error(libc::EAGAIN)),
            (_, Some(errno)) => Err(io::Error::from_raw_os_error(errno)),
            (calls, None) => Ok(calls),
        }
    };
    assert_eq!(at_its_pace(|| early(None)).unwrap(), 0);
    let other = at_its_pace(|| early(Some(libc::EDQUOT))).unwrap_err();
    assert_eq!(other.raw_os_error(), Some(libc::EDQUOT));
}

#[test]
fn people_see_quantiles_and_bars() {
    let mut times = vec![100; 999];
    times.push(5000);
    let shown = text(&[series("alloc", &times)]);
    let row = shown.lines().nth(1).unwrap();
    let words: Vec<_> = row.split_whitespace().collect();
    assert_eq!(words[..4], ["alloc", "1000", "100", "ns"]);
    assert!(row.contains("5 us") && row.ends_with(" 0"), "{row}");
    assert!(shown.contains("alloc: 1000 times\n"));
    assert!(shown.contains("########"));
}

#[test]
fn programs_get_the_same() {
    let document = document(&[series("borrow", &[10, 20, 30])]);
    let of_borrow = &document["operations"][0];
    assert_eq!(of_borrow["operation"], "borrow");
    assert_eq!(
        (&of_borrow["count"], &of_borrow["longest_ns"]),
        (&3.into(), &30.into())
    );
    assert_eq!(of_borrow["median_ns"], 20);
    assert_eq!(of_borrow["buckets"][4]["count"], 2);
}

#[test]
fn a_picture_has_each_call_and_stays_in_its_frame() {
    let all = [
        ("alloc", counts(&series("alloc", &[80, 90, 100_000]))),
        ("free", counts(&series("free", &[70]))),
    ];
    let svg = svg::picture("Blocks of 4 KiB & <more>", &all);
    assert_eq!(svg.matches("<polyline").count(), 2);
    assert!(svg.contains(">alloc</text>") && svg.contains("&amp; &lt;more"));
    let points = svg
        .split("points=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    for point in points.flat_map(|points| points.split(' ')) {
        let (x, y) = point.split_once(',').unwrap();
        let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
        assert!(
            (70.0..=740.0).contains(&x) && (60.0..=370.0).contains(&y),
            "{point}"
        );
    }
}

#[test]
fn a_picture_of_nothing_is_one() {
    let svg = svg::picture("", &[("clock", [0; 40])]);
    assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    let last = svg::picture("", &[("clock", [1; 40])]);
    assert!(last.contains("polyline"));
}
