// SPDX-License-Identifier: MIT OR Apache-2.0

use super::*;

fn with_heap(test: impl FnOnce(&Heap)) {
    let mut memory = vec![0u64; 1 << 17];
    let start = NonNull::new(memory.as_mut_ptr().cast()).unwrap();
    // SAFETY: `memory` outlives the heap.
    let heap = unsafe { Heap::new(start, memory.len() * 8) }.unwrap();
    test(&heap);
    assert_eq!(heap.used().unwrap(), 0);
}

#[test]
fn blocks_are_aligned_and_disjoint() {
    with_heap(|heap| {
        let mut blocks = Vec::new();
        for i in 0..200usize {
            let (size, align) = (1 + i * 7, 1 << (i % 9));
            let block = heap.alloc(size, align).unwrap();
            assert_eq!(block.as_ptr() as usize % align, 0);
            // SAFETY: just allocated.
            unsafe { block.write_bytes(i as u8, size) };
            blocks.push((block, size, i as u8));
        }
        for (block, size, byte) in blocks {
            // SAFETY: allocated above, freed here.
            unsafe {
                assert_eq!(heap.size(block).unwrap(), size);
                let bytes = std::slice::from_raw_parts(block.as_ptr(), size);
                assert!(bytes.iter().all(|&b| b == byte));
                heap.free(block).unwrap();
            }
        }
    });
}

#[test]
fn what_is_in_use_is_told_without_being_asked() {
    use std::sync::atomic::Ordering::Relaxed;

    let figures = [const { AtomicU64::new(7) }; 2];
    with_heap(|heap| {
        heap.alloc(50_000, 16).unwrap();
        // SAFETY: `figures` outlives the heap.
        unsafe { heap.tell_at(NonNull::from(&figures)).unwrap() };
        let read = || figures.each_ref().map(|figure| figure.load(Relaxed));
        let [used, peak] = read();
        assert!(used >= 50_000 && used == peak);
        let large = heap.alloc(200_000, 4096).unwrap();
        assert!(read()[0] >= used + 200_000);
        // SAFETY: allocated above.
        let large = unsafe { heap.realloc(large, 100_000) }.unwrap();
        let [shrunk, peak] = read();
        assert!(shrunk < used + 200_000 && peak >= used + 200_000);
        // SAFETY: allocated above.
        unsafe { heap.free(large).unwrap() };
        assert_eq!(read(), [used, peak]);
        // SAFETY: no block is used any longer.
        unsafe { heap.free_all().unwrap() };
        assert_eq!(read(), [0, peak]);
        let small = heap.alloc(50_000, 16).unwrap();
        assert_eq!(read(), [used, peak]);
        // SAFETY: allocated above.
        unsafe { heap.free(small).unwrap() };
    });
    // What is in the caches counts as used.
    assert!(figures[0].load(Relaxed) <= figures[1].load(Relaxed));
}

#[test]
fn a_block_takes_what_is_said() {
    let below = size_class::LARGEST + 1;
    for size in (0..below).step_by(61).chain(below..400_000).step_by(997) {
        with_heap(|heap| {
            let block = heap.alloc(size, 16).unwrap();
            assert_eq!(heap.used().unwrap(), bytes_for(size), "{size}");
            // SAFETY: just allocated.
            unsafe { heap.free(block).unwrap() };
        });
    }
    assert!(bytes_for(usize::MAX) >= usize::MAX - 16);
}

/// The number of cached blocks.
fn cached(heap: &Heap) -> usize {
    let inner = heap.inner.lock().unwrap();
    inner
        .grants
        .places()
        .map(|place| heap.cache.look(&heap.memory, place).count())
        .sum()
}

/// Blocks of this size until there is no memory.
fn exhaust(heap: &Heap, size: usize) -> Vec<usize> {
    std::iter::from_fn(|| Some(heap.alloc(size, 16).ok()?.as_ptr() as usize)).collect()
}

fn free_all(heap: &Heap, blocks: &[usize]) {
    for &block in blocks {
        let block = NonNull::new(block as *mut u8).unwrap();
        // SAFETY: allocated by a test, which uses it no longer.
        unsafe { heap.free(block).unwrap() };
    }
}

#[test]
fn a_cached_block_is_allocated_again() {
    with_heap(|heap| {
        let block = heap.alloc(100, 1).unwrap();
        // SAFETY: just allocated.
        unsafe { heap.free(block).unwrap() };
        assert_eq!(heap.used().unwrap(), 0);
        assert_eq!(heap.cached_alloc(200), None);
        // Of the same class, and alive with its new size.
        assert_eq!(heap.cached_alloc(97), Some(block));
        assert_eq!(heap.size(block).unwrap(), 97);
        free_all(heap, &[block.as_ptr() as usize]);
    });
}

#[test]
fn no_memory_is_lost_to_the_cache() {
    with_heap(|heap| {
        let most = 1_000_000;
        free_all(heap, &[heap.alloc(most, 1).unwrap().as_ptr() as usize]);
        for size in [16, 100, 512, 900] {
            let small = exhaust(heap, size);
            free_all(heap, &small);
        }
        assert_ne!(cached(heap), 0);
        free_all(heap, &[heap.alloc(most, 1).unwrap().as_ptr() as usize]);
    });
}

#[test]
fn blocks_cached_by_another_thread_are_not_lost() {
    with_heap(|heap| {
        let before = exhaust(heap, 100_000);
        free_all(heap, &before);
        let (filled, done) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let small = exhaust(heap, 128);
                free_all(heap, &small);
                assert_ne!(cached(heap), 0);
                filled.wait();
                done.wait();
            });
            filled.wait();
            let now = exhaust(heap, 100_000);
            assert_eq!(now.len(), before.len());
            free_all(heap, &now);
            done.wait();
        });
    });
}

/// Four threads allocate and free blocks of up to `most` bytes, `held` each at a time, and hand
/// them on.
fn in_threads(most: usize, held_each: usize) {
    let rounds = if cfg!(debug_assertions) {
        20_000
    } else {
        200_000
    };
    with_heap(|heap| {
        let handed = std::sync::Mutex::new(Vec::<(usize, usize, u8)>::new());
        std::thread::scope(|scope| {
            for mark in 1..=4u8 {
                let handed = &handed;
                scope.spawn(move || {
                    let mut held: Vec<(usize, usize, u8)> = vec![];
                    let mut rng = u64::from(mark);
                    for _ in 0..rounds {
                        rng = rng.wrapping_mul(6364136223846793005).wrapping_add(1);
                        let draw = (rng >> 33) as usize;
                        if draw % 64 == 0 {
                            // Blocks change hands.
                            std::mem::swap(&mut held, &mut handed.lock().unwrap());
                        }
                        if draw % 2 == 0 && held.len() < held_each {
                            let size = 1 + draw / 64 % most;
                            let Ok(block) = heap.alloc(size, 16) else {
                                continue;
                            };
                            // SAFETY: just allocated.
                            unsafe { block.write_bytes(mark, size) };
                            held.push((block.as_ptr() as usize, size, mark));
                        } else if !held.is_empty() {
                            let (block, size, mark) = held.swap_remove(draw / 2 % held.len());
                            // SAFETY: allocated above by some thread, and ours now.
                            let bytes =
                                unsafe { std::slice::from_raw_parts(block as *const u8, size) };
                            assert!(bytes.iter().all(|&byte| byte == mark));
                            free_all(heap, &[block]);
                        }
                    }
                    handed.lock().unwrap().append(&mut held);
                });
            }
        });
        for (block, ..) in handed.into_inner().unwrap() {
            free_all(heap, &[block]);
        }
    });
}

#[test]
fn threads_never_have_the_same_block() {
    in_threads(1_500, 300);
}

/// Where most allocations take back what the thread caches have, or are refused.
#[test]
fn threads_share_a_heap_that_is_full() {
    in_threads(6_000, 300);
}

#[test]
fn misuse_is_an_error() {
    with_heap(|heap| {
        assert_eq!(
            heap.alloc(usize::MAX, 1).unwrap_err().raw_os_error(),
            Some(libc::ENOMEM)
        );
        assert_eq!(
            heap.alloc(1 << 30, 1).unwrap_err().raw_os_error(),
            Some(libc::ENOMEM)
        );
        assert_eq!(
            heap.alloc(8, 3 << 5).unwrap_err().raw_os_error(),
            Some(libc::EINVAL)
        );
        let block = heap.alloc(100, 1).unwrap();
        // SAFETY: addresses within the heap.
        unsafe {
            assert!(heap.free(block.add(1)).is_err());
            assert!(heap.free(block.add(16)).is_err());
            heap.free(block).unwrap();
            assert!(heap.free(block).is_err());
        }
    });
}

#[test]
fn a_thread_that_needs_many_blocks_gets_them_together() {
    with_heap(|heap| {
        let class = class_of(64).unwrap();
        let alloc =
            |count: usize| -> Vec<_> { (0..count).map(|_| heap.alloc(64, 16).unwrap()).collect() };
        // SAFETY: allocated by `alloc`, and freed once.
        let free = |blocks: Vec<_>| {
            blocks
                .into_iter()
                .for_each(|b| unsafe { heap.free(b) }.unwrap())
        };
        // Its stack earns a limit.
        free(alloc(200));
        let blocks = alloc(100);
        let own = ThreadCache::own(class).unwrap();
        let (mut taken, mut at_once) = (0, 0);
        let mut more = Vec::new();
        for _ in 0..64 {
            let before = heap.cache.blocks(own);
            more.push(heap.alloc(64, 16).unwrap());
            if before == 0 {
                taken += 1;
                at_once = heap.cache.blocks(own).max(at_once);
            }
        }
        assert_eq!(at_once, 15);
        assert_eq!(taken, 4);
        free(blocks);
        free(more);
    });
}
