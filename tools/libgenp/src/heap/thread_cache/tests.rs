// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;
use crate::thread::STRIDE;

fn blocks(count: usize) -> Vec<NonNull<u8>> {
    let block = |_| NonNull::from(Box::leak(Box::new([0u128; 2]))).cast();
    (0..count).map(block).collect()
}

#[test]
fn a_stack_gives_the_youngest_first_and_has_a_bound() {
    let cache = ThreadCache::new(1 << 20, 1 << 20);
    assert!(thread::slot() > 0 || thread::claim_slot());
    let blocks = blocks(DEPTH + 1);
    for (i, &block) in blocks.iter().enumerate() {
        // SAFETY: memory of ours.
        assert_eq!(unsafe { cache.push(2, block) }, i < DEPTH);
    }
    assert_eq!(cache.cached(), (DEPTH, DEPTH * 32));
    for &block in blocks[..DEPTH].iter().rev() {
        assert_eq!(cache.pop(2), Some(block));
    }
    assert_eq!(cache.pop(2), None);
}

#[test]
fn cached_blocks_can_be_reclaimed() {
    let cache = ThreadCache::new(1 << 20, 1 << 20);
    assert!(thread::slot() > 0 || thread::claim_slot());
    let blocks = blocks(3);
    for &block in &blocks {
        // SAFETY: memory of ours.
        assert!(unsafe { cache.push(2, block) });
    }
    let mut taken = vec![];
    for which in 0..ThreadCache::stacks() {
        let mut next = cache.take(which);
        while let Some(block) = next {
            taken.push(block);
            // SAFETY: from `take`.
            next = unsafe { ThreadCache::next_in_stack(block) };
        }
    }
    taken.reverse();
    assert_eq!(taken, blocks);
    assert_eq!(cache.pop(2), None);
}

#[test]
fn a_full_stack_goes_to_another_thread() {
    let cache = ThreadCache::new(1 << 20, 1 << 20);
    assert!(thread::slot() > 0 || thread::claim_slot());
    let block = blocks(1)[0];
    // SAFETY: memory of ours.
    assert!(unsafe { cache.push(2, block) });
    assert!(cache.send(2) && !cache.send(2));
    let address = block.as_ptr() as usize;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(cache.receive(2), None);
            assert!(thread::slot() > 0 || thread::claim_slot());
            let had = cache.receive(2).map(|block| block.as_ptr() as usize);
            assert_eq!(had, Some(address));
            assert_eq!(cache.receive(2), None);
        });
    });
}

#[test]
fn a_handler_leaves_a_stack_alone_that_it_interrupted() {
    let cache = ThreadCache::new(1 << 20, 1 << 20);
    assert!(thread::slot() > 0 || thread::claim_slot());
    let blocks = blocks(3);
    // SAFETY: memory of ours.
    assert!(unsafe { cache.push(2, blocks[0]) } && cache.send(2));
    // SAFETY: as above.
    assert!(unsafe { cache.push(2, blocks[1]) });
    // In the middle of a change, the handler does everything there is.
    let word = &cache.own_slot().stacks[2];
    let stack = word.swap(BUSY, Ordering::Acquire);
    assert_eq!(cache.pop(2), None);
    assert_eq!(cache.receive(2), None);
    // SAFETY: as above.
    assert!(!unsafe { cache.push(2, blocks[2]) } && !cache.send(2));
    let slot = thread::slot() / STRIDE;
    assert_eq!(cache.take(slot * CLASSES + CLASSES - 1 - 2), None);
    assert_eq!(cache.cached(), (1, 32));
    assert_eq!(word.load(Ordering::Relaxed), BUSY);
    word.store(stack, Ordering::Release);
    assert_eq!(cache.pop(2), Some(blocks[1]));
    assert_eq!(cache.receive(2), Some(blocks[0]));
}
