// SPDX-License-Identifier: GPL-2.0

//! The list of the partitions.

use serde_json::{json, Value};

use crate::{
    output::Format,
    partitions::{self, Found, Partition, Source},
    problem::Problem,
    size, sysfs,
    table::Table,
};

/// The processes that have a partition.
fn holders(partition: &Partition) -> String {
    let pids: Vec<_> = partition.holders.iter().map(u32::to_string).collect();
    pids.join(" ")
}

/// The list for people. `there_are` is how many there are in all, if that is known.
fn text(found: &Found, there_are: Option<u64>) -> String {
    let mut table = Table::new("rlrrrrrrrrl");
    let of_processes = found.source == Some(Source::Processes);
    let heading = [
        "id", "name", "reserve", "used", "limit", "lent", "leases", "waiting", "stock", "free",
    ];
    let last = of_processes.then_some("processes");
    table.row(heading.into_iter().chain(last));
    for part in &found.all {
        let id = part.id.map_or("-".to_owned(), |id| id.to_string());
        let name = match part.name.as_str() {
            "" => "-",
            name => name,
        };
        let bytes = [part.reserve, part.used, part.limit, part.lent].map(size::show);
        let counts = [part.leases, part.waiters, part.stock_owned, part.stock_free];
        let cells = [id, name.to_owned()].into_iter().chain(bytes);
        let cells = cells.chain(counts.map(|count| count.to_string()));
        table.row(cells.chain(of_processes.then(|| holders(part))));
    }
    let mut text = table.show();
    if of_processes {
        let there_are = there_are.map_or(String::new(), |count| {
            format!("There are {count} in all, says sysfs. ")
        });
        text.push_str(&format!(
            "These are the partitions that processes have open which you may look at. {there_are}Root sees all of them where debugfs is mounted on /sys/kernel/debug.\n"
        ));
    }
    text
}

/// A partition for programs.
pub fn partition(part: &Partition) -> Value {
    json!({
        "id": part.id,
        "name": (!part.name.is_empty()).then_some(&part.name),
        "reserve_bytes": part.reserve,
        "used_bytes": part.used,
        "borrow_limit_bytes": part.limit,
        "lent_bytes": part.lent,
        "leases": part.leases,
        "waiters": part.waiters,
        "stock_owned_pages": part.stock_owned,
        "stock_free_pages": part.stock_free,
        "processes": part.holders,
    })
}

/// The list for programs.
pub fn document(found: &Found) -> Value {
    let each: Vec<_> = found.all.iter().map(partition).collect();
    json!({ "source": found.source.map(Source::word), "partitions": each })
}

/// `genpctl list`.
pub fn run(format: Format) -> Result<(), Problem> {
    let found = partitions::all()?;
    format.print(
        || document(&found),
        || text(&found, sysfs::number("partitions")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: Source) -> Found {
        let part = Partition {
            reserve: 2 << 20,
            holders: vec![12, 13],
            ..Default::default()
        };
        Found {
            all: vec![part],
            source: Some(source),
        }
    }

    #[test]
    fn who_does_not_see_all_is_told_so() {
        let of_processes = text(&found(Source::Processes), Some(3));
        assert!(of_processes.contains("12 13"));
        assert!(of_processes.contains("There are 3 in all, says sysfs. Root sees"));
        let unknown = text(&found(Source::Processes), None);
        assert!(unknown.contains("look at. Root sees"));
        let all = text(&found(Source::DebugFs), Some(3));
        assert!(!all.contains("in all") && !all.contains("processes"));
    }

    #[test]
    fn programs_get_no_name_where_there_is_none() {
        let document = document(&found(Source::Processes));
        assert_eq!(document["source"], "processes");
        let part = &document["partitions"][0];
        assert_eq!((&part["id"], &part["name"]), (&Value::Null, &Value::Null));
        assert_eq!(part["reserve_bytes"], 2 << 20);
        assert_eq!(part["processes"][1], 13);
    }
}
