// SPDX-License-Identifier: GPL-2.0

//! How often loops and string instructions repeat.

use std::collections::BTreeSet;

use super::{Bounds, Reasons};
use crate::{
    decode::Step, graph::Graph, image::is_named, lines::Line, loops::Loop, settings::Library,
    source::Kind, turns::Turns,
};

/// Lines that are shown of a loop without a bound.
const PLACES: usize = 3;

/// How often a loop goes back to its head.
#[derive(Clone, Default)]
pub(super) struct Repeated {
    /// Each time it is come to.
    pub(super) each_time: u64,
    /// ... and where its annotation is and how often in all, if that is what is known.
    pub(super) in_all: Option<(Line, u64)>,
}

impl From<u64> for Repeated {
    fn from(each_time: u64) -> Self {
        Self {
            each_time,
            in_all: None,
        }
    }
}

impl Bounds<'_> {
    /// How often each loop goes back to its head.
    pub(super) fn turns(
        &self,
        graph: &Graph,
        found: &[Loop],
        reasons: &mut Reasons,
    ) -> Vec<Repeated> {
        let symbol = self.image.function_at(graph.entry).unwrap_or("?");
        let mut library = self.settings.library.iter();
        if let Some(library) = library.find(|library| is_named(symbol, &library.function)) {
            let bounds = self.library(library, graph, found, reasons);
            return bounds.into_iter().map(Repeated::from).collect();
        }
        let turns = Turns {
            lines: self.lines,
            source: self.source,
        };
        let annotations = match turns.of(graph, found) {
            Ok(annotations) => annotations,
            Err(reason) => {
                reasons.insert(reason);
                return vec![Repeated::default(); found.len()];
            }
        };
        let mut bounds = Vec::new();
        for (found, annotation) in found.iter().zip(annotations) {
            let bound = match annotation {
                Some(it) => {
                    let bound = self.source.bound(&it.line.file, it.annotation);
                    bound.map(|bound| match it.annotation.kind {
                        Kind::Total => Repeated {
                            each_time: 0,
                            in_all: Some((it.line, bound)),
                        },
                        _ => bound.into(),
                    })
                }
                None => Err(format!(
                    "{}: {}",
                    self.name(graph.entry),
                    self.unbounded(graph, found)
                )),
            };
            bounds.push(bound.unwrap_or_else(|reason| {
                reasons.insert(reason);
                Repeated::default()
            }));
        }
        bounds
    }

    fn library(
        &self,
        library: &Library,
        graph: &Graph,
        found: &[Loop],
        reasons: &mut Reasons,
    ) -> Vec<u64> {
        if library.bounds.len() != found.len() {
            reasons.insert(format!(
                "{} has {} loops, and the settings have {} bounds",
                library.function,
                found.len(),
                library.bounds.len()
            ));
            return vec![0; found.len()];
        }
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by_key(|number| graph.blocks[found[*number].head].steps[0].address);
        let mut bounds = vec![0; found.len()];
        for (number, text) in order.into_iter().zip(&library.bounds) {
            match self.source.constants.value("".as_ref(), text) {
                Ok(bound) => bounds[number] = bound,
                Err(reason) => {
                    reasons.insert(reason);
                }
            }
        }
        bounds
    }

    /// A loop without a bound, for people.
    fn unbounded(&self, graph: &Graph, found: &Loop) -> String {
        let mut places = BTreeSet::new();
        for step in found
            .blocks
            .iter()
            .flat_map(|block| &graph.blocks[*block].steps)
        {
            places.insert(self.place(step.address));
        }
        let places: Vec<String> = places.into_iter().take(PLACES).collect();
        format!("a loop has no bound: {}", places.join("; "))
    }

    /// How often a string instruction repeats.
    pub(super) fn repetitions(&self, step: &Step, name: &str, reasons: &mut Reasons) -> u64 {
        let turns = Turns {
            lines: self.lines,
            source: self.source,
        };
        let bound = match turns.of_instruction(step.address) {
            Ok(Some(it)) => self.source.bound(&it.line.file, it.annotation),
            Ok(None) => Err(format!(
                "{name}: a string instruction has no bound: {}",
                self.place(step.address)
            )),
            Err(reason) => Err(reason),
        };
        bound.unwrap_or_else(|reason| {
            reasons.insert(reason);
            0
        })
    }
}
