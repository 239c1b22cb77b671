// SPDX-License-Identifier: MIT OR Apache-2.0

use std::ptr::NonNull;

use super::{
    super::{memory::HEADER, size_class::bytes_of},
    *,
};

const CLASS: usize = 2;
const BLOCK: usize = bytes_of(CLASS) + HEADER;
const LIMIT: usize = 4;

/// A cache with a limit for the caller's stack, and memory for blocks of one class.
struct Field {
    _words: Vec<u128>,
    memory: Memory,
    cache: ThreadCache,
}

fn field() -> Field {
    let mut words = vec![0u128; 64 * BLOCK / 16];
    let start = NonNull::new(words.as_mut_ptr().cast()).unwrap();
    // SAFETY: `words` lives as long as the memory.
    let memory = unsafe { Memory::new(start, 63 * BLOCK) };
    let cache = ThreadCache::new(63 * BLOCK).unwrap();
    let field = Field {
        _words: words,
        memory,
        cache,
    };
    field.cache.set_limit(field.own(), LIMIT);
    field
}

impl Field {
    fn own(&self) -> Place {
        assert!(thread::slot() > 0 || thread::claim_slot());
        ThreadCache::own(CLASS).unwrap()
    }

    fn push(&self, number: usize) -> bool {
        let live = self.memory.seal(number * BLOCK, State::Live, 7);
        self.memory.write(number * BLOCK, live).unwrap();
        // SAFETY: memory of ours.
        let pushed = unsafe { self.cache.push(&self.memory, CLASS, number * BLOCK, live) };
        // What was refused is as it was.
        assert!(pushed || self.memory.read(number * BLOCK).unwrap() == live);
        pushed
    }

    fn pop(&self) -> Option<usize> {
        Some(self.cache.pop(&self.memory, CLASS)? / BLOCK)
    }
}

#[test]
fn a_stack_gives_the_youngest_first_and_has_a_bound() {
    let field = field();
    for number in 0..=LIMIT {
        assert_eq!(field.push(number), number < LIMIT);
    }
    // One of them is the top.
    assert_eq!(field.cache.blocks(field.own()), LIMIT - 1);
    assert_eq!(field.cache.look(&field.memory, field.own()).count(), LIMIT);
    // The top goes first, and then the youngest.
    for number in [0, 3, 2, 1] {
        assert_eq!(field.pop(), Some(number));
    }
    assert_eq!(field.pop(), None);
}

/// As a signal handler that interrupted its own thread while that filled the top.
#[test]
fn a_handler_leaves_the_top_to_its_thread() {
    let field = field();
    let slot = field.own().slot as usize;
    let filling = top::begin(&field.cache.stacks.slots[slot], CLASS, 7).unwrap();
    assert!(field.push(0) && field.push(1));
    assert_eq!(field.cache.blocks(field.own()), 2);
    assert_eq!(top::look(field.cache.top(field.own())), None);
    assert_eq!(field.pop(), Some(1));
    drop(filling);
    assert!(field.push(2));
    assert_eq!((field.pop(), field.pop()), (Some(2), Some(0)));
}

#[test]
fn cached_blocks_can_be_taken() {
    let field = field();
    assert!((0..3).all(|number| field.push(number)));
    let mut taken = field.cache.take(field.own());
    for number in [0, 2, 1] {
        assert_eq!(taken.next(&field.memory), Ok(Some(number * BLOCK)));
    }
    assert_eq!(taken.next(&field.memory), Ok(None));
    assert_eq!(field.pop(), None);
    assert!(field.push(3));
}

#[test]
fn a_full_stack_goes_to_another_thread() {
    let field = field();
    let depot = ThreadCache::depot(CLASS);
    field.cache.set_limit(depot, LIMIT);
    assert!((0..3).all(|number| field.push(number)));
    field.cache.pour(&field.memory, field.own(), depot).unwrap();
    assert_eq!((field.pop(), field.pop()), (Some(0), None));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let own = field.own();
            // Not beyond a limit.
            field.cache.pour(&field.memory, depot, own).unwrap();
            assert_eq!(field.pop(), None);
            field.cache.set_limit(own, LIMIT);
            field.cache.pour(&field.memory, depot, own).unwrap();
            let popped: Vec<_> = std::iter::from_fn(|| field.pop()).collect();
            assert_eq!(popped, [2, 1]);
        });
    });
}

#[test]
fn a_stack_that_lost_its_limit_takes_no_more() {
    let field = field();
    assert!(field.push(0));
    assert!(!field.cache.retire(field.own()).is_empty());
    assert!(!field.push(1));
    assert_eq!(field.pop(), None);
}

/// As a thread that was interrupted between its look at the stack and its exchange.
#[test]
fn a_change_between_look_and_exchange_is_noticed() {
    let field = field();
    assert!(field.push(9) && field.push(0) && field.push(1));
    assert_eq!(field.pop(), Some(9));
    let word = field.cache.stack(field.own());
    let looked = word.load(Ordering::Relaxed);
    // The same blocks are there again, in another order below the first.
    assert_eq!((field.pop(), field.pop()), (Some(1), Some(0)));
    assert!(field.push(9) && field.push(2) && field.push(1));
    assert_eq!(first_of(looked), first_of(word.load(Ordering::Relaxed)));
    assert_ne!(looked, word.load(Ordering::Relaxed));
    // Also when all were taken and nothing came back.
    let looked = word.load(Ordering::Relaxed);
    field.cache.retire(field.own());
    assert_ne!(looked, word.load(Ordering::Relaxed));
}

#[test]
fn an_overwritten_block_is_noticed() {
    for (top, value) in [0, 1, 1 << 31, 1 << 40, u64::MAX]
        .into_iter()
        .flat_map(|value| [(true, value), (false, value)])
    {
        let (field, at) = (field(), 0);
        match top {
            true => assert!(field.push(0) && field.push(1)),
            false => {
                assert!(field.push(9) && field.push(1) && field.push(0));
                assert_eq!(field.pop(), Some(9));
            }
        }
        assert_eq!(field.cache.is_damaged(&field.memory, CLASS), Ok(false));
        let old = field.memory.read(at).unwrap();
        field.memory.write(at, old ^ value).unwrap();
        let damaged = value != 0;
        assert_eq!(field.pop(), (!damaged).then_some(0));
        assert_eq!(field.cache.is_damaged(&field.memory, CLASS), Ok(damaged));
        let next = field.cache.take(field.own()).next(&field.memory);
        assert_eq!(
            next,
            if damaged {
                Err(Damaged)
            } else {
                Ok(Some(BLOCK))
            }
        );
    }
}
