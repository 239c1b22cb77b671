// SPDX-License-Identifier: GPL-2.0

//! Sizes as people write and read them: in units of 1024.

/// The letters of the units, each 1024 times the one before.
const UNITS: [char; 4] = ['K', 'M', 'G', 'T'];

/// Reads a size: bytes, or a whole number of K, M, G or T.
pub fn parse(text: &str) -> Result<u64, String> {
    let hint = || "give bytes, or K, M, G or T after a whole number, as in 64K".to_owned();
    let letter = text.chars().next_back().ok_or_else(hint)?;
    let unit = UNITS
        .iter()
        .position(|unit| letter.eq_ignore_ascii_case(unit));
    let digits = match unit {
        Some(_) => text.trim_end_matches(letter),
        None => text,
    };
    let whole = text.len() - digits.len() <= 1
        && !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !whole {
        return Err(hint());
    }
    let factor = unit.map_or(1, |power| 1u64 << (10 * (power + 1)));
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "that is more than 64 bits hold".to_owned())
}

/// Rounds up to whole pages. `None` if that is more than 64 bits hold.
pub fn whole_pages(bytes: u64, page: u32) -> Option<u64> {
    bytes.checked_next_multiple_of(u64::from(page).max(1))
}

/// Writes a size in the largest unit in which two decimals say it exactly.
pub fn show(bytes: u64) -> String {
    for (power, unit) in UNITS.iter().enumerate().rev() {
        let factor = 1u64 << (10 * (power + 1));
        let (whole, rest) = (bytes / factor, bytes % factor * 100);
        if whole == 0 || rest % factor != 0 {
            continue;
        }
        return match rest / factor {
            0 => format!("{whole} {unit}iB"),
            cents if cents % 10 == 0 => format!("{whole}.{} {unit}iB", cents / 10),
            cents => format!("{whole}.{cents:02} {unit}iB"),
        };
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_binary() {
        let sizes = [
            ("0", 0),
            ("4096", 4096),
            ("64K", 65536),
            ("2M", 2 << 20),
            ("2m", 2 << 20),
            ("1G", 1 << 30),
            ("3T", 3 << 40),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in sizes {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        let none = [
            "",
            "K",
            "-1",
            "+1",
            "1.5M",
            "1KK",
            "1KiB",
            "1 K",
            "0x10",
            "4X",
            "٣",
            "16777216T",
            "18446744073709551616",
            "1µ",
        ];
        for text in none {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_exactly() {
        let sizes = [
            (0, "0 B"),
            (1000, "1000 B"),
            (4096, "4 KiB"),
            (65 << 20, "65 MiB"),
            (3 << 19, "1.5 MiB"),
            (5 << 18, "1.25 MiB"),
            ((64 << 20) - 4096, "65532 KiB"),
            ((1 << 20) + 64, "1048640 B"),
            (u64::MAX, "18446744073709551615 B"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(show(bytes), text);
        }
    }

    #[test]
    fn pages_are_rounded_up() {
        assert_eq!(whole_pages(0, 4096), Some(0));
        assert_eq!(whole_pages(1, 4096), Some(4096));
        assert_eq!(whole_pages(4096, 4096), Some(4096));
        assert_eq!(whole_pages(u64::MAX, 4096), None);
        assert_eq!(whole_pages(7, 0), Some(7));
    }
}
