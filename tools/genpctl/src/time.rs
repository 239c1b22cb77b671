// SPDX-License-Identifier: GPL-2.0

//! Times as people read them.

/// The units, the largest first, in nanoseconds.
const UNITS: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];

/// The largest unit of which there is one at least; `None` for less than them all.
fn unit(ns: u64) -> Option<(u64, &'static str)> {
    UNITS.into_iter().find(|&(unit, _)| ns >= unit)
}

/// Writes nanoseconds exactly: bounds must not be rounded down.
pub fn show(ns: u64) -> String {
    let Some((unit, name)) = unit(ns) else {
        return format!("{ns} ns");
    };
    let digits = unit.ilog10() as usize;
    let rest = format!("{:0digits$}", ns % unit);
    match rest.trim_end_matches('0') {
        "" => format!("{} {name}", ns / unit),
        rest => format!("{}.{rest} {name}", ns / unit),
    }
}

/// Writes nanoseconds with three digits.
pub fn short(ns: u64) -> String {
    let Some((unit, name)) = unit(ns) else {
        return format!("{ns} ns");
    };
    let value = ns as f64 / unit as f64;
    let decimals = match value {
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => return format!("{value:.0} {name}"),
    };
    let digits = format!("{value:.decimals$}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits} {name}")
}

/// Reads a time in nanoseconds: a whole number with a unit, ns, us, ms or s.
pub fn parse(text: &str) -> Result<u64, String> {
    let split = text
        .find(|digit: char| !digit.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, name) = text.split_at(split);
    let unit = match name {
        "ns" => Some(1),
        _ => UNITS
            .into_iter()
            .find(|&(_, known)| known == name)
            .map(|(unit, _)| unit),
    };
    let value = digits.parse::<u64>().ok();
    match (value, unit) {
        (Some(value), Some(unit)) => value
            .checked_mul(unit)
            .ok_or_else(|| "that is more than 500 years".to_owned()),
        _ => Err("give a whole number with ns, us, ms or s, as in 250us".to_owned()),
    }
}

/// Reads a time that is not 0.
pub fn parse_some(text: &str) -> Result<u64, String> {
    match parse(text)? {
        0 => Err("0 is no time".to_owned()),
        ns => Ok(ns),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact() {
        let times = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1 us"),
            (48_231, "48.231 us"),
            (10_000_000, "10 ms"),
            (1_000_048_231, "1.000048231 s"),
            (64_000_000_000, "64 s"),
            (u64::MAX, "18446744073.709551615 s"),
        ];
        for (ns, text) in times {
            assert_eq!(show(ns), text);
        }
    }

    #[test]
    fn short_times_have_three_digits() {
        let times = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1 us"),
            (1_024, "1.02 us"),
            (16_384, "16.4 us"),
            (99_990, "100 us"),
            (131_072, "131 us"),
            (1_048_576, "1.05 ms"),
            (1_000_000_000, "1 s"),
            (100_000_000_000, "100 s"),
        ];
        for (ns, text) in times {
            assert_eq!(short(ns), text);
        }
    }

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(parse("250us"), Ok(250_000));
        assert_eq!(parse("2s"), Ok(2_000_000_000));
        assert_eq!(parse("7ns"), Ok(7));
        for wrong in ["", "5", "ms", "1.5ms", "-1s", "1 s", "99999999999s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse_some("0ms").is_err());
    }
}
