// SPDX-License-Identifier: GPL-2.0

//! The control-flow graph of a function: runs of instructions without a jump in between,
//! and which of them may follow which.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    decode::{Decode, Flow, Step},
    image::{Image, Place},
    problem::Result,
};

/// A run of steps. The last one decides where it goes on.
pub struct Block {
    pub steps: Vec<Step>,
    /// Indices of blocks.
    pub after: Vec<usize>,
    /// Whether the function may end here: by a return, or by a jump to another one.
    pub ends: bool,
}

/// A function; block 0 is its entry.
pub struct Graph {
    pub entry: u64,
    pub blocks: Vec<Block>,
}

/// Where the steps of a function lead.
struct Ways {
    inside: Vec<u64>,
    ends: bool,
    /// Whether the next step comes after this one in any case.
    falls: bool,
}

impl Graph {
    pub fn of(image: &Image, decode: &Decode<'_>, entry: u64) -> Result<Self> {
        let steps = steps(image, decode, entry)?;
        let leaders = leaders(image, &steps, entry);
        let numbers: BTreeMap<u64, usize> = std::iter::once(entry)
            .chain(leaders.iter().copied().filter(|leader| *leader != entry))
            .zip(0..)
            .collect();
        let mut blocks: Vec<(usize, Block)> = Vec::new();
        for (&start, &number) in &numbers {
            blocks.push((number, block(image, &steps, &numbers, entry, start)?));
        }
        blocks.sort_by_key(|(number, _)| *number);
        let blocks = blocks.into_iter().map(|(_, block)| block).collect();
        Ok(Self { entry, blocks })
    }
}

/// All steps that can be reached from the entry without leaving the function.
fn steps(image: &Image, decode: &Decode<'_>, entry: u64) -> Result<BTreeMap<u64, Step>> {
    let mut steps = BTreeMap::new();
    let mut left = vec![entry];
    while let Some(address) = left.pop() {
        if steps.contains_key(&address) {
            continue;
        }
        let step = decode.step(address)?;
        let ways = ways(image, &step, entry);
        left.extend(ways.inside);
        if ways.falls {
            left.push(step.next());
        }
        steps.insert(address, step);
    }
    let mut end = 0;
    for (address, step) in &steps {
        if *address < end {
            return Err(format!(
                "a jump leads into the instruction before {address:#x}"
            ));
        }
        end = step.next();
    }
    Ok(steps)
}

fn ways(image: &Image, step: &Step, entry: u64) -> Ways {
    let mut ways = Ways {
        inside: Vec::new(),
        ends: false,
        falls: false,
    };
    for variant in &step.variants {
        let mut falls = true;
        for operation in variant {
            match &operation.flow {
                Flow::Jump(to) | Flow::Branch(to) => match inside(image, to, entry) {
                    Some(to) => ways.inside.push(to),
                    None => ways.ends = true,
                },
                Flow::Table(targets) => ways.inside.extend(targets),
                Flow::Return | Flow::JumpUnknown => ways.ends = true,
                _ => {}
            }
            if matches!(
                operation.flow,
                Flow::Jump(_) | Flow::Table(_) | Flow::Return | Flow::JumpUnknown | Flow::Stop
            ) {
                falls = false;
                break;
            }
        }
        ways.falls |= falls;
    }
    ways
}

/// A target, if it is not the start of another function.
fn inside(image: &Image, to: &Place, entry: u64) -> Option<u64> {
    match to {
        Place::Here(to) if *to == entry || image.function_at(*to).is_none() => Some(*to),
        _ => None,
    }
}

fn leaders(image: &Image, steps: &BTreeMap<u64, Step>, entry: u64) -> BTreeSet<u64> {
    let mut leaders = BTreeSet::from([entry]);
    for step in steps.values() {
        let ways = ways(image, step, entry);
        if ways.inside.is_empty() && ways.falls && !ways.ends {
            continue;
        }
        leaders.extend(ways.inside);
        if ways.falls {
            leaders.insert(step.next());
        }
    }
    leaders
}

fn block(
    image: &Image,
    steps: &BTreeMap<u64, Step>,
    numbers: &BTreeMap<u64, usize>,
    entry: u64,
    start: u64,
) -> Result<Block> {
    let mut block = Block {
        steps: Vec::new(),
        after: Vec::new(),
        ends: false,
    };
    let mut at = start;
    loop {
        let step = steps
            .get(&at)
            .ok_or_else(|| format!("no instruction at {at:#x}"))?;
        let ways = ways(image, step, entry);
        block.steps.push(step.clone());
        at = step.next();
        let through = ways.falls && ways.inside.is_empty() && !ways.ends;
        if through && !numbers.contains_key(&at) {
            continue;
        }
        let mut after: BTreeSet<usize> = ways.inside.iter().map(|to| numbers[to]).collect();
        if ways.falls {
            after.insert(numbers[&at]);
        }
        block.after = after.into_iter().collect();
        block.ends = ways.ends;
        return Ok(block);
    }
}
