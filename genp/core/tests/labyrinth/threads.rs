// SPDX-License-Identifier: GPL-2.0

//! Threads that take and give as fast as they can.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

use genp_core::labyrinth::{Labyrinth, LabyrinthError};

use super::{drain, is_open, table, HostWord};

const NOBODY: u32 = u32::MAX;

/// Takes up to `hold` pages, gives them back, and again; each page is marked while
/// it is held. Returns how many pages it got in all.
fn work(
    stock: &Labyrinth<&[HostWord]>,
    owners: &[AtomicU32],
    me: u32,
    hold: usize,
    stop: &AtomicBool,
) -> u64 {
    let mut got = 0;
    let mut held = Vec::new();
    while !stop.load(Relaxed) {
        for _ in 0..hold {
            let Some(page) = stock.take(me) else {
                break;
            };
            let owner = owners[page as usize].swap(me, Relaxed);
            assert_eq!(owner, NOBODY, "page {page} has two owners");
            held.push(page);
            got += 1;
        }
        for page in held.drain(..) {
            let owner = owners[page as usize].swap(NOBODY, Relaxed);
            assert_eq!(owner, me, "page {page} was taken from its owner");
            assert_eq!(stock.give(page), Ok(()));
        }
    }
    got
}

fn hammer(pages: u32, threads: u32, hold: usize) {
    let words: Vec<HostWord> = table(pages);
    let stock = Labyrinth::new(&words[..], pages).unwrap();
    (0..pages).for_each(|page| stock.give(page).unwrap());
    let owners: Vec<AtomicU32> = (0..pages).map(|_| AtomicU32::new(NOBODY)).collect();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|me| {
                let (stock, owners, stop) = (&stock, &owners, &stop);
                scope.spawn(move || work(stock, owners, me, hold, stop))
            })
            .collect();
        let end = Instant::now() + Duration::from_millis(200);
        while Instant::now() < end && !workers.iter().any(|worker| worker.is_finished()) {
            thread::sleep(Duration::from_millis(5));
        }
        stop.store(true, SeqCst);
        let got: u64 = workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum();
        assert!(got > 0);
    });
    assert!(is_open(&words, pages));
    assert_eq!(stock.count(), pages);
    assert_eq!(stock.give(0), Err(LabyrinthError::NotTaken));
    assert_eq!(drain(&stock), BTreeSet::from_iter(0..pages));
}

#[test]
fn few_pages_for_many() {
    hammer(5, 4, 2);
}

#[test]
fn rooms_that_empty_and_fill() {
    hammer(65, 4, 20);
    hammer(130, 3, 64);
}

#[test]
fn three_levels() {
    hammer(4097, 4, 1100);
}

#[test]
fn a_page_in_each_of_two_corridors() {
    // Held all along but for two, on either side of the top word's two bits.
    let pages = 4097;
    let words: Vec<HostWord> = table(pages);
    let stock = Labyrinth::new(&words[..], pages).unwrap();
    stock.give(0).unwrap();
    stock.give(4096).unwrap();
    let owners: Vec<AtomicU32> = (0..pages).map(|_| AtomicU32::new(NOBODY)).collect();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for me in 0..3 {
            let (stock, owners, stop) = (&stock, &owners, &stop);
            scope.spawn(move || work(stock, owners, me, 1, stop));
        }
        thread::sleep(Duration::from_millis(200));
        stop.store(true, SeqCst);
    });
    assert!(is_open(&words, pages));
    assert_eq!(drain(&stock), BTreeSet::from([0, 4096]));
}
