// SPDX-License-Identifier: MIT OR Apache-2.0

//! Allocators of other crates as managers. They look at nothing that they are given, so a
//! header of two words precedes each block, as in the arena: its bytes and alignment, and a
//! seal made of these, its address and how often everything was freed.

use std::{
    alloc::Layout,
    ffi::{c_int, c_void},
    mem, ptr,
    ptr::NonNull,
};

use super::Manager;
use crate::lock::PiMutex;

const HEADER: usize = 16;
/// The bits of a header's first word that have the binary logarithm of the alignment.
const ALIGN: u64 = 63;
/// The most bytes of a block: more than any heap has.
const MOST: usize = 1 << 46;

/// What a crate offers.
pub trait Engine: Send + Sized + 'static {
    /// An allocator of no memory.
    fn empty() -> Self;
    /// Gives it memory.
    ///
    /// # Safety
    ///
    /// The memory is the allocator's, and begins on a page.
    unsafe fn add(&mut self, start: NonNull<u8>, length: usize);
    /// Allocates.
    fn alloc(&mut self, layout: Layout) -> Option<NonNull<u8>>;
    /// Frees.
    ///
    /// # Safety
    ///
    /// From `alloc`, with this layout, and not freed yet.
    unsafe fn free(&mut self, block: NonNull<u8>, layout: Layout);
}

impl Engine for rlsf::Tlsf<'static, u64, u64, 40, 64> {
    fn empty() -> Self {
        Self::new()
    }

    unsafe fn add(&mut self, start: NonNull<u8>, length: usize) {
        // SAFETY: by the precondition. Too little memory is a heap without blocks.
        let _ = unsafe { self.insert_free_block_ptr(NonNull::slice_from_raw_parts(start, length)) };
    }

    fn alloc(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.allocate(layout)
    }

    unsafe fn free(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: by the precondition.
        unsafe { self.deallocate(block, layout.align()) };
    }
}

impl Engine for buddy_system_allocator::Heap<47> {
    fn empty() -> Self {
        Self::new()
    }

    unsafe fn add(&mut self, start: NonNull<u8>, length: usize) {
        let start = start.as_ptr() as usize;
        // SAFETY: by the precondition.
        unsafe { self.add_to_heap(start, start + length) };
    }

    fn alloc(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        Self::alloc(self, layout).ok()
    }

    unsafe fn free(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: by the precondition.
        unsafe { self.dealloc(block, layout) };
    }
}

struct State<E> {
    engine: E,
    /// Bytes that it has.
    length: usize,
    /// Bytes in live blocks, headers included.
    used: usize,
    /// How often everything was freed.
    generation: u64,
}

struct Heap<E> {
    start: NonNull<u8>,
    state: PiMutex<State<E>>,
}

/// A manager made of an engine.
struct Of<E>(E);

impl<E: Engine> Of<E> {
    const MANAGER: Manager = Manager {
        size: mem::size_of::<Manager>() as u32,
        flags: 0,
        create: Some(create::<E>),
        destroy: Some(destroy::<E>),
        alloc: Some(alloc::<E>),
        free: Some(free::<E>),
        usable: Some(usable::<E>),
        free_all: Some(free_all::<E>),
        used: Some(used::<E>),
        resize: Some(resize::<E>),
    };
}

/// The manager of `genp_rlsf_manager()`.
pub static RLSF: Manager = Of::<rlsf::Tlsf<'static, u64, u64, 40, 64>>::MANAGER;
/// The manager of `genp_buddy_manager()`.
pub static BUDDY: Manager = Of::<buddy_system_allocator::Heap<47>>::MANAGER;

/// The layout of a block with its header, which has as many bytes as the alignment.
fn layout_of(bytes: usize, align: usize) -> Option<Layout> {
    let bytes = bytes.max(1).checked_next_multiple_of(16)?;
    let whole = bytes.checked_add(align).filter(|&whole| whole <= MOST)?;
    Layout::from_size_align(whole, align).ok()
}

/// A live block.
struct Found {
    header: *mut u64,
    layout: Layout,
}

impl<E: Engine> State<E> {
    /// All of this memory, without a block.
    ///
    /// # Safety
    ///
    /// As of [`Engine::add`].
    unsafe fn of(start: NonNull<u8>, length: usize, generation: u64) -> Self {
        let mut engine = E::empty();
        // SAFETY: by the precondition.
        unsafe { engine.add(start, length) };
        Self {
            engine,
            length,
            used: 0,
            generation,
        }
    }
}

impl<E: Engine> Heap<E> {
    fn seal(block: usize, first: u64, generation: u64) -> u64 {
        (block as u64 ^ first.rotate_left(32) ^ generation.rotate_left(48))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            | 1
    }

    fn find(&self, state: &State<E>, block: usize) -> Option<Found> {
        let offset = block.checked_sub(self.start.as_ptr() as usize)?;
        if !(HEADER..state.length).contains(&offset) || offset % 16 != 0 {
            return None;
        }
        let header = self
            .start
            .as_ptr()
            .wrapping_add(offset - HEADER)
            .cast::<u64>();
        // SAFETY: within the memory, and aligned.
        let (first, seal) = unsafe { (header.read(), header.add(1).read()) };
        if seal != Self::seal(block, first, state.generation) {
            return None;
        }
        let layout = layout_of((first & !ALIGN) as usize >> 6, 1 << (first & ALIGN))?;
        Some(Found { header, layout })
    }

    fn alloc(&self, state: &mut State<E>, bytes: usize, align: usize) -> Option<*mut u8> {
        let layout = layout_of(bytes, align)?;
        let block = state.engine.alloc(layout)?.as_ptr().wrapping_add(align);
        let bytes = (layout.size() - align) as u64;
        let first = (bytes << 6) | u64::from(align.trailing_zeros());
        let header = block.wrapping_sub(HEADER).cast::<u64>();
        // SAFETY: in the block of the engine, before that of the user.
        unsafe {
            header.write(first);
            let seal = Self::seal(block as usize, first, state.generation);
            header.add(1).write(seal);
        }
        state.used += layout.size();
        Some(block)
    }

    fn free(&self, state: &mut State<E>, block: usize) -> Option<()> {
        let found = self.find(state, block)?;
        // SAFETY: its header.
        unsafe { found.header.add(1).write(0) };
        let start = block - found.layout.align();
        let start = NonNull::new(ptr::with_exposed_provenance_mut(start))?;
        state.used -= found.layout.size();
        // SAFETY: sealed, so it is from `alloc` and was not freed.
        unsafe { state.engine.free(start, found.layout) };
        Some(())
    }
}

unsafe extern "C" fn create<E: Engine>(start: *mut c_void, length: usize) -> *mut c_void {
    let Some(start) = NonNull::new(start.cast::<u8>()) else {
        return ptr::null_mut();
    };
    // SAFETY: says the header.
    let state = PiMutex::new(unsafe { State::<E>::of(start, length, 0) });
    Box::into_raw(Box::new(Heap { start, state })).cast()
}

unsafe extern "C" fn destroy<E: Engine>(heap: *mut c_void) {
    // SAFETY: from `create`, once.
    drop(unsafe { Box::from_raw(heap.cast::<Heap<E>>()) });
}

/// Runs something under the lock; what fails leaves an errno.
///
/// # Safety
///
/// From `create`, and not destroyed.
unsafe fn locked<E: Engine, T>(
    heap: *mut c_void,
    otherwise: T,
    error: c_int,
    run: impl FnOnce(&Heap<E>, &mut State<E>) -> Option<T>,
) -> T {
    // SAFETY: by the precondition.
    let heap = unsafe { &*heap.cast::<Heap<E>>() };
    let result = match heap.state.lock() {
        Ok(mut state) => run(heap, &mut state).ok_or(error),
        Err(error) => Err(error.raw_os_error().unwrap_or(libc::EIO)),
    };
    result.unwrap_or_else(|error| {
        // SAFETY: the calling thread's own errno.
        unsafe { *libc::__errno_location() = error };
        otherwise
    })
}

unsafe extern "C" fn alloc<E: Engine>(
    heap: *mut c_void,
    bytes: usize,
    align: usize,
) -> *mut c_void {
    let run = |heap: &Heap<E>, state: &mut State<E>| Some(heap.alloc(state, bytes, align)?.cast());
    // SAFETY: says the header.
    unsafe { locked(heap, ptr::null_mut(), libc::ENOMEM, run) }
}

unsafe extern "C" fn free<E: Engine>(heap: *mut c_void, block: *mut c_void) -> c_int {
    let run = |heap: &Heap<E>, state: &mut State<E>| heap.free(state, block as usize).map(|()| 0);
    // SAFETY: says the header.
    unsafe { locked(heap, -1, libc::EINVAL, run) }
}

unsafe extern "C" fn usable<E: Engine>(heap: *mut c_void, block: *mut c_void) -> usize {
    let run = |heap: &Heap<E>, state: &mut State<E>| {
        let layout = heap.find(state, block as usize)?.layout;
        Some(layout.size() - layout.align())
    };
    // SAFETY: says the header.
    unsafe { locked(heap, 0, libc::EINVAL, run) }
}

unsafe extern "C" fn free_all<E: Engine>(heap: *mut c_void) -> c_int {
    let run = |heap: &Heap<E>, state: &mut State<E>| {
        let generation = state.generation.wrapping_add(1);
        // SAFETY: the heap's memory, of which no block is left.
        *state = unsafe { State::of(heap.start, state.length, generation) };
        Some(0)
    };
    // SAFETY: says the header.
    unsafe { locked(heap, -1, libc::EIO, run) }
}

unsafe extern "C" fn used<E: Engine>(heap: *mut c_void) -> usize {
    let run = |_: &Heap<E>, state: &mut State<E>| Some(state.used);
    // SAFETY: says the header.
    unsafe { locked(heap, 0, libc::EIO, run) }
}

/// More only: the crates keep what they have in lists of which nothing else can be taken out.
unsafe extern "C" fn resize<E: Engine>(heap: *mut c_void, length: usize) -> c_int {
    let run = |heap: &Heap<E>, state: &mut State<E>| {
        let more = length.checked_sub(state.length)?;
        // SAFETY: says the header; what it had ended on a page.
        unsafe { state.engine.add(heap.start.add(state.length), more) };
        state.length = length;
        Some(0)
    };
    // SAFETY: says the header.
    unsafe { locked(heap, -1, libc::EOPNOTSUPP, run) }
}
