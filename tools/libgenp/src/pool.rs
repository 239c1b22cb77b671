// SPDX-License-Identifier: MIT OR Apache-2.0

//! Pools of objects of one size, in the reserve of a partition: a number of them that is
//! there whatever else the heap has to do, and more from the heap, if that is wanted.

use std::{io, ptr::NonNull};

use crate::{lock::PiMutex, partition::Partition, process::Process};

/// No object, and the mark of one that is in use.
const NONE: u32 = u32::MAX;
const IN_USE: u32 = u32::MAX - 1;
/// The most objects of a pool.
const MOST: usize = 1 << 24;

/// The objects that are not in use.
struct Free {
    first: u32,
    left: u32,
    /// The least of `left` there ever was.
    least: u32,
    /// Objects from the heap that are in use.
    extra: u64,
    refusals: u64,
    /// Of each object the next one that is not in use, or [`IN_USE`].
    next: Box<[u32]>,
}

/// What a pool is to be.
#[derive(Clone, Copy, Debug)]
pub struct PoolRequest {
    /// Bytes of an object; at least 1.
    pub object: usize,
    /// Its alignment, a power of two; 0 is 16.
    pub align: usize,
    /// Objects that are guaranteed; at least 1.
    pub objects: usize,
    /// Whether there are more from the heap when these are in use.
    pub grows: bool,
}

/// The state of a pool: `struct genp_pool_stat` of `genp/pool.h`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStat {
    /// Of this structure, in bytes.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// Objects that are guaranteed.
    pub objects: u64,
    /// Of these, how many are in use.
    pub used: u64,
    /// The most of `used` there ever was.
    pub used_peak: u64,
    /// Objects from the heap that are in use besides.
    pub extra: u64,
    /// Requests that were refused with ENOMEM.
    pub refusals: u64,
    /// Bytes from one object to the next.
    pub stride: u64,
}

/// A pool of objects.
pub struct Pool<'a> {
    part: &'a Partition,
    request: PoolRequest,
    start: NonNull<u8>,
    stride: usize,
    free: PiMutex<Free>,
    process: Process,
}

// SAFETY: an address in memory that any thread may use; the rest is behind a mutex.
unsafe impl Send for Pool<'_> {}
// SAFETY: as above.
unsafe impl Sync for Pool<'_> {}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

impl PoolRequest {
    /// The alignment and the distance of its objects: EINVAL, ENOMEM.
    fn measures(&self) -> io::Result<(usize, usize)> {
        let align = if self.align == 0 { 16 } else { self.align };
        let sensible = self.object > 0 && (1..=MOST).contains(&self.objects);
        if !sensible || !align.is_power_of_two() {
            return Err(error(libc::EINVAL));
        }
        let stride = self.object.checked_next_multiple_of(align);
        Ok((align, stride.ok_or_else(|| error(libc::ENOMEM))?))
    }
}

impl<'a> Pool<'a> {
    /// Makes a pool in the heap of a partition: EINVAL, ENOMEM, and as of
    /// [`Partition::alloc`].
    pub fn new(part: &'a Partition, request: PoolRequest) -> io::Result<Self> {
        let (align, stride) = request.measures()?;
        let no_memory = || error(libc::ENOMEM);
        let bytes = stride.checked_mul(request.objects).ok_or_else(no_memory)?;
        let mut next = Vec::new();
        next.try_reserve_exact(request.objects)
            .map_err(|_| no_memory())?;
        next.extend(1..request.objects as u32);
        next.push(NONE);
        let start = part.alloc(bytes, align)?;
        let left = request.objects as u32;
        let free = Free {
            first: 0,
            left,
            least: left,
            extra: 0,
            refusals: 0,
            next: next.into_boxed_slice(),
        };
        Ok(Self {
            part,
            request,
            start,
            stride,
            free: PiMutex::new(free),
            process: Process::current(),
        })
    }

    /// Takes an object: ENOMEM, ECHILD, EDEADLK. O(1), no system call unless another thread
    /// is just at it.
    pub fn alloc(&self) -> io::Result<NonNull<u8>> {
        self.process.check()?;
        let mut free = self.free.lock()?;
        let first = free.first;
        let Some(next) = free.next.get(first as usize).copied() else {
            return self.alloc_more(&mut free);
        };
        free.first = next;
        free.next[first as usize] = IN_USE;
        free.left -= 1;
        free.least = free.least.min(free.left);
        // SAFETY: an object of the block.
        Ok(unsafe { self.start.add(first as usize * self.stride) })
    }

    /// Takes one from the heap, if that may be.
    #[cold]
    fn alloc_more(&self, free: &mut Free) -> io::Result<NonNull<u8>> {
        let more = match self.request.grows {
            true => self
                .part
                .alloc(self.request.object, self.request.align.max(16)),
            false => Err(error(libc::ENOMEM)),
        };
        match &more {
            Ok(_) => free.extra += 1,
            Err(_) => free.refusals += 1,
        }
        more
    }

    /// The number of an object of the block: None if it is none of these.
    fn number(&self, object: NonNull<u8>) -> Option<io::Result<usize>> {
        let offset = (object.as_ptr() as usize).wrapping_sub(self.start.as_ptr() as usize);
        if offset >= self.stride * self.request.objects {
            return None;
        }
        Some(match offset % self.stride {
            0 => Ok(offset / self.stride),
            _ => Err(error(libc::EINVAL)),
        })
    }

    /// Gives an object back: EINVAL for what is none, or none that is in use; ECHILD,
    /// EDEADLK. O(1).
    ///
    /// # Safety
    ///
    /// Nobody uses the object any longer. One from the heap came from this pool.
    pub unsafe fn free(&self, object: NonNull<u8>) -> io::Result<()> {
        self.process.check()?;
        let Some(number) = self.number(object) else {
            // SAFETY: by the precondition.
            return unsafe { self.free_more(object) };
        };
        let number = number?;
        let mut free = self.free.lock()?;
        if free.next[number] != IN_USE {
            return Err(error(libc::EINVAL));
        }
        free.next[number] = free.first;
        free.first = number as u32;
        free.left += 1;
        Ok(())
    }

    /// # Safety
    ///
    /// As of [`Self::free`].
    #[cold]
    unsafe fn free_more(&self, object: NonNull<u8>) -> io::Result<()> {
        let mut free = self.free.lock()?;
        if free.extra == 0 {
            return Err(error(libc::EINVAL));
        }
        // SAFETY: by the precondition.
        unsafe { self.part.free(object) }?;
        free.extra -= 1;
        Ok(())
    }

    /// The state of the pool: ECHILD, EDEADLK.
    pub fn stat(&self) -> io::Result<PoolStat> {
        self.process.check()?;
        let free = self.free.lock()?;
        let objects = self.request.objects as u64;
        Ok(PoolStat {
            size: size_of::<PoolStat>() as u32,
            reserved: 0,
            objects,
            used: objects - u64::from(free.left),
            used_peak: objects - u64::from(free.least),
            extra: free.extra,
            refusals: free.refusals,
            stride: self.stride as u64,
        })
    }

    /// Whether no object is in use. ECHILD, EDEADLK.
    pub fn is_idle(&self) -> io::Result<bool> {
        let stat = self.stat()?;
        Ok(stat.used + stat.extra == 0)
    }
}

impl Drop for Pool<'_> {
    fn drop(&mut self) {
        // SAFETY: the pool's own block. In a forked child, and if somebody wrote before it,
        // there is nothing to be done about it.
        let _ = unsafe { self.part.free(self.start) };
    }
}
