// SPDX-License-Identifier: MIT OR Apache-2.0

use std::{
    panic, ptr,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    words::{NAMESPACE, SHAPE, STORES_LEFT},
    *,
};

mod beginning;
mod hostile;
mod storm;

const LENGTH: usize = 256 << 10;
/// Behind the memory of the heap: whether the kernel has made it a region.
const TAKEN: usize = LENGTH;

/// Memory as the kernel would give it, once.
struct Once(NonNull<u8>);

impl Once {
    fn taken(&self) -> &AtomicU64 {
        // SAFETY: mapped for good, and used as such only.
        unsafe { self.0.add(TAKEN).cast().as_ref() }
    }
}

impl Reserve for Once {
    fn regions(&self) -> io::Result<Regions> {
        let taken = self.taken().load(Ordering::SeqCst) != 0;
        Ok(if taken { Regions::Whole } else { Regions::None })
    }

    fn take(&self) -> io::Result<()> {
        match self.taken().swap(1, Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err(error(libc::ENOMEM)),
        }
    }
}

/// Memory that children share.
fn memory() -> NonNull<u8> {
    // SAFETY: a new mapping where the kernel likes.
    let address = unsafe {
        libc::mmap(
            ptr::null_mut(),
            LENGTH + 4096,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    assert_ne!(address, libc::MAP_FAILED);
    NonNull::new(address.cast()).unwrap()
}

fn open(memory: NonNull<u8>) -> io::Result<Shared> {
    // SAFETY: mapped for good.
    unsafe { Shared::open(memory, LENGTH, 0, true, &Once(memory)) }
}

/// Runs something in a child.
fn start(run: impl FnOnce()) -> libc::pid_t {
    // SAFETY: the child does nothing that needs the threads of its parent.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let run = panic::AssertUnwindSafe(run);
        let failed = panic::catch_unwind(run).is_err();
        // SAFETY: ends the child.
        unsafe { libc::_exit(failed.into()) };
    }
    pid
}

/// Runs something in a child: true if it came to its end.
fn in_child(run: impl FnOnce()) -> bool {
    let pid = start(run);
    let mut status = 0;
    // SAFETY: our child.
    assert_eq!(unsafe { libc::waitpid(pid, &mut status, 0) }, pid);
    assert!(
        status == 0 || libc::WTERMSIG(status) == libc::SIGKILL,
        "{status:x}"
    );
    status == 0
}

/// From now on the caller dies before this store.
fn die_before(store: i64) {
    STORES_LEFT.store(store, Ordering::Relaxed);
}

/// The heap is whole: its live blocks, and the bytes in use.
fn check(heap: &Shared) -> (usize, usize) {
    let live = heap.change(|words| Engine(words).check()).unwrap();
    (live, heap.used().unwrap())
}

fn contents(memory: NonNull<u8>) -> Vec<u8> {
    // SAFETY: all of it, while nobody changes it.
    unsafe { std::slice::from_raw_parts(memory.as_ptr(), LENGTH) }.to_vec()
}

fn restore(memory: NonNull<u8>, bytes: &[u8]) {
    // SAFETY: as above.
    unsafe { memory.copy_from_nonoverlapping(NonNull::from(bytes).cast(), LENGTH) };
}

fn code<T>(result: io::Result<T>) -> i32 {
    result.err().unwrap().raw_os_error().unwrap()
}

/// Has children die in a call before each of its stores, and one live. Afterwards the heap is
/// as before or as after the call, and when the dead one's blocks are freed, `expected`.
fn die_everywhere(call: impl Fn(&Shared), memory: NonNull<u8>, heap: &Shared, frees: bool) -> i64 {
    let (before, whole) = (check(heap), contents(memory));
    let mut store = 0;
    loop {
        let lived = in_child(|| {
            let heap = open(memory).unwrap();
            die_before(store);
            call(&heap);
        });
        let after = check(heap);
        heap.free_dead().unwrap();
        let left = check(heap);
        let undone = if frees {
            after == before
        } else {
            left == before
        };
        let done = frees && after.0 + 1 == before.0 && after == left;
        assert!(
            undone || done,
            "store {store}: {before:?} {after:?} {left:?}"
        );
        assert_eq!(heap.stat().unwrap().members, 1);
        restore(memory, &whole);
        if lived {
            return store;
        }
        store += 1;
    }
}

#[test]
fn who_dies_in_a_call_changes_nothing_or_all() {
    let memory = memory();
    let heap = open(memory).unwrap();
    let blocks: Vec<_> = (0..12).map(|_| heap.alloc(1000, 16).unwrap()).collect();
    for i in [1, 3, 7, 9] {
        heap.free(blocks[i]).unwrap();
    }
    let allocs = die_everywhere(|heap| drop(heap.alloc(700, 16)), memory, &heap, false);
    let aligned = die_everywhere(|heap| drop(heap.alloc(64, 512)), memory, &heap, false);
    let free = |block: usize| move |heap: &Shared| heap.free(blocks_at(heap, block)).unwrap();
    fn blocks_at(heap: &Shared, offset: usize) -> NonNull<u8> {
        heap.words.address(offset)
    }
    let offset = |i: usize| heap.words.offset(blocks[i]);
    let between = die_everywhere(free(offset(8)), memory, &heap, true);
    let beside = die_everywhere(free(offset(4)), memory, &heap, true);
    let alone = die_everywhere(free(offset(5)), memory, &heap, true);
    let (at, slot) = (offset(5), heap.words.offset(blocks[0]));
    // SAFETY: its first word.
    unsafe { blocks[0].cast::<u64>().write(0) };
    let put = |heap: &Shared| {
        let to = heap.words.address(slot).cast();
        heap.put(blocks_at(heap, at), to).unwrap();
        assert_eq!(code(heap.put(blocks_at(heap, at), to)), libc::EBUSY);
        assert_eq!(heap.take(to).unwrap(), blocks_at(heap, at));
        assert_eq!(code(heap.take(to)), libc::EAGAIN);
    };
    // Whoever took it is dead, so that it is freed: else it is somewhere.
    die_everywhere(put, memory, &heap, true);
    let (at, mine) = (offset(5), heap.stat().unwrap().own_blocks);
    die_everywhere(
        |heap| heap.give(blocks_at(heap, at), false).unwrap(),
        memory,
        &heap,
        false,
    );
    assert_eq!(heap.stat().unwrap().own_blocks, mine);
    // Each change is on record: three stores besides its own.
    for stores in [allocs, aligned, between, beside, alone] {
        assert!((40..64 * 4).contains(&stores), "{stores}");
    }
}

#[test]
fn who_dies_while_it_repairs_leaves_it_to_the_next() {
    let memory = memory();
    let heap = open(memory).unwrap();
    let block = heap.alloc(1000, 16).unwrap();
    let before = check(&heap);
    for death in 0..40 {
        assert!(!in_child(|| {
            let heap = open(memory).unwrap();
            die_before(60);
            let _ = heap.alloc(700, 64);
        }));
        in_child(|| {
            die_before(death);
            let _ = open(memory);
        });
        heap.free_dead().unwrap();
        assert_eq!(check(&heap), before);
    }
    assert!(heap.stat().unwrap().repairs >= 40);
    heap.free(block).unwrap();
    assert_eq!(check(&heap), (0, 0));
}

#[test]
fn what_cannot_be_repaired_is_refused_from_then_on() {
    let memory = memory();
    let heap = open(memory).unwrap();
    assert!(!in_child(|| {
        let heap = open(memory).unwrap();
        die_before(60);
        let _ = heap.alloc(700, 64);
    }));
    // The record says that a word outside was changed.
    heap.words.put(144, LENGTH as u64 + 8).unwrap();
    assert_eq!(code(heap.alloc(10, 16)), libc::ENOTRECOVERABLE);
    assert_eq!(code(heap.used()), libc::ENOTRECOVERABLE);
    assert_eq!(code(open(memory)), libc::ENOTRECOVERABLE);
}

#[test]
fn a_damaged_block_stops_the_call_and_nothing_else() {
    let memory = memory();
    let heap = open(memory).unwrap();
    let blocks: Vec<_> = (0..3).map(|_| heap.alloc(100, 16).unwrap()).collect();
    let before = heap.used().unwrap();
    // SAFETY: its 112 bytes, and the seal of the next one.
    unsafe { blocks[0].write_bytes(7, 113) };
    assert_eq!(code(heap.free(blocks[1])), libc::EINVAL);
    assert_eq!(code(heap.free(blocks[0])), libc::ENOTRECOVERABLE);
    assert_eq!(heap.used().unwrap(), before);
    heap.free(blocks[2]).unwrap();
    let again = heap.alloc(100, 16).unwrap();
    heap.free(again).unwrap();
    assert_eq!(code(heap.free(again)), libc::EINVAL);
}

#[test]
fn blocks_of_who_left_are_freed_and_those_of_nobody_stay() {
    let memory = memory();
    let heap = open(memory).unwrap();
    let mine = heap.alloc(100, 16).unwrap();
    let mut offsets = vec![];
    {
        let other = open(memory).unwrap();
        let blocks: Vec<_> = (0..5).map(|_| other.alloc(100, 16).unwrap()).collect();
        other.give(blocks[0], false).unwrap();
        heap.give(blocks[1], true).unwrap();
        offsets.extend(blocks);
        assert_eq!(heap.free_dead().unwrap(), 0);
        assert_eq!(heap.stat().unwrap().members, 2);
    }
    assert_eq!(heap.free_dead().unwrap(), 3);
    let stat = heap.stat().unwrap();
    assert_eq!((stat.members, stat.blocks), (1, 3));
    assert_eq!((stat.own_blocks, stat.unowned_blocks), (2, 1));
    for block in [offsets[0], offsets[1], mine] {
        heap.free(block).unwrap();
    }
    assert_eq!(check(&heap), (0, 0));
    assert_eq!(code(heap.give(mine, true)), libc::EINVAL);
}

#[test]
fn there_are_63_members_and_places_of_dead_ones_serve_again() {
    let memory = memory();
    let all: Vec<_> = (0..63).map(|_| open(memory).unwrap()).collect();
    assert_eq!(code(open(memory)), libc::EUSERS);
    drop(all);
    for _ in 0..200 {
        assert!(in_child(|| {
            let heap = open(memory).unwrap();
            heap.alloc(100, 16).unwrap();
            // Its end comes without a word.
            std::mem::forget(heap);
        }));
    }
    let heap = open(memory).unwrap();
    heap.free_dead().unwrap();
    assert_eq!(check(&heap), (0, 0));
}

#[test]
fn what_was_freed_can_be_had_again() {
    let memory = memory();
    let heap = open(memory).unwrap();
    for size in [1, 100, 1000, 4096, 5000, 20_000] {
        let mut blocks = vec![];
        while let Ok(block) = heap.alloc(size, 16) {
            blocks.push(block);
        }
        let count = blocks.len();
        let freed: Vec<_> = blocks.iter().copied().step_by(2).collect();
        for block in &freed {
            heap.free(*block).unwrap();
        }
        for _ in &freed {
            heap.alloc(size, 16).unwrap();
        }
        assert_eq!(code(heap.alloc(size, 16)), libc::ENOMEM, "{size}: {count}");
        while let Ok(Some(at)) = heap.change(|words| {
            let first = members::first(words, heap.member)?;
            Ok((first != 0).then_some(first))
        }) {
            heap.free(heap.words.address(at + engine::HEADER)).unwrap();
        }
        assert_eq!(check(&heap), (0, 0));
    }
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let memory = memory();
    // SAFETY: as of `open`.
    let small = unsafe { Shared::open(memory, 4096, 0, true, &Once(memory)) };
    assert_eq!(code(small), libc::ENOMEM);
    let heap = open(memory).unwrap();
    assert_eq!(code(heap.alloc(16, 8192)), libc::EINVAL);
    assert_eq!(code(heap.alloc(usize::MAX, 16)), libc::ENOMEM);
    for align in [16, 64, 4096] {
        let block = heap.alloc(100, align).unwrap();
        assert_eq!(block.as_ptr() as usize % align, 0);
        assert!(heap.usable(block).unwrap() >= 100);
    }
    heap.words.put(NAMESPACE, 0xeffffff0).unwrap();
    assert_eq!(code(open(memory)), libc::EXDEV);
    heap.words.put(SHAPE, 0).unwrap();
    assert_eq!(code(open(memory)), libc::EPROTONOSUPPORT);
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
