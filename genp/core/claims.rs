// SPDX-License-Identifier: GPL-2.0

//! Which objects somebody has: a bit each, lock-free.
//!
//! An object that is given back is somebody's until one caller has cleared its bit. Of all
//! who give it back at once, or once more, that one alone may pass it on; whoever asked
//! first and acted then would let a second one in between.

use core::ops::Deref;

use super::labyrinth::Word;

/// The objects that somebody has, numbered from 0.
///
/// ```
/// # use genp_core::{claims::{words, Claims}, labyrinth::Word};
/// # use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
/// # #[derive(Default)] struct HostWord(AtomicU64);
/// # impl Word for HostWord {
/// #     fn load(&self) -> u64 { self.0.load(SeqCst) }
/// #     fn set(&self, bit: u32) -> bool { self.0.fetch_or(1 << bit, SeqCst) >> bit & 1 != 0 }
/// #     fn clear(&self, bit: u32) -> bool { self.0.fetch_and(!(1 << bit), SeqCst) >> bit & 1 != 0 }
/// #     fn observe(&self) -> u64 { self.0.fetch_add(0, SeqCst) }
/// # }
/// let claims = Claims::new(Vec::from_iter((0..words(100)).map(|_| HostWord::default())));
/// claims.set(99);
/// assert!(claims.clear(99));
/// assert!(!claims.clear(99) && !claims.clear(98) && !claims.clear(1000));
/// ```
#[derive(Debug)]
pub struct Claims<T> {
    words: T,
}

/// The words for so many objects.
pub const fn words(objects: u32) -> usize {
    // CAST: to a wider type.
    objects.div_ceil(u64::BITS) as usize
}

impl<T, W> Claims<T>
where
    T: Deref<Target = [W]>,
    W: Word,
{
    /// Nobody has any of the objects of `words`, which are all 0: see [`words()`].
    pub fn new(words: T) -> Self {
        Self { words }
    }

    #[inline(always)]
    fn word(&self, object: u32) -> Option<&W> {
        self.words.get((object / u64::BITS) as usize)
    }

    /// Records that the caller has an object, which he has taken: nobody else has it.
    /// Context: any. Constant.
    #[inline(always)]
    pub fn set(&self, object: u32) {
        if let Some(word) = self.word(object) {
            word.set(object % u64::BITS);
        }
    }

    /// Takes an object from whoever has it; whether anybody did. Of several callers one gets
    /// `true`, and the object. Context: any. Constant.
    #[inline(always)]
    pub fn clear(&self, object: u32) -> bool {
        // ORDERING: sees everything done before the set(), and one that comes later sees
        // everything done before this.
        self.word(object)
            .is_some_and(|word| word.clear(object % u64::BITS))
    }
}
