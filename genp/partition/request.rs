// SPDX-License-Identifier: GPL-2.0

//! What `GENP_CREATE` asks for, checked.

use kernel::{
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
};

use super::{windows, Shape};
use crate::genp::{
    core::stock::Marks,
    pool::Pool,
    sys::{abi, errno::E2BIG, task},
};

const DEFAULT_ORDER: u32 = 6;
const DEFAULT_REGIONS: u32 = 1024;
const DEFAULT_LEASES: u32 = 16;
const DEFAULT_MODE: u32 = 0o600;
const MAX_REGIONS: u32 = 1 << 20;
const MAX_LEASES: u32 = 64;
const MODE_BITS: u32 = 0o666;

/// What was asked for, checked.
pub(crate) struct Wish {
    pub(super) shape: Shape,
    pub(super) reserve: u32,
    /// Pages of reserve and stock.
    pub(super) committed: u32,
    pub(super) marks: Marks,
}

/// Pages in `bytes`, which must be whole ones: EINVAL; E2BIG for more than
/// frame numbers reach.
pub(super) fn whole_pages(bytes: u64) -> Result<u32> {
    if bytes % PAGE_SIZE as u64 != 0 {
        return Err(EINVAL);
    }
    u32::try_from(bytes >> PAGE_SHIFT).map_err(|_| E2BIG)
}

/// Takes the name out of its field: EINVAL if it is no name.
pub(crate) fn name_of(field: &[u8; abi::GENP_NAME_SIZE as usize]) -> Result<&[u8]> {
    let len = field.iter().position(|&byte| byte == 0).ok_or(EINVAL)?;
    let name = field.get(..len).ok_or(EINVAL)?;
    let sound = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    if !name.iter().all(sound) {
        return Err(EINVAL);
    }
    Ok(name)
}

/// The field of a name, without what may have followed it in the creator's: others
/// get to read it.
fn field_of(name: &[u8]) -> [u8; abi::GENP_NAME_SIZE as usize] {
    let mut field = [0; abi::GENP_NAME_SIZE as usize];
    for (to, from) in field.iter_mut().zip(name) {
        *to = *from;
    }
    field
}

fn or_default(value: u32, default: u32) -> u32 {
    if value == 0 {
        default
    } else {
        value
    }
}

/// The places of the windows in the file.
pub(crate) fn window_places(reserve: u32, shape: &Shape) -> abi::genp_windows {
    abi::genp_windows {
        reserve_offset: windows::RESERVE_OFFSET,
        reserve_length: u64::from(reserve) << PAGE_SHIFT,
        lease_offset: windows::LEASE_OFFSET,
        lease_length: windows::lease_pages(shape) << PAGE_SHIFT,
    }
}

impl Wish {
    /// The name, which may be empty.
    pub(crate) fn name(&self) -> &[u8] {
        self.shape.name()
    }

    /// Checks everything that can be checked without the pool's state. EINVAL, E2BIG.
    pub(crate) fn check(pool: &Pool, ask: &abi::genp_create, elsewhere: bool) -> Result<Self> {
        if ask.flags != 0 {
            return Err(EINVAL);
        }
        let name = name_of(&ask.name)?;
        let order = or_default(ask.min_alloc_order, DEFAULT_ORDER);
        let max_regions = or_default(ask.max_regions, DEFAULT_REGIONS);
        let max_leases = or_default(ask.max_leases, DEFAULT_LEASES);
        let sound = (4..=20).contains(&order)
            && max_regions <= MAX_REGIONS
            && max_leases <= MAX_LEASES
            && ask.mode & !MODE_BITS == 0
            && ask.lease_default_ns <= pool.config.max_lease_ns;
        if !sound {
            return Err(EINVAL);
        }
        let reserve = whole_pages(ask.reserve)?;
        let limit = whole_pages(ask.borrow_limit)?;
        let marks = Marks::new(ask.stock_pages, ask.stock_limit, ask.stock_low).ok_or(EINVAL)?;
        if reserve == 0 && limit == 0 && marks.pages() == 0 {
            return Err(EINVAL);
        }
        // A stock of none is not refilled either, and a reserve of none is nowhere.
        if marks.pages() == 0 && marks.limit() != 0 || reserve == 0 && elsewhere {
            return Err(EINVAL);
        }
        // Pages of the window have numbers of 32 bits.
        let window = limit.checked_mul(max_leases);
        let pooled = if elsewhere { 0 } else { reserve };
        let most = pooled.max(limit).max(marks.limit());
        let committed = pooled.checked_add(marks.pages()).ok_or(E2BIG)?;
        if most > pool.config.capacity || window.is_none() {
            return Err(E2BIG);
        }
        let shape = Shape {
            name: field_of(name),
            name_len: name.len(),
            owner: task::current_euid(),
            group: task::current_egid(),
            mode: or_default(ask.mode, DEFAULT_MODE),
            node: ask.node,
            preferred: preferred_node(pool, ask.node)?,
            order,
            max_regions,
            max_leases,
            slice_pages: limit,
            term_ns: if ask.lease_default_ns == 0 {
                pool.config.max_lease_ns
            } else {
                ask.lease_default_ns
            },
        };
        Ok(Self {
            shape,
            reserve,
            committed,
            marks,
        })
    }
}

/// The place of the kernel's `node` among the pool's.
fn preferred_node(pool: &Pool, node: i32) -> Result<u32> {
    let frames = pool.store.frames();
    if node == abi::GENP_ANY_NODE {
        // Where the creator runs would be a better guess than 0 only until it
        // moves.
        return Ok(0);
    }
    (0..frames.nodes())
        .find(|&dense| frames.node_id(dense) == node)
        .ok_or(EINVAL)
}
