// SPDX-License-Identifier: MIT OR Apache-2.0

use std::alloc::GlobalAlloc;

use super::*;
use crate::Arena;

const BYTES: usize = 1 << 20;

/// A heap in memory of the process, for good.
fn heap() -> (NonNull<u8>, Heap) {
    let layout = Layout::from_size_align(BYTES, 4096).unwrap();
    // SAFETY: its size is not 0.
    let start = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) }).unwrap();
    // SAFETY: memory of ours.
    (start, unsafe { Heap::new(start, BYTES) }.unwrap())
}

fn arena() -> &'static Arena {
    let (start, heap) = heap();
    Box::leak(Box::new(Arena::with(heap, start, BYTES)))
}

#[cfg(feature = "allocator-api2")]
mod api2 {
    use super::*;
    use allocator_api2::{boxed::Box as BoxIn, vec::Vec as VecIn};

    #[repr(align(512))]
    struct Wide([u8; 700]);

    #[test]
    fn collections_lie_in_the_heap() {
        let (start, heap) = heap();
        let inside = |address: usize| (address.wrapping_sub(start.as_ptr() as usize)) < BYTES;
        let mut numbers = VecIn::new_in(&heap);
        for i in 0..20_000_u64 {
            numbers.push(i);
        }
        assert!(inside(numbers.as_ptr() as usize));
        assert!(numbers.iter().copied().eq(0..20_000));
        numbers.truncate(10);
        numbers.shrink_to_fit();
        assert!(numbers.iter().copied().eq(0..10));
        let wide = BoxIn::new_in(Wide([7; 700]), &heap);
        assert_eq!(&raw const *wide as usize % 512, 0);
        assert!(wide.0.iter().all(|&byte| byte == 7));
        let nothing = BoxIn::new_in((), &heap);
        drop((numbers, wide, nothing));
        assert_eq!(heap.used().unwrap(), 0);
    }

    #[test]
    fn what_is_full_refuses() {
        let (_, heap) = heap();
        let mut bytes: VecIn<u8, _> = VecIn::new_in(&heap);
        assert!(bytes.try_reserve(BYTES).is_err());
        assert!(bytes.try_reserve(BYTES / 2).is_ok());
        assert!(bytes.try_reserve(BYTES).is_err());
        bytes.extend([1; 1000]);
        drop(bytes);
        assert_eq!(heap.used().unwrap(), 0);
    }

    /// Each change of a layout there is: contents are kept, what is new is zero where that
    /// was asked for, and the alignment is what was asked for.
    #[test]
    fn layouts_change() {
        let (_, heap) = heap();
        let layouts = [0, 1, 100, 5000, 70_000]
            .into_iter()
            .flat_map(|size| [1, 16, 64, 4096].map(|align| (size, align)))
            .map(|(size, align)| Layout::from_size_align(size, align).unwrap());
        let layouts: Vec<_> = layouts.collect();
        for &old in &layouts {
            for &new in &layouts {
                let start = heap.allocate(old).unwrap().cast::<u8>();
                // SAFETY: as large.
                unsafe { start.write_bytes(0xa5, old.size()) };
                let grows = new.size() >= old.size();
                // SAFETY: a block with its layout.
                let changed = unsafe {
                    match grows {
                        true => heap.grow_zeroed(start, old, new),
                        false => heap.shrink(start, old, new),
                    }
                };
                let changed = changed.unwrap();
                assert_eq!(changed.len(), new.size());
                assert_eq!(changed.cast::<u8>().as_ptr() as usize % new.align(), 0);
                // SAFETY: written, or zeroes.
                let bytes = unsafe { changed.as_ref() };
                let kept = old.size().min(new.size());
                assert!(bytes[..kept].iter().all(|&byte| byte == 0xa5));
                assert!(bytes[kept..].iter().all(|&byte| byte == 0));
                // SAFETY: used no longer.
                unsafe { heap.deallocate(changed.cast(), new) };
            }
        }
        assert_eq!(heap.used().unwrap(), 0);
    }
}

/// Blocks of each allocator go back where they came from.
#[test]
fn a_program_gets_its_heap_later() {
    let (global, arena) = (Global::new(), arena());
    let layout = Layout::from_size_align(1000, 64).unwrap();
    // SAFETY: layouts that are not empty; each block is freed once.
    unsafe {
        let before = global.alloc(layout);
        assert!(!before.is_null() && !arena.has(before));
        global.enter(arena).unwrap();
        assert!(global.enter(arena).is_err());
        let after = global.alloc(layout);
        assert!(arena.has(after) && after as usize % 64 == 0);
        after.write_bytes(3, 1000);
        let before = global.realloc(before, layout, 2000);
        assert!(!arena.has(before));
        let after = global.realloc(after, layout, 2000);
        assert!(arena.has(after) && after as usize % 64 == 0 && *after.add(999) == 3);
        let larger = Layout::from_size_align(2000, 64).unwrap();
        assert!(global.realloc(after, larger, 2 * BYTES).is_null());
        global.dealloc(before, larger);
        global.dealloc(after, larger);
    }
    assert_eq!(arena.used().unwrap(), 0);
}

#[test]
fn an_overflow_is_counted() {
    let (global, arena) = (Global::with_overflow(), arena());
    global.enter(arena).unwrap();
    let layout = Layout::from_size_align(1000, 16).unwrap();
    let huge = Layout::from_size_align(2 * BYTES, 16).unwrap();
    // SAFETY: as above.
    unsafe {
        let outside = global.alloc(huge);
        assert!(!outside.is_null() && !arena.has(outside));
        let small = global.alloc(layout);
        small.write_bytes(9, 1000);
        let moved = global.realloc(small, layout, 2 * BYTES);
        assert!(!moved.is_null() && !arena.has(moved) && *moved.add(999) == 9);
        global.dealloc(outside, huge);
        global.dealloc(moved, huge);
    }
    assert_eq!((global.overflowed(), arena.used().unwrap()), (2, 0));
}
