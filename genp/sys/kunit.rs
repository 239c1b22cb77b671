// SPDX-License-Identifier: GPL-2.0

//! Kernel services that only the KUnit tests need, see `glue_kunit.c`.

use kernel::{
    bindings,
    ffi::{c_int, c_ulong, c_void},
};

use super::{
    file::{FileOwner, FileRef},
    page::FrameTable,
};

// Structures of the kernel, some of which are empty in some configurations.
#[allow(improper_ctypes)]
extern "C" {
    fn genp_kunit_irqs_disabled() -> bool;
    fn genp_kunit_in_interrupt() -> bool;
    fn genp_kunit_call_hard(call: unsafe extern "C" fn(*mut c_void), data: *mut c_void) -> bool;
    fn genp_kunit_fill_page(page: *mut bindings::page, byte: u8);
    fn genp_kunit_page_is(page: *mut bindings::page, byte: u8) -> bool;
    fn genp_kunit_get_page(page: *mut bindings::page);
    fn genp_kunit_put_page(page: *mut bindings::page);
    fn genp_kunit_flush_fput();
    fn genp_kunit_is_asleep(task: *const bindings::task_struct) -> bool;
    fn genp_kunit_map(
        file: *mut bindings::file,
        offset: u64,
        length: u64,
        prot: c_ulong,
        shared: bool,
    ) -> c_ulong;
    fn genp_kunit_unmap(start: c_ulong, length: u64);
    fn genp_kunit_peek(at: c_ulong) -> c_int;
    fn genp_kunit_poke(at: c_ulong, byte: u8) -> bool;
    fn genp_kunit_walk_queue(waiting: u32, piece: u32, woken_meanwhile: bool, woken: *mut Woken);
}

/// Whom a walk over a wait queue woke, as in `glue_kunit_queue.c`.
#[repr(C)]
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Woken {
    /// By the first piece.
    pub(crate) first: u32,
    /// Those who waited before.
    pub(crate) before: u32,
    /// Those who came meanwhile.
    pub(crate) meanwhile: u32,
    /// The most often that one was woken.
    pub(crate) most: u32,
    /// Who is in the queue afterwards.
    pub(crate) left: u32,
}

/// Wakes a queue of `waiting` in pieces of `piece`; after the first one the last one goes,
/// two come, and somebody else wakes all if he is to. Context: thread, may sleep.
pub(crate) fn walk_queue(waiting: u32, piece: u32, woken_meanwhile: bool) -> Woken {
    let mut woken = Woken::default();
    // SAFETY: a structure of the same layout.
    unsafe { genp_kunit_walk_queue(waiting, piece, woken_meanwhile, &mut woken) };
    woken
}

/// As in the kernel's `mman-common.h`; not among the bindings.
pub(crate) const PROT_READ: u32 = 1;
/// As above.
pub(crate) const PROT_WRITE: u32 = 2;
/// As above.
pub(crate) const PROT_EXEC: u32 = 4;

/// Whether interrupts are disabled on this CPU.
pub(crate) fn irqs_disabled() -> bool {
    // SAFETY: no precondition.
    unsafe { genp_kunit_irqs_disabled() }
}

/// Whether this is a hard interrupt.
pub(crate) fn in_interrupt() -> bool {
    // SAFETY: no precondition.
    unsafe { genp_kunit_in_interrupt() }
}

/// Does `work` in a hard interrupt and returns its result. Context: thread.
pub(crate) fn in_hard_interrupt<R, F: FnOnce() -> R>(work: F) -> Option<R> {
    struct Call<R, F> {
        work: Option<F>,
        answer: Option<R>,
    }

    /// # Safety
    ///
    /// `data` is a `Call<R, F>` that nobody else uses during the call.
    unsafe extern "C" fn call<R, F: FnOnce() -> R>(data: *mut c_void) {
        // SAFETY: by the precondition.
        let call = unsafe { &mut *data.cast::<Call<R, F>>() };
        call.answer = call.work.take().map(|work| work());
    }

    let mut data = Call {
        work: Some(work),
        answer: None,
    };
    // SAFETY: `data` is a `Call<R, F>` and lives until the call is over.
    unsafe { genp_kunit_call_hard(call::<R, F>, core::ptr::from_mut(&mut data).cast()) };
    data.answer
}

/// Whether a task sleeps, for good until it is woken; the task stays during the call.
pub(super) fn is_asleep(task: *const bindings::task_struct) -> bool {
    // SAFETY: the caller keeps the task.
    !task.is_null() && unsafe { genp_kunit_is_asleep(task) }
}

/// Waits until the files that were closed before are released.
pub(crate) fn flush_fput() {
    // SAFETY: thread context, may sleep.
    unsafe { genp_kunit_flush_fput() }
}

impl FrameTable {
    /// Fills a frame, which the caller owns, with a byte.
    pub(crate) fn fill(&self, frame: u32, byte: u8) {
        // SAFETY: a page of the pool, by its number.
        unsafe { genp_kunit_fill_page(self.page(frame), byte) }
    }

    /// Whether all of a frame is this byte.
    pub(crate) fn is_all(&self, frame: u32, byte: u8) -> bool {
        // SAFETY: a page of the pool, by its number.
        unsafe { genp_kunit_page_is(self.page(frame), byte) }
    }

    /// Takes a reference to a frame as direct I/O would, until [`Self::unpin`].
    pub(crate) fn pin(&self, frame: u32) {
        // SAFETY: a page of the pool, by its number.
        unsafe { genp_kunit_get_page(self.page(frame)) }
    }

    /// Ends [`Self::pin`].
    pub(crate) fn unpin(&self, frame: u32) {
        // SAFETY: `pin` took a reference to the page.
        unsafe { genp_kunit_put_page(self.page(frame)) }
    }

    /// A number that identifies the page of a frame.
    pub(crate) fn page_number(&self, frame: u32) -> usize {
        self.page(frame) as usize
    }
}

/// A mapping in the test's own address space.
pub(crate) struct UserMap {
    pub(crate) start: usize,
    length: u64,
}

impl UserMap {
    /// Maps a part of a file, or returns the errno.
    pub(crate) fn new<T: FileOwner>(
        file: &FileRef<T>,
        offset: u64,
        length: u64,
        prot: u32,
        shared: bool,
    ) -> core::result::Result<Self, i32> {
        // SAFETY: the reference keeps the file alive; a thread without an address space
        // is refused.
        let start =
            unsafe { genp_kunit_map(file.0.as_ptr(), offset, length, prot as c_ulong, shared) };
        match start as isize {
            error @ -4095..=-1 => Err(error as i32),
            _ => Ok(Self { start, length }),
        }
    }

    /// The byte at an offset, if there is one.
    pub(crate) fn peek(&self, offset: usize) -> Option<u8> {
        // SAFETY: any address is checked by the call.
        u8::try_from(unsafe { genp_kunit_peek(self.start + offset) }).ok()
    }

    /// Writes a byte; false if there is none.
    pub(crate) fn poke(&self, offset: usize, byte: u8) -> bool {
        // SAFETY: any address is checked by the call.
        unsafe { genp_kunit_poke(self.start + offset, byte) }
    }
}

impl Drop for UserMap {
    fn drop(&mut self) {
        // SAFETY: unmaps what `new` mapped, in the same thread.
        unsafe { genp_kunit_unmap(self.start, self.length) }
    }
}
