// SPDX-License-Identifier: GPL-2.0

//! The partitions, sorted: who misuses the interface most, or has most.

use serde_json::{json, Value};

use crate::{
    cli::TopArgs,
    list,
    order::Order,
    output::Format,
    partitions::{Counts, Found, Source},
    problem::Problem,
    size,
    table::Table,
    watch,
};

/// The first `count` of them, the most first; those of which it is not known come last.
fn sort(found: &mut Found, by: Order, count: usize) {
    found.all.sort_by_key(|part| std::cmp::Reverse(by.of(part)));
    found.all.truncate(count);
}

fn or_none(number: Option<impl ToString>) -> String {
    number.map_or("-".to_owned(), |number| number.to_string())
}

fn text(found: &Found) -> String {
    let mut table = Table::new("lrrrrrrrr");
    table.row([
        "name", "misuses", "stale", "revoked", "timeouts", "lent", "reserve", "owner", "pid",
    ]);
    for part in &found.all {
        let name = match part.name.as_str() {
            "" => part.id.map_or("-".to_owned(), |id| format!("#{id}")),
            name => name.to_owned(),
        };
        let count = |of: fn(&Counts) -> u64| or_none(part.counts.as_ref().map(of));
        table.row([
            name,
            count(|it| it.misuses),
            count(|it| it.stale_handles),
            count(|it| it.revocations),
            count(|it| it.timeouts),
            size::show(part.lent),
            size::show(part.reserve),
            or_none(part.owner),
            or_none(part.creator.or(part.holders.first().copied())),
        ]);
    }
    table.show()
}

/// The same for programs.
pub fn document(found: &Found, by: Order) -> Value {
    let each: Vec<_> = found.all.iter().map(list::partition).collect();
    json!({ "source": found.source.map(Source::word), "by": by.word(), "partitions": each })
}

/// `genpctl top`.
pub fn run(args: &TopArgs, format: Format) -> Result<(), Problem> {
    let mut found = watch::counted()?;
    sort(&mut found, args.by, args.count as usize);
    format.print(|| document(&found, args.by), || text(&found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partitions::Partition;
    use clap::ValueEnum;

    fn part(name: &str, misuses: Option<u64>, lent: u64) -> Partition {
        Partition {
            name: name.to_owned(),
            lent,
            counts: misuses.map(|misuses| Counts {
                misuses,
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    fn names(by: Order, count: usize) -> String {
        let mut found = Found {
            all: vec![
                part("a", Some(1), 9),
                part("b", None, 7),
                part("c", Some(5), 8),
            ],
            source: Some(Source::Device),
        };
        sort(&mut found, by, count);
        found.all.iter().map(|part| part.name.as_str()).collect()
    }

    #[test]
    fn the_worst_comes_first_and_the_unknown_last() {
        assert_eq!(names(Order::Misuse, 9), "cab");
        assert_eq!(names(Order::Misuse, 1), "c");
        assert_eq!(names(Order::Lent, 9), "acb");
    }

    #[test]
    fn stale_handles_are_misuse_too() {
        let mut stale = part("a", Some(1), 0);
        stale.counts.as_mut().unwrap().stale_handles = 2;
        assert_eq!(Order::Misuse.of(&stale), Some(3));
    }

    #[test]
    fn orders_are_called_as_on_the_command_line() {
        for order in Order::value_variants() {
            let value = order.to_possible_value().unwrap();
            assert_eq!(value.get_name(), order.word());
        }
    }
}
