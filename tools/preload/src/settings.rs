// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the environment asks for.

use std::{ffi::c_int, str};

use crate::{environment::Environment, message::give_up};

/// What to do when the reserve is full.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Full {
    Fail,
    Overflow,
}

/// What a forked child has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fork {
    /// A copy of the heap, which it goes on to use.
    Copy,
    /// It is aborted.
    Abort,
    /// A copy of the heap, and new memory from libc.
    Libc,
}

/// What a program has that this one executes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Exec {
    /// No partition: the environment is as if there were no GenP.
    Plain,
    /// A partition of its own; without one it does not run.
    Same,
    /// A partition of its own, or libc.
    Try,
}

/// The settings.
pub struct Settings {
    /// The partition, as a descriptor.
    pub fd: Option<c_int>,
    /// Bytes of the reserve of a partition to be made; 0 if none is.
    pub reserve: u64,
    /// Bytes that it may borrow.
    pub borrow: u64,
    pub full: Full,
    pub fork: Fork,
    pub exec: Exec,
    /// Whether to say at the end what happened.
    pub report: bool,
}

/// Reads a size: bytes, or a whole number of K, M, G or T.
fn size(text: &str) -> Option<u64> {
    let (digits, power) = match text.as_bytes().last()?.to_ascii_uppercase() {
        b'K' => (&text[..text.len() - 1], 1),
        b'M' => (&text[..text.len() - 1], 2),
        b'G' => (&text[..text.len() - 1], 3),
        b'T' => (&text[..text.len() - 1], 4),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << (10 * power))
}

/// One of several words, the first if the variable is not set.
fn choice<T: Copy>(environment: &Environment, name: &str, words: &[(&str, T)]) -> T {
    let value = environment.value(name);
    let is_chosen = |(word, _): &&(&str, T)| value.is_none_or(|value| *word == value);
    match (words.iter().find(is_chosen), value) {
        (Some((_, chosen)), _) => *chosen,
        (None, value) => give_up(format_args!(
            "{name}={} is none of its values",
            value.unwrap_or("")
        )),
    }
}

/// A number, or none if the variable is not set.
fn number<T>(environment: &Environment, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let value = environment.value(name)?;
    match read(value) {
        None => give_up(format_args!("{name}={value} is no number that makes sense")),
        found => found,
    }
}

impl Settings {
    /// Reads them; ends the program if one makes no sense.
    pub fn read(environment: &Environment) -> Self {
        let fd = |text: &str| text.parse::<c_int>().ok().filter(|fd| *fd >= 0);
        Self {
            fd: number(environment, "GENP_FD", fd),
            reserve: number(environment, "GENP_RESERVE", size).unwrap_or(0),
            borrow: number(environment, "GENP_BORROW", size).unwrap_or(0),
            full: choice(
                environment,
                "GENP_FULL",
                &[("fail", Full::Fail), ("overflow", Full::Overflow)],
            ),
            fork: choice(
                environment,
                "GENP_FORK",
                &[
                    ("copy", Fork::Copy),
                    ("abort", Fork::Abort),
                    ("libc", Fork::Libc),
                ],
            ),
            exec: choice(
                environment,
                "GENP_EXEC",
                &[
                    ("plain", Exec::Plain),
                    ("same", Exec::Same),
                    ("try", Exec::Try),
                ],
            ),
            report: environment
                .value("GENP_REPORT")
                .is_some_and(|value| value != "0"),
        }
    }
}
