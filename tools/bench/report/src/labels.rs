// SPDX-License-Identifier: GPL-2.0

//! Labels: numbers and names for readers.

/// A number with separators between thousands; below 10 with significant
/// decimals.
pub fn number(value: f64) -> String {
    if value.abs() < 10.0 && value.fract() != 0.0 {
        let text = format!("{value:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').into();
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value <= -0.5 {
        text.insert(0, '-');
    }
    text
}

/// Two numbers as a range, or one if both read the same.
pub fn range(low: f64, high: f64) -> String {
    let (low, high) = (number(low), number(high));
    if low == high {
        low
    } else {
        format!("{low} - {high}")
    }
}

/// A number of pages.
pub fn pages(count: f64) -> String {
    match number(count) {
        one if one == "1" => "1 page".into(),
        more => format!("{more} pages"),
    }
}

/// A ratio.
pub fn times(ratio: f64) -> String {
    match ratio {
        ratio if ratio < 9.95 => format!("{ratio:.2}"),
        ratio if ratio < 99.5 => format!("{ratio:.1}"),
        ratio => number(ratio),
    }
}

/// Bytes in the largest unit that gives a whole number.
pub fn bytes(value: f64) -> String {
    let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in units {
        let whole = f64::from(1u32 << shift);
        if value >= whole && value % whole == 0.0 {
            return format!("{} {unit}", number(value / whole));
        }
    }
    format!("{} B", number(value))
}

/// Nanoseconds in a unit with few digits.
pub fn time(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{} ns", number(ns)),
        ns if ns < 1e6 => format!("{} us", number_of_three(ns / 1e3)),
        ns if ns < 1e9 => format!("{} ms", number_of_three(ns / 1e6)),
        ns => format!("{} s", number_of_three(ns / 1e9)),
    }
}

/// The label of a value in a unit.
pub fn in_unit(value: f64, unit: &str) -> String {
    match unit {
        "ns" => time(value),
        _ => number(value),
    }
}

fn number_of_three(value: f64) -> String {
    match value {
        value if value < 9.995 => number(value),
        value if value < 99.95 => {
            let text = format!("{value:.1}");
            text.trim_end_matches(".0").into()
        }
        value => number(value),
    }
}

/// The label of a subject in tables and pictures.
pub fn subject(name: &str) -> &str {
    match name {
        "genp" => "GenP",
        "gen_pool_first_fit" => "gen_pool first fit",
        "gen_pool_best_fit" => "gen_pool best fit",
        "mmap_populate" => "mmap(MAP_POPULATE)",
        "dma_heap" => "dma-heap",
        "alloc_page_uncleared" => "alloc_page, no clearing",
        "alloc_pages_nolock_uncleared" => "..._nolock, no clearing",
        "glibc_locked" => "glibc, mlockall()",
        other => other,
    }
}

/// The label of a machine.
pub fn machine(name: &str) -> String {
    match name {
        "icount" => "PREEMPT_RT, instructions counted by an emulator".into(),
        "um1" => "user mode Linux, 1 processor".into(),
        "um2" => "user mode Linux, 2 processors".into(),
        "native" => "the host".into(),
        "tcg" => "PREEMPT_RT, emulator, 2 processors".into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        for (value, text) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (1.5, "1.5"),
            (3.0, "3"),
            (313.4, "313"),
            (32849.0, "32,849"),
            (1234567.0, "1,234,567"),
            (-1234.0, "-1,234"),
            (-0.2, "-0.2"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(range(313.0, 313.2), "313");
        assert_eq!(range(313.0, 447.0), "313 - 447");
    }

    #[test]
    fn units_follow_the_size() {
        assert_eq!(bytes(4096.0), "4 KiB");
        assert_eq!(bytes(100.0), "100 B");
        assert_eq!(bytes(1.5 * 1048576.0), "1,536 KiB");
        assert_eq!(bytes(68_719_476_736.0), "64 GiB");
        assert_eq!(time(850.0), "850 ns");
        assert_eq!(time(1500.0), "1.5 us");
        assert_eq!(time(20e6), "20 ms");
        assert_eq!(time(123.4e6), "123 ms");
        assert_eq!(times(0.5), "0.50");
        assert_eq!(times(21.6), "21.6");
        assert_eq!(times(1234.0), "1,234");
    }
}
