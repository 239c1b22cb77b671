// SPDX-License-Identifier: GPL-2.0

//! Pages of an atomic stock: the labyrinth, a hierarchical bitmap.

use std::hint::black_box;

use genp_core::labyrinth::Labyrinth;
use genp_core_testing::{atomic_words::HostWord, summary::table};

use crate::sampler::Sampler;

const PAGE: u64 = 4096;
/// The number of the only CPU.
const HINT: u32 = 0;

type Stock = Labyrinth<Vec<HostWord>>;

/// A stock with no free page.
fn empty_stock(pages: u32) -> Stock {
    Stock::new(table(pages), pages).expect("a table of the right size")
}

fn take_and_give(stock: &Stock) {
    let page = black_box(stock.take(HINT)).expect("a free page");
    black_box(stock.give(page)).expect("a page that is out");
}

/// All pages but one are taken, each time another one: the farthest page is found, and
/// all summary words above it become empty.
fn measure_last(sampler: &mut Sampler, stock: Stock, pool: u64) -> Stock {
    let about = sampler
        .about("page_last", pool, None, "fragmented")
        .with("size", PAGE);
    let mut world = stock;
    let arrange = |stock: &mut Stock, sampler: &mut Sampler| {
        stock.take(HINT);
        let page = sampler.below(stock.pages());
        stock.give(page).expect("a page that is out");
    };
    sampler.figure(about, &mut world, arrange, |stock| take_and_give(stock));
    world.take(HINT);
    world
}

/// Page after page: the hint of the last one is not used, so that each starts at its own
/// start hint.
pub fn measure(sampler: &mut Sampler, pool: u64) {
    let pages = (pool / PAGE) as u32;
    let mut stock = measure_last(sampler, empty_stock(pages), pool);
    let stay = |_: &mut Stock, _: &mut Sampler| {};
    for page in (0..pages).step_by(2) {
        stock.give(page).expect("a page that is out");
    }
    let about = sampler
        .about("page", pool, Some(50), "fragmented")
        .with("size", PAGE);
    sampler.figure(about, &mut stock, stay, |stock| take_and_give(stock));
    for page in (1..pages).step_by(2) {
        stock.give(page).expect("a page that is out");
    }
    let about = sampler
        .about("page", pool, Some(0), "fresh")
        .with("size", PAGE);
    sampler.figure(about, &mut stock, stay, |stock| take_and_give(stock));
}
