// SPDX-License-Identifier: MIT OR Apache-2.0

//! The processes that have a shared heap open, and the blocks of each: so that those of a
//! dead one can be found.

use std::{fs, os::unix::fs::MetadataExt, process};

use super::words::{Checked, Damaged, Words, BEFORE, MEMBERS, NEXT};

/// The number of members; the first one is nobody, whose blocks are never taken away.
pub(super) const MOST: usize = 64;
pub(super) const NOBODY: usize = 0;
const BYTES: usize = 32;
/// Who it is: its process and the namespace that its number is of; and when it began.
const WHO: usize = 0;
const BORN: usize = 8;
/// The first of its blocks, and how many.
const FIRST: usize = 16;
const BLOCKS: usize = 24;

/// It closed the heap, and left blocks.
const LEFT: u64 = u64::MAX;
/// Nobody knows when it began.
const UNKNOWN: u64 = 0;

/// A process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    who: u64,
    born: u64,
}

/// What the kernel says of a process.
struct Seen {
    born: u64,
    ended: bool,
}

/// proc(5): the state is the first field behind the name, the number of threads the 18th, the
/// time of birth the 20th. A process has not ended while it has threads.
fn see(pid: u32) -> Option<Seen> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let threads: u64 = fields.get(17)?.parse().ok()?;
    Some(Seen {
        born: fields.get(19)?.parse().ok()?,
        ended: matches!(fields[0], "Z" | "X") && threads <= 1,
    })
}

/// The namespace of process numbers that we are in; 0 if nobody says.
fn namespace() -> u64 {
    fs::metadata("/proc/self/ns/pid").map_or(0, |file| file.ino() & 0xffff_ffff)
}

impl Identity {
    pub(super) fn of_process() -> Self {
        let pid = process::id();
        Self {
            who: (namespace() << 32) | u64::from(pid),
            born: see(pid).map_or(UNKNOWN, |seen| seen.born),
        }
    }

    /// Whether it has ended for certain, or left the heap. Of another namespace, and where
    /// nobody may look, that cannot be said.
    pub(super) fn is_gone(self) -> bool {
        if self.born == LEFT {
            return true;
        }
        if self.who >> 32 != namespace() {
            return false;
        }
        let pid = self.who as u32;
        // SAFETY: no signal is sent.
        let answer = unsafe { libc::kill(pid as libc::pid_t, 0) };
        let error = std::io::Error::last_os_error().raw_os_error();
        if answer != 0 && error == Some(libc::ESRCH) {
            return true;
        }
        let successor = |seen: &Seen| self.born != UNKNOWN && seen.born != self.born;
        see(pid).is_some_and(|seen| seen.ended || successor(&seen))
    }
}

fn place(member: usize) -> Checked<usize> {
    match member < MOST {
        true => Ok(MEMBERS + member * BYTES),
        false => Err(Damaged),
    }
}

/// Who a member is; None if the place is free.
pub(super) fn identity(words: Words, member: usize) -> Checked<Option<Identity>> {
    let place = place(member)?;
    let who = words.read(place + WHO)?;
    let born = words.read(place + BORN)?;
    Ok((who != 0).then_some(Identity { who, born }))
}

/// Takes a free place: None if there is none. Under the lock.
pub(super) fn enter(words: Words, who: Identity) -> Checked<Option<usize>> {
    for member in NOBODY + 1..MOST {
        if identity(words, member)?.is_none() {
            words.set(place(member)? + BORN, who.born)?;
            words.set(place(member)? + WHO, who.who)?;
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
    Ok(words.read(place(member)? + FIRST)? as usize)
}

/// How many blocks a member has.
pub(super) fn blocks(words: Words, member: usize) -> Checked<u64> {
    words.read(place(member)? + BLOCKS)
}

/// Puts a block into the list of its member. Under the lock.
pub(super) fn link(words: Words, member: usize, at: usize) -> Checked<()> {
    let place = place(member)?;
    let next = words.read(place + FIRST)?;
    words.set(at + NEXT, next)?;
    words.set(at + BEFORE, 0)?;
    if next != 0 {
        words.set(next as usize + BEFORE, at as u64)?;
    }
    words.set(place + FIRST, at as u64)?;
    let blocks = words.read(place + BLOCKS)?;
    words.set(place + BLOCKS, blocks.wrapping_add(1))
}

/// Takes a block out of it. Under the lock.
pub(super) fn unlink(words: Words, member: usize, at: usize) -> Checked<()> {
    let place = place(member)?;
    let next = words.read(at + NEXT)? as usize;
    let before = words.read(at + BEFORE)? as usize;
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
