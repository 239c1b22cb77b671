// SPDX-License-Identifier: GPL-2.0

//! Fuzz targets for `genp/core`. Each makes calls out of any bytes, and panics when an
//! answer is not what the model beside says.

mod accounting;
mod bounds;
mod input;
mod labyrinth;
mod tlsf;
mod watermarks;

/// A target: any bytes are good, and a panic is a bug found.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: [(&str, Target); 5] = [
    ("accounting", accounting::run),
    ("bounds", bounds::run),
    ("labyrinth", labyrinth::run),
    ("tlsf", tlsf::run),
    ("watermarks", watermarks::run),
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    found.map(|(_, target)| *target)
}
