// SPDX-License-Identifier: GPL-2.0

//! What a descriptor of a partition may be used for, by the names of the rights; and partitions
//! that are only looked at.

use std::io;

use genp::{abi, Descriptor};

/// The rights, in the order in which they are shown.
const NAMES: [(&str, u32); 6] = [
    ("write", abi::GENP_RIGHT_WRITE),
    ("alloc", abi::GENP_RIGHT_ALLOC),
    ("borrow", abi::GENP_RIGHT_BORROW),
    ("events", abi::GENP_RIGHT_EVENTS),
    ("manage", abi::GENP_RIGHT_MANAGE),
    ("children", abi::GENP_RIGHT_CHILDREN),
];

/// Reads rights: names with commas, or none.
pub fn parse(text: &str) -> Result<u32, String> {
    if text == "none" {
        return Ok(0);
    }
    text.split(',').try_fold(0, |rights, word| {
        match NAMES.iter().find(|(name, _)| *name == word) {
            Some((_, right)) => Ok(rights | right),
            None => {
                Err("give 'none', or some of write,alloc,borrow,events,manage,children".to_owned())
            }
        }
    })
}

/// Their names.
pub fn names(rights: u32) -> Vec<&'static str> {
    let has = |(name, right): &(&'static str, u32)| (rights & right != 0).then_some(*name);
    NAMES.iter().filter_map(has).collect()
}

/// A process that has a partition open, with its rights if it has not all of them.
pub fn holder(pid: u32, rights: u32) -> String {
    match names(rights) {
        all if all.len() == NAMES.len() => pid.to_string(),
        none if none.is_empty() => format!("{pid}(none)"),
        some => format!("{pid}({})", some.join(",")),
    }
}

/// Opens a partition to look at it, for which the mode need not let its caller write.
pub fn open_to_look(name: &str) -> io::Result<Descriptor> {
    match Descriptor::open_read_only(name) {
        // An older module.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Descriptor::open(name),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_and_shown_by_their_names() {
        assert_eq!(parse("none"), Ok(0));
        assert_eq!(
            parse("borrow,write"),
            Ok(abi::GENP_RIGHT_BORROW | abi::GENP_RIGHT_WRITE)
        );
        let all = parse("write,alloc,borrow,events,manage,children").unwrap();
        assert_eq!(all, abi::GENP_RIGHTS_ALL);
        assert!(parse("").is_err() && parse("write,").is_err() && parse("all,none").is_err());
        assert_eq!(names(abi::GENP_RIGHT_MANAGE | 1), ["write", "manage"]);
        assert_eq!(holder(12, all), "12");
        assert_eq!(holder(12, 0), "12(none)");
        assert_eq!(holder(12, 6), "12(alloc,borrow)");
    }
}
