// SPDX-License-Identifier: GPL-2.0

//! `GENP_CREATE`: from what was asked for to a file.

use kernel::{
    alloc::flags::GFP_KERNEL_ACCOUNT,
    new_mutex, new_poll_condvar,
    page::{PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
    str::CString,
    sync::{atomic::Atomic, Arc, SetOnce},
};

use super::{
    super::{
        core::{books::PartitionId, range::Range, stock::Marks},
        driver::lease::Firm,
        pool::{desk, Pool},
        stock::Stock,
        sys::{
            abi,
            errno::{E2BIG, EOPNOTSUPP},
            file::FileRef,
            lock::{new_pi_mutex, new_raw_lock},
            range::Source,
            task, time, trace,
            word::KernelWord,
        },
    },
    events::{Listener, Ring},
    reserve::Reserve,
    timing::Timing,
    windows::{self, Windows},
    Counters, Partition, Shape,
};

const DEFAULT_ORDER: u32 = 6;
const DEFAULT_REGIONS: u32 = 1024;
const DEFAULT_LEASES: u32 = 16;
const DEFAULT_MODE: u32 = 0o600;
const MAX_REGIONS: u32 = 1 << 20;
const MAX_LEASES: u32 = 64;
const MODE_BITS: u32 = 0o666;

/// What was asked for, checked.
struct Wish {
    shape: Shape,
    reserve: u32,
    /// Pages of reserve and stock.
    committed: u32,
    marks: Marks,
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
    /// Checks everything that can be checked without the pool's state.
    fn check(pool: &Pool, ask: &abi::genp_create, elsewhere: bool) -> Result<Self> {
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

/// The ceiling on what the caller may have committed, in frames.
pub(super) fn ceiling(pool: &Pool) -> u32 {
    if pool.config.uid_ceiling == u32::MAX || task::may_exceed() {
        u32::MAX
    } else {
        pool.config.uid_ceiling
    }
}

/// An account that is closed again unless a partition takes it over.
struct Admission<'a> {
    pool: &'a Pool,
    id: PartitionId,
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.pool.front.with(|desk| {
            // Refused only for an account with leases, and this one has none.
            let _ = desk.books.retire(self.id, 0);
        });
        self.pool.serve();
    }
}

impl Partition {
    /// Builds the object around an admitted account. Its tables count for the
    /// caller's memory control group.
    fn build(pool: Arc<Pool>, id: PartitionId, shape: Shape, marks: Marks) -> Result<Arc<Self>> {
        let stock = match marks.pages() {
            0 => None,
            _ => Some(Stock::new(marks)?),
        };
        let nodes = Range::<KVVec<_>>::nodes_for(shape.max_regions);
        let nodes = KVVec::from_elem(super::Node::EMPTY, nodes, GFP_KERNEL_ACCOUNT)?;
        // Only there to make the handles of different partitions differ.
        let seed = time::now() as u32;
        let regions = Range::new(nodes, 0, shape.max_regions, seed).map_err(|_| EINVAL)?;
        Arc::pin_init(
            try_pin_init!(Self {
                pool,
                id,
                shape,
                file: SetOnce::new(),
                dying: Atomic::new(0),
                reserve <- new_pi_mutex!(Reserve::new(), "genp_reserve"),
                windows <- new_pi_mutex!(Windows::new(), "genp_windows"),
                regions <- new_raw_lock!(regions, "genp_regions"),
                stock,
                land: SetOnce::new(),
                placing <- new_pi_mutex!((), "genp_placing"),
                driver_base: KernelWord::new(0),
                firm <- Firm::new(),
                events <- new_raw_lock!(Ring::new(), "genp_events"),
                timing <- new_raw_lock!(Timing::new(), "genp_timing"),
                counters: Counters::new(),
                budget_low: Atomic::new(0),
                stock_low: Atomic::new(0),
                readers <- new_mutex!((), "genp_readers"),
                news <- new_poll_condvar!("genp_news"),
                listener <- new_mutex!(Listener::NONE, "genp_listener"),
            }),
            GFP_KERNEL,
        )
    }
}

impl Partition {
    /// Makes the file, whose name is the partition's.
    fn open_file(self: &Arc<Self>) -> Result<FileRef> {
        let file_name = match ::core::str::from_utf8(self.name()) {
            Ok("") | Err(_) => CString::try_from_fmt(fmt!("[genp]"))?,
            Ok(name) => CString::try_from_fmt(fmt!("[genp:{name}]"))?,
        };
        FileRef::create(&file_name, self.clone())
    }
}

/// Where the reserve of a partition that user space asks for is to be: EINVAL,
/// EOPNOTSUPP for a range that is not there. `None` is the pool.
pub(crate) fn source_of(pool: &Pool, ask: &abi::genp_create) -> Result<Option<Source>> {
    match ask.source {
        abi::GENP_SOURCE_POOL => Ok(None),
        abi::GENP_SOURCE_RANGE => match &pool.range {
            Some(range) => Ok(Some(Source::Range(range.clone()))),
            None => Err(EOPNOTSUPP),
        },
        _ => Err(EINVAL),
    }
}

/// Creates a partition and its file. Nothing of either is left on error: ENOSPC,
/// ENOMEM, EEXIST and what [`Wish::check`] finds. Context: thread, may sleep;
/// zeroes the reserve.
pub(crate) fn create(
    pool: &Arc<Pool>,
    ask: &abi::genp_create,
    source: Option<Source>,
) -> Result<(Arc<Partition>, FileRef)> {
    let wish = Wish::check(pool, ask, source.is_some())?;
    if pool
        .roster
        .has(wish.shape.name.get(..wish.shape.name_len).unwrap_or(&[]))
    {
        return Err(EEXIST);
    }
    let ceiling = ceiling(pool);
    let id = pool
        .front
        .with(|desk| {
            desk.books.admit(
                wish.shape.owner,
                ceiling,
                wish.committed,
                wish.shape.slice_pages,
                wish.shape.max_leases,
            )
        })
        .map_err(desk::errno)?;
    let admission = Admission { pool, id };
    if let Some(Source::Range(_)) = source {
        pool.front
            .with(|desk| desk.books.charge_elsewhere(id, wish.reserve, ceiling))
            .map_err(desk::errno)?;
    }
    let limit = wish.shape.slice_pages;
    let partition = Partition::build(pool.clone(), id, wish.shape, wish.marks)?;
    // From here the account belongs to the partition and its close.
    ::core::mem::forget(admission);
    trace::create(id.0, wish.reserve, limit);
    // From the creation of the file on its release closes the partition.
    let file = match partition
        .furnish(wish.reserve, source)
        .and_then(|()| partition.furnish_stock())
        .and_then(|()| partition.open_file())
    {
        Ok(file) => file,
        Err(error) => {
            partition.close();
            return Err(error);
        }
    };
    partition.file.populate((file.weak(), file.mapping()));
    pool.roster.add(partition.clone())?;
    Ok((partition, file))
}
