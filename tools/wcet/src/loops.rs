// SPDX-License-Identifier: GPL-2.0

//! The loops of a graph. A loop has one block, its head, through which it is entered; a
//! graph with any other kind of loop is refused.

use std::collections::{BTreeMap, BTreeSet};

/// A loop: its blocks, among them those of loops within it.
#[derive(Debug, PartialEq, Eq)]
pub struct Loop {
    pub head: usize,
    pub blocks: BTreeSet<usize>,
}

/// The loops of a graph whose edges are `after`, inner ones before outer ones. An error
/// names a block at which a loop is entered that is not its head.
pub fn loops(after: &[Vec<usize>]) -> Result<Vec<Loop>, usize> {
    let order = postorder(after);
    let above = dominators(after, &order);
    let before = reversed(after);
    let position = positions(&order, after.len());
    let mut found = BTreeMap::<usize, BTreeSet<usize>>::new();
    for &from in &order {
        for &to in &after[from] {
            // An edge that goes back in the order of a depth-first search closes a loop.
            if position[to] < position[from] {
                continue;
            }
            if !dominates(&above, to, from) {
                return Err(to);
            }
            let blocks = found.entry(to).or_default();
            blocks.insert(to);
            gather(&before, blocks, from);
        }
    }
    let mut loops: Vec<Loop> = found
        .into_iter()
        .map(|(head, blocks)| Loop { head, blocks })
        .collect();
    loops.sort_by_key(|found| found.blocks.len());
    Ok(loops)
}

/// Adds all blocks from which `from` is reached without passing a block already in.
fn gather(before: &[Vec<usize>], blocks: &mut BTreeSet<usize>, from: usize) {
    let mut left = vec![from];
    while let Some(block) = left.pop() {
        if blocks.insert(block) {
            left.extend(&before[block]);
        }
    }
}

/// The blocks in the order in which a depth-first search leaves them; those that cannot
/// be reached are not among them.
pub fn postorder(after: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::new();
    let mut seen = vec![false; after.len()];
    let mut stack = vec![(0, 0)];
    seen[0] = true;
    while let Some((block, branch)) = stack.pop() {
        match after[block].get(branch) {
            Some(&next) => {
                stack.push((block, branch + 1));
                if !std::mem::replace(&mut seen[next], true) {
                    stack.push((next, 0));
                }
            }
            None => order.push(block),
        }
    }
    order
}

fn positions(order: &[usize], blocks: usize) -> Vec<usize> {
    let mut positions = vec![0; blocks];
    for (position, &block) in order.iter().enumerate() {
        positions[block] = position;
    }
    positions
}

fn reversed(after: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut before = vec![Vec::new(); after.len()];
    for (from, targets) in after.iter().enumerate() {
        for &to in targets {
            before[to].push(from);
        }
    }
    before
}

/// The immediate dominator of each block (Cooper, Harvey and Kennedy); of the entry, and
/// of a block that cannot be reached, itself.
fn dominators(after: &[Vec<usize>], order: &[usize]) -> Vec<usize> {
    let before = reversed(after);
    let position = positions(order, after.len());
    let mut above: Vec<Option<usize>> = vec![None; after.len()];
    above[0] = Some(0);
    let mut changed = true;
    while changed {
        changed = false;
        for &block in order.iter().rev().filter(|block| **block != 0) {
            let known = before[block]
                .iter()
                .copied()
                .filter(|from| above[*from].is_some());
            let common = known.reduce(|one, other| meet(&above, &position, one, other));
            if common.is_some() && above[block] != common {
                above[block] = common;
                changed = true;
            }
        }
    }
    let or_itself = |(block, above): (usize, Option<usize>)| above.unwrap_or(block);
    above.into_iter().enumerate().map(or_itself).collect()
}

fn meet(above: &[Option<usize>], position: &[usize], mut one: usize, mut other: usize) -> usize {
    while one != other {
        let lower = if position[one] < position[other] {
            &mut one
        } else {
            &mut other
        };
        *lower = above[*lower].unwrap_or(0);
    }
    one
}

fn dominates(above: &[usize], head: usize, mut block: usize) -> bool {
    while block != head && block != above[block] {
        block = above[block];
    }
    block == head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(after: &[&[usize]]) -> Result<Vec<Loop>, usize> {
        let after: Vec<Vec<usize>> = after.iter().map(|to| to.to_vec()).collect();
        loops(&after)
    }

    fn a_loop(head: usize, blocks: &[usize]) -> Loop {
        let blocks = blocks.iter().copied().collect();
        Loop { head, blocks }
    }

    #[test]
    fn a_graph_without_an_edge_back_has_none() {
        assert_eq!(of(&[&[1, 2], &[3], &[3], &[]]), Ok(vec![]));
    }

    #[test]
    fn inner_ones_come_first() {
        let after: &[&[usize]] = &[&[1], &[2, 4], &[2, 3], &[1], &[]];
        assert_eq!(of(after), Ok(vec![a_loop(2, &[2]), a_loop(1, &[1, 2, 3])]));
    }

    #[test]
    fn edges_back_to_one_head_are_one() {
        let after: &[&[usize]] = &[&[1], &[2, 3], &[1, 3], &[1, 4], &[]];
        assert_eq!(of(after), Ok(vec![a_loop(1, &[1, 2, 3])]));
    }

    #[test]
    fn one_entered_at_two_blocks_is_refused() {
        assert!(of(&[&[1, 2], &[2], &[1, 3], &[]]).is_err());
    }
}
