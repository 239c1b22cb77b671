// SPDX-License-Identifier: GPL-2.0

//! The other methods. All of them return zeroed pages, mapped.

use std::{fs, io};

use harness::{calls, PAGE};

use crate::method::{failed, map, open, Fd, Mapped, Method, Result, MOST};

/// Bytes of a huge page of x86_64.
const HUGE: usize = 2 << 20;
const HUGE_PAGES: &str = "/proc/sys/vm/nr_hugepages";

fn bytes(pages: usize) -> usize {
    pages * PAGE as usize
}

/// Anonymous memory, populated by mmap().
#[derive(Default)]
pub struct Anonymous(Option<Mapped>);

impl Anonymous {
    pub fn set_up() -> Result<Box<dyn Method>> {
        Ok(Box::<Self>::default())
    }
}

impl Method for Anonymous {
    fn subject(&self) -> &'static str {
        "mmap_populate"
    }

    fn note(&self) -> &'static str {
        "mmap(MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE), munmap()"
    }

    fn get(&mut self, pages: usize) -> Result<*mut u8> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
        Ok(self.0.insert(map(bytes(pages), flags, -1, 0)?).start())
    }

    fn give(&mut self) -> Result<()> {
        self.0 = None;
        Ok(())
    }
}

/// An unnamed file of this length.
pub fn memfd(length: usize) -> Result<Fd> {
    // SAFETY: a string that ends with zero.
    let fd = match unsafe { libc::memfd_create(c"bench".as_ptr(), libc::MFD_CLOEXEC) } {
        -1 => return Err(failed("memfd_create")),
        fd => Fd(fd),
    };
    // SAFETY: no memory is involved.
    match unsafe { libc::ftruncate(fd.0, length as libc::off_t) } {
        -1 => Err(failed("ftruncate")),
        _ => Ok(fd),
    }
}

/// A new memfd each time: an open one would keep its pages. The fields are in the order
/// in which they must be dropped.
#[derive(Default)]
pub struct Memfd(Option<(Mapped, Fd)>);

impl Memfd {
    pub fn set_up() -> Result<Box<dyn Method>> {
        Ok(Box::<Self>::default())
    }
}

impl Method for Memfd {
    fn subject(&self) -> &'static str {
        "memfd"
    }

    fn note(&self) -> &'static str {
        "memfd_create(), ftruncate(), mmap(MAP_SHARED | MAP_POPULATE), munmap(), close()"
    }

    fn get(&mut self, pages: usize) -> Result<*mut u8> {
        let file = memfd(bytes(pages))?;
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        let mapped = map(bytes(pages), flags, file.0, 0)?;
        Ok(self.0.insert((mapped, file)).0.start())
    }

    fn give(&mut self) -> Result<()> {
        self.0 = None;
        Ok(())
    }
}

/// struct dma_heap_allocation_data of linux/dma-heap.h.
#[repr(C)]
#[derive(Default)]
struct HeapAllocation {
    length: u64,
    fd: u32,
    fd_flags: u32,
    heap_flags: u64,
}

/// DMA_HEAP_IOCTL_ALLOC: _IOWR('H', 0, struct dma_heap_allocation_data).
const HEAP_ALLOC: u64 =
    (3 << 30) | ((size_of::<HeapAllocation>() as u64) << 16) | ((b'H' as u64) << 8);

/// The dma-heap of system memory.
pub struct DmaHeap {
    heap: Fd,
    buffer: Option<(Mapped, Fd)>,
}

impl DmaHeap {
    pub fn set_up() -> Result<Box<dyn Method>> {
        Ok(Box::new(Self {
            heap: Fd(open(c"/dev/dma_heap/system")?),
            buffer: None,
        }))
    }
}

impl Method for DmaHeap {
    fn subject(&self) -> &'static str {
        "dma_heap"
    }

    fn note(&self) -> &'static str {
        "DMA_HEAP_IOCTL_ALLOC of /dev/dma_heap/system, mmap(), munmap(), close()"
    }

    fn get(&mut self, pages: usize) -> Result<*mut u8> {
        let mut ask = HeapAllocation {
            length: bytes(pages) as u64,
            fd_flags: (libc::O_RDWR | libc::O_CLOEXEC) as u32,
            ..Default::default()
        };
        calls::call(self.heap.0, HEAP_ALLOC, &mut ask)
            .map_err(|_| failed("DMA_HEAP_IOCTL_ALLOC"))?;
        let file = Fd(ask.fd as i32);
        let mapped = map(bytes(pages), libc::MAP_SHARED, file.0, 0)?;
        Ok(self.buffer.insert((mapped, file)).0.start())
    }

    fn give(&mut self) -> Result<()> {
        self.buffer = None;
        Ok(())
    }
}

/// Huge pages, reserved before and returned to the kernel at the end.
pub struct Huge {
    mapped: Option<Mapped>,
    before: u64,
}

fn reserve_huge(count: u64) -> io::Result<u64> {
    fs::write(HUGE_PAGES, count.to_string())?;
    let text = fs::read_to_string(HUGE_PAGES)?;
    text.trim().parse().map_err(io::Error::other)
}

impl Huge {
    pub fn set_up() -> Result<Box<dyn Method>> {
        let context = |error| format!("{HUGE_PAGES}: {error}");
        let before = harness::machine::number_of(HUGE_PAGES);
        let wanted = bytes(MOST).div_ceil(HUGE) as u64;
        let huge = Box::new(Self {
            mapped: None,
            before,
        });
        match reserve_huge(before + wanted).map_err(context)? {
            got if got < before + wanted => Err(format!("{got} huge pages of {wanted}")),
            _ => Ok(huge),
        }
    }
}

impl Drop for Huge {
    fn drop(&mut self) {
        let _ = reserve_huge(self.before);
    }
}

impl Method for Huge {
    fn subject(&self) -> &'static str {
        "hugetlbfs"
    }

    fn note(&self) -> &'static str {
        "mmap(MAP_HUGETLB | MAP_POPULATE), munmap(); whole pages of 2 MiB, set aside before"
    }

    fn get(&mut self, pages: usize) -> Result<*mut u8> {
        let flags =
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB | libc::MAP_POPULATE;
        let length = bytes(pages).next_multiple_of(HUGE);
        Ok(self.mapped.insert(map(length, flags, -1, 0)?).start())
    }

    fn give(&mut self) -> Result<()> {
        self.mapped = None;
        Ok(())
    }
}
