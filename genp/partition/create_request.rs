// SPDX-License-Identifier: GPL-2.0

//! The request of `GENP_CREATE`, checked.

use kernel::{
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
};

use super::attributes::{Attributes, NameField};
use crate::genp::{
    core::{
        accounting::{PartitionId, Share, MAX_LEASES_PER_PARTITION},
        block_counts::BlockCounts,
        shape::{CheckedShape, Shape, ShapeError},
        watermarks::Watermarks,
    },
    pool::Pool,
    sys::{
        abi,
        errno::EOPNOTSUPP,
        task::{self, Creator},
    },
};

const DEFAULT_ORDER: u32 = 6;
const DEFAULT_REGIONS: u32 = 1024;
const DEFAULT_LEASES: u32 = 16;
const DEFAULT_MODE: u32 = 0o600;
const MAX_REGIONS: u32 = 1 << 20;
const MODE_BITS: u32 = 0o666;

/// A request for a partition whose form was checked.
pub(crate) struct CreateRequest {
    pub(super) attributes: Attributes,
    pub(super) sizes: Sizes,
    /// The partition that it is to be part of.
    pub(super) parent: Option<PartitionId>,
    /// Accounts that are set aside for children.
    pub(super) max_children: u32,
    /// The index of the preferred node among those of the pool.
    pub(super) node: u32,
    /// Regions are multiples of 1 << this many bytes.
    pub(super) order: u32,
    pub(super) max_regions: u32,
    pub(super) max_leases: u32,
    /// Whether an address space may have several mappings of the lease window.
    pub(super) multimap: bool,
    /// The term of a lease that is requested without one.
    pub(super) term_ns: u64,
}

/// How much is requested, in pages.
pub(super) struct Sizes {
    pub(super) reserve: u32,
    /// The borrow limit, and so the pages of a slice of the lease window.
    pub(super) limit: u32,
    pub(super) watermarks: Watermarks,
    /// Of the pool, for the reserve and the stock.
    pub(super) committed: u32,
    pub(super) blocks: BlockCounts,
    /// Pages of the blocks.
    pub(super) block_pages: u32,
    /// Pages for children.
    pub(super) quota: u32,
}

/// The blocks that are requested, and their pages: EINVAL for some of order 0, E2BIG for more
/// than the pool took.
fn blocks(pool: &Pool, args: &abi::genp_create) -> Result<(BlockCounts, u32)> {
    let blocks = BlockCounts::new(args.blocks).ok_or(EINVAL)?;
    if !pool.blocks.counts().covers(&blocks) {
        return Err(E2BIG);
    }
    Ok((blocks, blocks.pages().ok_or(E2BIG)?))
}

impl Sizes {
    /// EINVAL for sizes that contradict each other, E2BIG for more than the pool can have.
    fn check(
        pool: &Pool,
        args: &abi::genp_create,
        max_leases: u32,
        external: bool,
    ) -> Result<Self> {
        let reserve = whole_pages(args.reserve)?;
        let limit = whole_pages(args.borrow_limit)?;
        let (blocks, block_pages) = blocks(pool, args)?;
        let quota = whole_pages(args.quota)?;
        let shape = Shape {
            reserve,
            external,
            limit,
            max_leases,
            stock_pages: args.stock_pages,
            stock_limit: args.stock_limit,
            stock_low: args.stock_low,
            block_pages,
            quota,
        };
        let CheckedShape {
            watermarks,
            committed,
        } = shape
            .check(pool.config.capacity)
            .map_err(|error| match error {
                ShapeError::TooBig => E2BIG,
                ShapeError::Empty | ShapeError::Watermarks | ShapeError::NoReserve => EINVAL,
            })?;
        Ok(Self {
            reserve,
            limit,
            watermarks,
            committed,
            blocks,
            block_pages,
            quota,
        })
    }
}

/// The number of pages in `bytes`: EINVAL for a part of a page, E2BIG for more than 32
/// bits.
pub(super) fn whole_pages(bytes: u64) -> Result<u32> {
    if bytes % PAGE_SIZE as u64 != 0 {
        return Err(EINVAL);
    }
    u32::try_from(bytes >> PAGE_SHIFT).map_err(|_| E2BIG)
}

/// The name in its field: EINVAL without a terminating zero and for other characters than
/// letters, digits and `._-`.
pub(crate) fn name_of(field: &NameField) -> Result<&[u8]> {
    // loop-bound: GENP_NAME_SIZE
    let len = field.iter().position(|&byte| byte == 0).ok_or(EINVAL)?;
    let name = field.get(..len).ok_or(EINVAL)?;
    let sound = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    // loop-bound: GENP_NAME_SIZE
    if !name.iter().all(sound) {
        return Err(EINVAL);
    }
    Ok(name)
}

/// The field of a name, zero behind it: others can read it, and it must not show what
/// followed the name in the creator's memory.
fn field_of(name: &[u8]) -> NameField {
    let mut field = NameField::default();
    // loop-bound: GENP_NAME_SIZE
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

impl CreateRequest {
    /// The name, which may be empty.
    pub(crate) fn name(&self) -> &[u8] {
        self.attributes.name()
    }

    /// What it asks of the accounting.
    pub(super) fn share(&self) -> Share {
        Share {
            reserve: self.sizes.committed,
            quota: self.sizes.quota,
            children: self.max_children,
            limit: self.sizes.limit,
            max_leases: self.max_leases,
        }
    }

    /// The same as a part of the partition `parent`: EOPNOTSUPP for what a quota has not.
    /// Context: any.
    pub(super) fn into_child_of(self, parent: PartitionId) -> Result<Self> {
        let stock = &self.sizes.watermarks;
        if self.sizes.block_pages > 0 || stock.limit() > stock.pages() {
            return Err(EOPNOTSUPP);
        }
        Ok(Self {
            parent: Some(parent),
            ..self
        })
    }

    /// Checks everything that can be checked without the accounting: EINVAL, E2BIG.
    /// Context: thread.
    pub(crate) fn check(pool: &Pool, args: &abi::genp_create, external: bool) -> Result<Self> {
        let reserved = args.reserved | args.padding;
        if args.flags & !abi::GENP_CREATE_MULTIMAP != 0 || reserved != 0 {
            return Err(EINVAL);
        }
        // One at least is the partition itself.
        if args.max_children >= pool.config.max_partitions {
            return Err(E2BIG);
        }
        let name = name_of(&args.name)?;
        let order = or_default(args.min_alloc_order, DEFAULT_ORDER);
        let max_regions = or_default(args.max_regions, DEFAULT_REGIONS);
        let max_leases = or_default(args.max_leases, DEFAULT_LEASES);
        let sound = (4..=20).contains(&order)
            && max_regions <= MAX_REGIONS
            && max_leases <= MAX_LEASES_PER_PARTITION
            && args.mode & !MODE_BITS == 0
            && args.lease_default_ns <= pool.config.max_lease_ns;
        if !sound {
            return Err(EINVAL);
        }
        let sizes = Sizes::check(pool, args, max_leases, external)?;
        let attributes = Attributes {
            name: field_of(name),
            name_len: name.len(),
            uid: task::current_euid(),
            gid: task::current_egid(),
            creator: Creator::current(),
            mode: or_default(args.mode, DEFAULT_MODE),
            node: args.node,
        };
        Ok(Self {
            attributes,
            sizes,
            parent: None,
            max_children: args.max_children,
            node: preferred_node(pool, args.node)?,
            order,
            max_regions,
            max_leases,
            multimap: args.flags & abi::GENP_CREATE_MULTIMAP != 0,
            term_ns: match args.lease_default_ns {
                0 => pool.config.max_lease_ns,
                term => term,
            },
        })
    }
}

/// The index of the kernel's `node` among the pool's: EINVAL for a node without frames.
fn preferred_node(pool: &Pool, node: i32) -> Result<u32> {
    let frames = pool.free_frames.frames();
    if node == abi::GENP_ANY_NODE {
        // Where the creator runs would be a better guess than 0 only until it
        // moves.
        return Ok(0);
    }
    // loop-bound: MAX_NODES
    (0..frames.nodes())
        .find(|&dense| frames.node_id(dense) == node)
        .ok_or(EINVAL)
}
