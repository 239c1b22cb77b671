// SPDX-License-Identifier: MIT OR Apache-2.0

//! Processes that are killed or stopped at any moment, and threads that die alone.

use std::{sync::atomic::AtomicBool, thread, time::Duration};

use super::*;

const WORKERS: usize = 6;
const DEATHS: usize = 600;
/// Slots in a block of nobody.
const SLOTS: usize = 16;
/// More than a worker ever makes of them, unless the heap is broken.
const ROUNDS: usize = 20_000_000;

fn send(pid: libc::pid_t, signal: i32) {
    // SAFETY: to our child.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

/// How the child changed, if it did or `options` wait for it.
fn wait(pid: libc::pid_t, options: i32) -> Option<i32> {
    let mut status = 0;
    // SAFETY: our child.
    match unsafe { libc::waitpid(pid, &mut status, options) } {
        0 => None,
        done => {
            assert_eq!(done, pid);
            Some(status)
        }
    }
}

/// Allocates, frees and exchanges blocks until it is killed, or, every other one, before some
/// store. What it did wrong ends it, and so do rounds without a store.
fn work(memory: NonNull<u8>, table: usize, seed: usize) {
    let mut random = Random(seed as u64 + 1);
    if seed % 2 == 0 {
        die_before(1 + random.below(20_000) as i64);
    }
    let heap = open(memory).unwrap();
    let mut mine = vec![];
    for _ in 0..ROUNDS {
        let slot = heap.words.address(table + random.below(SLOTS) * 8).cast();
        match random.below(5) {
            0 | 1 if mine.len() < 12 => {
                let align = 16 << random.below(4);
                mine.extend(heap.alloc(1 + random.below(4000), align).ok());
            }
            2 if !mine.is_empty() => {
                let block = mine.swap_remove(random.below(mine.len()));
                heap.free(block).unwrap();
            }
            3 if !mine.is_empty() => {
                let which = random.below(mine.len());
                if heap.put(mine[which], slot).is_ok() {
                    mine.swap_remove(which);
                }
            }
            _ => mine.extend(heap.take(slot).ok()),
        }
    }
}

#[test]
fn after_a_storm_of_kills_all_of_it_can_be_had_again() {
    let memory = memory();
    let heap = open(memory).unwrap();
    let largest = heap.stat().unwrap().largest;
    let table = heap.alloc(SLOTS * 8, 16).unwrap();
    // SAFETY: its bytes.
    unsafe { table.write_bytes(0, SLOTS * 8) };
    let table_at = heap.words.offset(table);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let begin = |seed: usize| start(|| work(memory, table_at, seed));
    let mut workers: Vec<_> = (0..WORKERS).map(|seed| (seed, begin(seed))).collect();
    for death in 0..DEATHS {
        let which = random.below(WORKERS);
        let (seed, pid) = workers[which];
        if seed % 2 == 1 {
            thread::sleep(Duration::from_micros(random.below(2000) as u64));
            send(pid, libc::SIGKILL);
        }
        assert_eq!(wait(pid, 0), Some(libc::SIGKILL), "{seed} ended by itself");
        check(&heap);
        let seed = WORKERS + death;
        workers[which] = (seed, begin(seed));
    }
    for (_, pid) in workers {
        send(pid, libc::SIGKILL);
        assert_eq!(wait(pid, 0), Some(libc::SIGKILL));
    }
    heap.free_dead().unwrap();
    for slot in 0..SLOTS {
        if let Ok(block) = heap.take(heap.words.address(table_at + slot * 8).cast()) {
            heap.free(block).unwrap();
        }
    }
    heap.free(table).unwrap();
    assert_eq!(check(&heap), (0, 0));
    let stat = heap.stat().unwrap();
    assert_eq!((stat.members, stat.largest), (1, largest));
    // Most of those that end before a store do it in the middle of a call.
    assert!(stat.repairs > DEATHS as u64 / 10, "{}", stat.repairs);
    heap.free(heap.alloc(largest as usize, 16).unwrap())
        .unwrap();
}

#[test]
fn who_waits_for_a_stopped_holder_does_not_break_its_lock() {
    let memory = memory();
    let heap = open(memory).unwrap();
    let holder = start(|| {
        let heap = open(memory).unwrap();
        let block = heap.change(|words| {
            // SAFETY: stops the child.
            unsafe { libc::raise(libc::SIGSTOP) };
            Engine(words).alloc(100, 16, heap.member)
        });
        block.unwrap().unwrap();
    });
    assert!(libc::WIFSTOPPED(wait(holder, libc::WUNTRACED).unwrap()));
    let waiter = start(|| drop(open(memory).unwrap()));
    thread::sleep(Duration::from_millis(100));
    assert_eq!(wait(waiter, libc::WNOHANG), None);
    send(holder, libc::SIGCONT);
    assert_eq!((wait(holder, 0), wait(waiter, 0)), (Some(0), Some(0)));
    assert_eq!(heap.stat().unwrap().repairs, 0);
    assert_eq!(check(&heap).0, 1);
}

#[test]
fn of_a_thread_that_dies_alone_the_call_is_undone_and_the_blocks_stay() {
    static HOLDS: AtomicBool = AtomicBool::new(false);
    let memory = memory();
    let heap = open(memory).unwrap();
    assert!(in_child(|| {
        let mine = open(memory).unwrap();
        mine.alloc(100, 16).unwrap();
        let before = check(&mine);
        thread::scope(|scope| {
            scope.spawn(|| {
                mine.alloc(200, 16).unwrap();
                mine.change(|words| {
                    words.set(USED, 12345)?;
                    HOLDS.store(true, Ordering::SeqCst);
                    // SAFETY: ends this thread alone, whose stack stays.
                    unsafe { libc::syscall(libc::SYS_exit, 0) };
                    Ok(())
                })
            });
            while !HOLDS.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            let after = check(&mine);
            assert_eq!(after.0, before.0 + 1);
            assert!(after.1 > before.1 && after.1 < 12345);
            assert_eq!(mine.stat().unwrap().repairs, 1);
            // The process lives, and so both blocks do.
            assert!(in_child(|| assert_eq!(
                open(memory).unwrap().free_dead().unwrap(),
                0
            )));
            assert_eq!(check(&mine), after);
            // Nobody waits for the thread.
            // SAFETY: ends the child.
            unsafe { libc::_exit(0) };
        });
    }));
    assert_eq!(heap.free_dead().unwrap(), 2);
    assert_eq!(check(&heap), (0, 0));
}
