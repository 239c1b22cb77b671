// SPDX-License-Identifier: GPL-2.0

//! The list of all partitions, which only debugfs has.

use std::{fs, io, path::Path};

use crate::{output, pool, problem::Problem, size, sysfs, table::Table};

/// Where debugfs is mounted.
const DEBUGFS: &str = "/sys/kernel/debug";
/// The table of partitions in it.
const FILE: &str = "genp/partitions";

/// A line of the table.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    id: &'a str,
    name: &'a str,
    /// Reserve, bytes used of it, borrow limit, bytes lent of it.
    bytes: [u64; 4],
    /// Leases, waiters, pages of the stock, free ones among them.
    counts: [&'a str; 4],
}

/// Parses a line; `None` if it has another format.
fn parse(line: &str) -> Option<Row<'_>> {
    let words: Vec<_> = line.split_whitespace().collect();
    // A partition without a name leaves its column empty.
    let (id, name, rest) = match words.as_slice() {
        [id, rest @ ..] if rest.len() == 8 => (id, "-", rest),
        [id, name, rest @ ..] if rest.len() == 8 => (id, *name, rest),
        _ => return None,
    };
    let [reserve, used, limit, lent, counts @ ..] = rest else {
        return None;
    };
    let mut bytes = [0; 4];
    for (to, from) in bytes.iter_mut().zip([reserve, used, limit, lent]) {
        *to = from.parse().ok()?;
    }
    Some(Row {
        id,
        name,
        bytes,
        counts: counts.try_into().ok()?,
    })
}

/// The problem if the table cannot be read.
fn unreadable(error: &io::Error) -> Problem {
    if !sysfs::module_loaded() {
        // The same problem as for every command.
        if let Err(problem) = pool::info() {
            return problem;
        }
    }
    let path = Path::new(DEBUGFS).join(FILE);
    let mut advice = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "Only debugfs tells of all partitions, and only root may read it: run this as root."
        }
        _ => "Only debugfs tells of all partitions. It needs a kernel with CONFIG_DEBUG_FS and, as root:\nmount -t debugfs none /sys/kernel/debug",
    }
    .to_owned();
    if let Some(count) = sysfs::number("partitions") {
        advice.push_str(&format!("\nThere are {count} of them, says sysfs."));
    }
    Problem::new(format!("cannot read {}", path.display()), error, advice)
}

/// Formats the table of debugfs for people.
fn table(text: &str) -> Option<Table> {
    let mut table = Table::new("rl");
    table.row([
        "id", "name", "reserve", "used", "limit", "lent", "leases", "waiting", "stock", "free",
    ]);
    for line in text.lines().skip(1) {
        let row = parse(line)?;
        let bytes = row.bytes.map(size::show);
        let cells = [row.id, row.name].into_iter();
        let cells = cells.chain(bytes.iter().map(String::as_str));
        table.row(cells.chain(row.counts));
    }
    Some(table)
}

/// `genpctl list`.
pub fn run() -> Result<(), Problem> {
    let path = Path::new(DEBUGFS).join(FILE);
    let text = fs::read_to_string(&path).map_err(|error| unreadable(&error))?;
    let table = table(&text).ok_or_else(|| {
        Problem::new(
            format!("cannot make sense of {}", path.display()),
            "a line that is laid out in another way",
            "Build module and genpctl from one tree; 'cat' shows the file as it is.",
        )
    })?;
    output::print(&table.show())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_with_and_without_a_name() {
        let named = "  0 control          2097152          0    1048576          0       0       0       5       4";
        let row = parse(named).unwrap();
        assert_eq!((row.id, row.name), ("0", "control"));
        assert_eq!(row.counts, ["0", "0", "5", "4"]);
        assert_eq!(row.bytes, [2 << 20, 0, 1 << 20, 0]);
        let unnamed =
            " 12                  2097152       4096    1048576          0       3       1       0       0";
        let row = parse(unnamed).unwrap();
        assert_eq!((row.id, row.name, row.counts[1]), ("12", "-", "1"));
    }

    #[test]
    fn another_layout_is_not_guessed_at() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("1 a 2 3 4 5 6 7 8 9 10"), None);
        assert_eq!(parse("1 a x 3 4 5 6 7 8 9"), None);
    }
}
