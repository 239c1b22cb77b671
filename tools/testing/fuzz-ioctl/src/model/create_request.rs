// SPDX-License-Identifier: GPL-2.0

//! What GENP_CREATE may be asked for.

use std::ffi::c_char;

use harness::{abi, abi::genp_info, PAGE};

use super::{partition::or, verdict::Verdict};

/// Whether the field holds a name.
pub fn is_name(field: &[c_char; 32]) -> bool {
    let bytes = field.map(|byte| byte as u8);
    let sound = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    bytes
        .iter()
        .position(|&byte| byte == 0)
        .is_some_and(|length| bytes[..length].iter().all(sound))
}

/// What GENP_CREATE refuses whatever there is.
pub fn expect_create(ask: &abi::genp_create, pool: &genp_info, verdict: &mut Verdict) {
    let sound = is_name(&ask.name)
        && ask.source <= abi::GENP_SOURCE_RANGE
        && !(is_elsewhere(ask) && ask.reserve == 0)
        && stock_is_sound(ask)
        && (4..=20).contains(&or(ask.min_alloc_order, 6))
        && ask.max_regions <= 1 << 20
        && ask.max_leases <= 64
        && ask.mode & !0o666 == 0
        && ask.lease_default_ns <= pool.max_lease_ns
        && ask.reserve % PAGE == 0
        && ask.borrow_limit % PAGE == 0
        && ask.reserve | ask.borrow_limit | u64::from(ask.stock_pages) != 0
        && (ask.node == abi::GENP_ANY_NODE || ask.node == 0);
    if !sound {
        verdict.refuse(libc::EINVAL);
    }
    let pages = u64::from(or(ask.stock_limit, ask.stock_pages));
    let most = committed_by(ask).max(ask.borrow_limit).max(pages * PAGE);
    if most > pool.capacity {
        verdict.refuse(libc::E2BIG);
    }
    if is_elsewhere(ask) {
        expect_range(ask.reserve, pool, verdict);
    }
}

/// A reserve in the range, in one piece.
fn expect_range(reserve: u64, pool: &genp_info, verdict: &mut Verdict) {
    if pool.features & u64::from(abi::GENP_FEATURE_RANGE) == 0 {
        verdict.refuse(libc::EOPNOTSUPP);
    }
    // It may be free in several pieces.
    if reserve > pool.range_free {
        verdict.maybe(libc::E2BIG);
    }
    verdict.refuse_if(reserve > pool.range_free, libc::ENOSPC);
}

/// Whether the reserve is to be in the range.
pub fn is_elsewhere(ask: &abi::genp_create) -> bool {
    ask.source == abi::GENP_SOURCE_RANGE
}

/// Whether the watermarks go together.
fn stock_is_sound(ask: &abi::genp_create) -> bool {
    let pages = ask.stock_pages;
    ask.stock_low <= pages && (ask.stock_limit == 0 || (pages != 0 && pages <= ask.stock_limit))
}

/// Bytes of the pool that a partition would have for itself.
pub fn committed_by(ask: &abi::genp_create) -> u64 {
    let reserve = if is_elsewhere(ask) { 0 } else { ask.reserve };
    reserve.saturating_add(u64::from(ask.stock_pages) * PAGE)
}
