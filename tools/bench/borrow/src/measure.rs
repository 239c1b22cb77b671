// SPDX-License-Identifier: GPL-2.0

//! Takes samples of a method and makes figures of them.

use stats::{Figure, Meter};

use crate::method::{Method, Result};

/// What was measured at one size.
#[derive(Default)]
pub struct Measured {
    whole: Vec<u64>,
    get: Vec<u64>,
    touch: Vec<u64>,
    give: Vec<u64>,
    untouched: Vec<u64>,
}

/// A figure of this group.
pub fn figure(meter: &Meter, case: &str, subject: &str) -> Figure {
    Figure::new(meter, "borrow", case, subject)
}

/// How often a size is measured: counts of instructions vary little, and the large
/// ones take long.
pub fn turns(pages: usize) -> usize {
    (8_192 / pages).clamp(5, 200)
}

/// Writes a word to each page.
fn touch(at: *mut u8, pages: usize) {
    for page in 0..pages {
        // SAFETY: the method has just mapped this many pages there for writing, and no
        // Rust object lies in them.
        unsafe {
            at.add(page * harness::PAGE as usize)
                .cast::<u64>()
                .write_volatile(1)
        };
    }
}

impl Measured {
    /// Measures `method` with this many pages; without touching them only for GenP, whose
    /// slope is of interest. The first turn is not counted.
    pub fn take(meter: &Meter, method: &mut dyn Method, pages: usize) -> Result<Self> {
        let mut all = Self::default();
        for turn in 0..=turns(pages) {
            if turn == 1 {
                all = Self::default();
            }
            all.turn(meter, method, pages)?;
            if method.state().is_some() {
                all.turn_untouched(meter, method, pages)?;
            }
        }
        Ok(all)
    }

    fn turn(&mut self, meter: &Meter, method: &mut dyn Method, pages: usize) -> Result<()> {
        method.prepare(pages)?;
        let begin = meter.read();
        let at = method.get(pages)?;
        let got = meter.read();
        touch(at, pages);
        let touched = meter.read();
        method.give()?;
        let end = meter.read();
        self.get.push(got - begin);
        self.touch.push(touched - got);
        self.give.push(end - touched);
        self.whole.push(end - begin);
        Ok(())
    }

    fn turn_untouched(
        &mut self,
        meter: &Meter,
        method: &mut dyn Method,
        pages: usize,
    ) -> Result<()> {
        method.prepare(pages)?;
        let begin = meter.read();
        method.get(pages)?;
        method.give()?;
        self.untouched.push(meter.read() - begin);
        Ok(())
    }

    /// Prints the figures: the whole, its three parts, and the whole without touching.
    pub fn print(self, meter: &Meter, method: &dyn Method, pages: usize) {
        let parts = [
            ("borrow", self.whole),
            ("borrow_get", self.get),
            ("borrow_touch", self.touch),
            ("borrow_give", self.give),
            ("borrow_untouched", self.untouched),
        ];
        for (case, samples) in parts.into_iter().filter(|part| !part.1.is_empty()) {
            let mut figure = figure(meter, case, method.subject())
                .with("pages", pages)
                .with("size", pages as u64 * harness::PAGE)
                .with("note", method.note())
                .spread(samples);
            if let Some(state) = method.state() {
                figure = figure.with("state", state);
            }
            figure.print();
        }
    }
}
