// SPDX-License-Identifier: GPL-2.0

//! Code coverage of a thread by KCOV.

use std::{ptr, slice, sync::atomic::AtomicU64, sync::atomic::Ordering::Relaxed};

use harness::calls::raw_ioctl;

use crate::world::World;

const WORDS: usize = 1 << 14;
const KCOV_INIT_TRACE: u64 = 0x8008_6301;
const KCOV_ENABLE: u64 = 0x6364;
const KCOV_TRACE_PC: usize = 0;

/// Whether the kernel has KCOV.
pub fn there_is() -> bool {
    Trace::begin().is_some()
}

/// Where the module's code begins.
pub fn module_base() -> Result<u64, String> {
    const PATH: &str = "/sys/module/genp/sections/.text";
    let text = std::fs::read_to_string(PATH).map_err(|error| format!("{PATH}: {error}"))?;
    u64::from_str_radix(text.trim().trim_start_matches("0x"), 16)
        .map_err(|error| format!("{PATH} says {text}: {error}"))
}

/// The coverage of the calling thread.
pub struct Trace {
    fd: i32,
    words: &'static [AtomicU64],
}

impl Trace {
    /// Starts tracing the calling thread; None without KCOV.
    pub fn begin() -> Option<Self> {
        // SAFETY: a string that ends with zero.
        let fd = unsafe {
            libc::open(
                c"/sys/kernel/debug/kcov".as_ptr(),
                libc::O_RDWR | libc::O_CLOEXEC,
            )
        };
        if fd < 0 {
            return None;
        }
        raw_ioctl(fd, KCOV_INIT_TRACE, WORDS).ok()?;
        // SAFETY: a new mapping, which lives as long as `words`; zeroes are valid atomics.
        let words = unsafe {
            let at = libc::mmap(
                ptr::null_mut(),
                WORDS * 8,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                fd,
                0,
            );
            if at == libc::MAP_FAILED {
                return None;
            }
            slice::from_raw_parts(at.cast::<AtomicU64>(), WORDS)
        };
        raw_ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC).ok()?;
        Some(Self { fd, words })
    }

    /// Records what was reached since the last call.
    pub fn collect(&self, world: &World) {
        let count = self.words[0].load(Relaxed) as usize;
        for point in self.words.iter().skip(1).take(count) {
            world.reach(point.load(Relaxed));
        }
        self.words[0].store(0, Relaxed);
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // SAFETY: our own mapping, not used any longer.
        unsafe { libc::munmap(self.words.as_ptr() as *mut _, WORDS * 8) };
        harness::calls::close(self.fd);
    }
}
