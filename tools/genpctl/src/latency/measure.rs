// SPDX-License-Identifier: GPL-2.0

//! Measures what a program does with a partition.

use std::{io, mem::MaybeUninit, os::fd::AsRawFd, ptr, thread, time::Duration};

use genp::{system::now, Partition};
use hdrhistogram::{CreationError, Histogram};

/// The longest time that is told from longer ones.
const LONGEST_NS: u64 = 60_000_000_000;
/// Digits of a time that are kept.
const DIGITS: u8 = 3;
/// The longest wait for a lease, where nobody else should be in the way.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long to wait before a call that came too early is repeated, and how often.
const PACE: Duration = Duration::from_millis(1);
const REPEATS: u32 = 10_000;

/// How long one kind of call took.
pub struct Series {
    /// The call.
    pub name: &'static str,
    /// The times, in nanoseconds.
    pub times: Histogram<u64>,
    /// Page faults of this thread meanwhile.
    pub faults: u64,
}

/// Sizes, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Bytes of a block of the heap.
    pub block: usize,
    /// Bytes of a lease; 0 for none.
    pub lease: usize,
    /// Calls of each kind.
    pub count: u32,
}

/// Why it could not be measured: what failed, and how.
#[derive(Debug)]
pub struct Failure {
    /// What failed.
    pub what: &'static str,
    /// How.
    pub error: io::Error,
}

fn failing(what: &'static str) -> impl Fn(io::Error) -> Failure {
    move |error| Failure { what, error }
}

/// Page faults of this thread so far, of both kinds.
fn faults() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: room for the answer; all bytes are valid, so it may be read in any case.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr());
        usage.assume_init()
    };
    (usage.ru_minflt as u64).saturating_add(usage.ru_majflt as u64)
}

impl Series {
    /// None yet.
    pub fn new(name: &'static str) -> Result<Self, CreationError> {
        Ok(Self {
            name,
            times: Histogram::new_with_bounds(1, LONGEST_NS, DIGITS)?,
            faults: 0,
        })
    }

    /// Times a call that succeeds.
    fn time<T>(&mut self, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let faulted = faults();
        let begin = now();
        let result = call()?;
        let end = now();
        self.faults += faults().saturating_sub(faulted);
        self.times.saturating_record(end.saturating_sub(begin));
        Ok(result)
    }
}

/// A mapping of the whole reserve, undone when dropped.
struct Reserve {
    start: *mut u8,
    length: usize,
}

impl Reserve {
    fn map(part: &Partition) -> io::Result<Self> {
        let windows = part.stat()?.windows;
        let length = usize::try_from(windows.reserve_length).map_err(io::Error::other)?;
        // SAFETY: a new mapping where the kernel likes.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                part.fd().as_raw_fd(),
                windows.reserve_offset as libc::off_t,
            )
        };
        match start {
            libc::MAP_FAILED => Err(io::Error::last_os_error()),
            start => Ok(Self {
                start: start.cast(),
                length,
            }),
        }
    }

    /// Reads the byte at an offset, and writes the same.
    fn touch(&self, offset: usize) {
        if offset < self.length {
            // SAFETY: within the mapping; the memory of a heap is not in use meanwhile.
            unsafe {
                let byte = self.start.add(offset);
                byte.write_volatile(byte.read_volatile());
            }
        }
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        // SAFETY: our own mapping, which nobody uses any longer.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}

/// Touches each page of the reserve for the first time in a mapping, again and again.
fn touches(part: &Partition, page: usize, count: u32, touch: &mut Series) -> io::Result<()> {
    let mut left = count;
    while left > 0 {
        let reserve = Reserve::map(part)?;
        for offset in (0..reserve.length).step_by(page.max(1)) {
            if left == 0 {
                break;
            }
            touch.time(|| {
                reserve.touch(offset);
                Ok(())
            })?;
            left -= 1;
        }
    }
    Ok(())
}

/// Repeats a call for as long as it comes too early: the module limits how often a partition
/// may wake its threads, and that is EAGAIN (`recall_share`).
pub fn at_its_pace<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 0..REPEATS {
        match call() {
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => thread::sleep(PACE),
            result => return result,
        }
    }
    call()
}

/// Measures each kind of call in turn. `page` is the size of a page.
pub fn measure(part: &Partition, page: usize, load: &Load) -> Result<Vec<Series>, Failure> {
    let series = |name| {
        Series::new(name).map_err(|error| Failure {
            what: "cannot make a histogram",
            error: io::Error::other(error.to_string()),
        })
    };
    let mut clock = series("clock")?;
    for _ in 0..load.count {
        clock
            .time(|| Ok(()))
            .map_err(failing("cannot read the clock"))?;
    }
    let mut all = vec![clock];
    if part
        .stat()
        .map_err(failing("cannot ask the partition"))?
        .reserve
        > 0
    {
        let mut touch = series("touch")?;
        touches(part, page, load.count, &mut touch).map_err(failing("cannot map the reserve"))?;
        let (mut alloc, mut free) = (series("alloc")?, series("free")?);
        for _ in 0..load.count {
            let block = alloc.time(|| part.alloc(load.block, 16));
            let block = block.map_err(failing("cannot allocate a block"))?;
            // SAFETY: just allocated, and used by nobody.
            let freed = free.time(|| unsafe { part.free(block) });
            freed.map_err(failing("cannot free a block"))?;
        }
        all.extend([touch, alloc, free]);
    }
    if load.lease > 0 {
        let (mut borrow, mut give_back) = (series("borrow")?, series("return")?);
        for _ in 0..load.count {
            let lease = at_its_pace(|| borrow.time(|| part.borrow(load.lease, Some(PATIENCE))));
            let lease = lease.map_err(failing("cannot borrow"))?;
            let given = give_back.time(|| part.give_back(lease));
            given.map_err(failing("cannot give back a lease"))?;
        }
        all.extend([borrow, give_back]);
    }
    Ok(all)
}

/// Makes this thread one of a real-time priority, and keeps its memory where it is.
pub fn become_real_time(priority: i32) -> io::Result<()> {
    let param = libc::sched_param {
        sched_priority: priority,
    };
    // SAFETY: the parameters live during the call.
    let done = unsafe {
        libc::mlockall(libc::MCL_CURRENT) == 0
            && libc::sched_setscheduler(0, libc::SCHED_FIFO, &param) == 0
    };
    match done {
        true => Ok(()),
        false => Err(io::Error::last_os_error()),
    }
}
