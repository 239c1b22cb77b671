// SPDX-License-Identifier: GPL-2.0

//! Fuzz targets for `genp/core`. Each makes calls out of any bytes, and panics when an
//! answer is not what the model beside says.

mod books;
mod figures;
mod input;
mod labyrinth;
mod range;
mod stock;

/// A target: any bytes are good, and a panic is a bug found.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Target); 5] = [
    ("books", books::run),
    ("figures", figures::run),
    ("labyrinth", labyrinth::run),
    ("range", range::run),
    ("stock", stock::run),
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.map(|(_, target)| *target)
}
