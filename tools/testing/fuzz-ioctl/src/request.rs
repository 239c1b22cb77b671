// SPDX-License-Identifier: GPL-2.0

//! Derives requests from the numbers of a step. Actors and model use the same
//! functions.

use harness::{abi, calls, page_bytes, MSEC, SEC};

use crate::{
    step::Step,
    world::{FDS, NAMES},
};

fn byte(word: u64, at: u32) -> u8 {
    (word >> (8 * at)) as u8
}

/// One of the valid values, or sometimes an invalid one.
fn choose<T: Copy>(byte: u8, good: &[T], bad: &[T]) -> T {
    if byte < 248 || bad.is_empty() {
        good[byte as usize % good.len()]
    } else {
        bad[byte as usize % bad.len()]
    }
}

/// The field with a name.
fn name(text: &[u8]) -> [std::ffi::c_char; 32] {
    let mut field = [0; 32];
    for (place, &byte) in field.iter_mut().zip(text) {
        *place = byte as std::ffi::c_char;
    }
    field
}

fn some_name(byte: u8) -> [std::ffi::c_char; 32] {
    match byte {
        248..=250 => name(b"no/name"),
        251..=252 => name(&[b'x'; 32]),
        253..=255 => name(b"\xff\xfe"),
        _ => numbered(byte.into()),
    }
}

fn numbered(number: u64) -> [std::ffi::c_char; 32] {
    name(format!("fuzz.{}", number % NAMES).as_bytes())
}

/// The number of a name, if it is one of the numbered ones.
pub fn number_of(field: &[std::ffi::c_char; 32]) -> Option<usize> {
    (0..NAMES)
        .find(|&number| numbered(number) == *field)
        .map(|number| number as usize)
}

/// GENP_CREATE.
pub fn create(step: &Step, pool: &abi::genp_info) -> abi::genp_create {
    let (a, b) = (step.a, step.b);
    let pages = |at| {
        let good = [0, 1, 2, 3, 4, 8, 8, 16, 16, 16, 24, 64, 1024];
        let bad = [pool.capacity / page_bytes(), 1 << 20, 1 << 32, 1 << 52];
        page_bytes().wrapping_mul(choose(byte(a, at), &good, &bad))
    };
    let none = b & 0x300 != 0;
    let stock_pages = choose(byte(b, 4), &[0, 0, 0, 1, 3, 8], &[1 << 20, u32::MAX]);
    let (limits, lows): (&[u32], &[u32]) = match stock_pages {
        0 => (&[0], &[0]),
        _ => (&[0, 0, 16, 32], &[0, 0, 1]),
    };
    let multimap = b & 0x800 != 0;
    abi::genp_create {
        flags: if multimap {
            abi::GENP_CREATE_MULTIMAP
        } else {
            0
        },
        name: if none { [0; 32] } else { some_name(byte(a, 5)) },
        reserve: pages(0) + u64::from(byte(b, 2) == 255),
        borrow_limit: pages(1) + u64::from(byte(b, 3) == 255),
        min_alloc_order: choose(byte(a, 2), &[0, 0, 0, 4, 5, 8, 12, 16], &[3, 21, 1, 255]),
        max_regions: choose(
            byte(a, 3),
            &[0, 0, 1, 3, 16, 200],
            &[(1 << 20) + 1, u32::MAX],
        ),
        max_leases: choose(byte(a, 4), &[0, 0, 1, 2, 5, 64], &[65, u32::MAX]),
        mode: choose(
            byte(a, 6),
            &[0, 0, 0o600, 0o660, 0o666, 0o606],
            &[0o1000, 0o777],
        ),
        lease_default_ns: choose(
            byte(a, 7),
            &[0, 0, MSEC, 20 * MSEC, pool.max_lease_ns],
            &[pool.max_lease_ns + 1, u64::MAX],
        ),
        stock_pages,
        stock_limit: choose(byte(b, 7), limits, &[2, u32::MAX]),
        stock_low: choose(byte(b, 0), lows, &[9, u32::MAX]),
        source: choose(byte(b, 5), &[0, 0, 0, 0, 0, 0, 0, 0, 0, 1], &[77]),
        node: choose(
            byte(b, 6),
            &[abi::GENP_ANY_NODE, abi::GENP_ANY_NODE, 0],
            &[-2, 4242],
        ),
        ..calls::create_request(0, 0)
    }
}

/// Whether the creator maps the partition at once.
pub fn maps_at_once(step: &Step) -> bool {
    step.b & 0x400 == 0
}

/// GENP_OPEN.
pub fn open(step: &Step) -> abi::genp_open {
    abi::genp_open {
        size: calls::size_of::<abi::genp_open>(),
        name: match byte(step.a, 1) {
            0..=7 => [0; 32],
            _ => some_name(byte(step.a, 0)),
        },
        reserved: u32::from(byte(step.b, 0) == 255),
        ..Default::default()
    }
}

/// GENP_LIST.
pub fn list(step: &Step) -> abi::genp_list {
    abi::genp_list {
        size: calls::size_of::<abi::genp_list>(),
        cursor: choose(
            byte(step.a, 0),
            &[0, 0, 0, 1, 2, 3, 8],
            &[255, 256, 257, 1 << 31, u32::MAX],
        ),
        ..Default::default()
    }
}

/// GENP_SET_HEAP.
pub fn set_heap(step: &Step) -> abi::genp_heap {
    abi::genp_heap {
        size: calls::size_of::<abi::genp_heap>(),
        flags: 0,
        offset: choose(
            byte(step.a, 0),
            &[0, 16, 4080, 4096, u64::MAX],
            &[8, 1 << 40, u64::MAX - 15],
        ),
    }
}

/// What is wrong with the answer of GENP_LIST to a request, if anything.
pub fn list_fault(request: &abi::genp_list, listed: &abi::genp_list) -> Option<String> {
    let faults = [
        (listed.id < request.cursor, "it is before the cursor"),
        (
            listed.cursor != listed.id + 1,
            "the cursor does not follow it",
        ),
        (
            listed.waiters > listed.leases,
            "more wait than there are leases",
        ),
        (listed.dying > 1, "it is dying more than once"),
        (listed.name.last() != Some(&0), "its name has no end"),
    ];
    let (_, fault) = faults.iter().find(|(wrong, _)| *wrong)?;
    Some(format!("GENP_LIST: {fault}: {listed:?}"))
}

/// GENP_BORROW. `now` is the time of the request.
pub fn borrow(step: &Step, pool: &abi::genp_info, now: u64) -> abi::genp_borrow {
    let b = step.b;
    abi::genp_borrow {
        size: calls::size_of::<abi::genp_borrow>(),
        length: step.a,
        deadline: match b & 7 {
            0..=3 => abi::GENP_NO_WAIT as u64,
            4 => 1,
            5 | 6 => now + 3 * MSEC,
            _ => abi::GENP_WAIT_FOREVER as u64,
        },
        lease_ns: term(byte(b, 1), pool),
        reasons: choose(byte(b, 2), &[0, 0, 1, 2, 3], &[4, 1 << 31]),
        reserved: u32::from(byte(b, 3) == 255),
        ..Default::default()
    }
}

/// A term.
pub fn term(byte: u8, pool: &abi::genp_info) -> u64 {
    choose(
        byte,
        &[0, 0, pool.max_lease_ns, MSEC / 2, 3 * MSEC, 15 * MSEC],
        &[pool.max_lease_ns + 1, u64::MAX],
    )
}

/// GENP_RESIZE: reserve and limit.
pub fn resize(step: &Step) -> (u64, u64) {
    let pages = |word| {
        let good = [0, 1, 2, 4, 8, 12, 16, 20, 40];
        let bad = [1 << 20, 1 << 32, 1 << 52];
        page_bytes().wrapping_mul(choose(byte(word, 0), &good, &bad))
    };
    let odd = |word| u64::from(byte(word, 1) == 255);
    (pages(step.a) + odd(step.a), pages(step.b) + odd(step.b))
}

/// GENP_GET_BOUNDS.
pub fn bounds(step: &Step) -> abi::genp_bounds {
    abi::genp_bounds {
        size: calls::size_of::<abi::genp_bounds>(),
        flags: u32::from(step.b & 3 == 3),
        live_bytes: choose(
            byte(step.a, 0),
            &[0, 1, 4096, 1 << 20],
            &[1 << 40, u64::MAX],
        ),
        largest_request: choose(byte(step.a, 1), &[0, 1, 64, 8192], &[1 << 40, u64::MAX]),
        ..Default::default()
    }
}

/// The mask and the kind of descriptor of GENP_SET_EVENTFD.
pub fn eventfd(step: &Step) -> (EventFd, u32) {
    let kind = match step.a % 6 {
        0..=2 => EventFd::Real,
        3 => EventFd::None,
        4 => EventFd::Closed,
        _ => EventFd::Other,
    };
    (
        kind,
        choose(byte(step.b, 0), &[63, 1, 2, 16, 32], &[0, 64, 1 << 31]),
    )
}

/// The descriptor for GENP_SET_EVENTFD.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum EventFd {
    /// An eventfd.
    Real,
    /// -1.
    None,
    /// A number that is no open descriptor.
    Closed,
    /// Another file.
    Other,
}

/// How a window is mapped.
pub struct Mapping {
    /// PROT_*.
    pub protection: i32,
    /// MAP_*.
    pub flags: i32,
    /// Bytes to add to the length.
    pub longer: u64,
    /// Bytes to add to the offset.
    pub further: u64,
}

/// How a window is mapped.
pub fn mapping(step: &Step) -> Mapping {
    let b = step.b;
    let write = libc::PROT_READ | libc::PROT_WRITE;
    Mapping {
        protection: choose(
            byte(b, 0),
            &[write],
            &[libc::PROT_READ, 0, write | libc::PROT_EXEC],
        ),
        flags: choose(
            byte(b, 1),
            &[libc::MAP_SHARED],
            &[
                libc::MAP_PRIVATE,
                libc::MAP_SHARED | libc::MAP_POPULATE,
                libc::MAP_SHARED | libc::MAP_LOCKED,
                libc::MAP_SHARED_VALIDATE,
            ],
        ),
        longer: choose(byte(b, 2), &[0], &[page_bytes(), 1 << 20]),
        further: choose(byte(b, 3), &[0], &[page_bytes(), 1 << 41, 1 << 43]),
    }
}

/// The slot of another descriptor.
pub fn other_slot(step: &Step) -> usize {
    step.a as usize % FDS
}

/// A handle that does not exist.
pub fn foreign_handle(step: &Step) -> u64 {
    match step.b % 4 {
        0 => 0,
        1 => step.a,
        2 => (1 << 63) | step.a,
        _ => u64::MAX,
    }
}

/// Whether a handle is taken from the table or made up.
pub fn is_foreign(step: &Step) -> bool {
    byte(step.b, 7) >= 240
}

/// The timeout of tracers. Only there to end a broken run.
pub const LIMIT: u64 = 60 * SEC;
