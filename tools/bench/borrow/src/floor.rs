// SPDX-License-Identifier: GPL-2.0

//! The lower bound of all costs: a system call that does nothing, and mapping and
//! unmapping pages that exist already.

use harness::{calls, PAGE};
use stats::Meter;

use crate::{
    lender, measure,
    method::{map, Fd, Result},
    peers::memfd,
};

/// The name of these figures on the command line.
pub const SUBJECT: &str = "kernel";

/// A file whose pages exist.
struct Resident {
    subject: &'static str,
    note: &'static str,
    file: Fd,
    offset: u64,
    flags: i32,
}

/// The reserve of a partition: its pages exist from its creation on.
fn reserve(pages: usize) -> Result<Resident> {
    let control = lender::control()?;
    let (file, windows) = lender::create(&control, calls::create_request(pages as u64 * PAGE, 0))?;
    Ok(Resident {
        subject: "genp",
        note: "mmap() of a partition's reserve, munmap()",
        file,
        offset: windows.reserve_offset,
        flags: libc::MAP_SHARED,
    })
}

/// A memfd all of whose pages were touched.
fn resident_memfd(pages: usize) -> Result<Resident> {
    let length = pages * PAGE as usize;
    let file = memfd(length)?;
    let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
    drop(map(length, flags, file.0, 0)?);
    Ok(Resident {
        subject: "memfd",
        note: "mmap(MAP_SHARED | MAP_POPULATE) of a memfd whose pages exist, munmap()",
        file,
        offset: 0,
        flags,
    })
}

fn map_unmap(meter: &Meter, there: &Resident, pages: usize) -> Result<()> {
    let length = pages * PAGE as usize;
    let mut samples = Vec::new();
    for turn in 0..=measure::turns(pages) {
        let begin = meter.read();
        drop(map(length, there.flags, there.file.0, there.offset)?);
        let end = meter.read();
        if turn > 0 {
            samples.push(end - begin);
        }
    }
    measure::figure(meter, "map_unmap", there.subject)
        .with("pages", pages)
        .with("size", length)
        .with("note", there.note)
        .spread(samples)
        .print();
    Ok(())
}

fn system_call(meter: &Meter) {
    let turn = || {
        let begin = meter.read();
        // SAFETY: no memory is involved. Not through the C library, which may cache the value.
        unsafe { libc::syscall(libc::SYS_getppid) };
        meter.read() - begin
    };
    measure::figure(meter, "syscall", SUBJECT)
        .with("note", "getppid()")
        .spread((0..1000).map(|_| turn()).collect())
        .print();
}

/// Measures all of it; returns whether nothing failed.
pub fn measure(meter: &Meter, sizes: &[usize]) -> bool {
    system_call(meter);
    for make in [reserve, resident_memfd] {
        for &pages in sizes {
            if let Err(why) = make(pages).and_then(|there| map_unmap(meter, &there, pages)) {
                println!("FAILED to map and unmap {pages} pages: {why}");
                return false;
            }
        }
    }
    true
}
