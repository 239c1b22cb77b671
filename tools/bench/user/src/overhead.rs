// SPDX-License-Identifier: GPL-2.0

//! How much memory the heaps take for the bytes that a program asks for: nothing that
//! depends on time. Each figure comes from a process of its own.
//!
//! A heap in memory of a given size is given less and less, until something is refused. What
//! one that takes memory from the system has is what is resident, with all blocks written to.

use std::{fs, hint::black_box, io, ptr};

use harness::{
    process::{child, reap},
    rng::Rng,
};

use crate::{
    buffer::Buffer,
    subject::{Genp, Glibc, InMemory, Jemalloc, Mimalloc, Offset, Rlsf, Subject},
    trace::{Op, Trace},
};

/// Sizes of the first table.
const SIZES: [usize; 11] = [
    16, 24, 48, 100, 256, 1000, 1024, 4096, 5000, 65_536, 100_000,
];
/// Memory that is filled with blocks of one size.
const FILLED: usize = 16 << 20;
/// The least difference of two sizes of memory that are tried.
const STEP: usize = 16 << 10;
/// The most memory that is tried.
const MOST: usize = 28 << 20;

/// Live bytes of the mixed load, and its calls.
const MIXED_BYTES: usize = 8 << 20;
const MIXED_CALLS: usize = 200_000;

/// Blocks of 16 bytes to 64 KiB, as many of each power of two, that are freed in any order.
fn mixed() -> Trace {
    let mut trace = Trace::default();
    let (mut live, mut bytes, mut free) = (Vec::<(u32, usize)>::new(), 0, Vec::new());
    let mut rng = Rng::new(1);
    let mut below = |limit: usize| rng.below(limit as u64) as usize;
    while trace.ops.len() < MIXED_CALLS {
        let size = 16usize << below(12);
        let size = size + below(size);
        while bytes + size > MIXED_BYTES {
            let (slot, size) = live.swap_remove(below(live.len()));
            trace.ops.push(Op { slot, size: 0 });
            free.push(slot);
            bytes -= size;
        }
        let slot = free.pop().unwrap_or_else(|| {
            trace.slots += 1;
            trace.slots as u32 - 1
        });
        trace.ops.push(Op {
            slot,
            size: size as u32,
        });
        live.push((slot, size));
        bytes += size;
        trace.peak = trace.peak.max(bytes);
    }
    trace
}

/// Does the calls of a trace; tells after each how many bytes are alive. False if one was
/// refused.
fn replay<S: Subject>(heap: &S, trace: &Trace, mut after: impl FnMut(usize)) -> bool {
    let mut blocks = vec![(ptr::null_mut::<u8>(), 0); trace.slots];
    let mut bytes = 0;
    for op in &trace.ops {
        let place = &mut blocks[op.slot as usize];
        let size = op.size as usize;
        if size == 0 {
            // SAFETY: allocated below, used no longer.
            unsafe { heap.free(place.0) };
            bytes -= place.1;
            continue;
        }
        // The compiler must not see that nobody reads it.
        *place = (black_box(heap.alloc(size)), size);
        if place.0.is_null() {
            return false;
        }
        // SAFETY: just allocated, of this size.
        unsafe { place.0.write_bytes(1, size) };
        bytes += size;
        after(bytes);
    }
    true
}

/// Bytes of this process that are resident.
fn resident() -> io::Result<usize> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
    let kib = line.and_then(|line| {
        line.trim()
            .strip_suffix(" kB")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    kib.map(|kib| kib << 10)
        .ok_or_else(|| io::Error::other("/proc/self/smaps_rollup has no Rss"))
}

/// The same after glibc gave back what it had of blocks that were freed before.
fn resident_before() -> io::Result<usize> {
    // SAFETY: may be called at any time.
    unsafe { libc::malloc_trim(0) };
    resident()
}

/// A figure, in a process of its own.
fn in_child(measure: impl FnOnce() -> io::Result<Option<usize>>) -> io::Result<Option<usize>> {
    let mut found = Buffer::<u64>::new(1);
    let ended = child(|| match measure() {
        Ok(figure) => {
            found[0] = figure.unwrap_or(0) as u64;
            0
        }
        Err(error) => {
            eprintln!("bench_user: {error}");
            1
        }
    });
    match reap(ended) {
        0 => Ok(Some(found[0] as usize).filter(|&figure| figure > 0)),
        status => Err(io::Error::other(format!("its process ended with {status}"))),
    }
}

/// The figures of a kind of heap.
trait Overhead {
    /// Bytes that it takes for each block of a size, if it can have such a block.
    fn a_block(size: usize) -> io::Result<Option<usize>>;
    /// Bytes that it needs for a trace.
    fn whole(trace: &Trace) -> io::Result<Option<usize>>;
}

/// Of heaps in memory of a given size.
struct Given<S>(S);

impl<S: InMemory> Overhead for Given<S> {
    fn a_block(size: usize) -> io::Result<Option<usize>> {
        in_child(|| {
            let heap = S::of(FILLED)?;
            let blocks = std::iter::from_fn(|| Some(heap.alloc(size)).filter(|at| !at.is_null()));
            Ok(FILLED.checked_div(blocks.count()))
        })
    }

    fn whole(trace: &Trace) -> io::Result<Option<usize>> {
        let suffices = |steps: usize| {
            in_child(|| Ok(replay(&S::of(steps * STEP)?, trace, |_| ()).then_some(1)))
        };
        let (mut less, mut most) = (trace.peak / STEP, MOST / STEP);
        if suffices(most)?.is_none() {
            return Ok(None);
        }
        // More is not always enough where less is, but nearly.
        while most - less > 1 {
            let middle = less.midpoint(most);
            match suffices(middle)? {
                Some(_) => most = middle,
                None => less = middle,
            }
        }
        Ok(Some(most * STEP))
    }
}

/// Of heaps that take memory from the system.
struct Grown<S>(S);

impl<S: Subject> Overhead for Grown<S> {
    fn a_block(size: usize) -> io::Result<Option<usize>> {
        in_child(|| {
            let heap = S::new()?;
            let before = resident_before()?;
            let count = FILLED / size;
            for _ in 0..count {
                // SAFETY: checked not to be null, of this size.
                match black_box(heap.alloc(size)) {
                    block if block.is_null() => return Ok(None),
                    block => unsafe { block.write_bytes(1, size) },
                }
            }
            Ok(Some((resident()? - before) / count))
        })
    }

    fn whole(trace: &Trace) -> io::Result<Option<usize>> {
        in_child(|| {
            let heap = S::new()?;
            let before = resident_before()?;
            let mut most = 0;
            let look = |bytes| {
                // When it has most, for the first time.
                if bytes == trace.peak && most == 0 {
                    most = resident().unwrap_or(0);
                }
            };
            if !replay(&heap, trace, look) {
                return Ok(None);
            }
            Ok(Some(most.max(resident()?) - before))
        })
    }
}

type Figure<'a> = Box<dyn Fn() -> io::Result<Option<usize>> + 'a>;

/// One figure of each heap, in the order of [`NAMES`].
const NAMES: [&str; 6] = ["genp", "rlsf", "offset", "glibc", "mimalloc", "jemalloc"];

fn blocks(size: usize) -> [Figure<'static>; 6] {
    [
        Box::new(move || Given::<Genp>::a_block(size)),
        Box::new(move || Given::<Rlsf>::a_block(size)),
        Box::new(move || Given::<Offset>::a_block(size)),
        Box::new(move || Grown::<Glibc>::a_block(size)),
        Box::new(move || Grown::<Mimalloc>::a_block(size)),
        Box::new(move || Grown::<Jemalloc>::a_block(size)),
    ]
}

fn wholes(trace: &Trace) -> [Figure<'_>; 6] {
    [
        Box::new(|| Given::<Genp>::whole(trace)),
        Box::new(|| Given::<Rlsf>::whole(trace)),
        Box::new(|| Given::<Offset>::whole(trace)),
        Box::new(|| Grown::<Glibc>::whole(trace)),
        Box::new(|| Grown::<Mimalloc>::whole(trace)),
        Box::new(|| Grown::<Jemalloc>::whole(trace)),
    ]
}

fn rule() {
    println!("{}{}", "=".repeat(12), "  =========".repeat(NAMES.len()));
}

fn head(first: &str) {
    rule();
    let names: String = NAMES.iter().map(|name| format!("  {name:<9}")).collect();
    println!("{first:<12}{}", names.trim_end());
    rule();
}

/// A row: each figure as a multiple of `of`.
fn row(first: &str, of: usize, figures: [Figure; 6]) -> Result<(), String> {
    let mut cells = String::new();
    for (name, figure) in NAMES.iter().zip(figures) {
        let cell = match figure().map_err(|error| format!("{name}, {first}: {error}"))? {
            Some(bytes) => format!("{:.2}", bytes as f64 / of as f64),
            None => "none".into(),
        };
        cells.push_str(&format!("  {cell:<9}"));
    }
    println!("{first:<12}{}", cells.trim_end());
    Ok(())
}

/// Prints both tables.
pub fn print(traces: &[(&str, Trace)]) -> Result<(), String> {
    head("a block of");
    for size in SIZES {
        row(&size.to_string(), size, blocks(size))?;
    }
    rule();
    println!();
    head("a program");
    for (name, trace) in traces {
        row(name, trace.peak, wholes(trace))?;
    }
    let mixed = mixed();
    row("mixed", mixed.peak, wholes(&mixed))?;
    rule();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixed_load_keeps_to_its_bytes() {
        let trace = mixed();
        let mut sizes = vec![0; trace.slots];
        let (mut bytes, mut peak) = (0, 0);
        for op in &trace.ops {
            let size = &mut sizes[op.slot as usize];
            // What is freed is alive, and what is allocated is not.
            assert_eq!(*size == 0, op.size > 0);
            bytes = bytes + op.size as usize - *size;
            *size = op.size as usize;
            peak = peak.max(bytes);
        }
        assert_eq!(peak, trace.peak);
        assert!(peak <= MIXED_BYTES && peak > MIXED_BYTES / 10 * 9);
    }

    #[test]
    fn a_heap_that_is_too_small_is_found() {
        let trace = Trace {
            ops: vec![
                Op {
                    slot: 0,
                    size: 100_000,
                },
                Op {
                    slot: 1,
                    size: 100_000,
                },
            ],
            slots: 2,
            peak: 200_000,
            ..Trace::default()
        };
        let found = Given::<Rlsf>::whole(&trace).unwrap().unwrap();
        assert!((200_000..=200_000 + 4 * STEP).contains(&found));
        let block = Given::<Rlsf>::a_block(5000).unwrap().unwrap();
        assert!((5000..5100).contains(&block));
        let block = Grown::<Glibc>::a_block(5000).unwrap().unwrap();
        assert!((5000..5500).contains(&block), "{block}");
    }
}
