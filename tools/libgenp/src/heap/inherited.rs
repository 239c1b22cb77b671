// SPDX-License-Identifier: MIT OR Apache-2.0

//! All heaps there are, for a forked child, which must not touch their memory: it has
//! no mapping of it. A list without a lock, because a fork can come at any moment; its
//! nodes are used again and never freed.

use std::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use super::stacks::Stacks;
use crate::fork::{self, Step};

struct Node {
    stacks: AtomicPtr<Stacks>,
    next: *const Node,
}

static NODES: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

fn nodes() -> impl Iterator<Item = &'static Node> {
    // Acquire: pairs with `enter`.
    let mut next: *const Node = NODES.load(Ordering::Acquire);
    std::iter::from_fn(move || {
        // SAFETY: null, or leaked by `enter` and complete when it could be seen.
        let node = unsafe { next.as_ref() }?;
        next = node.next;
        Some(node)
    })
}

/// Enters a heap, which stays where it is until [`remove`].
pub(super) fn enter(stacks: &Stacks) {
    fork::set_step(Step::Heaps, &(forget_all as fn()));
    let stacks = ptr::from_ref(stacks).cast_mut();
    let free = |node: &Node| {
        // Relaxed: only a forked child looks there, which is ordered by the fork.
        node.stacks
            .compare_exchange(
                ptr::null_mut(),
                stacks,
                Ordering::Relaxed,
                Ordering::Relaxed,
            )
            .is_ok()
    };
    if nodes().any(free) {
        return;
    }
    let node = Box::leak(Box::new(Node {
        stacks: AtomicPtr::new(stacks),
        next: ptr::null(),
    }));
    let mut first = NODES.load(Ordering::Relaxed);
    loop {
        node.next = first;
        // Release: pairs with `nodes`.
        match NODES.compare_exchange(first, node, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => return,
            Err(other) => first = other,
        }
    }
}

/// Removes a heap. Does nothing if a fork did so.
pub(super) fn remove(stacks: &Stacks) {
    let stacks = ptr::from_ref(stacks).cast_mut();
    for node in nodes() {
        let _ = node.stacks.compare_exchange(
            stacks,
            ptr::null_mut(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }
}

/// Forgets the blocks of all heaps, and the heaps. Context: a forked child, before it
/// uses one.
fn forget_all() {
    for node in nodes() {
        let stacks = node.stacks.swap(ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: null, or entered and not removed before the fork, so that it is there.
        if let Some(stacks) = unsafe { stacks.as_ref() } {
            stacks.forget();
        }
    }
}
