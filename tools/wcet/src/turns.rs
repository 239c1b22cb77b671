// SPDX-License-Identifier: GPL-2.0

//! Which annotation of the source belongs to a loop of the machine code.

use std::collections::BTreeSet;

use crate::{
    graph::Graph,
    lines::{Line, Lines},
    loops::Loop,
    problem::Result,
    source::{Annotation, Kind, Source},
};

/// An annotation at a place: the same one is at several, where the compiler inlined the
/// function with it, and then the lines of the callers differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    pub line: Line,
    pub annotation: &'a Annotation,
    /// The lines of the callers that it is inlined in.
    callers: Vec<Line>,
}

pub struct Turns<'a> {
    pub lines: &'a Lines,
    pub source: &'a Source,
}

impl<'a> Turns<'a> {
    /// The annotation of each loop, in the order of `loops`: the innermost one that has
    /// all lines of the loop, and of whose head a line is in the loop. Inner loops do not
    /// count as lines of outer ones. `None` where there is no such annotation, or where
    /// it is that of a loop within.
    pub fn of(&self, graph: &Graph, loops: &[Loop]) -> Result<Vec<Option<Found<'a>>>> {
        let mut all: Vec<Option<Found<'a>>> = Vec::new();
        for (number, found) in loops.iter().enumerate() {
            let mut own = found.blocks.clone();
            let inner: Vec<usize> = (0..number)
                .filter(|inner| loops[*inner].blocks.is_subset(&found.blocks))
                .collect();
            for inner in &inner {
                own.retain(|block| !loops[*inner].blocks.contains(block));
            }
            let annotation = self.annotation(graph, &own)?;
            if annotation.is_some() && inner.iter().any(|inner| all[*inner] == annotation) {
                // Which of the two it belongs to is not known.
                for inner in inner {
                    if all[inner] == annotation {
                        all[inner] = None;
                    }
                }
                all.push(None);
                continue;
            }
            all.push(annotation);
        }
        Ok(all)
    }

    /// The annotation that all steps of these blocks are under.
    fn annotation(&self, graph: &Graph, blocks: &BTreeSet<usize>) -> Result<Option<Found<'a>>> {
        let mut chains = Vec::new();
        for step in blocks.iter().flat_map(|block| &graph.blocks[*block].steps) {
            let chain = self.lines.of(step.address)?;
            if chain.first().is_some_and(|line| line.number != 0) {
                chains.push(chain);
            }
        }
        let Some((first, rest)) = chains.split_first() else {
            return Ok(None);
        };
        let candidates = self.above(first);
        Ok(candidates.into_iter().find(|candidate| {
            rest.iter()
                .all(|chain| self.above(chain).contains(candidate))
                && chains.iter().any(|chain| has_head(chain, candidate))
        }))
    }

    /// The annotation of a string instruction.
    pub fn of_instruction(&self, address: u64) -> Result<Option<Found<'a>>> {
        Ok(self.above(&self.lines.of(address)?).into_iter().next())
    }

    /// Whether an instruction is of a statement that is not reached.
    pub fn is_left_out(&self, address: u64) -> Result<bool> {
        let lines = self.lines.of(address)?;
        Ok(lines
            .iter()
            .any(|line| self.at(line, Kind::NotReached).is_some()))
    }

    /// Of a call, how often that is made in all, and the statement that says so. It has to be
    /// in the statement itself: what was inlined there may have loops.
    pub fn calls(&self, address: u64) -> Result<Option<(Line, u64)>> {
        let lines = self.lines.of(address)?;
        let Some(line) = lines.first() else {
            return Ok(None);
        };
        let Some(annotation) = self.at(line, Kind::Calls) else {
            return Ok(None);
        };
        let bound = self.source.bound(&line.file, annotation)?;
        let (file, number) = (line.file.clone(), annotation.first);
        Ok(Some((Line { file, number }, bound)))
    }

    /// The annotation of this kind whose statement has a line.
    fn at(&self, line: &Line, kind: Kind) -> Option<&'a Annotation> {
        let annotations = self.source.annotations.get(&line.file);
        let mut annotations = annotations.into_iter().flatten();
        annotations.find(|annotation| annotation.kind == kind && annotation.has(line.number))
    }

    /// The annotations that an instruction with these lines is under, from the innermost.
    fn above(&self, chain: &[Line]) -> Vec<Found<'a>> {
        let mut found = Vec::new();
        for (depth, line) in chain.iter().enumerate() {
            let annotations = self.source.annotations.get(&line.file);
            let mut here: Vec<&Annotation> = annotations
                .into_iter()
                .flatten()
                .filter(|annotation| matches!(annotation.kind, Kind::Bound | Kind::Total))
                .filter(|annotation| annotation.has(line.number))
                .collect();
            here.sort_by_key(|annotation| annotation.last - annotation.first);
            found.extend(here.into_iter().map(|annotation| Found {
                line: Line {
                    file: line.file.clone(),
                    number: annotation.first,
                },
                annotation,
                callers: chain[depth + 1..].to_vec(),
            }));
        }
        found
    }
}

fn has_head(chain: &[Line], found: &Found<'_>) -> bool {
    chain
        .iter()
        .any(|line| line.file == found.line.file && found.annotation.has_head(line.number))
}
