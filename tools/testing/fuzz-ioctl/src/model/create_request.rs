// SPDX-License-Identifier: GPL-2.0

//! Which requests GENP_CREATE accepts.

use std::ffi::c_char;

use harness::{abi, abi::genp_info, page_bytes};

use super::expectation::Expectation;

/// A field of a request, or its default if it is 0.
pub fn or_default(value: u32, default: u32) -> u32 {
    match value {
        0 => default,
        value => value,
    }
}

/// Whether the field holds a name.
pub fn is_name(field: &[c_char; 32]) -> bool {
    let bytes = field.map(|byte| byte as u8);
    let sound = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    bytes
        .iter()
        .position(|&byte| byte == 0)
        .is_some_and(|length| bytes[..length].iter().all(sound))
}

/// What GENP_CREATE refuses whatever is in the pool.
pub fn expect_create(request: &abi::genp_create, pool: &genp_info, expected: &mut Expectation) {
    let sound = is_name(&request.name)
        && request.source <= abi::GENP_SOURCE_RANGE
        && !(is_external(request) && request.reserve == 0)
        && stock_is_sound(request)
        && (4..=20).contains(&or_default(request.min_alloc_order, 6))
        && request.max_regions <= 1 << 20
        && request.max_leases <= 64
        && request.mode & !0o666 == 0
        && request.lease_default_ns <= pool.max_lease_ns
        && request.reserve % page_bytes() == 0
        && request.borrow_limit % page_bytes() == 0
        && request.reserve | request.borrow_limit | u64::from(request.stock_pages) != 0
        && (request.node == abi::GENP_ANY_NODE || request.node == 0);
    if !sound {
        expected.refuse(libc::EINVAL);
    }
    let pages = u64::from(or_default(request.stock_limit, request.stock_pages));
    let most = committed_by(request)
        .max(request.borrow_limit)
        .max(pages * page_bytes());
    if most > pool.capacity {
        expected.refuse(libc::E2BIG);
    }
    if is_external(request) {
        expect_range(request.reserve, pool, expected);
    }
}

/// A reserve in the range, in one piece.
fn expect_range(reserve: u64, pool: &genp_info, expected: &mut Expectation) {
    if pool.features & u64::from(abi::GENP_FEATURE_RANGE) == 0 {
        expected.refuse(libc::EOPNOTSUPP);
    }
    // It may be free in several pieces; and what was in the slot is closed first.
    if reserve > pool.range_free {
        expected.maybe(libc::E2BIG);
        expected.maybe(libc::ENOSPC);
    }
    expected.refuse_if(reserve > pool.range, libc::ENOSPC);
}

/// Whether the reserve is requested in the range.
pub fn is_external(request: &abi::genp_create) -> bool {
    request.source == abi::GENP_SOURCE_RANGE
}

/// Whether the watermarks are consistent.
fn stock_is_sound(request: &abi::genp_create) -> bool {
    let pages = request.stock_pages;
    request.stock_low <= pages
        && (request.stock_limit == 0 || (pages != 0 && pages <= request.stock_limit))
}

/// Bytes of the pool that a partition would commit.
pub fn committed_by(request: &abi::genp_create) -> u64 {
    let reserve = if is_external(request) {
        0
    } else {
        request.reserve
    };
    reserve.saturating_add(u64::from(request.stock_pages) * page_bytes())
}
