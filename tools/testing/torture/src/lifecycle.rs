// SPDX-License-Identifier: GPL-2.0

//! The life of a victim: all uses of a partition, one step
//! after the other.

use std::{
    ptr,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

use harness::{abi, calls, memory::Pattern, now, page_bytes, process, MSEC};

/// Steps of a life.
pub const STEPS: u32 = 24;

/// The victim's partition, as far as it was set up.
pub struct Lifecycle<'a> {
    control: i32,
    part: abi::genp_create,
    regions: Vec<u64>,
    leases: Vec<abi::genp_borrow>,
    reserve: usize,
    window: usize,
    step: &'a AtomicU32,
}

impl<'a> Lifecycle<'a> {
    /// A victim that has done nothing yet. `step` is set to its current step.
    pub fn new(step: &'a AtomicU32) -> Self {
        Self {
            control: -1,
            part: calls::create_request(16 * page_bytes(), 16 * page_bytes()),
            regions: Vec::new(),
            leases: Vec::new(),
            reserve: 0,
            window: 0,
            step,
        }
    }

    fn map(&self, offset: u64, length: u64) -> usize {
        // SAFETY: a new mapping where the kernel likes.
        let at = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length as usize,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                self.part.fd,
                offset as libc::off_t,
            )
        };
        if at == libc::MAP_FAILED {
            0
        } else {
            at as usize
        }
    }

    fn borrow(&mut self, pages: u64, wait_ns: u64, term_ns: u64) {
        let deadline = if wait_ns == 0 { 0 } else { now() + wait_ns };
        let got = calls::borrow(self.part.fd, pages * page_bytes(), deadline, term_ns);
        self.leases.extend(got.ok());
    }

    fn resize(&self, pages: u64) {
        let mut request = abi::genp_resize {
            size: calls::size_of::<abi::genp_resize>(),
            reserve: pages * page_bytes(),
            borrow_limit: 16 * page_bytes(),
            ..Default::default()
        };
        let _ = calls::call(self.part.fd, abi::GENP_IOCTL_RESIZE, &mut request);
    }

    fn renew(&self) {
        let Some(lease) = self.leases.first() else {
            return;
        };
        let mut request = abi::genp_renew {
            size: calls::size_of::<abi::genp_renew>(),
            handle: lease.handle,
            ..Default::default()
        };
        let _ = calls::call(self.part.fd, abi::GENP_IOCTL_RENEW, &mut request);
    }

    /// Lets a pipe hold a page of the reserve until the process dies.
    fn pin(&self) {
        let mut fds = [0; 2];
        let data = libc::iovec {
            iov_base: self.reserve as *mut _,
            iov_len: page_bytes() as usize,
        };
        // SAFETY: room for two numbers; a mapping of ours.
        unsafe {
            libc::pipe(fds.as_mut_ptr());
            libc::vmsplice(fds[1], &data, 1, libc::SPLICE_F_NONBLOCK);
        }
    }

    fn write_to_leases(&self) {
        for lease in &self.leases {
            let at = self.window + (lease.offset - self.part.windows.lease_offset) as usize;
            Pattern::of(lease.handle).write(at, lease.length as usize / 8);
        }
    }

    /// Does one step.
    fn perform(&mut self, step: u32) {
        let windows = self.part.windows;
        match step {
            0 => self.control = calls::open_control().unwrap_or(-1),
            1 => {
                let _ = calls::call(self.control, abi::GENP_IOCTL_CREATE, &mut self.part);
            }
            2 => self.reserve = self.map(windows.reserve_offset, windows.reserve_length),
            3 => self.window = self.map(windows.lease_offset, windows.lease_length),
            4 => {
                Pattern::of(1).write(self.reserve, windows.reserve_length as usize / 8);
            }
            5 | 6 => {
                let got = calls::alloc(self.part.fd, 1000, 0);
                self.regions.extend(got.map(|region| region.handle).ok());
            }
            // The budget is used up then, until the second lease is revoked.
            7 => self.borrow(8, 0, 0),
            8 => self.borrow(8, 0, 2 * MSEC),
            9 => self.write_to_leases(),
            10 => self.borrow(8, 6 * MSEC, 3 * MSEC),
            11 => self.write_to_leases(),
            12 => self.renew(),
            13 => self.resize(24),
            14 => self.resize(8),
            15 => {
                if let Some(handle) = self.regions.pop() {
                    let _ = calls::by_handle(self.part.fd, abi::GENP_IOCTL_FREE, handle);
                }
            }
            16 => {
                for lease in std::mem::take(&mut self.leases) {
                    let _ = calls::give_back(self.part.fd, lease.handle);
                }
            }
            17 => self.pin(),
            // The pool has this much only if the holder returns its lease.
            18 => self.borrow(16, 4 * MSEC, 2 * MSEC),
            19 => process::pause_ns(MSEC / 2),
            20 => {
                // SAFETY: our own mapping, not used any longer.
                unsafe { libc::munmap(self.window as *mut _, windows.lease_length as usize) };
            }
            21 => {
                let _ = calls::destroy(self.part.fd);
            }
            22 => {
                // SAFETY: as above.
                unsafe { libc::munmap(self.reserve as *mut _, windows.reserve_length as usize) };
            }
            _ => calls::close(self.part.fd),
        }
    }

    /// Runs all steps.
    pub fn live(mut self) -> i32 {
        harness::memory::catch_faults();
        for step in 0..STEPS {
            self.step.store(step, SeqCst);
            self.perform(step);
        }
        0
    }
}
