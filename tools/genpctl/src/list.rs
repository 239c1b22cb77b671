// SPDX-License-Identifier: GPL-2.0

//! The list of the partitions.

use serde_json::{json, Value};

use crate::{
    child,
    output::Format,
    partitions::{self, Found, Partition, Source},
    problem::Problem,
    rights, size, sysfs,
    table::Table,
};

/// The processes that have a partition, with their rights where some are missing.
fn holders(partition: &Partition) -> String {
    let each = partition.holders.iter().zip(&partition.rights);
    let texts: Vec<_> = each
        .map(|(&pid, &bits)| rights::holder(pid, bits))
        .collect();
    texts.join(" ")
}

/// A number, or what stands for none.
fn or_none(number: Option<impl ToString>) -> String {
    number.map_or("-".to_owned(), |number| number.to_string())
}

/// What is only known from this source: the heading, and the cell of a partition.
type Column = (&'static str, fn(&Partition) -> String);

/// The columns that a source has beside those that all have.
fn columns(source: Option<Source>) -> &'static [Column] {
    match source {
        Some(Source::Device) => &[
            ("heap", |part| or_none(part.heap_used.map(size::show))),
            ("quota", |part| size::show(part.quota)),
            ("misuses", |part| or_none(part.counts.map(|it| it.misuses))),
            ("owner", |part| or_none(part.owner)),
            ("pid", |part| or_none(part.creator)),
            ("", |part| match part.destroyed {
                true => "destroyed".to_owned(),
                false => String::new(),
            }),
        ],
        Some(Source::Processes) => &[("processes", holders)],
        _ => &[],
    }
}

/// The list for people. `there_are` is how many there are in all, if that is known.
fn text(found: &Found, there_are: Option<u64>) -> String {
    let columns = columns(found.source);
    let of_processes = found.source == Some(Source::Processes);
    let mut table = Table::new(if of_processes {
        "rlrrrrrrrrl"
    } else {
        "rlrrrrrrrrrrrrrl"
    });
    let heading = [
        "id", "name", "reserve", "used", "limit", "lent", "leases", "waiting", "stock", "free",
    ];
    table.row(
        heading
            .into_iter()
            .chain(columns.iter().map(|column| column.0)),
    );
    for part in child::in_tree(&found.all) {
        let id = or_none(part.id);
        let name = child::indented(part);
        let bytes = [part.reserve, part.used, part.limit, part.lent].map(size::show);
        let counts = [part.leases, part.waiters, part.stock_owned, part.stock_free];
        let cells = [id, name].into_iter().chain(bytes);
        let cells = cells.chain(counts.map(|count| count.to_string()));
        table.row(cells.chain(columns.iter().map(|column| column.1(part))));
    }
    let mut text = table.show();
    if of_processes {
        let there_are = there_are.map_or(String::new(), |count| {
            format!("There are {count} in all, says sysfs. ")
        });
        text.push_str(&format!(
            "These are the partitions that processes have open which you may look at. {there_are}Who may open /dev/genp sees all of them.\n"
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
        "heap_used_bytes": part.heap_used,
        "heap_peak_bytes": part.heap_peak,
        "borrow_limit_bytes": part.limit,
        "lent_bytes": part.lent,
        "leases": part.leases,
        "waiters": part.waiters,
        "stock_owned_pages": part.stock_owned,
        "stock_free_pages": part.stock_free,
        "processes": part.holders,
        "rights": part.rights.iter().map(|&bits| rights::names(bits)).collect::<Vec<_>>(),
        "owner_uid": part.owner,
        "creator_pid": part.creator,
        "destroyed": part.destroyed,
        "parent": part.parent,
        "depth": part.depth,
        "quota_bytes": part.quota,
        "quota_used_bytes": part.quota_used,
        "counters": part.counts.map(|counts| json!({
            "borrows": counts.borrows,
            "returns": counts.returns,
            "revocations": counts.revocations,
            "timeouts": counts.timeouts,
            "misuses": counts.misuses,
            "stale_handles": counts.stale_handles,
            "stock_misses": counts.stock_misses,
        })),
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
            rights: vec![genp::abi::GENP_RIGHTS_ALL, genp::abi::GENP_RIGHT_BORROW],
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
        assert!(of_processes.contains("12 13(borrow)"));
        assert!(of_processes.contains("There are 3 in all, says sysfs. Who may"));
        let unknown = text(&found(Source::Processes), None);
        assert!(unknown.contains("look at. Who may"));
        let all = text(&found(Source::DebugFs), Some(3));
        assert!(!all.contains("in all") && !all.contains("processes"));
    }

    #[test]
    fn the_device_tells_whose_it_is() {
        let mut all = found(Source::Device);
        all.all[0].owner = Some(1000);
        let text_of = |all: &Found| text(all, None);
        let shown = text_of(&all);
        assert!(shown.contains("owner") && shown.contains("1000"));
        assert!(!shown.contains("destroyed") && !shown.contains("sees all"));
        all.all[0].destroyed = true;
        assert!(text_of(&all).contains("destroyed"));
    }

    #[test]
    fn programs_get_no_name_where_there_is_none() {
        let document = document(&found(Source::Processes));
        assert_eq!(document["source"], "processes");
        let part = &document["partitions"][0];
        assert_eq!((&part["id"], &part["name"]), (&Value::Null, &Value::Null));
        assert_eq!(part["reserve_bytes"], 2 << 20);
        assert_eq!(part["processes"][1], 13);
        assert_eq!(part["rights"][1][0], "borrow");
    }
}
