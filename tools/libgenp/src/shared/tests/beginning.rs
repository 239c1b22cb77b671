// SPDX-License-Identifier: MIT OR Apache-2.0

//! How a shared heap begins, and who dies of it.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{super::identity::Claim, *};

#[test]
fn who_dies_while_it_makes_the_heap_leaves_that_to_the_next() {
    let mut deaths = 0;
    loop {
        let memory = memory();
        let lived = in_child(|| {
            die_before(deaths);
            drop(open(memory));
        });
        let heap = open(memory).unwrap();
        heap.free_dead().unwrap();
        assert_eq!(check(&heap), (0, 0));
        assert_eq!(heap.stat().unwrap().members, 1);
        // Each free block is in one list, once: what one got the next does not get.
        let blocks = [1000, 1000, 20_000, 100_000].map(|size| heap.alloc(size, 16));
        for block in blocks {
            let done = block.and_then(|block| heap.free(block));
            done.unwrap_or_else(|error| panic!("death {deaths}: {error}"));
        }
        assert_eq!(check(&heap), (0, 0));
        if lived {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 20, "{deaths}");
}

/// The first word, of a reserve in which there is no heap.
fn first_word(memory: NonNull<u8>) -> &'static AtomicU64 {
    // SAFETY: mapped for good.
    unsafe { memory.cast().as_ref() }
}

#[test]
fn memory_that_others_use_is_left_as_it_is() {
    let (memory, here) = (memory(), identity::namespace().unwrap());
    let (first, once) = (first_word(memory), Once(memory));
    let left = Claim::nobodys(here).0;
    // Nobody's, or of a process that cannot be seen here.
    once.take().unwrap();
    for word in [0, 7, Claim::of_process(here ^ 1).0] {
        first.store(word, Ordering::SeqCst);
        assert_eq!(code(open(memory)), libc::EAGAIN);
        assert_eq!(first.load(Ordering::SeqCst), word);
    }
    // Somebody alive has just begun, with the region or before it.
    for taken in [1, 0] {
        once.taken().store(taken, Ordering::SeqCst);
        first.store(Claim::of_process(here).0, Ordering::SeqCst);
        assert_eq!(code(open(memory)), libc::EAGAIN);
    }
    // Somebody was faster with the region, after the look at it.
    struct Faster;
    impl Reserve for Faster {
        fn regions(&self) -> io::Result<Regions> {
            Ok(Regions::None)
        }
        fn take(&self) -> io::Result<()> {
            Err(error(libc::ENOMEM))
        }
    }
    for word in [0, 7, left] {
        first.store(word, Ordering::SeqCst);
        // SAFETY: as of `open`.
        let answer = unsafe { Shared::open(memory, LENGTH, 0, true, &Faster) };
        assert_eq!(code(answer), libc::EAGAIN);
        assert_eq!(first.load(Ordering::SeqCst), word);
    }
}

#[test]
fn memory_that_was_used_before_becomes_a_heap() {
    let memory = memory();
    // SAFETY: of the test.
    unsafe { memory.write_bytes(0x5a, LENGTH) };
    let heap = open(memory).unwrap();
    assert_eq!(check(&heap), (0, 0));
    heap.free(heap.alloc(1000, 16).unwrap()).unwrap();
    // Whoever gave up left this.
    let left = Claim::nobodys(identity::namespace().unwrap()).0;
    first_word(memory).store(left, Ordering::SeqCst);
    assert_eq!(check(&open(memory).unwrap()), (0, 0));
}

/// Has the kernel refuse getrandom() from now on, as some containers do.
fn without_random_numbers() {
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let compare = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let leave = libc::BPF_RET | libc::BPF_K;
    let step = |code, jt, jf, k| libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let refused = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    // The number of the call is the first word of what is filtered.
    let mut filter = [
        step(load, 0, 0, 0),
        step(compare, 0, 1, libc::SYS_getrandom as u32),
        step(leave, 0, 0, refused),
        step(leave, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: a program of that many steps, for this process alone.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &program) == 0
    };
    assert!(done);
}

#[test]
fn without_random_numbers_no_heap_is_made_and_the_next_may() {
    let memory = memory();
    assert!(in_child(|| {
        without_random_numbers();
        assert_eq!(code(open(memory)), libc::EPERM);
    }));
    let heap = open(memory).unwrap();
    assert_eq!(check(&heap), (0, 0));
    // Who joins needs none.
    assert!(in_child(|| {
        without_random_numbers();
        let heap = open(memory).unwrap();
        heap.free(heap.alloc(100, 16).unwrap()).unwrap();
    }));
}
