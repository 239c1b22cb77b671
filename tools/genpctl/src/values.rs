// SPDX-License-Identifier: GPL-2.0

//! Values as they are written on the command line and in plans.

use std::time::Duration;

use crate::size;

/// The most characters of a name.
const LONGEST_NAME: usize = genp::abi::GENP_NAME_SIZE as usize - 1;

/// Whether names may have this character.
fn is_of_names(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "._-".contains(letter)
}

/// Whether a partition can be named so.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_NAME && text.chars().all(is_of_names)
}

/// The name that is left of a text without what names cannot have: None if that is nothing.
pub fn name_out_of(text: &str) -> Option<String> {
    let letters = text.chars().filter(|&letter| is_of_names(letter));
    let name: String = letters.take(LONGEST_NAME).collect();
    is_name(&name).then_some(name)
}

/// Reads a partition's name.
pub fn name(text: &str) -> Result<String, String> {
    if !is_name(text) {
        return Err(format!(
            "a name has 1 to {LONGEST_NAME} letters, digits, '.', '_' and '-'"
        ));
    }
    Ok(text.to_owned())
}

/// Reads the unit of regions, as the order that it is in the ABI.
pub fn unit(text: &str) -> Result<u32, String> {
    match size::parse(text)? {
        unit if unit.is_power_of_two() && (4..=20).contains(&unit.ilog2()) => Ok(unit.ilog2()),
        _ => Err("give a power of two from 16 to 1M".to_owned()),
    }
}

/// Reads permission bits in octal.
pub fn mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode & !0o666 == 0 => Ok(mode),
        _ => Err("give read and write bits in octal, as in 660".to_owned()),
    }
}

/// Reads seconds.
pub fn interval(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("give 0.1 to 3600 seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_have_no_bits_but_read_and_write() {
        assert_eq!(mode("0660"), Ok(0o660));
        assert!(mode("777").is_err() && mode("8").is_err() && mode("-6").is_err());
    }

    #[test]
    fn units_are_powers_of_two_that_the_module_takes() {
        assert_eq!(unit("16"), Ok(4));
        assert_eq!(unit("1M"), Ok(20));
        for wrong in ["0", "8", "48", "2M", "x"] {
            assert!(unit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_those_the_module_takes() {
        assert!(name("motor-2_a.b").is_ok());
        assert!(name("").is_err() && name("a b").is_err() && name("a/b").is_err());
        assert!(name(&"n".repeat(31)).is_ok() && name(&"n".repeat(32)).is_err());
    }

    #[test]
    fn what_a_name_cannot_have_is_left_out_of_it() {
        assert_eq!(name_out_of("my shop_1.a-b/").unwrap(), "myshop_1.a-b");
        assert_eq!(name_out_of(&"n".repeat(40)), name(&"n".repeat(31)).ok());
        assert_eq!(name_out_of("\u{e4}/"), None);
        assert_eq!(name_out_of(""), None);
    }

    #[test]
    fn intervals_are_sane() {
        assert_eq!(interval("0.5"), Ok(Duration::from_millis(500)));
        assert!(interval("0").is_err() && interval("NaN").is_err() && interval("1e9").is_err());
    }
}
