// SPDX-License-Identifier: GPL-2.0

//! Samples without the cost of the clock and without interrupts.

use stats::{Figure, Meter};

/// Samples of a figure.
const SAMPLES: usize = 500;
/// Repetitions of a sample: the minimum is free of disturbances.
const TRIES: usize = 3;

/// Takes samples.
pub struct Sampler {
    meter: Meter,
    empty: u64,
    random: u64,
}

impl Sampler {
    pub fn new(meter: Meter) -> Self {
        let empty = (0..100).map(|_| {
            let begin = meter.read();
            meter.read() - begin
        });
        Self {
            meter,
            empty: empty.min().unwrap_or(0),
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// A random number below `end`, the same in each run: xorshift64.
    pub fn below(&mut self, end: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (((self.random >> 32) * u64::from(end)) >> 32) as u32
    }

    /// The cost of `call`, which leaves the state as it was.
    fn once(&self, mut call: impl FnMut()) -> u64 {
        let tries = (0..TRIES).map(|_| {
            let begin = self.meter.read();
            call();
            self.meter.read() - begin
        });
        tries.min().unwrap_or(0).saturating_sub(self.empty)
    }

    /// Prints a figure: `arrange` puts `world` into the state for a sample, and `call`
    /// leaves it like that.
    pub fn figure<W>(
        &mut self,
        what: Figure,
        world: &mut W,
        mut arrange: impl FnMut(&mut W, &mut Self),
        mut call: impl FnMut(&mut W),
    ) {
        let mut samples = Vec::with_capacity(SAMPLES);
        for _ in 0..SAMPLES {
            arrange(world, self);
            samples.push(self.once(|| call(world)));
        }
        what.distribution(samples).print();
    }

    /// The fields of all figures of a pool.
    pub fn about(&self, case: &str, pool: u64, fill: Option<u32>, state: &str) -> Figure {
        let figure = Figure::new(&self.meter, "scale", case, "genp")
            .with("pool", pool)
            .with("state", state)
            .with("note", "tables alone, in user space");
        match fill {
            Some(fill) => figure.with("fill", fill),
            None => figure,
        }
    }
}
