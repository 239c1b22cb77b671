// SPDX-License-Identifier: GPL-2.0

//! GenP for drivers in Rust: the rules of `include/linux/genp.h` as types.
//!
//! - A page or a lease cannot outlive its partition: it borrows it.
//! - A page is given back when it is dropped, in any context.
//! - What may sleep needs a [`Thread`]. That is a token which exists only where sleeping is
//!   allowed, and which code in an interrupt cannot get: it is neither `Send` nor `Sync`,
//!   and a [`Tick`], the code that runs there, can capture only what is `Sync`. A lease is
//!   not `Sync` either, because returning it sleeps.
//!
//! `compile_fail/` has what the compiler refuses. Copy this file into a driver of your own
//! and extend it as needed. It uses nothing of the kernel but GenP.

mod sys;

use core::{
    ffi::{c_int, CStr},
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::{self, NonNull},
};

/// Bytes of a page.
pub(crate) const PAGE_SIZE: usize = sys::GENP_SAMPLE_PAGE_SIZE as usize;

/// An errno of the kernel, as a negative number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Errno(pub(crate) c_int);

/// The result of a call of GenP.
pub(crate) type Result<T = ()> = core::result::Result<T, Errno>;

fn checked(answer: c_int) -> Result {
    if answer == 0 {
        Ok(())
    } else {
        Err(Errno(answer))
    }
}

/// The pointer, or the error that it encodes.
fn checked_pointer<T>(pointer: *mut T) -> Result<NonNull<T>> {
    const MAX_ERRNO: isize = 4095;
    let number = pointer as isize;
    match NonNull::new(pointer) {
        Some(pointer) if !(-MAX_ERRNO..0).contains(&number) => Ok(pointer),
        // CAST: -4095 to 0.
        _ => Err(Errno(number as c_int)),
    }
}

/// The proof that this code may sleep.
pub(crate) struct Thread {
    /// Neither `Send` nor `Sync`.
    here: PhantomData<*const ()>,
}

impl Thread {
    /// Asserts that this is thread context.
    ///
    /// # Safety
    ///
    /// While the token lives, and wherever it can be reached, the caller may sleep: it
    /// is in a thread and holds no raw spinlock.
    pub(crate) unsafe fn new() -> Self {
        Self { here: PhantomData }
    }
}

/// Code that may run in an interrupt.
#[derive(Clone, Copy)]
pub(crate) struct Tick<'a> {
    code: *const (),
    call: unsafe fn(*const ()),
    lives: PhantomData<&'a ()>,
}

// SAFETY: `code` points to something that is `Sync`: see `Tick::new`.
unsafe impl Send for Tick<'_> {}
// SAFETY: as above.
unsafe impl Sync for Tick<'_> {}

impl<'a> Tick<'a> {
    /// Wraps a closure. All it has must be `Sync`; a `Thread` and a `Lease` are not.
    pub(crate) fn new<F: Fn() + Sync>(code: &'a F) -> Self {
        /// # Safety
        ///
        /// `code` points to an `F` that lives.
        unsafe fn call<F: Fn()>(code: *const ()) {
            // SAFETY: the caller's promise.
            unsafe { (*code.cast::<F>())() }
        }
        Self {
            code: ptr::from_ref(code).cast(),
            call: call::<F>,
            lives: PhantomData,
        }
    }

    /// Runs it. Context: any.
    pub(crate) fn run(&self) {
        // SAFETY: `new` took `code` from a reference to what `call` was made for, and
        // that reference lives as long as `self`.
        unsafe { (self.call)(self.code) }
    }
}

/// The parameters of a partition; `struct genp_spec` has more.
pub(crate) struct Spec<'a> {
    pub(crate) name: Option<&'a CStr>,
    pub(crate) borrow_limit: u64,
    pub(crate) stock_pages: u32,
}

/// A partition of this driver.
///
/// Dropping it without [`Partition::destroy`] leaks it, and GenP stays loaded: a drop can
/// happen in any context, and destroying sleeps.
pub(crate) struct Partition {
    raw: NonNull<sys::genp_partition>,
}

// SAFETY: GenP's functions for a partition may be called from any thread; each method
// requires the context that it needs.
unsafe impl Send for Partition {}
// SAFETY: as above.
unsafe impl Sync for Partition {}

impl Partition {
    /// Creates a partition; see `genp_partition_create()`.
    pub(crate) fn create(_: &Thread, spec: &Spec<'_>) -> Result<Self> {
        let spec = sys::genp_spec {
            name: spec.name.map_or(ptr::null(), CStr::as_ptr).cast(),
            borrow_limit: spec.borrow_limit,
            node: sys::GENP_ANY_NODE,
            stock_pages: spec.stock_pages,
            ..Default::default()
        };
        // SAFETY: `spec` is complete, its name ends with a zero, and the token says that
        // this is thread context.
        let raw = checked_pointer(unsafe { sys::genp_partition_create(&spec) })?;
        Ok(Self { raw })
    }

    /// Destroys it. If something is outstanding, which `core::mem::forget()` can cause, the
    /// partition remains, and the error is what is outstanding.
    pub(crate) fn destroy(self, _: &Thread) -> core::result::Result<(), Outstanding> {
        let mut left = sys::genp_outstanding::default();
        // SAFETY: the partition is ours and nobody borrows it any longer; the token says
        // that this is thread context.
        match unsafe { sys::genp_partition_destroy(self.raw.as_ptr(), &mut left) } {
            0 => Ok(()),
            _ => Err(Outstanding {
                pages: left.pages,
                leases: left.leases,
            }),
        }
    }

    /// Takes a page; see `genp_alloc_page()`. Context: any.
    pub(crate) fn take_page(&self) -> Option<Page<'_>> {
        // SAFETY: the partition lives. The call is for any context.
        let raw = NonNull::new(unsafe { sys::genp_alloc_page(self.raw.as_ptr(), 0) })?;
        Some(Page { part: self, raw })
    }

    /// Borrows `N` pages until [`Lease::expires`], without waiting; see `genp_borrow()`.
    pub(crate) fn borrow<const N: usize>(&self, _: &Thread, lease_ns: u64) -> Result<Lease<'_, N>> {
        let request = sys::genp_request {
            nr_pages: u32::try_from(N).map_err(|_| Errno(-7))?,
            lease_ns,
            ..Default::default()
        };
        let mut pages = [ptr::null_mut(); N];
        let mut lease = sys::genp_lease::default();
        // SAFETY: the partition lives, `pages` has room for as many as are asked for,
        // and the token says that this is thread context.
        checked(unsafe {
            sys::genp_borrow(self.raw.as_ptr(), &request, pages.as_mut_ptr(), &mut lease)
        })?;
        Ok(Lease {
            part: self,
            pages,
            handle: lease.handle,
            expires: lease.expires,
            here: PhantomData,
        })
    }
}

/// What keeps a partition from being destroyed.
pub(crate) struct Outstanding {
    pub(crate) pages: u32,
    pub(crate) leases: u32,
}

/// The bytes of a page.
fn bytes<'a>(page: NonNull<sys::page>) -> &'a mut [u8; PAGE_SIZE] {
    // SAFETY: GenP's pages have kernel addresses and all of their bytes are initialised.
    // The callers own `page` for as long as they let anyone have the bytes.
    unsafe { &mut *sys::genp_sample_address(page.as_ptr()).cast() }
}

/// A page of the stock.
pub(crate) struct Page<'p> {
    part: &'p Partition,
    raw: NonNull<sys::page>,
}

// SAFETY: a page has one owner, and may be used and given back in any context.
unsafe impl Send for Page<'_> {}
// SAFETY: without `&mut` nothing can be done with it.
unsafe impl Sync for Page<'_> {}

impl Page<'_> {
    /// Its bytes. Context: any.
    pub(crate) fn bytes(&mut self) -> &mut [u8; PAGE_SIZE] {
        bytes(self.raw)
    }

    /// Gives it back and returns the error, if any; dropping it also gives it back.
    /// Context: any.
    pub(crate) fn give(self) -> Result {
        let page = ManuallyDrop::new(self);
        // SAFETY: the page is ours, from this partition, and is not used after this.
        checked(unsafe { sys::genp_free_page(page.part.raw.as_ptr(), page.raw.as_ptr()) })
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        // SAFETY: as in `give`.
        let _ = unsafe { sys::genp_free_page(self.part.raw.as_ptr(), self.raw.as_ptr()) };
    }
}

/// Borrowed pages, which must be returned by `expires`.
pub(crate) struct Lease<'p, const N: usize> {
    part: &'p Partition,
    pages: [*mut sys::page; N],
    handle: u64,
    expires: u64,
    /// Stays in the thread that borrowed: dropping it may sleep.
    here: PhantomData<*const ()>,
}

impl<const N: usize> Lease<'_, N> {
    /// When it has to be returned, in nanoseconds of CLOCK_MONOTONIC.
    pub(crate) fn expires(&self) -> u64 {
        self.expires
    }

    /// The bytes of one of the pages; `None` beyond the last one.
    pub(crate) fn bytes(&mut self, which: usize) -> Option<&mut [u8; PAGE_SIZE]> {
        Some(bytes(NonNull::new(*self.pages.get(which)?)?))
    }
}

impl<const N: usize> Drop for Lease<'_, N> {
    fn drop(&mut self) {
        // SAFETY: the lease is ours and its pages are not used after this. A lease is
        // not `Send`, so this is the thread that had the token.
        let _ = unsafe { sys::genp_return(self.part.raw.as_ptr(), self.handle) };
    }
}
