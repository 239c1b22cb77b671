// SPDX-License-Identifier: GPL-2.0

//! Annotations. A comment `loop-bound: EXPRESSION` is above a loop, or above a statement
//! whose loop is in a function of a library: at most so many times, each time the loop is
//! come to, is its body executed; of a string instruction, so many repetitions. With
//! `loop-total:` it is at most so many times in a call from outside, however often the loop is
//! come to. Comments above statements: with `call-total: EXPRESSION` its calls are made at most
//! so many times, each, in a call from outside; with `not-reached: REASON` never.

use crate::problem::Result;

const BOUND: &str = "loop-bound:";
const TOTAL: &str = "loop-total:";
const CALLS: &str = "call-total:";
const NOT_REACHED: &str = "not-reached:";

/// What an annotation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The turns of a loop, each time it is come to.
    Bound,
    /// The turns of a loop in all.
    Total,
    /// The calls of a statement in all.
    Calls,
    NotReached,
}

const MARKS: [(&str, Kind); 4] = [
    (BOUND, Kind::Bound),
    (TOTAL, Kind::Total),
    (CALLS, Kind::Calls),
    (NOT_REACHED, Kind::NotReached),
];

/// An annotation, and the lines of the statement below it, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    pub kind: Kind,
    /// How often; nothing if the statement is not reached.
    pub bound: String,
    pub first: u32,
    /// The last line of the head, of which something is executed in each turn.
    pub head: u32,
    pub last: u32,
}

impl Annotation {
    pub fn has(&self, line: u32) -> bool {
        (self.first..=self.last).contains(&line)
    }

    pub fn has_head(&self, line: u32) -> bool {
        (self.first..=self.head).contains(&line)
    }
}

/// The annotations of a file.
pub fn annotations(text: &str) -> Result<Vec<Annotation>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mut marks = MARKS.into_iter();
        let Some((kind, (before, bound))) =
            marks.find_map(|(mark, kind)| Some((kind, line.split_once(mark)?)))
        else {
            continue;
        };
        if !matches!(before.trim(), "//" | "/*" | "*") {
            continue;
        }
        let bound = bound
            .trim()
            .trim_end_matches("*/")
            .trim()
            .trim_end_matches('.');
        let bound = match kind {
            Kind::NotReached => String::new(),
            _ => bound.to_owned(),
        };
        found.push(
            statement(&lines, at + 1, kind, bound)
                .ok_or_else(|| format!("line {}: nothing is below the annotation", at + 1))?,
        );
    }
    Ok(found)
}

fn statement(lines: &[&str], from: usize, kind: Kind, bound: String) -> Option<Annotation> {
    let is_code = |line: &&str| {
        let line = line.trim();
        !(line.is_empty()
            || ["//", "/*", "*", "#"]
                .iter()
                .any(|mark| line.starts_with(mark)))
    };
    let first = from + lines.get(from..)?.iter().position(is_code)?;
    let mut depth = 0i32;
    let mut head = None;
    for (at, line) in lines.iter().enumerate().skip(first) {
        let line = line.split("//").next().unwrap_or("").trim_end();
        for letter in line.chars() {
            match letter {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
        }
        if head.is_none() && line.ends_with('{') {
            head = Some(at);
        }
        // The last expression of a block ends before the brace.
        let last = if depth < 0 { at.checked_sub(1)? } else { at };
        if depth < 0 || depth == 0 && line.ends_with([';', '}', ',']) {
            let number = |at: usize| u32::try_from(at + 1).ok();
            // Of a loop without a condition the compiler may leave no trace but its body.
            let endless = lines[first].trim().starts_with("loop");
            let head = if endless { last } else { head.unwrap_or(last) };
            return (last >= first).then_some(Annotation {
                kind,
                bound,
                first: number(first)?,
                head: number(head)?,
                last: number(last)?,
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> (u32, u32, u32) {
        let found = &annotations(text).unwrap()[0];
        (found.first, found.head, found.last)
    }

    #[test]
    fn a_loop_is_as_long_as_its_braces() {
        let text =
            "// loop-bound: LEVELS - 1\n// Down.\nfor i in list(\n  1) {\n  if a {\n  }\n}\nb();\n";
        assert_eq!(annotations(text).unwrap()[0].bound, "LEVELS - 1");
        assert_eq!(lines(text), (3, 4, 7));
    }

    #[test]
    fn a_loop_of_c_may_have_no_braces() {
        assert_eq!(
            lines("\t/* loop-bound: 4 */\n\tfor (i = 0; i < 4; i++)\n\t\tf();\n"),
            (2, 3, 3)
        );
    }

    #[test]
    fn a_loop_without_a_condition_is_its_own_head() {
        assert_eq!(lines("// loop-bound: 4\nloop {\n  f();\n}\n"), (2, 4, 4));
    }

    #[test]
    fn the_last_expression_of_a_block_may_be_one() {
        assert_eq!(lines("{\n// loop-bound: 4\na.fold(\n0)\n}\n"), (3, 4, 4));
    }

    #[test]
    fn an_annotation_of_nothing_is_refused() {
        assert!(annotations("{\n// loop-bound: 4\n}\n").is_err());
        assert!(annotations("// loop-bound: 4\n").is_err());
    }

    #[test]
    fn a_statement_that_is_not_reached_has_no_bound() {
        let text = "// not-reached: it is mapped.\nlet b = f(\n);\n";
        assert_eq!(annotations(text).unwrap()[0].kind, Kind::NotReached);
        assert_eq!(annotations(text).unwrap()[0].bound, "");
        assert_eq!(lines(text), (2, 3, 3));
    }

    #[test]
    fn text_about_annotations_is_none() {
        assert_eq!(
            annotations("// Each has a loop-bound: see there.\nf();\n"),
            Ok(vec![])
        );
    }
}
