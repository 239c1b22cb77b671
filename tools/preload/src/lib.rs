// SPDX-License-Identifier: MIT OR Apache-2.0

//! The malloc of unchanged programs: a library for LD_PRELOAD, whose blocks lie in the
//! reserve of a partition. `Documentation/preload.rst` has its functions, environment
//! variables and limits.
//!
//! ```text
//!   family    what programs call: the C library's names
//!   serve     where a request is served, and whose a block is
//!   later     what handlers freed and could not give back
//!   early     before the library is started: also before it is relocated
//!   next      the functions of the same names in the libraries behind this one
//!   start     once, before any other code of the program: settings, partition
//!   fork      what a forked child has of the heap
//!   fault     the first touch of it in a child
//!   sizes     what is asked for, by size, if somebody wants to know
//!   snapshot  that and the state of the heap, written to a file at the end
//! ```
//!
//! Nothing here allocates by malloc: what Rust code allocates comes from `own`.

mod count;
mod early;
mod environment;
mod family;
mod fault;
mod fork;
mod later;
mod message;
mod next;
mod own;
mod report;
mod serve;
mod settings;
mod sizes;
mod snapshot;
mod start;
