// SPDX-License-Identifier: GPL-2.0

//! The table of partitions in debugfs, which is for people, and not ABI.

use std::{fs, io};

use super::Partition;
use crate::problem::Problem;

/// The table, where debugfs is usually mounted.
const FILE: &str = "/sys/kernel/debug/genp/partitions";

/// The text of the table.
pub fn read() -> io::Result<String> {
    fs::read_to_string(FILE)
}

/// The problem if the table is laid out in another way.
pub fn unknown_layout() -> Problem {
    Problem::new(
        format!("cannot make sense of {FILE}"),
        "a line that is laid out in another way",
        "Build module and genpctl from one tree; 'cat' shows the file as it is.",
    )
}

/// Parses a line; `None` if it has another format.
fn line(text: &str) -> Option<Partition> {
    let words: Vec<_> = text.split_whitespace().collect();
    // A partition without a name leaves its column empty.
    let (id, name, rest) = match words.as_slice() {
        [id, rest @ ..] if rest.len() == 8 => (id, "", rest),
        [id, name, rest @ ..] if rest.len() == 8 => (id, *name, rest),
        _ => return None,
    };
    let numbers: Option<Vec<u64>> = rest.iter().map(|word| word.parse().ok()).collect();
    let &[reserve, used, limit, lent, leases, waiters, stock_owned, stock_free] =
        numbers?.as_slice()
    else {
        return None;
    };
    Some(Partition {
        id: Some(id.parse().ok()?),
        name: name.to_owned(),
        reserve,
        used,
        limit,
        lent,
        leases,
        waiters,
        stock_owned,
        stock_free,
        ..Default::default()
    })
}

/// All lines after the heading; `None` if one has another format.
pub fn parse(text: &str) -> Option<Vec<Partition>> {
    text.lines().skip(1).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_with_and_without_a_name() {
        let named = "  0 control          2097152          0    1048576          0       0       0       5       4";
        let part = line(named).unwrap();
        assert_eq!((part.id, part.name.as_str()), (Some(0), "control"));
        assert_eq!((part.stock_owned, part.stock_free), (5, 4));
        assert_eq!((part.reserve, part.limit), (2 << 20, 1 << 20));
        let unnamed =
            " 12                  2097152       4096    1048576          0       3       1       0       0";
        let part = line(unnamed).unwrap();
        assert_eq!((part.id, part.name.as_str()), (Some(12), ""));
        assert_eq!((part.used, part.leases, part.waiters), (4096, 3, 1));
    }

    #[test]
    fn another_layout_is_not_guessed_at() {
        assert_eq!(line(""), None);
        assert_eq!(line("1 a 2 3 4 5 6 7 8 9 10"), None);
        assert_eq!(line("1 a x 3 4 5 6 7 8 9"), None);
        assert_eq!(parse("id name\nnonsense\n"), None);
        assert_eq!(parse("id name\n"), Some(vec![]));
    }
}
