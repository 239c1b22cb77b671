// SPDX-License-Identifier: GPL-2.0

//! The list of all partitions, which only debugfs has.

use std::{fs, io, path::Path};

use serde_json::{json, Value};

use crate::{output::Format, pool, problem::Problem, size, sysfs, table::Table};

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

/// All lines of the table after its heading; `None` if one has another format.
fn rows(text: &str) -> Option<Vec<Row<'_>>> {
    text.lines().skip(1).map(parse).collect()
}

/// The rows for people.
fn table(rows: &[Row<'_>]) -> Table {
    let mut table = Table::new("rl");
    table.row([
        "id", "name", "reserve", "used", "limit", "lent", "leases", "waiting", "stock", "free",
    ]);
    for row in rows {
        let bytes = row.bytes.map(size::show);
        let cells = [row.id, row.name].into_iter();
        let cells = cells.chain(bytes.iter().map(String::as_str));
        table.row(cells.chain(row.counts));
    }
    table
}

/// The rows for programs.
fn document(rows: &[Row<'_>]) -> Value {
    let each = rows.iter().map(|row| {
        let [reserve, used, limit, lent] = row.bytes;
        let number = |text: &str| text.parse::<u64>().ok();
        let [leases, waiters, owned, free] = row.counts.map(number);
        json!({
            "id": number(row.id),
            "name": (row.name != "-").then_some(row.name),
            "reserve_bytes": reserve,
            "used_bytes": used,
            "borrow_limit_bytes": limit,
            "lent_bytes": lent,
            "leases": leases,
            "waiters": waiters,
            "stock_owned_pages": owned,
            "stock_free_pages": free,
        })
    });
    json!({ "partitions": each.collect::<Vec<_>>() })
}

/// `genpctl list`.
pub fn run(format: Format) -> Result<(), Problem> {
    let path = Path::new(DEBUGFS).join(FILE);
    let text = fs::read_to_string(&path).map_err(|error| unreadable(&error))?;
    let rows = rows(&text).ok_or_else(|| {
        Problem::new(
            format!("cannot make sense of {}", path.display()),
            "a line that is laid out in another way",
            "Build module and genpctl from one tree; 'cat' shows the file as it is.",
        )
    })?;
    format.print(|| document(&rows), || table(&rows).show())
}

/// A document with a partition in it.
#[cfg(test)]
pub fn sample() -> Value {
    document(&[parse("1 a 2 3 4 5 6 7 8 9").unwrap()])
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
    fn programs_get_numbers_and_no_name_where_there_is_none() {
        let text = "id name\n 12  2097152 4096 1048576 0 3 1 5 4\n";
        let document = document(&rows(text).unwrap());
        let part = &document["partitions"][0];
        assert_eq!((&part["id"], &part["name"]), (&12.into(), &Value::Null));
        assert_eq!(part["used_bytes"], 4096);
        assert_eq!(
            (&part["waiters"], &part["stock_free_pages"]),
            (&1.into(), &4.into())
        );
        assert_eq!(rows("id name\nnonsense\n"), None);
    }

    #[test]
    fn another_layout_is_not_guessed_at() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("1 a 2 3 4 5 6 7 8 9 10"), None);
        assert_eq!(parse("1 a x 3 4 5 6 7 8 9"), None);
    }
}
