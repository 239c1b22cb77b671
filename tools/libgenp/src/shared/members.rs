// SPDX-License-Identifier: MIT OR Apache-2.0

//! The processes that have a shared heap open, and the blocks of each: so that those of a
//! dead one can be found.

use super::{
    identity::{Identity, LEFT},
    words::{Checked, Damaged, Words, BEFORE, MEMBERS, NEXT},
};

/// The number of members; the first one is nobody, whose blocks are never taken away.
pub(super) const MOST: usize = 64;
pub(super) const NOBODY: usize = 0;
const BYTES: usize = 32;
/// Who it is: its process, and when it began.
const WHO: usize = 0;
const BORN: usize = 8;
/// The first of its blocks, and how many.
const FIRST: usize = 16;
const BLOCKS: usize = 24;

fn place(member: usize) -> Checked<usize> {
    match member < MOST {
        true => Ok(MEMBERS + member * BYTES),
        false => Err(Damaged),
    }
}

/// Who a member is; None if the place is free.
pub(super) fn identity(words: Words, member: usize) -> Checked<Option<Identity>> {
    let place = place(member)?;
    let pid = words.read(place + WHO)?;
    let born = words.read(place + BORN)?;
    Ok((pid != 0).then_some(Identity { pid, born }))
}

/// Takes a free place: None if there is none. Under the lock.
pub(super) fn enter(words: Words, who: Identity) -> Checked<Option<usize>> {
    for member in NOBODY + 1..MOST {
        if identity(words, member)?.is_none() {
            words.set(place(member)? + BORN, who.born)?;
            words.set(place(member)? + WHO, who.pid)?;
            return Ok(Some(member));
        }
    }
    Ok(None)
}

/// Gives the place back, or, if there are blocks left, says that nobody is there. Under the
/// lock.
pub(super) fn leave(words: Words, member: usize) -> Checked<()> {
    match first(words, member)? {
        0 => words.set(place(member)? + WHO, 0),
        _ => words.set(place(member)? + BORN, LEFT),
    }
}

/// The first block of a member; 0 if it has none.
pub(super) fn first(words: Words, member: usize) -> Checked<usize> {
    words.link(place(member)? + FIRST)
}

/// How many blocks a member has.
pub(super) fn blocks(words: Words, member: usize) -> Checked<u64> {
    words.read(place(member)? + BLOCKS)
}

/// Puts a block into the list of its member. Under the lock.
pub(super) fn link(words: Words, member: usize, at: usize) -> Checked<()> {
    let place = place(member)?;
    let next = words.link(place + FIRST)?;
    words.set(at + NEXT, next as u64)?;
    words.set(at + BEFORE, 0)?;
    if next != 0 {
        words.set(next + BEFORE, at as u64)?;
    }
    words.set(place + FIRST, at as u64)?;
    let blocks = words.read(place + BLOCKS)?;
    words.set(place + BLOCKS, blocks.wrapping_add(1))
}

/// Takes a block out of it. Under the lock.
pub(super) fn unlink(words: Words, member: usize, at: usize) -> Checked<()> {
    let place = place(member)?;
    let next = words.link(at + NEXT)?;
    let before = words.link(at + BEFORE)?;
    let here = |place: usize| match words.read(place)? == at as u64 {
        true => Ok(place),
        false => Err(Damaged),
    };
    let link = match before {
        0 => here(place + FIRST)?,
        _ => here(before + NEXT)?,
    };
    if next != 0 {
        words.set(here(next + BEFORE)?, before as u64)?;
    }
    words.set(link, next as u64)?;
    let blocks = words.read(place + BLOCKS)?;
    words.set(place + BLOCKS, blocks.wrapping_sub(1))
}
