// SPDX-License-Identifier: GPL-2.0

//! The allocators that are measured. Each is called as by a program: general heaps
//! through their C functions, allocators of given memory through their Rust
//! types.

use std::{
    alloc::Layout,
    cell::RefCell,
    ffi::c_void,
    io,
    num::NonZeroU16,
    ptr::{self, NonNull},
};

/// Bytes of memory that are given to a subject.
pub const POOL: usize = 16 << 20;

/// An allocator.
pub trait Subject {
    const NAME: &'static str;
    /// Whether it may be shared by threads.
    const SHARED: bool = true;
    /// The most bytes in use at a time.
    const POOL: usize = POOL;
    /// The largest block that it can allocate.
    const LARGEST: usize = usize::MAX;

    fn new() -> io::Result<Self>
    where
        Self: Sized;

    /// A block, or null.
    fn alloc(&self, size: usize) -> *mut u8;

    /// Frees a block.
    ///
    /// # Safety
    ///
    /// `block` came from `alloc` of this subject and is used no longer.
    unsafe fn free(&self, block: *mut u8);
}

/// An allocator of the memory that it is given.
pub trait InMemory: Subject + Sized {
    /// With so many bytes, whole pages.
    fn of(bytes: usize) -> io::Result<Self>;
}

#[repr(C)]
struct Part(c_void);

extern "C" {
    fn genp_create(reserve: usize, borrow_limit: usize) -> *mut Part;
    fn genp_alloc(part: *mut Part, size: usize) -> *mut u8;
    fn genp_free(block: *mut u8) -> i32;
    fn genp_destroy(part: *mut Part) -> i32;
}

/// The heap of a partition, through `genp.h`.
pub struct Genp(*mut Part);

// SAFETY: any thread may call the functions of `genp.h`.
unsafe impl Sync for Genp {}

impl Subject for Genp {
    const NAME: &'static str = "genp";

    fn new() -> io::Result<Self> {
        Self::of(POOL)
    }

    #[inline(always)]
    fn alloc(&self, size: usize) -> *mut u8 {
        // SAFETY: a live partition.
        unsafe { genp_alloc(self.0, size) }
    }

    #[inline(always)]
    unsafe fn free(&self, block: *mut u8) {
        // SAFETY: by the precondition.
        unsafe { genp_free(block) };
    }
}

impl InMemory for Genp {
    fn of(bytes: usize) -> io::Result<Self> {
        // SAFETY: two numbers.
        match unsafe { genp_create(bytes, 0) } {
            part if part.is_null() => Err(io::Error::last_os_error()),
            part => Ok(Self(part)),
        }
    }
}

impl Drop for Genp {
    fn drop(&mut self) {
        // SAFETY: created in `new`; its blocks are used no longer.
        unsafe { genp_destroy(self.0) };
    }
}

/// Subjects with two C functions.
macro_rules! in_c {
    ($subject:ident, $name:literal, $malloc:path, $free:path, $prepare:expr) => {
        #[doc = concat!("The allocator ", $name, ".")]
        pub struct $subject;

        impl Subject for $subject {
            const NAME: &'static str = $name;

            fn new() -> io::Result<Self> {
                $prepare();
                Ok(Self)
            }

            #[inline(always)]
            fn alloc(&self, size: usize) -> *mut u8 {
                // SAFETY: a number.
                unsafe { $malloc(size) }.cast()
            }

            #[inline(always)]
            unsafe fn free(&self, block: *mut u8) {
                // SAFETY: by the precondition.
                unsafe { $free(block.cast()) }
            }
        }
    };
}

/// No preparation, as in most programs.
fn as_it_is() {}

/// The preparation of programs that must not fault: keeps freed memory, locks all memory.
fn lock_all() {
    // SAFETY: settings of this process, and a block that is freed at once.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
        libc::mallopt(libc::M_MMAP_MAX, 0);
        let locked = libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE);
        assert_eq!(locked, 0, "memory cannot be locked");
        // Grows the heap once to more than is needed. The compiler must not see that it is
        // not used.
        libc::free(std::hint::black_box(libc::malloc(2 * POOL)));
    }
}

in_c!(Glibc, "glibc", libc::malloc, libc::free, as_it_is);
in_c!(
    GlibcLocked,
    "glibc_locked",
    libc::malloc,
    libc::free,
    lock_all
);
in_c!(
    Jemalloc,
    "jemalloc",
    tikv_jemalloc_sys::malloc,
    tikv_jemalloc_sys::free,
    as_it_is
);
in_c!(
    Mimalloc,
    "mimalloc",
    libmimalloc_sys::mi_malloc,
    libmimalloc_sys::mi_free,
    as_it_is
);

/// Memory for a subject, touched.
fn memory(bytes: usize) -> io::Result<NonNull<u8>> {
    // SAFETY: a new mapping where the kernel likes.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(start.cast()).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))
}

/// The crate rlsf alone: no lock, no header, no check.
pub struct Rlsf(RefCell<rlsf::Tlsf<'static, u32, u32, 32, 32>>);

impl Subject for Rlsf {
    const NAME: &'static str = "rlsf";
    const SHARED: bool = false;

    fn new() -> io::Result<Self> {
        Self::of(POOL)
    }

    #[inline(always)]
    fn alloc(&self, size: usize) -> *mut u8 {
        // SAFETY: a power of two, and far from overflowing.
        let layout = unsafe { Layout::from_size_align_unchecked(size, 16) };
        self.0
            .borrow_mut()
            .allocate(layout)
            .map_or(ptr::null_mut(), NonNull::as_ptr)
    }

    #[inline(always)]
    unsafe fn free(&self, block: *mut u8) {
        // SAFETY: by the precondition, and of the alignment of `alloc`.
        unsafe {
            self.0
                .borrow_mut()
                .deallocate(NonNull::new_unchecked(block), 16)
        }
    }
}

impl InMemory for Rlsf {
    fn of(bytes: usize) -> io::Result<Self> {
        let mut tlsf = rlsf::Tlsf::new();
        let pool = NonNull::slice_from_raw_parts(memory(bytes)?, bytes);
        // SAFETY: the memory is its own from here on.
        unsafe { tlsf.insert_free_block_ptr(pool) };
        Ok(Self(RefCell::new(tlsf)))
    }
}

/// The crate tlsf: at most 256 KiB of memory, and blocks aligned to four bytes.
pub struct SmallTlsf(RefCell<tlsf::Tlsf<'static, 11>>);

impl Subject for SmallTlsf {
    const NAME: &'static str = "tlsf";
    const SHARED: bool = false;
    const POOL: usize = 256 << 10;
    const LARGEST: usize = 16 << 10;

    fn new() -> io::Result<Self> {
        let start = memory(Self::POOL)?.cast();
        let mut tlsf = tlsf::Tlsf::empty();
        // SAFETY: memory of this length that is not used elsewhere.
        tlsf.initialize(unsafe { std::slice::from_raw_parts_mut(start.as_ptr(), Self::POOL / 4) });
        Ok(Self(RefCell::new(tlsf)))
    }

    #[inline(always)]
    fn alloc(&self, size: usize) -> *mut u8 {
        let Some(size) = u16::try_from(size).ok().and_then(NonZeroU16::new) else {
            return ptr::null_mut();
        };
        self.0
            .borrow_mut()
            .malloc(size)
            .map_or(ptr::null_mut(), |block| block.as_mut_ptr().cast())
    }

    #[inline(always)]
    unsafe fn free(&self, block: *mut u8) {
        // SAFETY: by the precondition.
        unsafe {
            self.0
                .borrow_mut()
                .free(NonNull::new_unchecked(block.cast()))
        }
    }
}

/// The crate offset-allocator, a two-level segregated fit with its metadata outside
/// of the memory; eight bytes before a block identify it.
pub struct Offset {
    allocator: RefCell<offset_allocator::Allocator>,
    start: NonNull<u8>,
}

/// The size of the header of [`Offset`].
const NOTE: usize = 16;

impl Subject for Offset {
    const NAME: &'static str = "offset_allocator";
    const SHARED: bool = false;

    fn new() -> io::Result<Self> {
        Self::with(POOL, 128 << 10)
    }

    #[inline(always)]
    fn alloc(&self, size: usize) -> *mut u8 {
        let size = (size + NOTE).next_multiple_of(16) as u32;
        let Some(allocation) = self.allocator.borrow_mut().allocate(size) else {
            return ptr::null_mut();
        };
        // SAFETY: within the memory; `allocate` returned these bytes.
        unsafe {
            let note = self.start.as_ptr().add(allocation.offset as usize);
            note.cast::<offset_allocator::Allocation>()
                .write(allocation);
            note.add(NOTE)
        }
    }

    #[inline(always)]
    unsafe fn free(&self, block: *mut u8) {
        // SAFETY: `alloc` wrote it there.
        let allocation = unsafe {
            block
                .sub(NOTE)
                .cast::<offset_allocator::Allocation>()
                .read()
        };
        self.allocator.borrow_mut().free(allocation);
    }
}

impl Offset {
    fn with(bytes: usize, most_blocks: u32) -> io::Result<Self> {
        let allocator = offset_allocator::Allocator::with_max_allocs(bytes as u32, most_blocks);
        Ok(Self {
            allocator: RefCell::new(allocator),
            start: memory(bytes)?,
        })
    }
}

impl InMemory for Offset {
    fn of(bytes: usize) -> io::Result<Self> {
        // As many as there is room for. What it notes of them is not counted.
        Self::with(bytes, (bytes / (2 * NOTE)) as u32)
    }
}

/// No allocator: the overhead of the measurement.
pub struct Nobody(Box<[u8]>);

impl Subject for Nobody {
    const NAME: &'static str = "nobody";

    fn new() -> io::Result<Self> {
        Ok(Self(vec![1; 4 << 20].into_boxed_slice()))
    }

    #[inline(always)]
    fn alloc(&self, _size: usize) -> *mut u8 {
        self.0.as_ptr().cast_mut()
    }

    #[inline(always)]
    unsafe fn free(&self, _block: *mut u8) {}
}
