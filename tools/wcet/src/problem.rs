// SPDX-License-Identifier: GPL-2.0

//! What ends a run, or leaves an entry point without a bound: a sentence for people.

pub type Result<T, E = String> = std::result::Result<T, E>;

/// An error with what it happened to before it.
pub fn about<E: std::fmt::Display>(what: impl std::fmt::Display) -> impl FnOnce(E) -> String {
    move |error| format!("{what}: {error}")
}
