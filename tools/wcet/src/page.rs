// SPDX-License-Identifier: GPL-2.0

//! The tables in Documentation/worst-case.rst, between two comments.

use std::{fmt::Write, fs, path::Path};

use crate::{
    entries::Entries,
    problem::{about, Result},
    settings::Settings,
    table::Line,
};

const BEGIN: &str = ".. What follows is written by genp-wcet.\n";
const END: &str = ".. What genp-wcet writes ends here.\n";

/// The text with what is between the two comments replaced.
pub fn with_block(text: &str, block: &str) -> Result<String> {
    let missing = || "the page lacks the comments that enclose the tables".to_owned();
    let (before, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, after) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{before}{BEGIN}\n{block}\n{END}{after}"))
}

pub fn write(path: &Path, block: &str) -> Result<()> {
    let text = fs::read_to_string(path).map_err(about(path.display()))?;
    let text = with_block(&text, block).map_err(about(path.display()))?;
    fs::write(path, text).map_err(about(path.display()))
}

pub fn is_current(path: &Path, block: &str) -> Result<bool> {
    let text = fs::read_to_string(path).map_err(about(path.display()))?;
    Ok(with_block(&text, block).map_err(about(path.display()))? == text)
}

pub fn block(lines: &[Line<'_>], settings: &Settings, entries: &Entries) -> String {
    let mut out = String::new();
    table(
        &mut out,
        "Bounds and counts, in instructions",
        &[
            "operation",
            "bound",
            "bound, comparable",
            "highest count",
            "ratio",
        ],
        &rows(lines),
    );
    let mut notes = String::new();
    for row in lines.iter().map(|line| line.row) {
        for note in [&row.conditions, &row.because].into_iter().flatten() {
            let _ = writeln!(notes, "- {}: {note}", row.what);
        }
    }
    if !notes.is_empty() {
        let _ = write!(out, "\nNotes:\n\n{notes}");
    }
    out.push('\n');
    let callees: Vec<Vec<String>> = settings
        .callees
        .iter()
        .map(|callee| {
            vec![
                symbols(&callee.names),
                callee.bound.to_string(),
                callee.how.clone(),
            ]
        })
        .collect();
    table(
        &mut out,
        "Functions of the kernel, in instructions",
        &["function", "bound", "how it is known"],
        &callees,
    );
    out.push('\n');
    let without: Vec<Vec<String>> = entries
        .without
        .iter()
        .map(|without| {
            let all = [&without.entries[..], &without.ioctls].concat();
            vec![symbols(&all), without.because.clone()]
        })
        .collect();
    table(
        &mut out,
        "Entry points without a bound",
        &["entry points", "reason"],
        &without,
    );
    out
}

fn rows(lines: &[Line<'_>]) -> Vec<Vec<String>> {
    let number = |value: Option<u64>| {
        value.map_or_else(|| "not counted".to_owned(), |value| value.to_string())
    };
    let row = |line: &Line<'_>| {
        let ratio = line
            .ratio()
            .map(|ratio| format!("{}.{:02}", ratio / 100, ratio % 100));
        vec![
            line.row.what.clone(),
            line.bound.to_string(),
            line.comparable.to_string(),
            number(line.counted),
            ratio.unwrap_or_default(),
        ]
    };
    lines.iter().map(row).collect()
}

fn symbols(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("``{name}``"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn table(out: &mut String, title: &str, head: &[&str], rows: &[Vec<String>]) {
    let _ = write!(out, ".. csv-table:: {title}\n   :header-rows: 1\n\n");
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let cells: Vec<String> = row.iter().map(|cell| format!("\"{cell}\"")).collect();
        let _ = writeln!(out, "   {}", cells.join(", "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_comments_is_replaced() {
        let page = |block: &str| format!("a\n\n{BEGIN}\n{block}\n{END}\nz\n");
        assert_eq!(with_block(&page("old\n"), "new\n"), Ok(page("new\n")));
        assert!(with_block("a\n", "new\n").is_err());
    }
}
