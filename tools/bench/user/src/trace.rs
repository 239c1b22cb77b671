// SPDX-License-Identifier: GPL-2.0

//! The allocations of a program, recorded by `tools/bench/traces`.
//!
//! A packed trace is `GENPTRC1` and a deflated stream of numbers in seven bits a
//! byte, the lowest first: `2 * size` allocates, `2 * age + 1` frees the block that
//! was allocated `age` allocations ago. A realloc is an alloc and a free.

use std::collections::HashMap;

use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec};

const MAGIC: &[u8] = b"GENPTRC1";
/// The size that stands for a free in a recording.
const FREED: u64 = u64::MAX;

/// One call: an allocation, or with size 0 a free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// The number of the block's slot, unique among live blocks.
    pub slot: u32,
    pub size: u32,
}

/// A trace.
#[derive(Debug, Default)]
pub struct Trace {
    pub ops: Vec<Op>,
    /// The most live blocks.
    pub slots: usize,
    /// The most live bytes.
    pub peak: usize,
    /// The largest block.
    pub largest: usize,
    /// Blocks that are freed before the end.
    pub pairs: usize,
}

impl Trace {
    /// A description of its properties.
    pub fn describe(&self) -> String {
        format!(
            "{} calls, {} blocks freed, {} alive at a time, {} bytes, the largest {}",
            self.ops.len(),
            self.pairs,
            self.slots,
            self.peak,
            self.largest
        )
    }
}

/// Assigns slots, the last freed one first, and collects the properties of a trace.
#[derive(Default)]
struct Builder {
    trace: Trace,
    left: Vec<u32>,
    sizes: Vec<u32>,
    bytes: usize,
}

impl Builder {
    fn alloc(&mut self, size: u32) -> u32 {
        let slot = self.left.pop().unwrap_or_else(|| {
            self.sizes.push(0);
            self.sizes.len() as u32 - 1
        });
        self.sizes[slot as usize] = size;
        self.bytes += size as usize;
        let trace = &mut self.trace;
        trace.slots = self.sizes.len();
        trace.peak = trace.peak.max(self.bytes);
        trace.largest = trace.largest.max(size as usize);
        trace.ops.push(Op { slot, size });
        slot
    }

    fn free(&mut self, slot: u32) {
        self.bytes -= self.sizes[slot as usize] as usize;
        self.left.push(slot);
        self.trace.pairs += 1;
        self.trace.ops.push(Op { slot, size: 0 });
    }
}

fn write_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn read_number(from: &mut impl Iterator<Item = u8>) -> Result<Option<u64>, String> {
    let mut number = 0;
    for (i, byte) in from.take(10).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Ok(Some(number));
        }
    }
    match number {
        0 => Ok(None),
        _ => Err("it ends within a number".into()),
    }
}

/// Packs the first `most` calls of a recording: pairs of words, an
/// address and a size.
pub fn pack(raw: &[u8], most: usize) -> Vec<u8> {
    // Live addresses, and the number of the allocation of each.
    let mut alive = HashMap::new();
    let mut numbers = Vec::new();
    let (mut allocations, mut calls) = (0u64, 0);
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    for record in raw.chunks_exact(16) {
        let (address, size) = (word(&record[..8]), word(&record[8..]));
        if address == 0 || calls == most {
            continue;
        }
        let old = alive.remove(&address);
        if let Some(born) = old {
            // This includes a block whose free was not recorded.
            write_number(&mut numbers, (allocations - born) * 2 + 1);
            calls += 1;
        }
        if size != FREED {
            alive.insert(address, allocations);
            allocations += 1;
            write_number(&mut numbers, size.clamp(1, u64::from(u32::MAX)) * 2);
            calls += 1;
        }
    }
    let mut packed = MAGIC.to_vec();
    packed.extend(compress_to_vec(&numbers, 10));
    packed
}

/// Unpacks a trace.
pub fn unpack(packed: &[u8]) -> Result<Trace, String> {
    let packed = packed.strip_prefix(MAGIC).ok_or("it is no trace")?;
    let numbers = decompress_to_vec(packed).map_err(|error| error.to_string())?;
    let mut numbers = numbers.into_iter();
    let mut builder = Builder::default();
    let mut slots: Vec<Option<u32>> = Vec::new();
    while let Some(number) = read_number(&mut numbers)? {
        let value = number / 2;
        if number % 2 == 0 {
            let size = u32::try_from(value).map_err(|_| "a block is too large")?;
            slots.push(Some(builder.alloc(size.max(1))));
            continue;
        }
        let born = (slots.len() as u64).checked_sub(value);
        let slot = born
            .and_then(|born| slots.get_mut(born as usize)?.take())
            .ok_or("a block is freed that is not")?;
        builder.free(slot);
    }
    Ok(builder.trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(records: &[(u64, u64)]) -> Vec<u8> {
        records
            .iter()
            .flat_map(|(address, size)| [address.to_le_bytes(), size.to_le_bytes()].concat())
            .collect()
    }

    #[test]
    fn what_is_packed_comes_out() {
        let raw = raw(&[
            (0x1000, 64),
            (0x2000, 100_000),
            (0x1000, FREED),
            (0x3000, 0),
            (0x2000, FREED),
            // Its allocation was not recorded.
            (0x9000, FREED),
        ]);
        let trace = unpack(&pack(&raw, usize::MAX)).unwrap();
        let op = |slot, size| Op { slot, size };
        assert_eq!(
            trace.ops,
            [op(0, 64), op(1, 100_000), op(0, 0), op(0, 1), op(1, 0)]
        );
        assert_eq!((trace.slots, trace.pairs), (2, 2));
        assert_eq!((trace.peak, trace.largest), (100_064, 100_000));
    }

    #[test]
    fn an_end_that_was_not_seen_is_made_up() {
        let trace = unpack(&pack(&raw(&[(0x1000, 8), (0x1000, 16)]), 9)).unwrap();
        let sizes: Vec<u32> = trace.ops.iter().map(|op| op.size).collect();
        assert_eq!(sizes, [8, 0, 16]);
    }

    #[test]
    fn only_so_many_calls_are_packed() {
        let raw = raw(&[(0x1000, 8), (0x2000, 8), (0x3000, 8)]);
        assert_eq!(unpack(&pack(&raw, 2)).unwrap().ops.len(), 2);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(unpack(b"GENPTRC2").is_err());
        let mut wrong = MAGIC.to_vec();
        wrong.extend(compress_to_vec(&[3], 1));
        assert!(unpack(&wrong).is_err());
    }
}
