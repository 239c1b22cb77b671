// SPDX-License-Identifier: GPL-2.0

//! The pictures of a run. A picture without figures is not drawn.

mod borrow;
mod depth;
mod drawing;
mod fill;
mod latency;
mod pool;
mod recall;
mod worst;

use crate::query::Figures;
pub use drawing::Picture;

/// All pictures with figures.
pub fn all(figures: &Figures<'_>) -> Vec<Picture> {
    let parts = [
        worst::draw,
        fill::draw,
        pool::draw,
        depth::draw,
        latency::draw,
        borrow::draw,
        recall::draw,
    ];
    parts.iter().flat_map(|part| part(figures)).collect()
}
