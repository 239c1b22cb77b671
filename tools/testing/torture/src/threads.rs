// SPDX-License-Identifier: GPL-2.0

//! A victim with threads, each in a different call when the process dies.

use std::{ffi::CString, ptr, sync::atomic::AtomicU32, sync::atomic::Ordering::SeqCst};

use harness::{abi, calls, page_bytes, process, MSEC};

/// How a process with threads ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// By a signal.
    Killed,
    /// By one of its own threads.
    Exits,
    /// It executes another program, and all other threads die.
    Becomes,
}

/// Runs the threads; sets `ready` to 1 when all are running. Exits after `delay_ns`
/// unless it is to be killed.
pub fn live(ready: &AtomicU32, end: End, delay_ns: u64) -> i32 {
    let Ok(control) = calls::open_control() else {
        return 1;
    };
    let mut part = calls::create_request(16 * page_bytes(), 8 * page_bytes());
    if calls::call(control, abi::GENP_IOCTL_CREATE, &mut part).is_err() {
        return 1;
    }
    let fd = part.fd;
    let _ = calls::borrow(fd, 8 * page_bytes(), 0, 0);
    let calls: [fn(&abi::genp_create); 5] = [wait_for_budget, read, allocate, lend, map];
    for call in calls {
        std::thread::spawn(move || loop {
            call(&part);
        });
    }
    process::pause_ns(MSEC / 2);
    ready.store(1, SeqCst);
    process::pause_ns(delay_ns);
    match end {
        End::Killed => loop {
            process::pause(1000);
        },
        End::Exits => 0,
        End::Becomes => become_another(),
    }
}

/// Waits, because the budget is used up.
fn wait_for_budget(part: &abi::genp_create) {
    let got = calls::borrow(
        part.fd,
        8 * page_bytes(),
        abi::GENP_WAIT_FOREVER as u64,
        3 * MSEC,
    );
    if got.is_err() {
        process::pause(1);
    }
}

fn read(part: &abi::genp_create) {
    let mut room = [0u8; 64];
    // SAFETY: the buffer is ours.
    unsafe { libc::read(part.fd, room.as_mut_ptr().cast(), room.len()) };
}

fn allocate(part: &abi::genp_create) {
    if let Ok(region) = calls::alloc(part.fd, 3000, 64) {
        let _ = calls::by_handle(part.fd, abi::GENP_IOCTL_FREE, region.handle);
    }
}

fn lend(part: &abi::genp_create) {
    if let Ok(lease) = calls::borrow(part.fd, page_bytes(), 0, MSEC) {
        let _ = calls::give_back(part.fd, lease.handle);
    }
}

fn map(part: &abi::genp_create) {
    let windows = &part.windows;
    for (offset, length) in [
        (windows.reserve_offset, windows.reserve_length),
        (windows.lease_offset, windows.lease_length),
    ] {
        // SAFETY: a new mapping, which nobody else uses.
        unsafe {
            let at = libc::mmap(
                ptr::null_mut(),
                length as usize,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                part.fd,
                offset as libc::off_t,
            );
            if at != libc::MAP_FAILED {
                libc::munmap(at, length as usize);
            }
        }
    }
}

fn become_another() -> i32 {
    let words: Vec<_> = ["/bin/busybox", "true"]
        .iter()
        .filter_map(|word| CString::new(*word).ok())
        .collect();
    let mut list: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    list.push(ptr::null());
    // SAFETY: a list of strings that ends with null.
    unsafe { libc::execv(list[0], list.as_ptr()) };
    0
}
