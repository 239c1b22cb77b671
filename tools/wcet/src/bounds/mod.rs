// SPDX-License-Identifier: GPL-2.0

//! The bound of a function: its longest path, with those of all functions it calls.

mod calls;
mod repeated;
mod totals;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use crate::{
    decode::{Count, Decode, Flow, Operation, Step},
    graph::Graph,
    image::{is_named, readable, Image},
    lines::Lines,
    longest::{longest, Weighted},
    loops::{loops, Loop},
    problem::Result,
    settings::Settings,
    source::Source,
    turns::Turns,
};

pub use calls::{call, given};
pub use totals::Totals;

/// Reasons why a function has no bound.
pub type Reasons = BTreeSet<String>;

/// The bound of a function.
#[derive(Debug, Default)]
pub struct Bound {
    /// The most instructions of a call, without the call itself. `None` if each path ends
    /// in a trap or in a function that is not called.
    pub instructions: Option<u64>,
    /// How often the longest path comes to each step, and what one time costs.
    pub steps: BTreeMap<u64, (u64, u64)>,
    /// The loops of it, and of all that it calls, that turn so many times in all. No turn of
    /// them is in the instructions above.
    pub totals: Totals,
}

/// Bounds under the same parameters and assumptions.
pub struct Bounds<'a> {
    pub image: &'a Image,
    pub decode: &'a Decode<'a>,
    pub lines: &'a Lines,
    pub source: &'a Source,
    pub settings: &'a Settings,
    /// Functions that are not called, by assumption: at all, or as `CALLER -> FUNCTION`; with
    /// `FUNCTION = NUMBER` one whose calls take so many instructions.
    pub never: &'a [String],
    known: BTreeMap<u64, Result<Rc<Bound>, Reasons>>,
    /// The functions whose bounds are being computed.
    open: Vec<u64>,
    /// What these call, and their own totals.
    called: Vec<(BTreeSet<u64>, Totals)>,
}

/// The costs of a block.
#[derive(Default)]
struct Costs {
    /// Of each step; `None` if no path goes through it.
    steps: Vec<Option<u64>>,
    /// What the function that is jumped to at the end costs.
    end: Option<u64>,
}

impl<'a> Bounds<'a> {
    pub fn new(
        image: &'a Image,
        decode: &'a Decode<'a>,
        lines: &'a Lines,
        source: &'a Source,
        settings: &'a Settings,
        never: &'a [String],
    ) -> Self {
        let (known, open, called) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self {
            image,
            decode,
            lines,
            source,
            settings,
            never,
            known,
            open,
            called,
        }
    }

    /// The bound of the function at an address, or all reasons why there is none.
    pub fn of(&mut self, entry: u64) -> Result<Rc<Bound>, Reasons> {
        if let Some(known) = self.known.get(&entry) {
            return known.clone();
        }
        if let Some(at) = self.open.iter().position(|open| *open == entry) {
            let names: Vec<String> = self.open[at..]
                .iter()
                .map(|open| self.name(*open))
                .collect();
            return Err(Reasons::from([format!("recursion: {}", names.join(", "))]));
        }
        self.open.push(entry);
        self.called.push(Default::default());
        let mut bound = self.compute(entry);
        self.open.pop();
        let (called, totals) = self.called.pop().unwrap_or_default();
        if let Ok(bound) = &mut bound {
            bound.totals.add(&totals);
            let bounds = called.iter().filter_map(|called| self.known.get(called));
            for called in bounds.flatten() {
                bound.totals.add(&called.totals);
            }
        }
        let bound = bound.map(Rc::new);
        self.known.insert(entry, bound.clone());
        bound
    }

    /// The functions looked at so far of which no path comes to its end.
    pub fn endless(&self) -> BTreeSet<u64> {
        let is_endless = |bound: &Result<Rc<Bound>, Reasons>| {
            bound
                .as_ref()
                .is_ok_and(|bound| bound.instructions.is_none())
        };
        let known = self.known.iter();
        known
            .filter(|(_, bound)| is_endless(bound))
            .map(|(entry, _)| *entry)
            .collect()
    }

    pub fn name(&self, entry: u64) -> String {
        readable(self.image.function_at(entry).unwrap_or("?"))
    }

    fn compute(&mut self, entry: u64) -> Result<Bound, Reasons> {
        let name = self.name(entry);
        let symbol = self.image.function_at(entry).unwrap_or("?");
        if self.never.iter().any(|never| is_named(symbol, never)) {
            return Ok(Bound::default());
        }
        let mut assumed = self.never.iter().filter_map(|never| given(never));
        if let Some((_, instructions)) = assumed.find(|(name, _)| is_named(symbol, name)) {
            return Ok(Bound {
                instructions: Some(instructions),
                ..Bound::default()
            });
        }
        let one = |reason: String| Reasons::from([format!("{name}: {reason}")]);
        let graph = Graph::of(self.image, self.decode, entry).map_err(one)?;
        let after: Vec<Vec<usize>> = graph
            .blocks
            .iter()
            .map(|block| block.after.clone())
            .collect();
        let found = loops(&after).map_err(|block| {
            let at = graph.blocks[block].steps[0].address;
            one(format!(
                "a loop is entered in its middle, at {}",
                self.place(at)
            ))
        })?;
        let mut reasons = Reasons::new();
        let bounds = self.turns(&graph, &found, &mut reasons);
        let mut costs = Vec::new();
        for block in &graph.blocks {
            costs.push(self.block(&block.steps, block.ends, &name, &mut reasons));
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let counts: Vec<u64> = bounds.iter().map(|bound| bound.each_time).collect();
        let (mut bound, turns) = sum(&graph, &after, &found, &counts, &costs);
        for (repeated, turn) in bounds.into_iter().zip(turns) {
            if let Some((at, turns)) = repeated.in_all {
                bound.totals.add_turns(at, turns, turn);
            }
        }
        Ok(bound)
    }

    /// The line of an address, and those of the callers that it is inlined in: lines of
    /// libraries are left out, if there are others.
    pub fn place(&self, address: u64) -> String {
        let lines = self.lines.of(address).unwrap_or_default();
        let mut own: Vec<_> = lines
            .iter()
            .filter(|line| line.file.is_relative())
            .collect();
        if own.is_empty() {
            own = lines.iter().collect();
        }
        let own: Vec<String> = own.into_iter().map(ToString::to_string).collect();
        match own.is_empty() {
            true => format!("{address:#x}"),
            false => own.join(" in "),
        }
    }

    fn block(&mut self, steps: &[Step], ends: bool, name: &str, reasons: &mut Reasons) -> Costs {
        let mut costs = Costs::default();
        // The repetitions that were set, if that is known.
        let mut count = None;
        for step in steps {
            let mut most = None;
            let before = count;
            for variant in &step.variants {
                count = before;
                let mut sum = Some(0u64);
                for operation in variant {
                    let cost = self.operation(step, operation, (name, count), reasons);
                    count = match operation.count {
                        Count::Keeps => count,
                        Count::Sets(number) => Some(number),
                        Count::Changes => None,
                    };
                    sum = sum.and_then(|sum| cost.map(|cost| sum.saturating_add(cost)));
                }
                most = most.max(sum);
            }
            if step.variants.len() > 1 {
                count = None;
            }
            costs.steps.push(most);
        }
        if let (true, Some(last)) = (ends, steps.last()) {
            costs.end = self.end(last, name, reasons);
        }
        costs
    }

    /// What an operation costs, with what it calls. `None` if it is not executed.
    fn operation(
        &mut self,
        step: &Step,
        operation: &Operation,
        (name, count): (&str, Option<u64>),
        reasons: &mut Reasons,
    ) -> Option<u64> {
        let own = match (operation.repeats, count) {
            (false, _) => 1,
            // None at all is executed once.
            (true, Some(count)) => count.max(1),
            (true, None) => self.repetitions(step, name, reasons),
        };
        let turns = Turns {
            lines: self.lines,
            source: self.source,
        };
        let called = match &operation.flow {
            Flow::Call(_) if turns.is_left_out(step.address).unwrap_or(false) => None,
            Flow::Call(to) => match turns.calls(step.address) {
                Ok(None) => self.place_called(to, reasons),
                Ok(Some((line, times))) => self.counted_in_all(to, line, times, reasons),
                Err(reason) => {
                    reasons.insert(reason);
                    None
                }
            },
            Flow::CallThrough(variable) => self.row(variable, reasons),
            Flow::CallUnknown => self.unknown(name, step, reasons),
            Flow::Stop => None,
            _ => Some(0),
        };
        Some(own.saturating_add(called?))
    }

    /// What the function costs that a step jumps to; 0 for a return.
    fn end(&mut self, step: &Step, name: &str, reasons: &mut Reasons) -> Option<u64> {
        let mut most = None;
        for operation in step.operations() {
            let cost = match &operation.flow {
                Flow::Return => Some(0),
                Flow::Jump(to) | Flow::Branch(to) => self.place_called(to, reasons),
                Flow::JumpUnknown => self.unknown(name, step, reasons),
                _ => None,
            };
            most = most.max(cost);
        }
        most
    }
}

/// The bound, and the longest turn of each loop.
fn sum(
    graph: &Graph,
    after: &[Vec<usize>],
    loops: &[Loop],
    bounds: &[u64],
    costs: &[Costs],
) -> (Bound, Vec<u64>) {
    let total = |costs: &Costs| {
        costs
            .steps
            .iter()
            .try_fold(0u64, |sum, cost| Some(sum.saturating_add((*cost)?)))
    };
    let weights: Vec<Option<u64>> = costs.iter().map(total).collect();
    let ends: Vec<Option<u64>> = costs.iter().map(|costs| costs.end).collect();
    let weighted = Weighted {
        after,
        weights: &weights,
        ends: &ends,
    };
    let Some(path) = longest(&weighted, loops, bounds) else {
        return (Bound::default(), Vec::new());
    };
    let mut steps = BTreeMap::new();
    for (block, count) in &path.counts {
        for (step, cost) in graph.blocks[*block].steps.iter().zip(&costs[*block].steps) {
            steps.insert(step.address, (*count, cost.unwrap_or(0)));
        }
    }
    if let Some(last) = graph.blocks[path.last].steps.last() {
        let end = ends[path.last].unwrap_or(0);
        steps
            .entry(last.address)
            .and_modify(|(_, cost)| *cost += end);
    }
    let bound = Bound {
        instructions: Some(path.weight),
        steps,
        totals: Totals::default(),
    };
    (bound, path.turns)
}
