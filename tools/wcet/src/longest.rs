// SPDX-License-Identifier: GPL-2.0

//! The longest path through a graph with weights. Loops are folded, inner ones first: an
//! entry into a loop costs as many of its longest turns as its bound says, and then the
//! way from its head to where it is left.

use std::collections::{BTreeMap, BTreeSet};

use crate::loops::{postorder, Loop};

/// A graph with weights.
pub struct Weighted<'a> {
    pub after: &'a [Vec<usize>],
    /// Of each block; `None` if no path goes through it.
    pub weights: &'a [Option<u64>],
    /// What is added if the function ends after a block; `None` if it does not.
    pub ends: &'a [Option<u64>],
}

/// The longest path, and how often it comes to each block.
#[derive(Debug, PartialEq, Eq)]
pub struct Longest {
    pub weight: u64,
    pub last: usize,
    pub counts: BTreeMap<usize, u64>,
    /// The longest turn of each loop.
    pub turns: Vec<u64>,
}

/// The longest paths from the head of a loop, or from the entry of the function, each
/// inner loop being one node, which has the number of its head.
#[derive(Default)]
struct Region {
    bound: u64,
    /// The longest path to the end of each block.
    to: BTreeMap<usize, u64>,
    /// The block before a node, on the longest path to it.
    before: BTreeMap<usize, usize>,
    /// The node each block is in.
    nodes: Vec<usize>,
    /// The block at the end of the longest turn, from which it goes back to the head.
    back: Option<usize>,
}

impl Region {
    /// The longest turn.
    fn turn(&self) -> u64 {
        self.back.map_or(0, |block| self.to[&block])
    }

    /// The longest turn, as often as the bound says.
    fn turns(&self) -> u64 {
        self.bound.saturating_mul(self.turn())
    }
}

/// Finds the longest path from block 0 to an end. `loops` are those of
/// [`crate::loops::loops`], in that order, `bounds` says how often each goes back to its
/// head. `None` if no path leads to an end.
pub fn longest(graph: &Weighted<'_>, loops: &[Loop], bounds: &[u64]) -> Option<Longest> {
    let mut order = postorder(graph.after);
    order.reverse();
    let mut folded = BTreeMap::new();
    let mut turns = Vec::new();
    let mut nodes: Vec<usize> = (0..graph.after.len()).collect();
    for (found, bound) in loops.iter().zip(bounds) {
        let blocks: Vec<usize> = order
            .iter()
            .copied()
            .filter(|block| found.blocks.contains(block))
            .collect();
        let mut region = region(graph, &folded, &nodes, &blocks, found.head);
        region.bound = *bound;
        turns.push(region.turn());
        folded.insert(found.head, region);
        for block in &found.blocks {
            nodes[*block] = found.head;
        }
    }
    let whole = region(graph, &folded, &nodes, &order, 0);
    let ends = whole
        .to
        .iter()
        .filter_map(|(block, weight)| Some((weight.saturating_add(graph.ends[*block]?), *block)));
    let (weight, last) = ends.max()?;
    let mut counts = BTreeMap::new();
    count(&folded, &whole, last, 1, &mut counts);
    Some(Longest {
        weight,
        last,
        counts,
        turns,
    })
}

/// The paths of a region, whose blocks are in an order in which each comes after all that
/// lead to it.
fn region(
    graph: &Weighted<'_>,
    folded: &BTreeMap<usize, Region>,
    nodes: &[usize],
    blocks: &[usize],
    head: usize,
) -> Region {
    let mut region = Region {
        nodes: nodes.to_vec(),
        ..Region::default()
    };
    let inside: BTreeSet<usize> = blocks.iter().copied().collect();
    let mut arrive = BTreeMap::from([(nodes[head], 0u64)]);
    for &node in blocks.iter().filter(|block| nodes[**block] == **block) {
        let Some(&so_far) = arrive.get(&node) else {
            continue;
        };
        for (block, weight) in through(graph, folded, node) {
            let weight = so_far.saturating_add(weight);
            region.to.insert(block, weight);
            for &next in graph.after[block]
                .iter()
                .filter(|next| inside.contains(next))
            {
                let next = nodes[next];
                // Within the node, or back to the head.
                if next == node || next == nodes[head] {
                    continue;
                }
                if arrive.get(&next).is_none_or(|known| *known < weight) {
                    arrive.insert(next, weight);
                    region.before.insert(next, block);
                }
            }
        }
    }
    let turns = region
        .to
        .iter()
        .filter(|(block, _)| graph.after[**block].contains(&head));
    region.back = turns
        .max_by_key(|(_, weight)| **weight)
        .map(|(block, _)| *block);
    region
}

/// The blocks at whose end a node can be left, with the longest path from its start.
fn through(
    graph: &Weighted<'_>,
    folded: &BTreeMap<usize, Region>,
    node: usize,
) -> Vec<(usize, u64)> {
    let Some(inner) = folded.get(&node) else {
        return graph.weights[node]
            .map(|weight| (node, weight))
            .into_iter()
            .collect();
    };
    let turns = inner.turns();
    let blocks = inner.to.iter();
    blocks
        .map(|(block, weight)| (*block, weight.saturating_add(turns)))
        .collect()
}

/// Adds how often the longest path to the end of a block comes to each block.
fn count(
    folded: &BTreeMap<usize, Region>,
    region: &Region,
    last: usize,
    times: u64,
    counts: &mut BTreeMap<usize, u64>,
) {
    let mut block = last;
    loop {
        let node = region.nodes[block];
        match folded.get(&node) {
            // In the region of a loop its head stands for itself.
            Some(inner) if !std::ptr::eq(inner, region) => {
                count(folded, inner, block, times, counts);
                if let Some(back) = inner.back {
                    count(
                        folded,
                        inner,
                        back,
                        times.saturating_mul(inner.bound),
                        counts,
                    );
                }
            }
            _ => *counts.entry(block).or_insert(0) += times,
        }
        match region.before.get(&node) {
            Some(before) => block = *before,
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loops::loops;

    /// Each block weighs a power of ten, so that the sum shows how often each counts.
    fn of(after: &[&[usize]], bounds: &[u64]) -> Longest {
        let after: Vec<Vec<usize>> = after.iter().map(|to| to.to_vec()).collect();
        let weights: Vec<_> = (0..after.len())
            .map(|block| Some(10u64.pow(block as u32)))
            .collect();
        let ends: Vec<_> = after.iter().map(|to| to.is_empty().then_some(0)).collect();
        let graph = Weighted {
            after: &after,
            weights: &weights,
            ends: &ends,
        };
        let found = longest(&graph, &loops(&after).unwrap(), bounds).unwrap();
        let sum: u64 = found
            .counts
            .iter()
            .map(|(block, count)| count * 10u64.pow(*block as u32))
            .sum();
        assert_eq!(sum, found.weight, "{found:?}");
        found
    }

    #[test]
    fn of_two_ways_the_longer_one_counts() {
        assert_eq!(of(&[&[1, 2], &[3], &[3], &[]], &[]).weight, 1101);
    }

    #[test]
    fn a_loop_counts_its_turns_and_the_way_out() {
        // The head is left.
        assert_eq!(of(&[&[1], &[2, 3], &[1], &[]], &[5]).weight, 1561);
        // The last block is left: its last turn is a whole one.
        assert_eq!(of(&[&[1], &[2], &[1, 3], &[]], &[5]).weight, 1661);
    }

    #[test]
    fn a_loop_in_a_loop_counts_in_each_turn() {
        let after: &[&[usize]] = &[&[1], &[2, 4], &[2, 3], &[1], &[]];
        // Each turn of the outer one: 1, 2 four times, 3.
        assert_eq!(of(after, &[3, 2]).weight, 12_831);
    }

    #[test]
    fn the_way_out_of_two_loops_at_once_is_seen() {
        let after: &[&[usize]] = &[&[1], &[2, 3], &[2, 1, 4], &[], &[]];
        let found = of(after, &[3, 2]);
        assert_eq!((found.last, found.counts[&2]), (4, 12));
    }

    #[test]
    fn no_path_goes_through_a_block_without_a_weight() {
        let after = [vec![1, 2], vec![], vec![]];
        let weights = [Some(1), None, Some(2)];
        let ends = [None, Some(0), Some(0)];
        let graph = Weighted {
            after: &after,
            weights: &weights,
            ends: &ends,
        };
        assert_eq!(longest(&graph, &[], &[]).unwrap().weight, 3);
    }
}
